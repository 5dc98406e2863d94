#!/usr/bin/env bash
# quantstats brings a benchmark to the dates of the returns by taking, for a date that it lacks, its next price. Monthly returns are
# dated at the end of the month: of a month that ends on a Sunday the benchmark's March has the Monday of April in it, and a last
# month that ends on one has no next price and counts as 0, as the first month always does. So an index by months has a beta of -0.6
# and an R2 of 0.2 against itself by days. Likewise a strategy of seven days a week is compared on Saturday with what the index does
# on Monday, and on Monday with 0. greeks(), r_squared(), information_ratio() and the reports do this. Bring the benchmark to the
# dates of the returns yourself, the last price of each, and pass it with exactly those dates.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages quantstats==0.0.86 numpy==2.4.6 pandas==3.1.1 <<'PYTHON'
import sys
from importlib.metadata import version

import pandas as pd
import quantstats

stats, utils = quantstats.stats, quantstats.utils


def told(returns, benchmark):
    beta, r2 = stats.greeks(returns, benchmark)["beta"], stats.r_squared(returns, benchmark)
    return round(float(beta), 3), round(float(r2), 3)


days = pd.bdate_range("2024-01-01", "2024-06-28")
jumps = pd.to_datetime(["2024-01-15", "2024-04-01", "2024-06-03"])
daily = pd.Series(0.0, index=days).mask(days.isin(jumps), 0.10)  # 31 March and 30 June were Sundays
monthly = (1 + daily).resample("ME").prod() - 1
aligned = utils._prepare_benchmark(daily, monthly.index)

mondays = pd.Series(0.0, index=days).mask(days.dayofweek == 0, 0.01)
all_week = mondays.reindex(pd.date_range(days[0], days[-1]), fill_value=0.0)
moved = utils._prepare_benchmark(mondays, all_week.index)
by_weekday = {name: round(float(moved[moved.index.day_name() == name].max()), 6) for name in ("Saturday", "Sunday", "Monday")}

found = {
    "by months against itself by days": told(monthly, daily),
    "by months against itself by months": told(monthly, monthly),
    "on seven days against itself on five": told(all_week, mondays),
    "on seven days against itself on seven": told(all_week, all_week),
}
print("quantstats", version("quantstats"), "- an index that gains 10% on 15 January, 1 April and 3 June 2024")
print("its months:", *(f"{date:%d %b} {value:.0%}" for date, value in monthly.items()))
print("what becomes of them as a benchmark:", *(f"{date:%d %b} {value:.0%}" for date, value in aligned.items()))
print("an index that gains 1% each Monday, as the benchmark of seven days a week:", by_weekday)
for name, (beta, r2) in found.items():
    print(f"{name}: beta {beta}, R2 {r2}")
same = [round(value, 6) for value in aligned] == [0.0, 0.0, 0.1, 0.0, 0.0, 0.0]
same = same and [round(value, 6) for value in monthly] == [0.1, 0.0, 0.0, 0.1, 0.0, 0.1]
same = same and by_weekday == {"Saturday": 0.01, "Sunday": 0.0, "Monday": 0.0}
months, months_itself, seven, seven_itself = found.values()
sys.exit(0 if same and months == (-0.6, 0.2) and months_itself == seven_itself == (1.0, 1.0) and seven[0] < 0 else 1)
PYTHON
