"""The SSP driver, and what is particular to it."""
