#!/usr/bin/env bash
# raptorbt books the short of run_single_backtest, whose account is always a cash one, like a long in the equity: sold at 100 and
# bought back at 110, the trade lost 100,000 and none of the trades won, but the end value and the total return gained 10%, as the
# long's did; at a falling price the trade wins and the end value falls. The same short in a margin account loses in both. So the
# return of a short-only test is what the long would have made: look at the trades' pnl, or use account_type="margin" of
# run_strategy_backtest.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages raptorbt==0.13.4 numpy==2.4.6 <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import raptorbt

def bars(last):
    close = np.array([100.0, 100.0, last, last])
    return np.arange(4, dtype=np.int64) * 86_400_000_000_000, close, close, close, close, np.full(4, 1e6)


entries, exits = np.array([True, False, False, False]), np.array([False, False, True, False])


class Short(raptorbt.Strategy):
    def on_bar(self, ctx):
        if entries[ctx.idx]:
            self.enter_short()
        elif exits[ctx.idx]:
            self.close_position()


def told(run, *given, **more):
    rules = raptorbt.BacktestConfig(initial_capital=1e6, fees=0.0, slippage=0.0)
    result = run(*given, config=rules, **more)
    metrics = result.metrics
    return sum(trade.pnl for trade in result.trades()), metrics.end_value, metrics.total_return_pct, metrics.win_rate_pct


single, events = raptorbt.run_single_backtest, raptorbt.run_strategy_backtest
found = {
    "long, to 110": told(single, *bars(110.0), entries, exits, direction=1),
    "short, to 110": told(single, *bars(110.0), entries, exits, direction=-1),
    "short, to 90": told(single, *bars(90.0), entries, exits, direction=-1),
    "short in a margin account, to 110": told(events, Short, *bars(110.0), account_type="margin"),
}
print("raptorbt", version("raptorbt"), "- 1,000,000 at a price of 100: pnl of the trades, end value, return and win rate in %")
for name, values in found.items():
    print(f"{name}:", *(f"{value:,.1f}" for value in values))
expected = ((1e5, 1.1e6, 10.0, 100.0), (-1e5, 1.1e6, 10.0, 0.0), (1e5, 0.9e6, -10.0, 100.0), (-1e5, 0.9e6, -10.0, 0.0))
sys.exit(0 if np.allclose(list(found.values()), expected) else 1)
PYTHON
