"""ID-003, the protocol of JCM's validators (UBA, EBA, WBA, Vega, iPRO, iVIZION), and of others that speak it."""
