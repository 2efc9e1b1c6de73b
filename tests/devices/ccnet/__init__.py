"""The CCNET driver, and what is particular to it."""
