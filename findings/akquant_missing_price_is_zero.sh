#!/usr/bin/env bash
# akquant takes a price that is NaN in a frame for 0, without a word: an order due at an open that is missing is filled at 0, for
# nothing and without a fee, and the equity gains the whole position; a held position with a missing close is marked at 0 that
# day. So one hole in the data is a profit or a crash in the curve. Fill or drop such rows before a run.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages akquant==0.3.71 numpy==2.4.6 pandas==3.1.1 <<'PYTHON'
import sys
from importlib.metadata import version

import akquant
import numpy as np
import pandas as pd

akquant.register_logger(level="WARNING")
RULES = {  # 5 basis points, nothing else
    "commission_policy": {"type": "percent", "value": 0.0005}, "min_commission": 0.0, "stamp_tax_rate": 0.0,
    "transfer_fee_rate": 0.0, "slippage": 0.0, "t_plus_one": False, "lot_size": 1, "timezone": "UTC", "show_progress": False,
}


class Once(akquant.Strategy):
    """Buy 100 shares, decided at the second bar."""

    bars = 0

    def on_bar(self, _bar):
        self.bars += 1
        if self.bars == 2:
            self.buy("X", 100)


def run(missing=None, at=None):
    days = pd.date_range("2024-01-02", periods=5, tz="UTC")
    frame = pd.DataFrame({"open": 100.0, "high": 100.0, "low": 100.0, "close": 100.0, "volume": 1e6, "symbol": "X"}, index=days)
    if missing:
        frame.loc[days[at], missing] = np.nan
    policy = akquant.NextOpen()
    result = akquant.run_backtest(data=frame, strategy=Once(), symbols=["X"], initial_cash=1e6, fill_policy=policy, **RULES)
    (order,) = result.orders_df.to_dict("records")
    return order["status"], order["avg_price"], order["commission"], [round(value, 2) for value in result.equity_curve.tolist()]


found = {"all there": run(), "open of the fill NaN": run("open", 2), "close of the day after NaN": run("close", 3)}
print("akquant", version("akquant"), "- 100 shares at a steady 100 from 1,000,000: order, price, fee, equity by day")
for name, told in found.items():
    print(f"{name}:", *told)
paid, rest = 1e6 - 5.0, ("filled", 100.0, 5.0)
expected = {
    "all there": (*rest, [1e6, 1e6, paid, paid, paid]),
    "open of the fill NaN": ("filled", 0.0, 0.0, [1e6, 1e6, 1.01e6, 1.01e6, 1.01e6]),
    "close of the day after NaN": (*rest, [1e6, 1e6, paid, paid - 1e4, paid]),
}
sys.exit(0 if found == expected else 1)
PYTHON
