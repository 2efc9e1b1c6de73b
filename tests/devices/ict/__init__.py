"""The ICT driver, its simulator, and what is particular to a line without a check."""
