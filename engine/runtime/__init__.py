"""The loops that drive the core through time."""
