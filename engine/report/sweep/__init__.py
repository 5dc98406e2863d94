"""The page of a parameter sweep."""
