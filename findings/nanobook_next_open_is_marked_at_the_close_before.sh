#!/usr/bin/env bash
# nanobook's FillPolicy.NextBarOpen fills an order at the open of the next bar but books it in the bar that decided it, at whose
# close the new shares are then valued: a purchase after which the price opens 10% higher is a loss of 9% that day and a gain of
# 10% the next. Who bought at 110 and saw nothing but 110 has lost nothing, and gets a maximum drawdown of 9% and a volatility; so
# goes each gap across which something is bought or sold, into returns, Sharpe and drawdown. The last value of the curve is right.
# Compute the curve from the fills yourself.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages nanobook==0.19.2 numpy==2.4.6 <<'PYTHON'
import sys
from importlib.metadata import version

import nanobook

CASH = 1_000_000


def run(policy, before, after, weights):
    """Two bars at one price, three at another, nothing between open and close: equity by bar, and the told drawdown."""
    bars = [[("A", nanobook.BarPrices(price, price, price, price))] for price in [before] * 2 + [after] * 3]
    schedule = [[("A", weight)] for weight in weights]
    result = nanobook.backtest_weights(schedule, bars, CASH, nanobook.CostModel.zero(), getattr(nanobook.FillPolicy, policy))
    return result["equity_curve"][1:], round(result["metrics"].max_drawdown, 4)


late = [0.0, 1.0, 1.0, 1.0, 1.0]  # decided at the second bar, which is the last at the old price
found = {
    "bought at the next open, 100 then 110": run("NextBarOpen", 100_00, 110_00, late),
    "bought at the next open, 100 then 90": run("NextBarOpen", 100_00, 90_00, late),
    "bought at that close, 100 then 110": run("SignalBarClose", 100_00, 110_00, late),
    "held, 100 then 110": run("NextBarOpen", 100_00, 110_00, [1.0] * 5),
}
print("nanobook", version("nanobook"), "- all of 1,000,000 in a share without costs: equity by bar, maximum drawdown")
for name, (equity, drawdown) in found.items():
    print(f"{name}:", *equity, f"- {drawdown:.2%}")
bought_up, bought_down, at_close = (found[name] for name in list(found)[:3])
same = bought_up == ([CASH, 910_000, CASH, CASH, CASH], 0.09)
same = same and bought_down[0][1] > 1.09 * CASH and bought_down[0][2:] == [CASH] * 3
sys.exit(0 if same and at_close == ([CASH, CASH, 1_100_000, 1_100_000, 1_100_000], 0.0) else 1)
PYTHON
