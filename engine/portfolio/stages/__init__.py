"""The nine stages, one file each."""
