"""Weights from beliefs: hierarchical risk parity, risk budgets, views, caps."""
