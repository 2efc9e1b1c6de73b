"""Stories that every device of a kind must live through, against its driver and its simulator."""
