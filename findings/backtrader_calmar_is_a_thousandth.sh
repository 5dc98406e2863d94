#!/usr/bin/env bash
# The Calmar ratio is the compounded return of a year, of the last 36 months, over the largest fall, both as shares or both in percent; the
# article that backtrader's Calmar analyzer names in its text says so too. The analyzer divides the mean logarithm of a month, not of a
# year, as a share, by the fall in percent: a twelfth over a hundredfold. And at the end of the run it takes the growth of 34 months for
# that of 36. A run that earns 20 percent a year through one fall of 10 has a Calmar ratio of 2 and is told one of 0.0014. Runs can still be
# put in order by it, roughly; no number of it can be held against one from elsewhere. Take the returns from TimeReturn and the fall from
# DrawDown, whose numbers are right, and divide yourself.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages backtrader==1.9.78.123 numpy==2.4.6 pandas==2.3.3 <<'PYTHON'
import math
import sys
from importlib.metadata import version

import backtrader as bt
import pandas as pd

# one price each month-end: four years that each gain 20 percent, the second by way of a fall of 10 percent
path, price = [], 100.0
for at in range(48):
    price *= 0.9 if at == 15 else 1.2 ** (1 / 12)
    path.append(price)
    if at == 23:
        path[-1] = price = 100 * 1.2**2
days = pd.date_range("2020-01-31", periods=48, freq="ME")
bars = pd.DataFrame({"open": path, "high": path, "low": path, "close": path, "volume": 1e6}, index=days)


class Hold(bt.Strategy):
    """Puts all into the share at the first close and keeps it."""

    def next(self):
        if not self.position and not self.broker.get_orders_open():
            self.buy(size=1000)


cerebro = bt.Cerebro()
cerebro.broker.set_cash(path[0] * 1000)
cerebro.broker.set_coc(True)
cerebro.adddata(bt.feeds.PandasData(dataname=bars, timeframe=bt.TimeFrame.Months))
cerebro.addstrategy(Hold)
cerebro.addanalyzer(bt.analyzers.Calmar, _name="calmar", timeframe=bt.TimeFrame.Months)
cerebro.addanalyzer(bt.analyzers.TimeReturn, _name="returns", timeframe=bt.TimeFrame.Months)
cerebro.addanalyzer(bt.analyzers.DrawDown, _name="fall")
(run,) = cerebro.run()
told = list(run.analyzers.calmar.get_analysis().values())[-1]
months = pd.Series(run.analyzers.returns.get_analysis())
value = pd.concat([pd.Series([1.0]), (1 + months).cumprod()], ignore_index=True)
fall = (1 - value / value.cummax()).max()
window = value.iloc[-37:]  # the value 36 months ago and the 36 month-ends since
yearly = (window.iloc[-1] / window.iloc[0]) ** (1 / 3) - 1
right = yearly / fall
made_of = math.log(value.iloc[-1] / value.iloc[-35]) / 36 / (100 * fall)
print("backtrader", version("backtrader"), f"- return of a year over the last 36 months {yearly:.4f}, largest fall {fall:.4f}")
print(f"backtrader's own fall in percent: {run.analyzers.fall.get_analysis().max.drawdown:.4f}")
print(f"Calmar ratio {right:.4f}, told by backtrader {told:.6f}, {right / told:.0f} times less")
print(f"a 36th of the logarithm of the growth of the last 34 months, over the fall in percent: {made_of:.6f}")
sys.exit(0 if abs(right - 2) < 1e-6 and abs(told / made_of - 1) < 1e-6 and told < right / 1000 else 1)
PYTHON
