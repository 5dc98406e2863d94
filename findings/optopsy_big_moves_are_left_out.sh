#!/usr/bin/env bash
# optopsy's max_otm_pct limits how far from the price a strike may be, by 0.5 if nothing is said, on the day of the entry and again
# on the day of the exit: a trade whose strike has come to lie further away by then has no exit and is left out, without a word. So
# each sold straddle that a big move ruined is missing, and each call that made a fortune: of five straddles sold at the money the
# two with a move of 25 and 30% vanish with max_otm_pct=0.1, and a loss of 108% on average becomes a gain of 59%. A limit on delta
# is applied to the entry alone. Leave max_otm_pct at 1 or more (and more still for a price that may double) and choose the strikes
# in the raw result or by delta.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages optopsy==2.2.0 numpy==2.4.6 pandas==2.3.3 <<'PYTHON'
import sys
from importlib.metadata import version

import optopsy
import pandas as pd

ENDS = (100.0, 104.0, 97.0, 125.0, 70.0)  # where the price, 100 at each entry, is when the options end


def quotes(day, expiration, price, values):
    same = {"underlying_symbol": "XYZ", "underlying_price": price, "quote_date": day, "expiration": expiration, "strike": 100.0}
    return [{**same, "option_type": kind, "bid": value, "ask": value + 0.1} for kind, value in values.items()]


rows = []
for entry, end in zip(pd.date_range("2024-01-01", periods=len(ENDS), freq="MS"), ENDS):
    last = entry + pd.Timedelta(days=14)
    rows += quotes(entry, last, 100.0, {"call": 2.95, "put": 2.95})
    rows += quotes(last, last, end, {"call": max(end - 100, 0.0), "put": max(100 - end, 0.0)})
chain = pd.DataFrame(rows)
found = {}
for limit in (0.5, 0.1):
    for name in ("short_straddles", "long_calls"):
        trades = getattr(optopsy, name)(chain, max_otm_pct=limit, max_entry_dte=30, raw=True)
        found[name, limit] = (len(trades), round(float(trades["pct_change"].mean()), 2))
print("optopsy", version("optopsy"), "- options at the money, the price at their end:", *ENDS)
for (name, limit), (count, mean) in found.items():
    print(f"{name}, max_otm_pct={limit}: {count} trades, {mean:+.0%} on average")
expected = {("short_straddles", 0.5): (5, -1.08), ("long_calls", 0.5): (5, 0.95)}
expected |= {("short_straddles", 0.1): (3, 0.59), ("long_calls", 0.1): (3, -0.54)}
sys.exit(0 if found == expected else 1)
PYTHON
