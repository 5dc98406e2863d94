"""What every page has: frame, colours, parts of figures."""
