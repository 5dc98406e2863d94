"""From Level-61 as first published to Level-61 as this engine runs it, one switch at a time.

    python scripts/level61_bridge.py DIR

DIR is a folder of <SYMBOL>.csv files with SPY QQQ IWM EFA EEM TLT LQD GLD and BIL. The first three rows are plain
pandas (constant weights between rebalances, no financing); the others are engine runs that differ by one setting.
"""

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from plimsoll import Panel, backtest, load_data
from plimsoll.engine.market.feed import Feed

RISKY = ["SPY", "QQQ", "IWM", "EFA", "EEM"]
DEFENSIVE = ["TLT", "LQD", "GLD"]
SYMBOLS = RISKY + DEFENSIVE
FIRST, LAST = date(2010, 1, 4), date(2025, 12, 31)


def weights_at(window: pd.DataFrame) -> pd.Series:
    """Level-61's weights from one window of returns."""
    w = 1.0 / window.std()
    w /= w.sum()
    basket = window[RISKY].mean(axis=1)
    if basket.std() * 252**0.5 > 0.25 or (1 + basket).prod() - 1 < -0.10:
        freed = w[RISKY].sum() / 2
        w[RISKY] /= 2
        w[DEFENSIVE] *= 1 + freed / w[DEFENSIVE].sum()
    return w * min(2.0, 0.10 / float(np.sqrt(w @ (window.cov() * 252) @ w)))


def constant_weights(ret: pd.DataFrame, *, all_month_ends: bool, lag: int) -> pd.Series:
    """Return net daily returns with weights held constant between rebalances, as published."""
    ends = ret.resample("ME").last().index
    if all_month_ends:
        ends = pd.DatetimeIndex([ret.index[ret.index <= end][-1] for end in ends])
    rows = {end: weights_at(ret.loc[:end].tail(60)) for end in ends if len(ret.loc[:end]) >= 60}
    held = pd.DataFrame(rows).T.reindex(ret.index).ffill().fillna(0.0).shift(lag, fill_value=0.0)
    return (held * ret).sum(axis=1) - 0.0005 * held.diff().abs().sum(axis=1).fillna(0.0)


def total_return_prices(panel: Panel) -> Panel:
    """Return the panel with every price replaced by the total-return index: dividends reinvest themselves."""
    index = Feed(panel).field("tr") * 100.0
    block = panel.block.copy()
    block[0] = block[1] = index
    block[3] = 0.0
    return replace(panel, block=block, high=index, low=index)


def engine_returns(panel: Panel, start: str | None, fill: str, sizing: str, min_obs: int) -> pd.Series:
    """Run the shipped configuration with some switches turned back."""
    sets = [f"execution.fill={fill}", f"execution.sizing={sizing}", f"sleeve.level61.params.min_obs={min_obs}"]
    config = Path(__file__).parents[1] / "config" / "level61.toml"
    return backtest(config, data=panel, start=start, end=LAST, sets=sets, trials="off").returns


def figures(returns: pd.Series, span: pd.DatetimeIndex) -> tuple[float, float, float, float]:
    """Return CAGR, volatility, maximum drawdown (percent) and mean/sd Sharpe over `span`; idle sessions earn 0."""
    every = returns.reindex(span, fill_value=0.0)
    equity = np.concatenate([[1.0], np.cumprod(1 + every.to_numpy())])
    cagr = equity[-1] ** (252 / len(every)) - 1
    drawdown = (equity / np.maximum.accumulate(equity) - 1).min()
    vol = every.std() * 252**0.5
    return 100 * cagr, 100 * vol, 100 * drawdown, every.mean() / every.std() * 252**0.5


def main(folder: Path) -> None:
    """Print the table; the last column is the step in CAGR, and the steps sum to the total."""
    short = load_data(folder, [*SYMBOLS, "BIL"], start=FIRST, end=LAST)
    full = load_data(folder, [*SYMBOLS, "BIL"], end=LAST)
    feed = Feed(short)
    index = pd.DatetimeIndex(short.clock.session)
    ret = pd.DataFrame(feed.ret, index=index, columns=list(short.symbols))[SYMBOLS].iloc[1:]
    later = str(short.clock.session[61])
    adjusted = total_return_prices(short)
    rows = {
        "published: month ends off the calendar lost, same-day weights": constant_weights(
            ret, all_month_ends=False, lag=0
        ),
        "every month end kept": constant_weights(ret, all_month_ends=True, lag=0),
        "weights held from the next session on": constant_weights(ret, all_month_ends=True, lag=1),
        "weights drift, fill at the next close, bill rate on cash, bill + 1% on debt": engine_returns(
            adjusted, later, "next_close", "fill", 60
        ),
        "prices as traded, dividends in cash": engine_returns(short, later, "next_close", "fill", 60),
        "fill at the next open": engine_returns(short, later, "next_open", "fill", 60),
        "quantities fixed at the decision": engine_returns(short, later, "next_open", "decision", 60),
        "earlier data warms up: trading from the first session, 30 returns suffice": engine_returns(
            full, "2010-01-04", "next_open", "decision", 30
        ),
    }
    print(f"{'':78s} {'CAGR':>7s} {'vol':>6s} {'max DD':>7s} {'Sharpe':>6s} {'step':>6s}")
    first = previous = None
    for name, returns in rows.items():
        cagr, vol, drawdown, sharpe = figures(returns, index)
        step = "" if previous is None else f"{cagr - previous:+.2f}"
        first, previous = (cagr if first is None else first), cagr
        print(f"{name:78s} {cagr:7.2f} {vol:6.2f} {drawdown:7.2f} {sharpe:6.2f} {step:>6s}")
    print(f"{'total':78s} {'':7s} {'':6s} {'':7s} {'':6s} {previous - first:+6.2f}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
