"""Everything about one sleeve: strategy, context, memory, notional portfolio, signals."""
