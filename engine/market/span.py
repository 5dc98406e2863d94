"""Cut a panel: what a run to an earlier day would have loaded."""

from dataclasses import fields, replace
from datetime import date
from typing import Any

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.panel import BarClock, Panel


def until(panel: Panel, end: date) -> Panel:
    """Return the panel through the session of `end`.

    Raises
    ------
    DataError
        If the panel begins later.
    """
    n_bars = int(np.searchsorted(panel.clock.session, np.datetime64(end), side="right"))
    if n_bars == 0:
        raise DataError(f"end {end} is before the first session of the data, {panel.clock.session[0]}", where="run.end")
    return first_bars(panel, n_bars)


def first_bars(panel: Panel, n_bars: int) -> Panel:
    """Return the first `n_bars` bars of a panel, its hash made anew; all of it if there are no more."""
    if n_bars >= panel.n_bars:
        return panel
    return replace(
        panel,
        clock=first_of_clock(panel.clock, n_bars),
        block=np.ascontiguousarray(panel.block[:, :n_bars]),
        high=panel.high[:n_bars],
        low=panel.low[:n_bars],
        indicator=panel.indicator[:n_bars],
        outside=panel.outside[:n_bars],
    )


def first_of_clock(clock: BarClock, n_bars: int) -> BarClock:
    """Return the first `n_bars` bars of a clock."""
    columns = ((field.name, getattr(clock, field.name)) for field in fields(clock))
    cut: dict[str, Any] = {name: column[:n_bars] for name, column in columns if isinstance(column, np.ndarray)}
    return replace(clock, **cut)
