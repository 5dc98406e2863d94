#!/usr/bin/env bash
# backtesting.py fills a stop-limit order at its stop price when the bar opens beyond it, though the limit is further away: a
# purchase with a stop of 101 and a limit of 110 gets 101 in a bar that opened at 105 and was never below 104. The same stop
# without a limit gets the open, 105. So every gap is a gift to a breakout strategy that protects itself with a limit, on both
# sides of the market.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages backtesting==0.6.6 numpy==2.4.6 pandas==3.1.1 <<'PYTHON'
import os
import sys
from importlib.metadata import version

os.environ["TQDM_DISABLE"] = "1"
import pandas as pd
from backtesting import Backtest, Strategy

DAYS = pd.date_range("2024-01-02", periods=5, freq="B")


class Once(Strategy):
    side, order = 1, None

    def init(self):
        pass

    def next(self):
        if len(self.data) == 2:
            (self.buy if self.side > 0 else self.sell)(size=100, **self.order)


def filled(side, bar, **order):
    """The fill of an order given after two bars at 100, in the bar (open, high, low, close) that follows."""
    rows = [(100.0,) * 4] * 2 + [bar] + [(bar[3],) * 4] * 2
    frame = pd.DataFrame(rows, columns=["Open", "High", "Low", "Close"], index=DAYS)
    stats = Backtest(frame, Once, cash=100_000, finalize_trades=True).run(side=side, order=order)
    (trade,) = stats["_trades"].to_dict("records")
    return trade["EntryBar"], float(trade["EntryPrice"]), round(float(trade["PnL"]), 2)


up, down = (105.0, 107.0, 104.0, 106.0), (95.0, 96.0, 93.0, 94.0)
found = {
    "buy, bar of 104 to 107: stop 101, limit 110": filled(1, up, stop=101, limit=110),
    "buy, bar of 104 to 107: stop 101": filled(1, up, stop=101),
    "sell, bar of 93 to 96: stop 99, limit 90": filled(-1, down, stop=99, limit=90),
    "sell, bar of 93 to 96: stop 99": filled(-1, down, stop=99),
}
print("backtesting", version("backtesting"), "- bar of the fill, price, profit of 100 shares at that bar's close")
for name, told in found.items():
    print(f"{name}:", *told)
expected = [(2, 101.0, 500.0), (2, 105.0, 100.0), (2, 99.0, 500.0), (2, 95.0, 100.0)]
sys.exit(0 if list(found.values()) == expected else 1)
PYTHON
