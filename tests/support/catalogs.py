"""A catalog made of a panel: the same rows as traded, the same adjusted-only symbols, the same indicators."""

from datetime import date
from pathlib import Path

import numpy as np
from support.histories import NOW

from plimsoll.engine.market.catalog.store import Catalog
from plimsoll.engine.market.history import History
from plimsoll.engine.market.panel import Panel


def catalog_of(panel: Panel, root: Path, first: date = date.min) -> Catalog:
    """Store everything a daily panel knows from `first` on, symbol by symbol."""
    catalog, recent = Catalog(root), panel.clock.session >= np.datetime64(first)
    columns = {"open": panel.open, "high": panel.high, "low": panel.low, "close": panel.close}
    columns |= {"volume": panel.volume, "dividend": panel.dividend, "split": panel.split}
    for at, symbol in enumerate(panel.symbols):
        priced = np.isfinite(panel.close[:, at])
        whole = History(
            symbol=symbol,
            kind="adjusted" if symbol in panel.adjusted_only else "traded",
            session=panel.clock.session,
            source=np.full(panel.n_bars, "made"),
            gain=np.zeros(panel.n_bars),
            **{name: np.ascontiguousarray(column[:, at]) for name, column in columns.items()},
        )
        catalog.store(whole.take(priced & recent), (), NOW)
    for at, name in enumerate(panel.indicators):
        value = np.ascontiguousarray(panel.indicator[:, at])
        unknown, none = np.full(len(value), np.nan), np.zeros(len(value))
        whole = History(
            symbol=name,
            kind="index",
            session=panel.clock.session,
            source=np.full(panel.n_bars, "made"),
            open=value,
            high=value,
            low=value,
            close=value,
            volume=unknown,
            dividend=none,
            split=np.ones(len(value)),
            gain=none,
        )
        catalog.store(whole.take(np.isfinite(value) & recent), (), NOW)
    return catalog
