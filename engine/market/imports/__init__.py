"""Files of other vendors and tools: recognised by their layout, read as what they are, put through the gates."""
