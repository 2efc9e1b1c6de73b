"""The bench as a whole: the command, its HTTP API and its page."""
