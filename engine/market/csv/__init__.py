"""Market data from a folder of CSV files."""
