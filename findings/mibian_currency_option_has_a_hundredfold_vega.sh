#!/usr/bin/env bash
# mibian tells vega for a move of the volatility by one point in options on shares, BS and Me, and a hundred times that in options
# on currencies, GK, by the same attribute of which each says "Returns the option vega". A book of both has a vega of its
# currencies. GK's theta is another mistake: it discounts the strike at the foreign currency's rate instead of the domestic one.
# With rates alike that does not show; with 8% and 1% the theta of a put of two years is half again what a day costs, that of a call
# 15% more. Its deltas, rhos and gamma are right, and so are all of BS and Me. Divide by 100, and take the theta from two prices.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages mibian==0.1.3 scipy==1.17.1 numpy==2.4.6 <<'PYTHON'
import sys
from importlib.metadata import version

import mibian

SPOT, STRIKE, VOLATILITY, DAYS = 1.1, 1.12, 10.0, 730.0


def option(model, domestic, foreign, volatility=VOLATILITY, days=DAYS):
    rates = {"BS": [domestic], "Me": [domestic, foreign / 100 * SPOT], "GK": [domestic, foreign]}[model]
    return getattr(mibian, model)([SPOT, STRIKE, *rates, days], volatility=volatility)


def told(model, domestic, foreign):
    """Each Greek as told, divided by what the prices of the same model do: by a point of volatility, by a day."""
    here = option(model, domestic, foreign)
    up, down = (option(model, domestic, foreign, VOLATILITY + move).callPrice for move in (0.01, -0.01))
    found = {"vega": here.vega / ((up - down) / 0.02)}
    for side in ("call", "put"):
        less, more = (getattr(option(model, domestic, foreign, days=DAYS + move), side + "Price") for move in (-0.01, 0.01))
        found[side + " theta"] = getattr(here, side + "Theta") / ((less - more) / 0.02)
    return {name: round(float(value), 2) for name, value in found.items()}


cases = [("BS", 8.0, 0.0), ("Me", 8.0, 1.0), ("GK", 4.0, 4.0), ("GK", 8.0, 1.0), ("GK", 1.0, 8.0)]
found = {case: told(*case) for case in cases}
print(
    "mibian",
    version("mibian"),
    "- options of two years at",
    SPOT,
    "with a strike of",
    STRIKE,
    "- Greeks told, divided by what the price does",
)
for (model, domestic, foreign), ratios in found.items():
    print(f"{model}, rates {domestic}% and {foreign}%:", *(f"{name} {ratio};" for name, ratio in ratios.items()))
share = all(set(ratios.values()) == {1.0} for (model, *_), ratios in found.items() if model != "GK")
vega = all(ratios["vega"] == 100.0 for (model, *_), ratios in found.items() if model == "GK")
alike, apart = found["GK", 4.0, 4.0], found["GK", 8.0, 1.0]
theta = alike["call theta"] == alike["put theta"] == 1.0 and apart["call theta"] > 1.1 and apart["put theta"] > 1.4
sys.exit(0 if share and vega and theta else 1)
PYTHON
