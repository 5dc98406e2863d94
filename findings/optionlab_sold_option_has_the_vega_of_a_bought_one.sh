#!/usr/bin/env bash
# optionlab gives the Greeks leg by leg, and the delta, theta and rho of a sold leg with the sign of the position. Its gamma and vega
# are those of a bought leg: a sold straddle and a bought one have the same gamma and the same vega, and a leg bought and sold again,
# which is no position at all, sums to a delta and a theta of 0 and to twice the gamma and vega. Whoever adds up a spread or an iron
# condor gets its exposure to volatility with the wrong sign. Turn the signs of gamma and vega of sold legs before you add.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages optionlab==1.9.1 numpy==2.4.6 <<'PYTHON'
import sys
from importlib.metadata import version

from optionlab import run_strategy

GREEKS = ("delta", "theta", "rho", "gamma", "vega")
MARKET = {"stock_price": 100.0, "volatility": 0.2, "interest_rate": 0.03, "min_stock": 50.0, "max_stock": 150.0, "days_to_target_date": 30}


def summed(*legs):
    """The Greeks of one contract of each of these legs, added up."""
    strategy = [{"type": kind, "strike": 100.0, "premium": 2.4, "n": 1, "action": action} for action, kind in legs]
    outputs = run_strategy({**MARKET, "strategy": strategy})
    return {name: round(sum(getattr(outputs, name)), 4) for name in GREEKS}


bought = summed(("buy", "call"), ("buy", "put"))
sold = summed(("sell", "call"), ("sell", "put"))
nothing = summed(("buy", "call"), ("sell", "call"))
one = summed(("buy", "call"))
print("optionlab", version("optionlab"), "- Greeks at a strike of 100, the price, 30 days, added over the legs:")
for name, values in (("straddle bought", bought), ("straddle sold", sold), ("call bought", one), ("call bought and sold", nothing)):
    print(f"{name}:", *(f"{greek} {value};" for greek, value in values.items()))
same = all(sold[name] == -bought[name] and nothing[name] == 0 for name in ("delta", "theta", "rho"))
wrong = all(sold[name] == bought[name] > 0 and abs(nothing[name] - 2 * one[name]) < 0.001 for name in ("gamma", "vega"))
sys.exit(0 if same and wrong else 1)
PYTHON
