"""The simulation is trusted only as far as it is shown to bite."""
