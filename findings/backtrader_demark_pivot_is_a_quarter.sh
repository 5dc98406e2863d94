#!/usr/bin/env bash
# backtrader's DemarkPivotPoint gives levels from the last month's bar by the formula in its text: x is high + 2 low + close after a fall
# and 2 high + low + close after a rise, and the pivot is x / 4. With the resampled data that the text has for example, x is never a price:
# it is what comes out of comparing close with open, -1 or 1. So the pivot of a share at 100 is a quarter, below zero or above, and its
# support and resistance are as far below zero as the month's high and low are above it: each price is over both for ever. On the bars
# themselves, not resampled, with Cerebro's runonce it gives prices, and they are right after a fall; after a rise it takes the x that
# the text has for close == open, so the pivot is half a point off on a bar whose close is two below its high.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages backtrader==1.9.78.123 numpy==2.4.6 pandas==2.3.3 <<'PYTHON'
import sys
from importlib.metadata import version

import backtrader as bt
import pandas as pd

days = pd.bdate_range("2024-01-01", "2024-04-30")
close = [100.0 + (day.dayofyear if day.month != 2 else 60 - day.dayofyear) / 10 for day in days]
bars = pd.DataFrame({"open": close, "high": close, "low": close, "close": close, "volume": 1.0}, index=days)
bars["high"] += 2
bars["low"] -= 1


def by_formula(bar):
    """The levels as the indicator's own text has them: pivot, support and resistance."""
    high, low, last = bar["high"], bar["low"], bar["close"]
    x = high + 2 * low + last if last < bar["open"] else 2 * high + low + last if last > bar["open"] else high + low + 2 * last
    return [round(float(level), 6) for level in (x / 4, x / 2 - high, x / 2 - low)]


class Levels(bt.Strategy):
    """Writes down the levels of each finished bar of the last data."""

    def __init__(self):
        self.pivot = bt.ind.DemarkPivotPoint(self.datas[-1])
        self.seen = {}

    def next(self):
        self.seen[self.datas[-1].datetime.date()] = [round(line[0], 6) for line in self.pivot.lines]


def told(frame, resampled, runonce):
    cerebro = bt.Cerebro(runonce=runonce)
    data = bt.feeds.PandasData(dataname=frame)
    cerebro.adddata(data)
    if resampled:
        cerebro.resampledata(data, timeframe=bt.TimeFrame.Months)
    cerebro.addstrategy(Levels)
    (strategy,) = cerebro.run()
    return {str(day): levels for day, levels in strategy.seen.items()}


monthly = bars.groupby(bars.index.to_period("M")).agg({"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"})
monthly.index = [bars.index[bars.index.to_period("M") == month][-1] for month in monthly.index]
right = {str(day.date()): by_formula(bar) for day, bar in monthly.iterrows()}
found = {
    "days resampled to months": told(bars, True, True),
    "months, runonce": told(monthly, False, True),
    "months, no runonce": told(monthly, False, False),
}
print("backtrader", version("backtrader"), "- pivot, support and resistance after a rise in January, a fall in February, a rise in March")
for day in list(right)[:3]:
    print(day, "by the formula:", right[day], *(f"{name}: {levels[day]};" for name, levels in found.items()))
resampled, once, bar_by_bar = found.values()
checks = []
for (day, bar), levels in zip(list(monthly.iterrows())[:3], list(right.values())[:3]):
    name, rose = str(day.date()), bar["close"] > bar["open"]
    sign = 1 if rose else -1
    nothing = [sign / 4, round(sign / 2 - bar["high"], 6), round(sign / 2 - bar["low"], 6)]
    checks += [resampled[name] == nothing, bar_by_bar[name] == nothing]
    checks.append(once[name] == (by_formula({**bar, "open": bar["close"]}) if rose else levels) and (once[name] != levels) == rose)
sys.exit(0 if len(checks) == 9 and all(checks) else 1)
PYTHON
