"""The tables, driven through the core."""
