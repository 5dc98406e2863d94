#!/usr/bin/env bash
# nanobook's optimize_min_variance takes a fixed number of small steps from equal weights and returns where it stands. For daily
# returns written as fractions that is still next to equal weights: four unrelated assets of 0.5% to 4% a day get 26, 26, 25 and
# 23% and a volatility of 18% a year, where the least is 7%. The same returns in percent get the right 75, 19, 5 and 1%: the unit
# of the returns decides. Nothing tells that it did not arrive. Multiply the returns by 100; optimize_risk_parity and optimize_hrp
# do not mind the unit.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages nanobook==0.19.2 numpy==2.4.6 <<'PYTHON'
import sys
from importlib.metadata import version

import nanobook
import numpy as np

# Columns of plus and minus one that are orthogonal and of mean zero: the sample's covariances are exactly nought.
signs = np.array([[1.0]])
for _ in range(3):
    signs = np.block([[signs, signs], [signs, -signs]])
daily = np.tile(signs[:, 1:5], (32, 1)) * [0.005, 0.01, 0.02, 0.04]
covariance = np.cov(daily.T)
assert np.allclose(covariance, np.diag(np.diag(covariance)), atol=1e-15)
least = 1.0 / np.diag(covariance)
least /= least.sum()


def weights(optimize, scale):
    told = optimize((daily * scale).tolist(), list("abcd"))
    return np.array([told[name] for name in "abcd"])


def volatility(held):
    return 100.0 * np.sqrt(held @ covariance @ held * 252.0)


print("nanobook", version("nanobook"), f"- weights and volatility a year; the least: {least.round(3)} {volatility(least):.1f}%")
found = {}
for name in ("optimize_min_variance", "optimize_risk_parity", "optimize_hrp"):
    for unit, scale in (("fractions", 1.0), ("percent", 100.0)):
        found[name, unit] = weights(getattr(nanobook, name), scale)
        print(f"{name}, returns in {unit}: {found[name, unit].round(3)} {volatility(found[name, unit]):.1f}%")
fractions = found["optimize_min_variance", "fractions"]
others = ("optimize_risk_parity", "optimize_hrp")
same_elsewhere = all(np.allclose(found[name, "fractions"], found[name, "percent"], atol=1e-4) for name in others)
near_equal = np.abs(fractions - 0.25).max() < 0.03 and volatility(fractions) > 2.0 * volatility(least)
sys.exit(0 if near_equal and np.allclose(found["optimize_min_variance", "percent"], least, atol=1e-3) and same_elsewhere else 1)
PYTHON
