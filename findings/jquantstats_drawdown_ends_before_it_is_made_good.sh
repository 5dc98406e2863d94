#!/usr/bin/env bash
# jquantstats adds the returns up to find how long the longest drawdown was, and compounds them to find how deep it was and, in
# drawdown_details, where it began and ended. 50% down and 50% up is even for the one and still a quarter down for the other: a
# fund with these two days and nothing after them for a year has a max_drawdown of -50%, a max_drawdown_duration of 1 day, and one
# open drawdown of 365 days in the details. summary() shows the sum's. Take the longest duration in drawdown_details.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages jquantstats==0.13.1 numpy==2.4.6 polars==1.44.2 <<'PYTHON'
import sys
from datetime import date, timedelta
from importlib.metadata import version

import jquantstats
import polars as pl


def told(*returns):
    """A year of days that begin with these returns and are still from then on."""
    days = [date(2023, 1, 1) + timedelta(at) for at in range(366)]
    column = [*returns, *[0.0] * (len(days) - len(returns))]
    stats = jquantstats.Data.from_returns(returns=pl.DataFrame({"Date": days, "fund": column})).stats
    (details,) = stats.drawdown_details().values()
    summary = {row["metric"]: row["fund"] for row in stats.summary().to_dicts()}
    return {
        "max_drawdown": round(stats.max_drawdown()["fund"], 4),
        "max_drawdown_duration": stats.max_drawdown_duration()["fund"],
        "in summary()": summary["max_drawdown_duration"],
        "drawdown_details": [(row["duration"], row["end"]) for row in details.to_dicts()],
        "all in all": round(stats.comp()["fund"], 4),
    }


found = {"+10%, -50%, +50%": told(0.10, -0.50, 0.50), "+10%, -50%, +100%": told(0.10, -0.50, 1.00), "+10%, -50%": told(0.10, -0.50)}
print("jquantstats", version("jquantstats"), "- a year that begins with these days and stands still afterwards:")
for name, values in found.items():
    print(f"{name}:", *(f"{key} {value};" for key, value in values.items()))
half, whole, lost = found.values()
same = half["max_drawdown_duration"] == half["in summary()"] == 1 and half["drawdown_details"] == [(365, None)]
agree = whole["max_drawdown_duration"] == 1 and lost["max_drawdown_duration"] == 365 == lost["drawdown_details"][0][0]
sys.exit(0 if same and agree and half["max_drawdown"] == -0.5 and half["all in all"] == -0.175 else 1)
PYTHON
