#!/usr/bin/env bash
# openstatz' rolling Sharpe and Sortino take a yearly risk-free rate, as its documentation says, and spread it over the days of the
# window: 5% a year is taken for 5% in 20 days, and a window of 20 days with a Sharpe ratio of 0.45 is told as -2.86. The default
# window of 126 days doubles the rate; one of 252 is right, and so is sharpe() of the same days. rar takes the rate for that of one
# day: with 2% a gain of 11.9% a year is a loss of 99.3%, in the reports too. Subtract the rate of a day from the returns yourself
# and pass none.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages openstatz==0.5.0 numpy==2.4.6 pandas==2.3.3 <<'PYTHON'
import sys
from importlib.metadata import version

import openstatz
import pandas as pd

stats = openstatz.stats
returns = pd.Series([0.011, -0.010] * 126, index=pd.bdate_range("2023-01-02", periods=252))
RATE = 0.05
found = {}
for window in (20, 126, 252):
    for name in ("sharpe", "sortino"):
        rolling = getattr(stats, "rolling_" + name)(returns, rf=RATE, rolling_period=window).iloc[-1]
        found[name, window] = (round(float(rolling), 2), round(float(getattr(stats, name)(returns.tail(window), rf=RATE)), 2))
without = (round(float(stats.rolling_sharpe(returns, rolling_period=20).iloc[-1]), 4), round(float(stats.sharpe(returns.tail(20))), 4))
rar = tuple(round(float(stats.rar(returns, rf=rate)), 3) for rate in (0.0, 0.02))
print("openstatz", version("openstatz"), "- a year of days of +1.1% and -1.0% in turn, at a rate of 5% a year:")
for (name, window), (rolling, plain) in found.items():
    print(f"the last of rolling_{name} over {window} days: {rolling} - {name} of these days: {plain}")
print("over 20 days without a rate:", *without, "- rar without a rate and with 2%:", *rar)
same = found["sharpe", 20] == (-2.86, 0.45) and found["sharpe", 126] == (0.17, 0.46) and found["sortino", 20] == (-3.5, 0.67)
same = same and all(found[name, 252][0] == found[name, 252][1] for name in ("sharpe", "sortino"))
sys.exit(0 if same and without[0] == without[1] and rar == (0.119, -0.993) else 1)
PYTHON
