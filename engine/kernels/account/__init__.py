"""What an account does, bar by bar: costs, fills, the ledger, orders, notional portfolios."""
