#!/usr/bin/env bash
# raptorbt's fill_timing="next_bar_open" decides at a close and fills at the next bar's open. run_single_backtest does; in
# run_portfolio_backtest an entry is not filled there. It waits for the next entry signal after an exit, however late, and is filled
# at the open of that signal's own bar: whether it is, hangs on what that bar's close decides. Without a later signal nothing is
# bought. So the same signals make other trades in a portfolio, fewer and at prices from before the signal; "same_bar_close" fills
# as it says.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages raptorbt==0.13.4 numpy==2.4.6 <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import raptorbt

close = 100.0 + np.arange(10)
open_ = close - 0.5
bars = (np.arange(10, dtype=np.int64) * 86_400_000_000_000, open_, close + 0.25, open_ - 0.25, close, np.full(10, 1e6))


def signals(*at):
    found = np.zeros(10, dtype=bool)
    found[list(at)] = True
    return found


def trades(result):
    return [(trade.entry_idx, trade.entry_price, trade.exit_idx, trade.exit_price) for trade in result.trades()]


def rules(timing):
    return raptorbt.BacktestConfig(initial_capital=1e6, fees=0.0, slippage=0.0, fill_timing=timing)


def single(timing, entries, exits):
    return trades(raptorbt.run_single_backtest(*bars, entries, exits, config=rules(timing)))


def portfolio(timing, entries, exits):
    return trades(raptorbt.run_portfolio_backtest([(*bars, entries, exits, 1, 1.0, "X")], config=rules(timing)).result)


both, one, exits = signals(1, 5), signals(1), signals(3, 7)
found = {
    "single": single("next_bar_open", both, exits),
    "portfolio": portfolio("next_bar_open", both, exits),
    "portfolio, the first entry only": portfolio("next_bar_open", one, exits),
    "portfolio, same_bar_close": portfolio("same_bar_close", both, exits),
}
print("raptorbt", version("raptorbt"), "- entries at bars 1 and 5, exits at 3 and 7; open of bar i 99.5 + i, close 100 + i")
for name, made in found.items():
    print(f"{name}:", "; ".join(f"bought at bar {i} for {p}, sold at bar {j} for {q}" for i, p, j, q in made) or "no trade")
expected = {
    "single": [(2, 101.5, 4, 103.5), (6, 105.5, 8, 107.5)],
    "portfolio": [(5, 104.5, 8, 107.5)],
    "portfolio, the first entry only": [],
    "portfolio, same_bar_close": [(1, 101.0, 3, 103.0), (5, 105.0, 7, 107.0)],
}
sys.exit(0 if found == expected else 1)
PYTHON
