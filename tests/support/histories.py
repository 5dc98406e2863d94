"""Small histories as traded, made by hand or at random, for the store, the gates and the stand-ins."""

from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from plimsoll.engine.market.calendar import sessions
from plimsoll.engine.market.history import History

NOW = datetime(2024, 3, 1, 22, 0, tzinfo=UTC)  # a Friday after the close


def history(
    symbol: str = "AAA",
    *,
    first: date = date(2024, 1, 2),
    last: date = date(2024, 3, 1),
    source: str = "yahoo",
    index: bool = False,
    seed: int = 0,
    **given: Any,
) -> History:
    """A calm random walk in whole cents on every session of the span; `given` replaces columns."""
    days = sessions(first, last)
    n_rows = len(days)
    random = np.random.default_rng([seed, *symbol.encode()])
    close = np.round(100.0 * np.exp(np.cumsum(random.normal(0.0, 0.008, n_rows))), 2)
    open_ = np.round(close * (1.0 + random.normal(0.0, 0.002, n_rows)), 2)
    columns: dict[str, Any] = {
        "open": open_,
        "high": np.round(np.maximum(open_, close) + 0.25, 2),
        "low": np.round(np.minimum(open_, close) - 0.25, 2),
        "close": close,
        "volume": np.floor(random.lognormal(13.0, 0.3, n_rows)),
        "dividend": np.zeros(n_rows),
        "split": np.ones(n_rows),
        "gain": np.zeros(n_rows),
    }
    columns |= given
    kind = "index" if index else "traded"
    return History(symbol=symbol, kind=kind, session=days, source=np.full(n_rows, source), **columns)


def at(whole: History, day: str) -> int:
    """The row of a session."""
    return int(np.flatnonzero(whole.session == np.datetime64(day))[0])


def changed(whole: History, day: str, **values: float) -> History:
    """The same history with other values on one session."""
    from dataclasses import replace

    columns = {name: whole.column(name).copy() for name in values}
    for name, value in values.items():
        columns[name][at(whole, day)] = value
    return replace(whole, **columns)


def without(whole: History, *days: str) -> History:
    """The same history without some sessions."""
    return whole.take(~np.isin(whole.session, np.array(days, dtype="datetime64[D]")))
