#!/usr/bin/env bash
# FinQuant subtracts the portfolio's risk-free rate, which its Sharpe ratio takes for that of a year (0.005 if nothing is said),
# from the returns of each day to find its downside risk, and puts that on a year: half a percent a day is the target, 126% a year.
# A portfolio that gained on each of 252 days has a downside risk of 6.7%, with a rate of 4% a year one of 62%, and its Sortino
# ratio falls from infinity to 2.7 and 0.2. The Sharpe ratio of the same object is right. The documentation calls it the risk free
# rate in both. Set the rate to 0 before you read either.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages finquant==0.7.0 numpy==1.26.4 pandas==2.2.3 scipy==1.17.1 <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import pandas as pd
from finquant.portfolio import build_portfolio

DAYS = pd.bdate_range("2023-01-02", periods=253)
gains = np.where(np.arange(252) % 2, 0.0011, 0.0004)  # each day up
prices = 100 * np.r_[1.0, (1 + gains).cumprod()]
frame = pd.DataFrame({"A": prices, "B": prices[0] * np.r_[1.0, (1 + gains[::-1]).cumprod()]}, index=DAYS)
losing = int((frame.pct_change().dropna() < 0).to_numpy().sum())


def told(rate):
    portfolio = build_portfolio(data=frame)
    if rate is not None:
        portfolio.risk_free_rate = rate
    mean, deviation = float(portfolio.expected_return), float(portfolio.volatility)
    daily = (frame.pct_change().dropna() @ portfolio.comp_weights().to_numpy()).to_numpy()
    used = float(portfolio.risk_free_rate)
    right, found = (float(np.sqrt(np.mean(np.minimum(0.0, daily - less) ** 2) * 252)) for less in (used / 252, used))
    sharpe = abs(float(portfolio.comp_sharpe()) - (mean - used) / deviation) < 1e-9
    risk = float(portfolio.comp_downside_risk())
    sortino = round(float(portfolio.comp_sortino()), 2) if risk else None
    return used, round(risk, 3), round(right, 3), abs(risk - found) < 1e-12, sortino, sharpe


found = [told(rate) for rate in (None, 0.04, 0.0)]
print("FinQuant", version("finquant"), "- a portfolio with", losing, "losing days in a year")
for rate, risk, right, same, sortino, sharpe in found:
    print(
        f"risk-free rate {rate}: downside risk {risk}, with the rate of a day {right}; Sortino {sortino}; "
        f"Sharpe ratio by a rate of a year: {sharpe}"
    )
risks = [(risk, right) for _, risk, right, *_ in found]
sys.exit(0 if losing == 0 and risks == [(0.067, 0.0), (0.623, 0.0), (0.0, 0.0)] and all(row[3] and row[5] for row in found) else 1)
PYTHON
