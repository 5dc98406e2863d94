"""The gates: what must hold before a row is stored. Each has a name, a severity, and a word about what to do."""
