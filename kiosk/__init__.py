"""What the terminal is, without pixels and without wire bytes."""
