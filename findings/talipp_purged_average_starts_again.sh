#!/usr/bin/env bash
# talipp's indicators keep all their input, and purge_oldest is there to let go of the old. But whether an average that carries itself
# on has begun is asked of the number of inputs kept. An EMA of 10 that is purged to its last 9 after each bar begins anew at every
# bar and is the plain mean of 10 prices; one purged once to 5 repeats its last value for 4 bars while the price goes up 4%, then
# begins anew. An RSI of 14 needs 15 kept, a MACD of 12, 26 and 9 has no signal line with 30. Nothing is raised, and neither the
# README nor the docstring says how many must stay; VWAP and OBV do not mind. Keep a few times the longest period.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages talipp==2.7.0 numpy==2.4.6 <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from talipp.indicators import EMA, MACD, OBV, RSI, VWAP
from talipp.ohlcv import OHLCV

prices = [float(price) for price in 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, 300)))]
bars = [OHLCV(price, price * 1.01, price * 0.99, price, 1000.0) for price in prices]


def last(indicator, values, keep=None):
    """The last value of the indicator that is fed bar by bar and purged after each to so many inputs, if any."""
    for value in values:
        indicator.add(value)
        if keep is not None and len(indicator.input_values) > keep:
            indicator.purge_oldest(1)
    return indicator[-1]


def by_hand(values, period):
    average = sum(values[:period]) / period
    for value in values[period:]:
        average += 2 / (period + 1) * (value - average)
    return average


ema = {keep: last(EMA(10), prices, keep) for keep in (None, 10, 9)}
right, mean = by_hand(prices, 10), sum(prices[-10:]) / 10
rsi = {keep: last(RSI(14), prices, keep) for keep in (None, 15, 14)}
macd = {keep: last(MACD(12, 26, 9), prices, keep) for keep in (None, 50, 30)}
sums = {kind: [last(kind(), bars, keep) for keep in (None, 5)] for kind in (VWAP, OBV)}
rising = EMA(10, prices)
rising.purge_oldest(len(prices) - 5)
steps = []
for bar in range(1, 7):
    rising.add(prices[-1] * 1.01**bar)
    steps.append(rising[-1])
carried = by_hand([*prices, *[prices[-1] * 1.01**bar for bar in range(1, 7)]], 10)

print("talipp", version("talipp"), "- the last value of 300 bars by the number of inputs kept")
print("EMA of 10:", *(f"{keep or 'all'} kept {value:.3f};" for keep, value in ema.items()), end=" ")
print(f"by hand {right:.3f}; mean of 10 prices {mean:.3f}")
print("RSI of 14:", *(f"{keep or 'all'} kept {value:.3f};" for keep, value in rsi.items()))
signals = {keep: value.signal if value.signal is None else round(value.signal, 3) for keep, value in macd.items()}
print("MACD signal:", *(f"{keep or 'all'} kept {value};" for keep, value in signals.items()))
print(*(f"{kind.__name__}: all kept {both[0]:.3f}; 5 kept {both[1]:.3f};" for kind, both in sums.items()))
print("EMA of 10 purged once to 5 inputs, prices up 1% a bar:", *(f"{value:.3f}" for value in steps), f"- by hand at last {carried:.3f}")
same = abs(ema[None] - right) < 1e-9 and ema[10] == ema[None] and abs(ema[9] - mean) < 1e-9 and abs(mean - right) > 0.1
relative = rsi[15] == rsi[None] and abs(rsi[14] - rsi[None]) > 0.1
signal = macd[50].signal == macd[None].signal is not None and macd[30].signal is None
unmoved = all(both[0] == both[1] for both in sums.values())
stale = len(set(steps[:4])) == 1 and abs(steps[-1] - carried) > 0.1
sys.exit(0 if same and relative and signal and unmoved and stale else 1)
PYTHON
