#!/usr/bin/env bash
# stockstats' linear regression moving average (close_10_lrma) is the value of the fitted line at the bar before the last one, not
# at its end: on a straight line, where every definition gives the price itself, it gives yesterday's price, with each window.
# TA-Lib's LINEARREG and tulipy's linreg give the price; so do the definition that its documentation links (the ending value of the
# line) and pandas-ta-classic, whose ancestor it names as its reference. Elsewhere it lacks one slope of the window, so the average
# lags and price and average cross on other days. Add the slope, or shift nothing and call TA-Lib.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages stockstats==0.6.10 TA-Lib==0.8.2 tulipy==0.4.0 pandas-ta-classic==0.8.32 numpy==2.4.6 pandas==3.1.1 <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import pandas as pd
import pandas_ta_classic
import stockstats
import talib
import tulipy


def lines(closes, window):
    frame = pd.DataFrame(
        {"open": closes, "high": closes, "low": closes, "close": closes, "volume": 1.0},
        index=pd.bdate_range("2023-01-02", periods=len(closes)),
    )
    return {
        "stockstats": stockstats.wrap(frame.copy())[f"close_{window}_lrma"].to_numpy()[window:],
        "TA-Lib": talib.LINEARREG(closes, window)[window:],
        "tulipy": tulipy.linreg(closes, window)[1:],
        "pandas-ta-classic": pandas_ta_classic.linreg(frame["close"], window, talib=False).to_numpy()[window:],
        "TA-Lib less one slope": (talib.LINEARREG(closes, window) - talib.LINEARREG_SLOPE(closes, window))[window:],
    }


straight = 100.0 + np.arange(60.0)  # one more a day, the last is 159
ends = {window: {name: round(float(values[-1]), 6) for name, values in lines(straight, window).items()} for window in (5, 10, 30)}
walk = 100 * np.exp(np.cumsum(np.random.default_rng(5).normal(0.0, 0.01, 300)))
random = lines(walk, 10)
above = {name: int((walk[10:] > values).sum()) for name, values in random.items()}
sides = int(((walk[10:] > random["stockstats"]) != (walk[10:] > random["TA-Lib"])).sum())
print("stockstats", version("stockstats"), "- linear regression moving average of a price that gains 1 a day and is 159 now:")
for window, values in ends.items():
    print(f"window {window}:", *(f"{name} {value};" for name, value in values.items()))
print(
    "a random walk, window 10, days with the price above the average:",
    *(f"{name} {value};" for name, value in above.items()),
    sides,
    "of 290 days on the other side",
)
same = all(
    values["stockstats"] == 158.0 and values["TA-Lib"] == values["tulipy"] == values["pandas-ta-classic"] == 159.0
    for values in ends.values()
)
same = same and np.allclose(random["stockstats"], random["TA-Lib less one slope"]) and np.allclose(random["TA-Lib"], random["tulipy"])
sys.exit(0 if same and sides > 10 else 1)
PYTHON
