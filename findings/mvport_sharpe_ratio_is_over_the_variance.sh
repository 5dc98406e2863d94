#!/usr/bin/env bash
# The Sharpe ratio is the mean return over that of cash, divided by the standard deviation. mvport's evaluate(), and with
# it every portfolio that it finds, gives as "Sharp Ratio" the mean divided by the variance. That has a unit: the same
# returns written in percent have a hundredth of it. And it puts portfolios in another order: the tangency portfolio, by
# mvport's own text the one with the highest ratio, is told to have exactly that of the portfolio of least variance, and
# half of the one and half of the other is told better than both. get_tangency_portfolio(rf_rate) and
# get_minimum_variance_portfolio(mean, rf_rate) also give the ratio for cash that earns nothing, whatever rf_rate is. Mean
# and variance are right: divide yourself, by the root.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages mvport==1.3.2 numpy==2.0.0 scipy==1.14.0 <<'PYTHON'
import sys
from importlib.metadata import version

import mvport
import numpy as np

CASH = 0.001
chance = np.random.default_rng(5)
# 120 months of three shares: one that hardly moves, two that earn more
returns = {
    "quiet": chance.normal(0.003, 0.01, 120),
    "middle": chance.normal(0.008, 0.04, 120),
    "wild": chance.normal(0.014, 0.06, 120),
}


def portfolio_of(times):
    portfolio = mvport.Portfolio()
    for name, values in returns.items():
        portfolio.add_stock(name, values * times)
    return portfolio


def shown(told):
    """Mean, variance and ratio as told, and the ratio over the deviation, for cash that earns nothing and for CASH."""
    mean, variance, ratio, weights = told
    return mean, variance, ratio, mean / variance**0.5, (mean - CASH) / variance**0.5, np.asarray(weights).ravel()


portfolio = portfolio_of(1)
least = float(np.ravel(portfolio.get_efficient_frontier(2)[0])[0])
calmest, tangent = portfolio.get_minimum_variance_portfolio(least), portfolio.get_tangency_portfolio()
half = (np.asarray(calmest[3]).ravel() + np.asarray(tangent[3]).ravel()) / 2
found = {
    "least variance": shown(calmest),
    "tangency": shown(tangent),
    "half and half": shown(portfolio.evaluate(list(half))),
    f"tangency, cash at {CASH}": shown(portfolio.get_tangency_portfolio(CASH)),
    "all in the wild one": shown(portfolio.evaluate([0.0, 0.0, 1.0])),
}
again = portfolio.get_minimum_variance_portfolio(least, CASH)[2]
percent = portfolio_of(100).evaluate([0.0, 0.0, 1.0])[2]

print("mvport", version("mvport"), "- 120 months of three shares")
for name, (mean, variance, ratio, right, over_cash, weights) in found.items():
    print(
        f"{name}: weights {np.round(weights, 3)}, mean {mean:.5f}, deviation {variance**0.5:.5f}, ratio told {ratio:.3f},",
        f"over the deviation {right:.4f}, over cash {over_cash:.4f}",
    )
print(f"all in the wild one, returns in percent: ratio told {percent:.5f}")
calm, best, mixed, best_over_cash, wild = found.values()
sys.exit(
    0
    if all(abs(ratio - mean / variance) < 1e-9 * abs(ratio) for mean, variance, ratio, *_ in found.values())
    and best[3] == max(values[3] for values in found.values())
    and best_over_cash[4] == max(values[4] for values in found.values())
    and abs(best[2] / calm[2] - 1) < 1e-6
    and again == calm[2]
    and mixed[2] > best[2] * 1.1
    and mixed[3] < best[3]
    and abs(percent * 100 / wild[2] - 1) < 1e-9
    else 1
)
PYTHON
