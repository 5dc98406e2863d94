#!/usr/bin/env bash
# bond_pricing's annuity_fv takes immediate_start, documented "If True, cash flows start immediately", and ignores it: payments at
# the beginning of each period and at its end grow to the same sum. annuity_pv heeds it, so the present value of the same payments,
# grown at the same rate, is more than their future value. annuity_instalment for a given fv then asks for one period's interest too
# much, and annuity_instalment_breakup, which subtracts that future value, leaves a loan unpaid after its last instalment, or rather
# says so: 5 periods of a loan of 100 at 10% end with a debt of 14.64. Without immediate_start it ends with 0.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages bond-pricing==1.0.1 numpy-financial==1.0.0 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1 <<'PYTHON'
import sys
from importlib.metadata import version

import numpy_financial
from bond_pricing import annuity_fv, annuity_instalment, annuity_instalment_breakup, annuity_pv

RATE, PERIODS = 0.10, 5
found = {}
for early in (False, True):
    when = {"when": "begin" if early else "end"}
    found[early] = {
        "future value of 1": annuity_fv(RATE, PERIODS, immediate_start=early),
        "present value, grown": annuity_pv(RATE, PERIODS, immediate_start=early) * (1 + RATE) ** PERIODS,
        "future value by numpy_financial": numpy_financial.fv(RATE, PERIODS, -1, 0, **when),
        "instalment for a future 100": annuity_instalment(RATE, PERIODS, fv=100, immediate_start=early),
        "the same by numpy_financial": -numpy_financial.pmt(RATE, PERIODS, 0, 100, **when),
        "instalment of a loan of 100": annuity_instalment(RATE, PERIODS, pv=100, immediate_start=early),
        "the same by numpy_financial ": -numpy_financial.pmt(RATE, PERIODS, 100, 0, **when),
        "debt after the last of them": annuity_instalment_breakup(RATE, PERIODS, pv=100, period_no=PERIODS, immediate_start=early)[
            "Closing Principal"
        ],
    }
print("bond_pricing", version("bond-pricing"), "-", PERIODS, "periods at", RATE)
for early, values in found.items():
    print(
        "payments at the beginning:" if early else "payments at the end:",
        *(f"{name} {round(float(value), 4)};" for name, value in values.items()),
    )


def pairs(values):
    told = list(values.values())
    return [
        abs(told[0] - told[1]) < 1e-9 and abs(told[0] - told[2]) < 1e-9,
        abs(told[3] - told[4]) < 1e-9,
        abs(told[5] - told[6]) < 1e-9,
        abs(told[7]) < 1e-9,
    ]


same = found[True]["future value of 1"] == found[False]["future value of 1"]
sys.exit(0 if same and pairs(found[False]) == [True] * 4 and pairs(found[True]) == [False, False, True, False] else 1)
PYTHON
