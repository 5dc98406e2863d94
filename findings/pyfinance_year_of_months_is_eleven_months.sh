#!/usr/bin/env bash
# pyfinance's TSeries is a series of returns, and its annualized return divides by the time from the first date to the last. The
# first return was earned before its date, so a year of twelve months is counted as eleven, one of four quarters as three: 1% a
# month is told as 14.0% a year instead of 12.7%, 3% a quarter as 17.0% instead of 12.6%, and after five years 12.9% are left of it.
# freq, which its documentation takes for the annualization factor, changes nothing with dates; without dates the same twelve
# returns with freq="M" give 12.7%. Sharpe, Calmar and information ratio are made of it, while the standard deviation below them
# counts the returns.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages pyfinance==2.0.2 numpy==2.4.6 pandas==2.3.3 scipy==1.17.1 <<'PYTHON'
import sys
from importlib.metadata import version

import pandas as pd
from pyfinance import TSeries


def told(each, count, rule, freq):
    """The annualized return of so many equal returns: with dates, with dates and freq, without dates and with freq."""
    dates = pd.date_range("2023-01-01", periods=count, freq=rule)
    with_dates, without = TSeries([each] * count, index=dates), TSeries([each] * count)
    return [round(float(value), 4) for value in (with_dates.anlzd_ret(), with_dates.anlzd_ret(freq=freq), without.anlzd_ret(freq=freq))]


cases = {
    "12 months of 1%": (0.01, 12, "ME", "M"),
    "4 quarters of 3%": (0.03, 4, "QE", "Q"),
    "60 months of 1%": (0.01, 60, "ME", "M"),
    "2 quarters of 3%": (0.03, 2, "QE", "Q"),
}
found = {name: told(*case) for name, case in cases.items()}
alternating = TSeries([0.03, -0.01] * 6, index=pd.date_range("2023-01-31", periods=12, freq="ME"))
right = (1.03 * 0.99) ** 6 - 1
ratios = [
    round(float(value), 3)
    for value in (
        alternating.sharpe_ratio(rf=0.0),
        right / alternating.anlzd_stdev(),
        alternating.calmar_ratio(),
        right / abs(alternating.max_drawdown()),
    )
]
print("pyfinance", version("pyfinance"), "- annualized return")
for name, (dated, with_freq, undated) in found.items():
    print(f"{name}: with dates {dated}, with dates and freq {with_freq}, without dates and with freq {undated}")
print(
    "12 months of +3% and -1% in turn: Sharpe ratio",
    ratios[0],
    "from the year's return",
    ratios[1],
    "- Calmar ratio",
    ratios[2],
    "from the year's return",
    ratios[3],
)
year, quarters = found["12 months of 1%"], found["4 quarters of 3%"]
same = all(dated == with_freq > undated for dated, with_freq, undated in found.values())
sys.exit(
    0
    if same
    and year[2] == 0.1268
    and 0.138 < year[0] < 0.14
    and quarters[2] == 0.1255
    and quarters[0] > 0.165
    and ratios[0] > ratios[1]
    and ratios[2] > ratios[3]
    else 1
)
PYTHON
