#!/usr/bin/env bash
# pyti's vertical_horizontal_filter adds one change too many to those it divides by: the first price of the window less the last,
# which Python reads at the index -1. So prices that go straight up have a filter of 0.5 instead of the 1 that its own
# formula, abs(high - low) / sum(abs(P[i] - P[i-1])), gives, and none has ever more: the stronger the trend, the more is lost, and
# a random walk that should have been above 0.4 on 23 days of 100 is there on 3. Compute it from np.diff of the window.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages pyti==0.3.0 numpy==2.4.6 <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from pyti.vertical_horizontal_filter import vertical_horizontal_filter

PERIOD = 28


def defined(prices):
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(prices), PERIOD)
    return (windows.max(axis=1) - windows.min(axis=1)) / np.abs(np.diff(windows, axis=1)).sum(axis=1)


def wrapped(prices):
    """The same with the window's first price less its last among the changes."""
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(prices), PERIOD)
    changes = np.abs(np.diff(windows, axis=1)).sum(axis=1) + np.abs(windows[:, 0] - windows[:, -1])
    return (windows.max(axis=1) - windows.min(axis=1)) / changes


straight = np.arange(100.0, 160.0)
walk = 100 + np.cumsum(np.random.default_rng(1).normal(0, 0.5, 3000))
told = {
    name: np.asarray(vertical_horizontal_filter(list(prices), PERIOD))[PERIOD - 1 :]
    for name, prices in (("straight", straight), ("walk", walk))
}
right, explained = defined(walk), wrapped(walk)
print("pyti", version("pyti"), "- vertical horizontal filter of", PERIOD)
print("prices straight up: told", round(float(told["straight"][-1]), 3), "by its formula", round(float(defined(straight)[-1]), 3))
print("random walk: told at most", round(float(told["walk"].max()), 3), "by its formula", round(float(right.max()), 3))
above = [round(100 * float((values > 0.4).mean()), 1) for values in (told["walk"], right)]
print("random walk, days above 0.4 in percent: told", above[0], "by its formula", above[1])
print("with the window's first price less its last added, the most it differs:", round(float(np.abs(told["walk"] - explained).max()), 9))
sys.exit(
    0
    if np.allclose(told["straight"], 0.5)
    and np.allclose(defined(straight), 1)
    and told["walk"].max() <= 0.5 < right.max()
    and above[0] * 3 < above[1]
    and np.allclose(told["walk"], explained)
    else 1
)
PYTHON
