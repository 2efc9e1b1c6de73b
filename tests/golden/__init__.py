"""Frames from manuals and captures, read and written byte for byte."""
