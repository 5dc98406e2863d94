#!/usr/bin/env bash
# tti rounds each step of its RSI to four decimals of the price: the changes, and at every bar the two averages that are carried on.
# An average of 0.0006 then never falls by its fourteenth, and changes of 0.0006 never lift one from zero. A euro in dollars that went
# up for twenty bars and falls by a pip, 0.0001, in each of the next three hundred keeps an RSI of 100 where the index is 0; in a
# random walk of 5 pips a bar it is 12 points off on the mean and never above 70, where the index is on 54 of 500 bars. A coin of 0.1
# is 12 points off at worst, a coin of 0.00002 has no RSI at all, shares of 100 do not show it. The index has no unit: the same prices
# times a million give the right one, and that is the way around. Its documentation says nothing of a rounding.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages tti==0.2.2 numpy==2.4.6 pandas==2.3.3 <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import pandas as pd
from tti.indicators import RelativeStrengthIndex

PERIOD = 14


def told(prices):
    frame = pd.DataFrame({"close": prices}, index=pd.date_range("2024-01-01", periods=len(prices), freq="15min"))
    return RelativeStrengthIndex(frame, period=PERIOD).getTiData()["rsi"].to_numpy()


def defined(prices):
    """Wilder's index: the mean of the first fourteen rises and falls, then a fourteenth of each new one."""
    change = np.diff(prices)
    up, down = np.maximum(change, 0), np.maximum(-change, 0)
    rise, fall = up[:PERIOD].mean(), down[:PERIOD].mean()
    values = [np.nan] * PERIOD + [100 * rise / (rise + fall)]
    for more, less in zip(up[PERIOD:], down[PERIOD:], strict=True):
        rise, fall = rise + (more - rise) / PERIOD, fall + (less - fall) / PERIOD
        values.append(100 * rise / (rise + fall))
    return np.array(values)


def walk(start, volatility, seed=3):
    return start * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, volatility, 500)))


rise_and_fall = 1.1 + np.concatenate([np.arange(21) * 0.001, 0.02 - np.arange(1, 301) * 0.0001])
series = {
    "a rise, then a pip down a bar": rise_and_fall,
    "EUR/USD, 5 pips a bar": walk(1.1, 0.0005).round(5),
    "a coin of 0.1": walk(0.1, 0.03),
    "a coin of 0.00002": walk(0.00002, 0.03),
    "a share of 100": walk(100, 0.01),
}
found = {}
print("tti", version("tti"), "- RSI told, told for the prices times a million, and by the definition")
for name, prices in series.items():
    here, scaled, right = told(prices), told(prices * 1_000_000), defined(prices)
    off, off_scaled = np.abs(here - right)[PERIOD:], np.abs(scaled - right)[PERIOD:]
    found[name] = {
        "last": [round(float(values[-1]), 1) for values in (here, scaled, right)],
        "mean off": round(float(np.nan_to_num(off, nan=np.inf).mean()), 2),
        "most off": round(float(np.nan_to_num(off, nan=np.inf).max()), 1),
        "scaled most off": round(float(off_scaled.max()), 1),
        "above 70": [int((values > 70).sum()) for values in (here, right)],
        "none": int(np.isnan(here[PERIOD:]).sum()),
    }
    print(f"{name}:", *(f"{what} {value};" for what, value in found[name].items()))
falling, euro, coin, tiny, share = found.values()
sys.exit(
    0
    if falling["last"][0] == 100
    and falling["last"][1] == falling["last"][2] == 0
    and euro["above 70"][0] == 0
    and euro["above 70"][1] > 40
    and euro["mean off"] > 5
    and all(told["scaled most off"] < 0.1 for told in found.values())
    and coin["most off"] > 5
    and tiny["none"] > 400
    and share["most off"] < 0.1
    else 1
)
PYTHON
