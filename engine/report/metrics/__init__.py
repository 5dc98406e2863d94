"""Statistics and their names: plain numpy."""
