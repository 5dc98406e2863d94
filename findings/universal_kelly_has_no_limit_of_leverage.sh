#!/usr/bin/env bash
# universal-portfolios' Kelly takes max_leverage, documented as the maximum of leverage to use, 1.0 unless it is given. It
# is handed on only where long_only is set, which it is not by default: the plain Kelly() that is to borrow nothing holds
# what the inverse of the covariance gives, here 25 times the capital on a middling day and 41 times on another, the same
# to the last digit for a limit of 0.5, 1 or 100. Nothing is said, the worst day loses more than half, and the wealth told
# is that of a bet that no broker takes. With long_only=True the limit is kept. Scale the weights down yourself, or set
# fraction, which is obeyed.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages universal-portfolios==0.4.17 six==1.17.0 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1 <<'PYTHON'
import inspect
import sys
import warnings
from importlib.metadata import version

import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
from universal.algos import Kelly

DAYS = 400
steps = np.random.default_rng(3).normal(0.0004, 0.012, (DAYS, 4))
days = pd.bdate_range("2020-01-01", periods=DAYS)
prices = pd.DataFrame(100 * np.exp(steps.cumsum(axis=0)), columns=list("abcd"), index=days)


def run(**how):
    """Weights by day, and the sums of their amounts at the median and at the most."""
    result = Kelly(**how).run(prices, log_progress=False)
    amounts = result.B.abs().sum(axis=1).iloc[51:]
    return result.B, float(amounts.median()), float(amounts.max()), float(result.total_wealth), float(result.r.min() - 1)


default = inspect.signature(Kelly).parameters["max_leverage"].default
found = {str(limit): run(max_leverage=limit) for limit in (0.5, 1.0, 100.0)}
found["not given"] = run()
held = {str(limit): run(max_leverage=limit, long_only=True) for limit in (0.5, 1.0, 2.0)}
part = run(fraction=0.02)

print("universal-portfolios", version("universal-portfolios"), end=" ")
print(f"- four shares, {DAYS} days; max_leverage is {default} if not given")
for name, (_, middle, most, wealth, worst) in found.items():
    print(f"max_leverage {name}: weights add up to {middle:.2f} at the median, {most:.2f} at the most;", end=" ")
    print(f"worst day {worst:.0%}, wealth {wealth:.3g}")
for name, (_, middle, most, wealth, worst) in held.items():
    print(f"max_leverage {name}, long_only: {middle:.2f} at the median, {most:.2f} at the most;", end=" ")
    print(f"worst day {worst:.0%}, wealth {wealth:.3g}")
print(f"fraction 0.02: {part[1]:.2f} at the median, {part[2]:.2f} at the most")
first = found["not given"]
sys.exit(
    0
    if default == 1.0
    and all(values[0].equals(first[0]) for values in found.values())
    and first[1] > 5
    and first[2] > 20
    and all(abs(values[2] - float(limit)) < 1e-3 for limit, values in held.items())
    and abs(part[2] / first[2] - 0.02) < 1e-9
    else 1
)
PYTHON
