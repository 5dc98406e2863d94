"""The engine: from bars to a book, an account and the figures made of it."""
