"""Whole visits in virtual time: the product's own core against a world that lies, forgets, repeats and dies."""
