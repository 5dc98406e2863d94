#!/usr/bin/env bash
# finta's STOCHRSI places the RSI between the lowest and the highest RSI of the whole table, not of the last stoch_period bars as
# its documentation ("relative to its high-low range over a set time period") and TA-Lib have it; stoch_period only smooths the
# result. So each value knows the extremes of all the bars to come: with 200 of 300 days every one of the values is another than
# with all 300, and the days above 0.8 ("overbought") are others. The RSI that it is made of does not change. Compute it from TA.RSI
# with a rolling minimum and maximum.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages finta==1.3 TA-Lib==0.8.2 numpy==2.4.6 pandas==3.1.1 <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import pandas as pd
import talib
from finta import TA

rng = np.random.default_rng(3)
closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.006, 300) + np.where(np.arange(300) < 200, 0.0, 0.004)))
frame = pd.DataFrame(
    {"open": closes, "high": closes * 1.002, "low": closes * 0.998, "close": closes}, index=pd.bdate_range("2022-01-03", periods=300)
)
FROM, KNOWN = 40, 200  # compared: the days from the 40th to the 200th, once with these 200 and once with all 300


def changed(indicator):
    """How many of these days have another value once the later days are known, and by how much the most."""
    difference = np.abs(np.asarray(indicator(frame.iloc[:KNOWN]))[FROM:] - np.asarray(indicator(frame))[FROM:KNOWN])
    return int((difference > 1e-6).sum()), round(float(difference.max()), 3)


def above(part):
    return int((TA.STOCHRSI(part).iloc[FROM:KNOWN] > 0.8).sum())


def rolled(part):
    """The same from finta's RSI, by the definition: the place in the range of the last 14, in the mean of 14 as finta has it."""
    rsi = TA.RSI(part)
    low, high = rsi.rolling(14).min(), rsi.rolling(14).max()
    return ((rsi - low) / (high - low)).rolling(14).mean()


found = {
    "finta STOCHRSI": changed(TA.STOCHRSI),
    "finta RSI": changed(TA.RSI),
    "the same with a rolling range": changed(rolled),
    "TA-Lib STOCHRSI": changed(lambda part: talib.STOCHRSI(part["close"].to_numpy(), 14, 14, 14)[1]),
}
days = (above(frame.iloc[:KNOWN]), above(frame))
print("finta", version("finta"), "- values of", KNOWN - FROM, "days that change when 100 more days are known, the largest change:")
for name, told in found.items():
    print(f"{name}:", *told)
print("of these days above 0.8, without and with the days to come:", *days)
still = found["finta STOCHRSI"] == (KNOWN - FROM, found["finta STOCHRSI"][1]) and found["finta STOCHRSI"][1] > 0.05
sys.exit(0 if still and all(told[0] == 0 for name, told in found.items() if name != "finta STOCHRSI") and days[0] != days[1] else 1)
PYTHON
