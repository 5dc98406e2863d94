"""Plimsoll: event-driven backtesting and paper trading for portfolios of ETF strategies."""
