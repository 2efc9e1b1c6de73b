"""Tests of the drivers, their lines and their simulators."""
