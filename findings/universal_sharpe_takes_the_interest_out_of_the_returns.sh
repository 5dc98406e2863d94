#!/usr/bin/env bash
# universal-portfolios' tools.sharpe(returns, rf_rate) subtracts the interest of a period from the returns, in place: the
# caller's own series is changed. The second call takes the same interest off again, every call tells a lower ratio, and
# whatever is computed from the series afterwards, its growth, its drawdown, tools.ulcer (which does the same), is of
# returns that nobody had. Ten looks at a Sharpe ratio with interest of 3% take 30% a year off the mean. It makes no
# difference whether the rate is a number or a series. The docstring says nothing of it. The properties of a result are
# safe, they hand in a fresh series. Hand in a copy.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages universal-portfolios==0.4.17 six==1.17.0 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1 <<'PYTHON'
import sys
import warnings
from importlib.metadata import version

import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
from universal import tools

RATE = 0.03
made = np.random.default_rng(1).normal(0.0006, 0.01, 504)
days = pd.bdate_range("2020-01-01", periods=504)


def fresh():
    return pd.Series(made.copy(), index=days)


def yearly(values):
    return float(values.mean()) * 252


found = {}
for name, rate in (("a number", RATE), ("a series", pd.Series(RATE, index=days)), ("none", 0.0)):
    values = fresh()
    found[name] = ([float(tools.sharpe(values, rf_rate=rate)) for _ in range(3)], yearly(values))
looked = fresh()
for _ in range(10):
    tools.sharpe(looked, rf_rate=RATE)
after = (yearly(looked), float((1 + looked).prod() - 1))
seen = fresh()
tools.ulcer(seen, rf_rate=RATE)

print("universal-portfolios", version("universal-portfolios"), end=" ")
print(f"- two years of returns, mean {yearly(fresh()):.4f} a year, interest {RATE}")
for name, (ratios, mean) in found.items():
    calls = " ".join(f"{ratio:.4f}" for ratio in ratios)
    print(f"interest {name}: Sharpe ratio of three calls {calls} - mean afterwards {mean:.4f}")
print(f"after ten calls: mean {after[0]:.4f}, growth {after[1]:.4f}, of {float((1 + fresh()).prod() - 1):.4f} before")
print(f"tools.ulcer: mean afterwards {yearly(seen):.4f}")
mean = yearly(fresh())
right = (mean - RATE * 252 / tools.freq(days)) / (made.std(ddof=1) * 252) * tools.freq(days) ** 0.5
charged = [found["a number"], found["a series"]]
lost = RATE * 252 / tools.freq(days)
sys.exit(
    0
    if all(ratios[0] > ratios[1] > ratios[2] and abs(mean - 3 * lost - left) < 1e-9 for ratios, left in charged)
    and found["a number"][0] == found["a series"][0]
    and abs(found["a number"][0][0] / right - 1) < 1e-9
    and len(set(found["none"][0])) == 1
    and found["none"][1] == mean
    and abs(mean - 10 * lost - after[0]) < 1e-9
    and abs(mean - lost - yearly(seen)) < 1e-9
    else 1
)
PYTHON
