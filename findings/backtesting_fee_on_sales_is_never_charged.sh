#!/usr/bin/env bash
# backtesting.py lets commission= be a function of an order's size and price, and says that the size is negative for short orders.
# The order that closes a long is one, but its fee is asked for with the size of the trade: positive again. So a stamp duty or a
# levy on sales alone is never charged to a strategy that is long only, and is charged twice to a short; a duty on purchases alone
# the other way round. Let the function return half of what both ways cost, whatever the sign.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages backtesting==0.6.6 numpy==2.4.6 pandas==3.1.1 <<'PYTHON'
import os
import sys
from importlib.metadata import version

os.environ["TQDM_DISABLE"] = "1"
import pandas as pd
from backtesting import Backtest, Strategy

DAYS = pd.date_range("2024-01-02", periods=8, freq="B")
frame = pd.DataFrame({column: 100.0 for column in ("Open", "High", "Low", "Close")}, index=DAYS)


class Once(Strategy):
    """100 shares, in and out again; kept in mind is what the closing order said of itself."""

    side, closing = 1, []

    def init(self):
        pass

    def next(self):
        if len(self.data) == 2:
            (self.buy if self.side > 0 else self.sell)(size=100)
        elif len(self.data) == 5:
            self.position.close()
            self.closing.append((self.orders[0].size, self.orders[0].is_short))


def on_sales(size, price):
    return 0.01 * abs(size) * price if size < 0 else 0.0


def on_purchases(size, price):
    return 0.01 * abs(size) * price if size > 0 else 0.0


def paid(side, fee):
    stats = Backtest(frame, Once, cash=100_000, commission=fee).run(side=side)
    return round(float(100_000 - stats["Equity Final [$]"]), 2)


found = {(name, fee.__name__): paid(side, fee) for name, side in (("long", 1), ("short", -1)) for fee in (on_sales, on_purchases)}
print("backtesting", version("backtesting"), "- 1% of 100 shares at a steady 100 on one of the two ways, which is 100:")
for (name, fee), amount in found.items():
    print(f"{name}, 1% {fee.replace('_', ' ')}: {amount} charged")
print("the order that closes the long: size and is_short", Once.closing[0])
expected = [0.0, 200.0, 200.0, 0.0]
sys.exit(0 if list(found.values()) == expected and Once.closing[0] == (-100, True) else 1)
PYTHON
