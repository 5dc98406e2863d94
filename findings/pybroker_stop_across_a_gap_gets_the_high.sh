#!/usr/bin/env bash
# pybroker fills a stop loss that a gap jumped over at the best price of that bar: bought at 100 with a stop of 5%, a bar that opens
# at 80, rises to 94 and closes at 82 sells at 94, its high, which came after the open at which the stop was due; if the high was 97
# it sells at 95. A trailing stop does the same, and a short one buys at the low. The profit side errs the other way: a target of
# 105 in a bar that opens at 120 and once sees 106 gets 106, where a limit order gets the open. So the gaps, which a stop cannot
# protect from, cost a fraction. stop_loss_exit_price=PriceType.OPEN fills at the open but then looks at opens only.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages lib-pybroker==2.0.2 numpy==2.4.6 pandas==2.3.3 <<'PYTHON'
import sys
from importlib.metadata import version

import pandas as pd
import pybroker
from pybroker import PriceType, Strategy, StrategyConfig

pybroker.disable_progress_bar()
pybroker.disable_logging()
DAYS = pd.bdate_range("2024-01-02", periods=7)


def sold(side, bar, **stop):
    """What closes 100 shares bought or sold short at 100 and held for three bars, of which the last is given (open, high, low, close)."""
    rows = [(100.0, 100.5, 99.5, 100.0)] * 4 + [bar] + [(bar[3],) * 4] * 2
    frame = pd.DataFrame(rows, columns=["open", "high", "low", "close"])
    frame.insert(0, "date", DAYS)
    frame.insert(0, "symbol", "X")
    frame["volume"] = 1_000_000

    def rule(ctx):
        if ctx.bars == 1:
            if side > 0:
                ctx.buy_shares, ctx.buy_fill_price = 100, PriceType.OPEN
            else:
                ctx.sell_shares, ctx.sell_fill_price = 100, PriceType.OPEN
            for name, value in stop.items():
                setattr(ctx, name, value)

    strategy = Strategy(frame, DAYS[0], DAYS[-1], StrategyConfig(initial_cash=100_000))
    strategy.add_execution(rule, ["X"])
    trades = strategy.backtest(calc_bootstrap=False).trades
    return [(str(trade.exit_date)[:10], float(trade.exit), trade.stop) for trade in trades.itertuples()]


cases = {
    "long, stop of 5%, bar opens 80, high 94, low 78, closes 82": (1, (80.0, 94.0, 78.0, 82.0), {"stop_loss_pct": 5}),
    "long, stop of 5%, bar opens 80, high 97, low 78, closes 82": (1, (80.0, 97.0, 78.0, 82.0), {"stop_loss_pct": 5}),
    "long, stop of 5%, bar opens 80 and stays there": (1, (80.0, 80.0, 80.0, 80.0), {"stop_loss_pct": 5}),
    "long, trailing stop of 5%, first bar": (1, (80.0, 94.0, 78.0, 82.0), {"stop_trailing_pct": 5}),
    "short, stop of 5%, bar opens 120, high 122, low 106, closes 118": (-1, (120.0, 122.0, 106.0, 118.0), {"stop_loss_pct": 5}),
    "long, target of 5%, bar opens 120, high 122, low 106, closes 118": (1, (120.0, 122.0, 106.0, 118.0), {"stop_profit_pct": 5}),
    "long, stop of 5% at the open, first bar": (1, (80.0, 94.0, 78.0, 82.0), {"stop_loss_pct": 5, "stop_loss_exit_price": PriceType.OPEN}),
}
found = {name: sold(side, bar, **stop) for name, (side, bar, stop) in cases.items()}
print("pybroker", version("lib-pybroker"), "- 100 shares at 100; day, price and kind of the exit")
for name, exits in found.items():
    print(f"{name}:", *exits)
prices = [exits[0][1] if len(exits) == 1 else None for exits in found.values()]
days = {exits[0][0] for exits in found.values() if exits}
sys.exit(0 if prices == [94.0, 95.0, 80.0, 94.0, 106.0, 106.0, 80.0] and days == {f"{DAYS[4]:%Y-%m-%d}"} else 1)
PYTHON
