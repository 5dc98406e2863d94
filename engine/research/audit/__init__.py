"""The look-ahead certificate."""
