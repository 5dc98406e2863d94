#!/usr/bin/env bash
# cagrx says that each of its rolling returns is annualised, so that windows of different lengths can be compared, and
# takes the window as a pandas DateOffset. It asks that for its `years` alone: a window of 36 months, the same dates as
# one of three years, counts as one year, of two years and six months as two, of six months or 90 days as one. A fund
# that grows by 10% a year has an average of 10% over years=3 and of 33.1% over months=36; of 12.7% over two and a half
# years, and of 4.9% over six months. The dates of best and worst window are the right ones, so nothing looks odd. Use
# whole years, or raise one plus the return to the years it was taken for over the years it lasts.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages cagrx==0.2.0 numpy==2.4.6 pandas==2.3.3 requests==2.34.2 <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import pandas as pd
from cagrx import calculate_rolling_returns

days = pd.date_range("2015-01-01", "2024-12-31", name="date")
fund = pd.DataFrame({"nav": 100 * 1.1 ** (np.arange(len(days)) / 365.25)}, index=days)
windows = [
    {"years": 1},
    {"years": 3},
    {"months": 36},
    {"years": 2, "months": 6},
    {"months": 6},
    {"days": 90},
]
found = {}
for window in windows:
    offset = pd.DateOffset(**window)
    told = calculate_rolling_returns(fund, period=offset)
    starts = days - offset
    inside = starts >= days[0]
    growth = fund["nav"][inside].to_numpy() / fund["nav"].reindex(starts[inside]).to_numpy()
    lasted = (days[inside] - starts[inside]).days.to_numpy() / 365.25
    found[str(window)] = (told["avg_return"], float((growth ** (1 / lasted) - 1).mean()), told["max_return_period"])

print("cagrx", version("cagrx"), "- average rolling return of a fund that grows by 10% a year, said to be annualised")
for window, (told, right, period) in found.items():
    print(f"{window}: {told:.2%}, right {right:.2%}; best window {period[0]} to {period[1]}")
told = [values[0] for values in found.values()]
sys.exit(
    0
    if all(abs(values[1] - 0.1) < 1e-6 for values in found.values())
    and np.allclose(told[:2], 0.1, atol=1e-3)
    and abs(told[2] - (1.1**3 - 1)) < 2e-3
    and abs(told[3] - (1.1**1.25 - 1)) < 2e-3
    and abs(told[4] - (1.1**0.5 - 1)) < 2e-3
    and abs(told[5] - (1.1 ** (90 / 365.25) - 1)) < 2e-3
    else 1
)
PYTHON
