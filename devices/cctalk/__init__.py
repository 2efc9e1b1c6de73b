"""ccTalk in plain mode: coin acceptors and bill validators on a line of one wire."""
