"""Daily bars and corporate actions from Alpaca, through alpaca-py."""
