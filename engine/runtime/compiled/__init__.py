"""The compiled loops: the same engine as the loop in Python, to the bit."""
