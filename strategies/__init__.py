"""The registered strategies, one per file."""
