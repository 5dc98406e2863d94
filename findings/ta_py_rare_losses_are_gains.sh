#!/usr/bin/env bash
# ta_py's normsinv, the inverse of the normal distribution, takes the logarithm of 1 - p in the lower tail too, where it is of p: below
# a probability of 0.02425 it turns positive, 2.21 for 0.01 instead of -2.33. Its sim draws each day of its price paths by it, so no
# day falls by more than two standard deviations, the worst fortieth of the days is among the best, and 0.11 of a deviation a day is
# made of nothing: prices that go up and down by 2% in turn grow by 5.3% in 20 days on the mean of the paths where 0.2% are meant,
# and the path at 5%, a value at risk, loses 10.4% instead of 14.0%. And ncdf(2, 0, 2) is 0.977, that of 2 deviations, not 0.841: a
# deviation is only looked at when the mean is not 0. Use statistics.NormalDist for both.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages ta-py==2.1.0 <<'PYTHON'
import math
import random
import sys
from importlib.metadata import version
from statistics import NormalDist, fmean, pstdev

import ta_py

DAYS, PATHS = 20, 2000
normal = NormalDist()
pairs = {p: (round(ta_py.normsinv(p), 3), round(normal.inv_cdf(p), 3)) for p in (0.001, 0.01, 0.024, 0.025, 0.05, 0.5, 0.95, 0.976, 0.99)}
steps = [(number + 0.5) / 100_000 for number in range(100_000)]
drawn, right = [ta_py.normsinv(p) for p in steps], [normal.inv_cdf(p) for p in steps]

prices = [100.0]
for day in range(80):
    prices.append(prices[-1] * (1.02 if day % 2 == 0 else 1 / 1.02))
random.seed(11)
told = [path[-1] / prices[-1] - 1 for path in ta_py.sim(prices, DAYS, PATHS)]
changes = [after / before - 1 for before, after in zip(prices, prices[1:], strict=False)]
mean, deviation = fmean(changes), pstdev(changes)
random.seed(11)
meant = [
    math.expm1(sum(mean - deviation**2 / 2 + deviation * normal.inv_cdf(random.random()) for _ in range(DAYS))) for _ in range(PATHS)
]


def low(returns):
    return sorted(returns)[PATHS // 20]


print("ta_py", version("ta-py"), "- inverse of the normal distribution: told, right")
print(*(f"{p}: {told_one} {right_one};" for p, (told_one, right_one) in pairs.items()))
print("over all probabilities:", *(f"{who} mean {fmean(by):.3f}, least {min(by):.2f};" for who, by in (("told", drawn), ("right", right))))
ways = (("told", told), ("by NormalDist", meant))
print(f"{PATHS} paths of {DAYS} days:", *(f"{who} mean {fmean(by):.4f}, at 5% {low(by):.4f};" for who, by in ways))
spread = {deviation: (round(ta_py.ncdf(2, 0, deviation), 3), round(NormalDist(0, deviation).cdf(2), 3)) for deviation in (1, 2, 4)}
beside = round(ta_py.ncdf(2, 1e-9, 2), 3)
print("ncdf of 2 at a mean of 0, told and right by the deviation:", spread, "- at a mean of 1e-9 and a deviation of 2:", beside)
tail = all(told_one > 1.9 and right_one < -1.9 for p, (told_one, right_one) in pairs.items() if p < 0.02425)
rest = all(abs(told_one - right_one) < 0.002 for p, (told_one, right_one) in pairs.items() if p > 0.02425)
drift = 0.1 < fmean(drawn) < 0.12 and abs(fmean(right)) < 1e-6 and min(drawn) > -2
paths = fmean(told) > fmean(meant) + 0.03 and low(told) > low(meant) + 0.03
sys.exit(0 if tail and rest and drift and paths and spread[2] == (0.977, 0.841) and spread[4][0] == 0.977 and beside == 0.841 else 1)
PYTHON
