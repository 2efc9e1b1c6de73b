"""The simulated machine: every peripheral on a line of its own, faults as data, one HTTP API and one page over it."""
