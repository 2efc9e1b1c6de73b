"""Cables pulled at random moments, again and again: nothing may leak, and everything has to come back."""
