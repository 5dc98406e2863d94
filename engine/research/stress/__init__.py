"""What a book would lose: in markets that were, in one of one's own, in many drawn ones."""
