#!/usr/bin/env bash
# PyPortfolioOpt's DiscreteAllocation takes weights and prices by name; its lp_portfolio, for a portfolio without shorts, puts the
# first weight to the first price, the second to the second, whatever their names. With weights sorted by size and prices in the
# order of a table the shares are counted by another company's price: 1,000 in a share of 200 become 100 shares, 20,000, and 6,000
# in one of 10 become 30, 300; it says that none of the 10,000 is left, where 23,300 are to be paid. greedy_portfolio is right, but
# sorts the weights in place: lp_portfolio of the same object after it is wrong although both came in one order. Make one object
# per call and give it prices.reindex(list(weights)).
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages pyportfolioopt==1.6.0 cvxpy==1.9.3 numpy==2.4.6 pandas==3.1.1 packaging==26.4 <<'PYTHON'
import sys
from importlib.metadata import version

import pandas as pd
from pypfopt.discrete_allocation import DiscreteAllocation

MONEY = 10_000
PRICES = pd.Series({"AAA": 200.0, "BBB": 50.0, "CCC": 10.0})
WEIGHTS = {"AAA": 0.1, "BBB": 0.3, "CCC": 0.6}
BY_SIZE = dict(sorted(WEIGHTS.items(), key=lambda item: -item[1]))


def told(how, shares, left):
    """The shares, what they cost at the prices given, and what the library says is left."""
    return how, {name: shares[name] for name in PRICES.index}, float(sum(shares[name] * PRICES[name] for name in shares)), round(float(left), 2)


def fresh(weights, prices=PRICES):
    return DiscreteAllocation(weights, prices, total_portfolio_value=MONEY)


used = fresh(WEIGHTS)
greedy = told("greedy, same order", *used.greedy_portfolio())
found = [
    told("lp, same order", *fresh(WEIGHTS).lp_portfolio()),
    told("lp, weights by size", *fresh(BY_SIZE).lp_portfolio()),
    told("lp, weights by size, prices reindexed", *fresh(BY_SIZE, PRICES.reindex(list(BY_SIZE))).lp_portfolio()),
    told("greedy, weights by size", *fresh(BY_SIZE).greedy_portfolio()),
    greedy,
    told("lp after greedy, same order", *used.lp_portfolio()),
]
print("PyPortfolioOpt", version("pyportfolioopt"), "-", WEIGHTS, "of 10,000 at prices", PRICES.to_dict())
for how, shares, cost, left in found:
    print(f"{how}: {shares} cost {cost:.0f}; said to be left: {left}")
right = ({"AAA": 5, "BBB": 60, "CCC": 600}, 10_000.0, 0.0)
wrong = ({"AAA": 100, "BBB": 60, "CCC": 30}, 23_300.0, 0.0)
sys.exit(0 if [row[1:] for row in found] == [right, wrong, right, right, right, wrong] else 1)
PYTHON
