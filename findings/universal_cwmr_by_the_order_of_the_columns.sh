#!/usr/bin/env bash
# Which shares a portfolio holds cannot depend on the order in which their columns stand. For universal-portfolios' CWMR,
# confidence weighted mean reversion, it does. The article adds to the inverse of the covariance a diagonal matrix of the
# squared price relatives; the code takes diag() of a column, which is its first number alone, and adds the square of that
# to every cell. So the first share's return moves all covariances and the others' none. The same five shares in another
# order give other weights on every ninth day and other wealth at the end. With the diagonal put in, and for the other
# algorithms of the package, the order does not matter. A backtest of CWMR from this package is not one of CWMR.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages universal-portfolios==0.4.17 six==1.17.0 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1 <<'PYTHON'
import sys
import warnings
from importlib.metadata import version

import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
from universal.algos import CWMR, EG, OLMAR, ONS, PAMR

DAYS = 300
steps = np.random.default_rng(3).normal(0.0003, 0.015, (DAYS, 5))
names = list("abcde")
prices = pd.DataFrame(100 * np.exp(steps.cumsum(axis=0)), columns=names, index=pd.bdate_range("2020-01-01", periods=DAYS))
ORDERS = ("abcde", "edcba", "cabde")


class Mended(CWMR):
    """CWMR with the squares on the diagonal, where the original has that of the first share in every cell."""

    def update(self, x, x_upper, mu, sigma, M, V, theta, eps):
        held, changed = super().update(x, x_upper, mu, sigma, M, V, theta, eps)
        before = np.linalg.inv(sigma)
        scale = (np.linalg.inv(changed) - before)[0, 0] / x[0, 0] ** 2
        return held, np.asmatrix(np.linalg.inv(before + scale * np.diagflat(np.square(x))))


def runs(algorithm):
    """Wealth at the end by the order of the columns, and the part of days with other weights than in the first order."""
    results = [algorithm().run(prices[list(order)], log_progress=False) for order in ORDERS]
    first = results[0].B[names]
    other = [float(((result.B[names] - first).abs() > 1e-3).any(axis=1).mean()) for result in results]
    return [float(result.total_wealth) for result in results], other


def show(name, found):
    wealth, other = found
    print(f"{name}: wealth", *(f"{value:.4f}" for value in wealth), end=" ")
    print("- days with other weights", *(f"{part:.0%}" for part in other))


print("universal-portfolios", version("universal-portfolios"), "- five shares, 300 days, columns in the orders", *ORDERS)
found = {algorithm.__name__: runs(algorithm) for algorithm in (CWMR, PAMR, OLMAR, ONS, EG)}
for name, values in found.items():
    show(name, values)
mended = runs(Mended)
show("CWMR with the diagonal", mended)


def spread(values):
    return max(values[0]) / min(values[0]) - 1


sys.exit(
    0
    if spread(found["CWMR"]) > 0.02
    and all(spread(found[name]) < 1e-4 for name in ("PAMR", "OLMAR", "ONS", "EG"))
    and spread(mended) < 1e-4
    and abs(mended[0][0] / found["CWMR"][0][0] - 1) > 0.01
    else 1
)
PYTHON
