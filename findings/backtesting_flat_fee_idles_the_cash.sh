#!/usr/bin/env bash
# backtesting.py sizes an order that is a share of the cash (the default of buy() and sell(), and every size below 1) with the fee
# of that fraction taken as the fee of one unit: a flat fee of 10 is added to the price of each share. With 100,000, a fee of 10
# and a price of 5 the default order buys 6,666 shares for a third of the cash instead of 19,998; and size=0.1, a fee of 10 for a
# tenth of a share, 95 instead of 1,998. No warning, and the fee itself is charged rightly. A function with a least fee does the
# same; a relative fee is right. Compute the size in whole shares whenever the fee has a flat part.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages backtesting==0.6.6 numpy==2.4.6 pandas==3.1.1 <<'PYTHON'
import os
import sys
import warnings
from importlib.metadata import version

os.environ["TQDM_DISABLE"] = "1"
import pandas as pd
from backtesting import Backtest, Strategy

CASH, DAYS = 100_000, pd.date_range("2024-01-02", periods=5, freq="B")


class Once(Strategy):
    order = None

    def init(self):
        pass

    def next(self):
        if len(self.data) == 2:
            self.buy(**self.order)


def bought(price, commission, **order):
    frame = pd.DataFrame({column: float(price) for column in ("Open", "High", "Low", "Close")}, index=DAYS)
    stats = Backtest(frame, Once, cash=CASH, commission=commission, finalize_trades=True).run(order=order)
    (size,) = stats["_trades"]["Size"]
    return int(size), round(float(CASH - stats["Equity Final [$]"]), 2)


def least_of_one(size, price):
    return max(1.0, 0.0001 * abs(size) * price)


with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    found = {
        "price 5, no fee": bought(5, 0.0),
        "price 5, 10 an order": bought(5, (10, 0.0)),
        "price 5, 10 an order, 19,998 shares asked for": bought(5, (10, 0.0), size=19_998),
        "price 100, 10 an order": bought(100, (10, 0.0)),
        "price 5, 10 an order, size=0.1": bought(5, (10, 0.0), size=0.1),
        "price 5, 0.01% but at least 1": bought(5, least_of_one),
        "price 5, 0.01%": bought(5, 0.0001),
    }
told = [str(one.message) for one in caught if "insufficient" in str(one.message)]
print("backtesting", version("backtesting"), "- 100,000 in cash: shares bought, fees of the way in and out;", len(told), "warnings")
for name, (size, fees) in found.items():
    print(f"{name}: {size:,} shares, fees {fees}")
expected = [(19_999, 0.0), (6_666, 20.0), (19_998, 20.0), (909, 20.0), (95, 20.0)]
values = list(found.values())
same = values[:5] == expected and values[5][0] == 16_666 and values[6][0] == 19_998
sys.exit(0 if same and not told else 1)
PYTHON
