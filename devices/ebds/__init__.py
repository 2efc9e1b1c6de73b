"""EBDS, the extended bi-directional serial protocol: wire, driver and simulated peripheral."""
