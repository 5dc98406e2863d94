"""Alpaca, paper only: the live port over the official client, which is told to do nothing on its own."""
