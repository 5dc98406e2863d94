"""The path that the nine stages replace, kept to compare with."""
