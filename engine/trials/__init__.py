"""What was tried: the ledger of every configuration ever evaluated."""
