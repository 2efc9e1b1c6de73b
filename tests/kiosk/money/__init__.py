"""Journal, ledger and totals."""
