"""One wide table of a run, a row a session, and its summary: prices, returns, weights, flags, equity, turnover, cost.

Names and layout are those of the published Level-61 script, so that what reads its files reads these.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from plimsoll.engine.market.feed import Feed
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Dates, Floats, Ints

ACCOUNT: Final = (
    "port_ret", "port_ret_tc", "equity", "equity_tc", "turnover", "tc_cost", "cash_ret", "equity_usd", "costs_usd",
    "flow_usd",
)  # fmt: skip
CONVENTIONS: Final = {
    "port_ret": "before trading costs, after financing and borrow; port_ret_tc after all of them; both time-weighted",
    "equity": "growth of 1 by port_ret; equity_tc by port_ret_tc; equity_usd is the account, deposits included",
    "turnover": "two-sided: traded notional over the equity the session began with; tc_cost likewise",
    "cash_ret": "interest less financing and borrow over the equity the session began with",
    "px, ret, w": "close as given, total return since the last row, weight held at the close; empty: no row",
    "flags": "the strategies' own diagnostics, each the last one known",
    "sharpe": "mean / sd of session returns x sqrt(252); ret_over_vol is ann_return / ann_vol",
    "max_drawdown": "from 1 before the first session on",
}


def daily_table(record: Record, feed: Feed) -> pd.DataFrame:
    """Return the table, index "session"; rates and weights as fractions, columns as in `CONVENTIONS`.

        port_ret_tc = port_ret - tc_cost                             on daily data
        port_ret_t  = sum_i w_i,t-1 ret_i,t + cash_ret_t             where nothing was traded and no row is missing

    feed : the market the run saw, of the same symbols.
    """
    index = pd.DatetimeIndex(record.sessions.astype("datetime64[s]"), name="session")
    symbols = [str(symbol) for symbol in record.weights.columns]
    bars = np.searchsorted(feed.panel.clock.stamp, record.stamps)
    columns = _account(record) | _flags(record)
    parts = [pd.DataFrame(columns, index=index)]
    for prefix, values in zip(("px", "ret", "w"), (*_market(feed, symbols, bars, record), record.held()), strict=True):
        parts.append(pd.DataFrame(values, index=index, columns=[f"{prefix}_{symbol}" for symbol in symbols]))
    return pd.concat(parts, axis=1)


def daily_summary(table: pd.DataFrame, record: Record, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return configuration and figures under the published names; what is not defined is None.

    The `risk_off` figures are of the one sleeve that notes such a flag, if there is exactly one.
    """
    flags = [name for name in table.columns if name == "risk_off" or name.endswith(".risk_off")]
    off = int((table[flags[0]] == 1.0).sum()) if len(flags) == 1 else None
    ret, vol = metrics["cagr"], metrics["vol_ann"]
    stats = {
        "start": metrics["run"]["start"],
        "end": metrics["run"]["end"],
        "n_days": len(table),
        "ann_return": ret,
        "ann_vol": vol,
        "sharpe": metrics["sharpe"],
        "ret_over_vol": ret / vol if ret is not None and vol else None,
        "max_drawdown": metrics["max_drawdown"],
        "risk_off_days": off,
        "risk_off_ratio": None if off is None or len(table) == 0 else off / len(table),
    }
    run = {key: metrics["run"][key] for key in ("run_id", "config_hash", "data_hash", "synthetic", "ruined")}
    return {"config": record.config, "stats": stats, "run": run, "conventions": dict(CONVENTIONS)}


def _account(record: Record) -> dict[str, Floats]:
    gross, net = record.returns_gross.to_numpy(), record.returns.to_numpy()
    carried = record.column("interest") - record.column("financing") - record.column("borrow")
    values = (
        gross, net, np.cumprod(1.0 + gross), np.cumprod(1.0 + net), _of_base(record, record.column("traded")),
        _of_base(record, record.column("costs")), _of_base(record, carried), record.close_of("equity"),
        record.session_sum(record.column("costs")), record.session_sum(record.column("flow")),
    )  # fmt: skip
    return dict(zip(ACCOUNT, values, strict=True))


def _of_base(record: Record, amounts: Floats) -> Floats:
    """Return (n,) dollars per bar over the equity each bar began with, summed over each session."""
    base = record.base
    return record.session_sum(np.divide(amounts, base, out=np.zeros(len(amounts)), where=base > 0.0))


def _flags(record: Record) -> dict[str, Floats]:
    """Return every diagnostic, the last one known at each session, by its name; by its sleeve's too where needed."""
    curves = record.curves
    alone = len({sleeve for sleeve, _ in curves}) == 1
    taken = Counter(ACCOUNT)
    out = {}
    for (sleeve, name), (days, values) in curves.items():
        shown = name if alone and not taken[name] and not name.startswith(("px_", "ret_", "w_")) else f"{sleeve}.{name}"
        out[shown] = _last_known(days, values, record.sessions)
    return out


def _last_known(days: Dates, values: Floats, sessions: Dates) -> Floats:
    """Return (n,) the last of values noted on days, on or before each session; NaN before the first."""
    at = np.searchsorted(days, sessions, side="right") - 1
    return np.where(at >= 0, values[np.maximum(at, 0)], np.nan) if len(days) else np.full(len(sessions), np.nan)


def _market(feed: Feed, symbols: list[str], bars: Ints, record: Record) -> tuple[Floats, Floats]:
    """Return (n, N) closes and total returns of each session, NaN where it has no row."""
    columns: Ints = np.array([feed.panel.column(symbol) for symbol in symbols], dtype=np.int64)
    close, ret = feed.panel.close[np.ix_(bars, columns)], feed.ret[np.ix_(bars, columns)]
    if len(record.rows) == len(bars):
        return close, ret
    first = np.concatenate(([0], record.rows[:-1] + 1))
    known = np.where(np.isnan(close), -1, np.arange(len(bars))[:, None])  # the last row within the session
    last = np.maximum.reduceat(known, first)
    price = np.where(last >= 0, np.take_along_axis(close, np.maximum(last, 0), axis=0), np.nan)
    grown = np.multiply.reduceat(1.0 + np.nan_to_num(ret), first) - 1.0
    some = np.logical_or.reduceat(~np.isnan(ret), first)
    return price, np.where(some, grown, np.nan)
