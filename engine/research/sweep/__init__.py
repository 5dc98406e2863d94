"""One configuration run many times with different values."""
