"""Screens draw the View that they are given and hand back Intents; they decide nothing."""
