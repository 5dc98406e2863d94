#!/usr/bin/env bash
# backtesting.py's resample_apply labels a period at its right end so as not to look ahead, its documentation says. With 'W-FRI',
# 'W' or 'ME' pandas sets that label to the first minute of the period's last day, and so every intraday bar of that Friday,
# Sunday or last day of the month already knows the close of the whole period, up to a day before it is made. 'D', '4h' and 'MS'
# do not look ahead, nor does a week on daily bars. Shift such a series by one period, or resample to days first and to weeks on
# those.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages backtesting==0.6.6 numpy==2.4.6 pandas==3.1.1 <<'PYTHON'
import os
import sys
from importlib.metadata import version

os.environ["TQDM_DISABLE"] = "1"
import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy
from backtesting.lib import resample_apply

# Seven hours a session, Monday to Friday; the price rises by one an hour: what is above the last close is from the future.
days = pd.date_range("2024-01-01", "2024-03-29", freq="B")
hours = pd.DatetimeIndex([day + pd.Timedelta(hours=hour) for day in days for hour in range(10, 17)])


def prices(index):
    close = np.arange(1.0, len(index) + 1.0)
    return pd.DataFrame({column: close for column in ("Open", "High", "Low", "Close")}, index=index)


def ahead(index, rule):
    """How many bars know a later close, and the first of them after January: when, its own close, the one it knows."""
    seen = []

    class Look(Strategy):
        def init(self):
            self.longer = resample_apply(rule, None, self.data.Close)

        def next(self):
            if self.longer[-1] > self.data.Close[-1]:
                seen.append((self.data.index[-1], float(self.data.Close[-1]), float(self.longer[-1])))

    Backtest(prices(index), Look, cash=1e6).run()
    later = [one for one in seen if one[0] >= pd.Timestamp("2024-01-31")]
    return len(seen), later[:1]


found = {rule: ahead(hours, rule) for rule in ("W-FRI", "ME", "D", "4h", "MS")}
found["W-FRI on daily bars"] = ahead(days, "W-FRI")
print("backtesting", version("backtesting"), "with pandas", version("pandas"), f"- {len(hours)} hourly bars of {len(days)} sessions:")
for rule, (count, first) in found.items():
    print(f"{rule}: {count} bars know a later close", *(f"(at {when}, closing at {own}: {known})" for when, own, known in first))
counts = {rule: count for rule, (count, _) in found.items()}
expected = {"W-FRI": 77, "ME": 11, "D": 0, "4h": 0, "MS": 0, "W-FRI on daily bars": 0}
sys.exit(0 if counts == expected else 1)
PYTHON
