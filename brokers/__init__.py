"""Adapters from the broker port to the outside world."""
