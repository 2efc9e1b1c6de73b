"""The EBDS driver, and what is particular to it."""
