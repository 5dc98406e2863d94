#!/usr/bin/env bash
# ta_py's ichimoku tells rows of "conversion line, base line, leading span A, leading span B, lagging span". Span A is the close plus
# the base line, twice the price, instead of the middle of conversion and base line: prices of 100 throughout have a cloud from 100 to
# 200, with the price ever at its foot. And both are moved the wrong way: beside the lines of a day stands the cloud of 26 days later,
# not of 26 days before, so it knows prices to come, and as the lagging span the close of 26 days before, not of 26 days after.
# Span B has the low of 26 days beside the high of 52. Take the two lines from it and make the spans of them.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages ta-py==2.1.0 numpy==2.4.6 <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import ta_py

SHORT, BASE, LONG, MOVED = 9, 26, 52, 26
closes = 100 * np.exp(np.cumsum(np.random.default_rng(2).normal(0.001, 0.01, 260)))
highs, lows = closes * 1.01, closes * 0.99


def told(high, close, low):
    return np.array(ta_py.ichimoku([list(map(float, row)) for row in zip(high, close, low, strict=True)], SHORT, BASE, LONG, MOVED))


def middle(bar, upper, lower=None):
    """Between the highest of so many bars and the lowest of so many, or of as many."""
    return (highs[bar - upper + 1 : bar + 1].max() + lows[bar - (lower or upper) + 1 : bar + 1].min()) / 2


rows = told(highs, closes, lows)
bars = range(LONG - 1 + MOVED, len(closes) - MOVED)  # the bars whose conversion and base lines the rows tell
lines = np.array([[middle(bar, SHORT), middle(bar, BASE)] for bar in bars])
span_a = np.array([(middle(bar - MOVED, SHORT) + middle(bar - MOVED, BASE)) / 2 for bar in bars])
span_b = np.array([middle(bar - MOVED, LONG) if bar >= MOVED + LONG - 1 else np.nan for bar in bars])
later_a = np.array([closes[bar + MOVED] + middle(bar + MOVED, BASE) for bar in bars])
later_b = np.array([middle(bar + MOVED, LONG, BASE) for bar in bars])
before = np.array([closes[bar - MOVED] for bar in bars])

fall = closes.copy()
fall[150:] *= 0.5  # the same days, and a halving on the 151st
changed = np.abs(told(fall * 1.01, fall, fall * 0.99) - rows) > 1e-9
first = {name: int(bars[np.argmax(changed[:, column])]) for name, column in (("base line", 1), ("span A", 2), ("span B", 3))}
flat = told(np.full(200, 100.0), np.full(200, 100.0), np.full(200, 100.0))
print("ta_py", version("ta-py"), "- ichimoku of prices of 100:", *(float(value) for value in flat[-1]))
print("a walk, the last row told:", *(round(float(value), 2) for value in rows[-1]), end=" ")
print("- its bar's close:", round(float(closes[bars[-1]]), 2), end=" ")
print("spans A and B by the definition:", round(float(span_a[-1]), 2), round(float(span_b[-1]), 2))
print("the spans are those of", MOVED, "bars later, close plus base line:", np.allclose(rows[:, 2], later_a), end=" ")
print("- middle of 52 and 26:", np.allclose(rows[:, 3], later_b))
print("a halving on bar 150 changes first the row of the bar:", first)
sys.exit(
    0
    if flat[-1].tolist() == [100, 100, 200, 100, 100]
    and len(rows) == len(bars)
    and np.allclose(rows[:, :2], lines)
    and np.allclose(rows[:, 2], later_a)
    and np.allclose(rows[:, 3], later_b)
    and np.allclose(rows[:, 4], before)
    and (rows[:, 2] > 1.5 * span_a).all()
    and first["base line"] == 150
    and first["span A"] == 150 - MOVED
    else 1
)
PYTHON
