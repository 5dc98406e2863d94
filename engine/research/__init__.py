"""Is the strategy what it claims to be: batteries, searches and tests of what a backtest can and cannot show."""
