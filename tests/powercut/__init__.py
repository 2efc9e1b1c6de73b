"""No power cut loses what was acknowledged: the simulated disk, and the stories told on it."""
