"""Figures: measured by hand or by night, printed as a table and as JSON, never asserted as times in tests."""
