"""Daily bars and actions from Yahoo, through yfinance in a child process."""
