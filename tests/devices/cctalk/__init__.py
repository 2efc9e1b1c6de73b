"""What is particular to ccTalk."""
