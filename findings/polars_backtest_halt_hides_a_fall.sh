#!/usr/bin/env bash
# polars_backtest, rebalancing daily (resample="D", the default), gives a share up at its last value on a day without its price, a
# row that is missing or a close that is null, and takes it back when there is one: what the price did in between is in no one's
# account, although prices that are missing are said to be skipped and the position to be carried. A share that holds half the
# money, is halted for a day and comes back at half its price costs nothing; back at double, it earns nothing. With resample=None
# the same is -25% and +50%. Carry the last price (and the weight) over such days before a run.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages polars-backtest==0.1.7 polars==1.44.2 <<'PYTHON'
import sys
from datetime import date
from importlib.metadata import version

import polars as pl
import polars_backtest  # noqa: F401  the namespace .bt

DAYS = [date(2024, 1, day) for day in (1, 2, 3, 4, 5, 8, 9)]
GONE = 3


def last_value(after, hole, **options):
    """What becomes of 1 in two shares of equal weight, A halted on the fourth day and at `after` from the fifth on."""
    rows = []
    for at, day in enumerate(DAYS):
        close = 100.0 if at <= GONE else after
        if at == GONE and hole == "filled":
            rows.append((day, "A", 100.0, 0.5))
        elif at == GONE and hole == "null":
            rows.append((day, "A", None, 0.5))
        elif at != GONE:
            rows.append((day, "A", close, 0.5))
        rows.append((day, "B", 100.0, 0.5))
    columns = {"date": pl.Date, "symbol": pl.String, "close": pl.Float64, "weight": pl.Float64}
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    curve = frame.bt.backtest(fee_ratio=0.0, tax_ratio=0.0, **options)
    return round(curve["creturn"][-1], 6)


holes = ("filled", "null", "no row")
found = {(after, hole): (last_value(after, hole), last_value(after, hole, resample=None)) for after in (50.0, 200.0) for hole in holes}
print("polars-backtest", version("polars-backtest"), "- half in A, half in B at a steady 100; A at 100 before its halt of a day")
for (after, hole), (daily, held) in found.items():
    print(f"back at {after}, the halted day {hole}: 1 becomes {daily} by default, {held} with resample=None")
expected = {}
for after, right in ((50.0, 0.75), (200.0, 1.5)):
    expected[after, "filled"] = (right, right)
    expected[after, "null"] = expected[after, "no row"] = (1.0, right)
sys.exit(0 if found == expected else 1)
PYTHON
