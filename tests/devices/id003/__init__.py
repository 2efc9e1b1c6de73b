"""The ID-003 driver, and what is particular to it."""
