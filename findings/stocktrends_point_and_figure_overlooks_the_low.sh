#!/usr/bin/env bash
# A point and figure chart by highs and lows is drawn so: in a rising column the high is asked for a new box first, and
# where it gives none, the low for a reversal of three boxes; in a falling one the other way round. stocktrends' PnF with
# source="hl" asks a rising column for its reversal by the high too, and a falling one by the low: the column turns only
# on a day whose whole range has left it by three boxes. A crash whose highs keep near the top is not on the chart at all,
# and where the column turns at last it is drawn to that day's high. On a random walk of days with a range four columns of
# five are missing. Days without a range, and source="close", are right.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages stocktrends==0.1.6 pandas==2.3.3 numpy==2.4.6 <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import pandas as pd
from stocktrends import PnF

BOX, TURN = 1, 3


def told(bars):
    """The columns as [up, box where it begins, box where it ends] by stocktrends."""
    chart = PnF(bars)
    chart.box_size, chart.reversal_size = BOX, TURN
    columns = []
    for _, box in chart.get_ohlc_data(source="hl").iterrows():
        if columns and columns[-1][0] == bool(box["uptrend"]):
            columns[-1][2] = int(box["close"])
        else:
            columns.append([bool(box["uptrend"]), int(box["open"]), int(box["close"])])
    return columns


def by_hand(bars):
    """The same by the rule, from the same first box: the first low."""
    first = round(bars["low"].iloc[0])
    up, end, columns = True, first, []
    for high, low in zip(bars["high"], bars["low"], strict=True):
        onward, back = (high, low) if up else (low, high)
        sign = 1 if up else -1
        if sign * (onward - end) >= BOX:
            if not columns:
                columns.append([up, first, first])
            end = columns[-1][2] = end + sign * int(sign * (onward - end))
        elif sign * (end - back) >= TURN:
            boxes = int(sign * (end - back))
            up = not up
            columns.append([up, end - sign, end - sign * boxes])
            end = columns[-1][2]
    return columns


def table(ranges):
    days = pd.date_range("2024-01-01", periods=len(ranges))
    frame = pd.DataFrame(ranges, columns=["low", "high"])
    middle = frame.mean(axis=1)
    return pd.DataFrame({"date": days, "open": middle, "high": frame["high"], "low": frame["low"], "close": middle})


rise = [(100.0, 100.5), (105.0, 106.0), (110.0, 112.0), (117.0, 120.0)]
crash = table([*rise, (100.0, 119.0), (98.0, 118.5), (99.0, 119.5), (112.0, 121.0)])
slide = table([*rise, (112.0, 119.0), (108.0, 116.5)])
walk = np.cumsum(np.random.default_rng(2).normal(0, 1.2, 2000)) + 500
widths = np.random.default_rng(3).uniform(0.5, 2.5, 2000)
bars = table([(price - width, price + width) for price, width in zip(walk, widths, strict=True)])
thin = table([(price, price) for price in walk])

print("stocktrends", version("stocktrends"), "- columns as [rising, first box, last box], boxes of 1, reversal by 3")
for name, given in (("lows of 98 under highs of 119", crash), ("a slide from 120 to 108", slide)):
    print(f"{name}: told {told(given)}, by the rule {by_hand(given)}")
walks = {"days with a range": bars, "days without": thin}
count = {name: (len(told(given)), len(by_hand(given))) for name, given in walks.items()}
for name, (got, right) in count.items():
    print(f"a random walk, 2000 {name}: {got} columns told, {right} by the rule")
sys.exit(
    0
    if told(crash) == [[True, 100, 121]]
    and by_hand(crash) == [[True, 100, 120], [False, 119, 98], [True, 99, 121]]
    and told(slide) == [[True, 100, 120], [False, 119, 117]]
    and by_hand(slide) == [[True, 100, 120], [False, 119, 108]]
    and told(thin) == by_hand(thin)
    and count["days with a range"][0] < 0.7 * count["days with a range"][1]
    else 1
)
PYTHON
