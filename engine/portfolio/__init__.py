"""From the answers of many sleeves to one target book."""
