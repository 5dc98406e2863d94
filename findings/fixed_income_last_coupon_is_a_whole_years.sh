#!/usr/bin/env bash
# fixed_income's Bond pays at maturity the face and one coupon, as its cashflows() documents it: face + C, where C = c *
# face / m for m coupons a year. What it pays is face * (1 + c), a whole year's coupon, whatever m is; all the coupons
# before are right. With yearly coupons nothing is wrong. A bond of 5 years at par with half-yearly coupons of 6% a year
# yields 1.03 squared less one, 6.09%, and is told to yield 6.62%; one with monthly coupons 7.15% for 6.17%; the last
# half-year of a bond that pays twice a year is told at twice its yield. f(), ytm(), pv(), macaulay() and modified() all
# rest on these payments. Bonds that pay half-yearly look cheap, the more so the shorter they are. Take the difference out
# of cashflows() and solve for the yield yourself, or count time, coupon and yield in periods, with m=1.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages fixed-income==0.1.3 qfin-datasets==0.1.0 numpy==2.4.6 scipy==1.17.1 <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from fixed_income import Bond, macaulay
from scipy.optimize import brentq

COUPON, FACE = 0.06, 100.0
found = {}
for years, often in ((5, 1), (5, 2), (5, 4), (5, 12), (1, 2), (0.5, 2)):
    bond = Bond(COUPON, FACE, years, FACE, often)
    times, paid = bond.cashflows()
    owed = np.full(int(years * often), COUPON * FACE / often)
    owed[-1] += FACE
    at = np.arange(1, len(owed) + 1) / often
    right = brentq(lambda rate: (owed / (1 + rate) ** at).sum() - FACE, -0.5, 1.0, xtol=1e-14)
    closed = (1 + COUPON / often) ** often - 1
    length = float((at * owed / (1 + right) ** at).sum() / FACE)
    durations = (float(macaulay(bond)), length)
    found[years, often] = (float(paid[-1]), float(owed[-1]), bond.ytm(), right, closed, bond.f(right), *durations)
    assert np.allclose(paid[:-1], owed[:-1]) and np.allclose(times, at)

print("fixed_income", version("fixed-income"), "- bonds of 6% a year, bought at par, 100")
for (years, often), (paid, owed, told, right, _, price, duration, length) in found.items():
    print(
        f"{years} years, {often} coupons a year: last payment {paid:.2f}, owed {owed:.2f};",
        f"yield told {told:.4%}, right {right:.4%};",
        f"price at the right yield {price:.3f}; duration told {duration:.4f}, right {length:.4f}",
    )
yearly = found[5, 1]
rest = [values for (_, often), values in found.items() if often > 1]
sys.exit(
    0
    if all(abs(values[3] - values[4]) < 1e-9 for values in found.values())
    and abs(yearly[0] - yearly[1]) < 1e-9
    and abs(yearly[2] - yearly[3]) < 1e-9
    and all(abs(values[0] - FACE * (1 + COUPON)) < 1e-9 and values[2] > values[3] + 0.005 for values in rest)
    else 1
)
PYTHON
