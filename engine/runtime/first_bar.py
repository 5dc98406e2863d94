"""The first bar traded: when the data and the strategies allow it."""

from collections.abc import Sequence

import numpy as np

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import DataError
from plimsoll.engine.kernels.derive import OUTSIDE, TRADING
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.types import Ints


def begins_at(feed: Feed, columns: Ints) -> int:
    """Return the first bar with a row of any of the columns; the number of bars if there is none."""
    status = feed.status[:, columns]
    rows = np.flatnonzero(((status == TRADING) | (status == OUTSIDE)).any(axis=1))
    return int(rows[0]) if len(rows) else feed.panel.n_bars


def first_bar(config: Config, panel: Panel, ready: Sequence[tuple[int, int]]) -> int:
    """Return the first bar traded; ready: for each sleeve the bar its data begin at and the warm-up it needs.

    Raises
    ------
    DataError
        If the history is too short, saying what the earliest start could be.
    """
    session = panel.clock.session
    # in a book the others join when they have history
    earliest = max(min(begins + max(warmup, 1) for begins, warmup in ready), 1)
    start = config.run.start
    if start is not None and np.datetime64(start) > session[-1]:
        raise DataError(f"start {start} is after the last session of the data, {session[-1]}", where="run.start")
    if earliest >= panel.n_bars:
        raise DataError(
            f"the strategy needs {earliest} bars of history before it trades, and the data has {panel.n_bars}",
            where=f"{session[0]} to {session[-1]}",
            fix="use more history, or a shorter lookback",
        )
    first = earliest if start is None else int(np.searchsorted(session, np.datetime64(start)))
    if first < earliest:
        raise DataError(
            f"start {start} leaves {first} of the {earliest} bars of history the strategy needs",
            where="run.start",
            fix=f"the earliest possible start is {session[earliest]}",
        )
    return first
