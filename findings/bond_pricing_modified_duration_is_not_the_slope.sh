#!/usr/bin/env bash
# bond_pricing's modified duration is not what the price does when the yield moves, wherever the yield is not compounded as often as
# the coupon is paid: bond_duration(modified=True) with comp_freq divides the duration by one coupon period of growth at the yield
# converted to the coupon's frequency, where the yield that was given is the one that moves. A yield compounded continuously, whose
# modified duration is the duration itself, loses 3% of it, a yearly one of a bond with quarterly coupons gains as much. With equal
# frequencies it is right, and so is the library's own duration() of the same payments. zero_curve_bond_duration has the same
# option, documented to return the modified duration, and ignores it: modified=True and False give the same number.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages bond-pricing==1.0.1 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1 <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from bond_pricing import bond_duration, bond_price, duration, make_zero_price_fun, zero_curve_bond_duration

CPN, YIELD, STEP = 0.05, 0.06, 1e-6
found = {}
for paid, compounded in ((2, 2), (1, 1), (2, 1), (4, 1), (1, 4), (2, np.inf)):
    how = {"cpn": CPN, "mat": 8, "freq": paid, "comp_freq": compounded}
    prices = [bond_price(yld=YIELD + move, **how) for move in (-STEP, 0.0, STEP)]
    slope = (prices[0] - prices[2]) / (2 * STEP) / prices[1]
    payments = [100 * CPN / paid] * (8 * paid)
    payments[-1] += 100.0
    own = duration(payments, YIELD, cf_freq=paid, comp_freq=compounded, modified=True)
    plain = bond_duration(yld=YIELD, **how)
    found[paid, compounded] = tuple(round(float(value), 4) for value in (bond_duration(yld=YIELD, modified=True, **how), slope, own, plain))
curve = make_zero_price_fun(flat_curve=YIELD)
zero = tuple(
    round(float(zero_curve_bond_duration(cpn=CPN, mat=8, freq=1, zero_price_fn=curve, modified=option)), 4) for option in (False, True)
)
print("bond_pricing", version("bond-pricing"), "- a bond of 8 years, 5%, at a yield of 6%")
for (paid, compounded), (said, slope, own, plain) in found.items():
    print(
        f"coupons a year {paid}, yield compounded {compounded}: modified duration {said},",
        f"loss of price per yield {slope}, duration() of the payments {own}; not modified {plain}",
    )
print("zero_curve_bond_duration on a flat curve of 6%, modified=False and True:", *zero)
right = all(abs(slope - own) < 1e-3 for _, slope, own, _ in found.values())
equal = all((abs(said - slope) < 1e-3) == (paid == compounded) for (paid, compounded), (said, slope, _, _) in found.items())
continuous = found[2, np.inf]
sys.exit(
    0
    if right
    and equal
    and abs(continuous[1] - continuous[3]) < 1e-3
    and continuous[0] < continuous[1] - 0.15
    and zero[0] == zero[1] == found[1, 1][3]
    else 1
)
PYTHON
