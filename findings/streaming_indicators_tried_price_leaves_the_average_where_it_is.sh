#!/usr/bin/env bash
# streaming_indicators has two ways with a new price: update takes it in, compute tells the value with it without keeping it ("compute
# indicator on ltp, but don't update it"). The EMA's compute does not look at the price: it gives the plain mean of the prices before,
# 11 of them for an EMA of 10, so a last trade at twice the price leaves it where it was, and on 290 bars of 300 it is not what update
# then gives. The ATR's compute has one bar of the kind: on the fifteenth with a period of 14 it divides by 14 once more, and a
# SuperTrend tried on its own such bar lies closer to the price. SMA, WMA and Bollinger bands are right. Update a copy.deepcopy of
# the indicator instead.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages streaming_indicators==0.1.8 numpy==2.4.6 pandas==2.3.3 <<'PYTHON'
import copy
import sys
from importlib.metadata import version

import numpy as np
import streaming_indicators

prices = [float(price) for price in 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, 300)))]
candles = [{"open": price, "high": price * 1.01, "low": price * 0.99, "close": price, "volume": 100.0} for price in prices]


def numbers(value):
    return [np.nan if part is None else float(part) for part in (value if isinstance(value, tuple) else (value,))]


def tried(indicator, values):
    """The bars on which compute tells other than the update that follows, and other than the update of a copy."""
    other, copied = [], 0
    for bar, value in enumerate(values):
        told, kept = indicator.compute(value), copy.deepcopy(indicator).update(value)
        then = indicator.update(value)
        if not np.allclose(numbers(told), numbers(then), equal_nan=True):
            other.append((bar, numbers(told)[-1], numbers(then)[-1]))
        copied += not np.allclose(numbers(kept), numbers(then), equal_nan=True)
    return other, copied


indicators = {
    "SMA(10)": (streaming_indicators.SMA(10), prices),
    "WMA(10)": (streaming_indicators.WMA(10), prices),
    "BBands(20, 2)": (streaming_indicators.BBands(20, 2), prices),
    "EMA(10)": (streaming_indicators.EMA(10), prices),
    "ATR(14)": (streaming_indicators.ATR(14), candles),
    "SuperTrend(10, 3)": (streaming_indicators.SuperTrend(10, 3), candles),
}
found = {name: tried(*given) for name, given in indicators.items()}
print("streaming_indicators", version("streaming_indicators"), "- of", len(prices), "bars, those on which compute tells other than update")
for name, (other, copied) in found.items():
    print(f"{name}: {len(other)};", *(f"bar {bar + 1} computed {told:.3f} updated {then:.3f};" for bar, told, then in other[-1:]), end=" ")
    print("with the update of a copy:", copied)
average, last = indicators["EMA(10)"][0], prices[-1]
doubled, right = average.compute(2 * last), copy.deepcopy(average).update(2 * last)
by_hand = average.value + 2 / 11 * (2 * last - average.value)
print(f"EMA(10) tried with twice the last price: {doubled:.3f}, with the last price {average.compute(last):.3f},", end=" ")
print(f"mean of the last 11 prices {np.mean(prices[-11:]):.3f}, by hand {by_hand:.3f}")
sys.exit(
    0
    if all(not found[name][0] for name in ("SMA(10)", "WMA(10)", "BBands(20, 2)"))
    and len(found["EMA(10)"][0]) > len(prices) - 20
    and doubled == average.compute(last) == np.mean(prices[-11:])
    and abs(right - by_hand) < 1e-9
    and found["ATR(14)"][0][-1][0] == 14
    and found["ATR(14)"][0][-1][1] * 5 < found["ATR(14)"][0][-1][2]
    and found["SuperTrend(10, 3)"][0][-1][0] == 10
    and not any(copied for _, copied in found.values())
    else 1
)
PYTHON
