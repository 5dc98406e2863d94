#!/usr/bin/env bash
# The Fisher transform places the price in its range of the last bars, so it should not matter in which unit a price is told. That
# of stockstats (ftr) and of pandas-ta-classic (fisher) takes a range below 0.001 for 0.001, in whatever the price is: on minutes of
# EUR/USD, whose range of nine minutes is about 0.00025, every bar is so, the place is always in the lower half, and the transform
# says a falling market for hours: below 0 on 99.6% of the bars of a market that goes nowhere. The same prices times 100 say 50%, as
# tulipy does for both. stockstats' documentation has the plain formula; that of pandas-ta-classic shows the 0.001 among its lines.
# Multiply the prices of currencies and small coins before.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages stockstats==0.6.10 pandas-ta-classic==0.8.32 tulipy==0.4.0 numpy==2.4.6 pandas==3.1.1 <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import pandas as pd
import pandas_ta_classic
import stockstats
import tulipy

BARS, SKIP = 1440, 60
rng = np.random.default_rng(3)
closes = 1.08 * np.exp(np.cumsum(rng.normal(0, 0.00008, BARS)))
closes *= np.linspace(1.0, 1.08 / closes[-1], BARS)  # it ends where it began
opens = np.r_[1.08, closes[:-1]]
noise = np.abs(rng.normal(0, 0.00003, (2, BARS)))
frame = pd.DataFrame(
    {
        "open": opens,
        "high": np.maximum(opens, closes) * (1 + noise[0]),
        "low": np.minimum(opens, closes) * (1 - noise[1]),
        "close": closes,
        "volume": 1.0,
    },
    index=pd.date_range("2024-01-03", periods=BARS, freq="min"),
)


def transforms(prices):
    return {
        "stockstats": stockstats.wrap(prices.copy())["ftr_9"].to_numpy()[SKIP:],
        "pandas-ta-classic": pandas_ta_classic.fisher(prices["high"], prices["low"], length=9).iloc[SKIP:, 0].to_numpy(),
        "tulipy": tulipy.fisher(prices["high"].to_numpy(), prices["low"].to_numpy(), 9)[0][SKIP - 8 :],
    }


def told(values):
    return round(float((values < 0).mean()), 3), round(float(np.mean(values)), 2)


times = frame.copy()
times[["open", "high", "low", "close"]] *= 100
middle = (frame["high"] + frame["low"]) / 2
span = float((middle.rolling(9).max() - middle.rolling(9).min()).median())
once, more = transforms(frame), transforms(times)
print(
    "stockstats",
    version("stockstats"),
    "pandas-ta-classic",
    version("pandas-ta-classic"),
    "- Fisher transform of a day of minutes around 1.08, median range of nine",
    round(span, 5),
)
for name in once:
    print(f"{name}: share of bars below 0 and mean {told(once[name])}, the same prices times 100 {told(more[name])}")
wrong = all(told(once[name])[0] > 0.9 and told(more[name])[0] < 0.6 for name in ("stockstats", "pandas-ta-classic"))
right = np.allclose(once["tulipy"], more["tulipy"], atol=1e-6) and np.allclose(more["stockstats"], once["tulipy"], atol=1e-6)
sys.exit(0 if wrong and right else 1)
PYTHON
