"""The ledger and the journal that proves it: nothing here decides, it only refuses what cannot be true."""
