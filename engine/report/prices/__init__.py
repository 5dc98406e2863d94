"""The page of one symbol's prices."""
