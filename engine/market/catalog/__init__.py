"""The catalog: daily prices and actions as traded, a Parquet file per symbol, and a log of what was ever stored."""
