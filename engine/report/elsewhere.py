"""A run in the forms that other libraries take."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from plimsoll.engine.runtime.record import Record


class PyfolioFrames(NamedTuple):
    """What pyfolio's tear sheets take, stamped in UTC.

    returns : net return per session. positions : dollars per symbol and `cash` at each close. transactions : a row per
    fill: amount in shares, price in dollars, symbol.
    """

    returns: pd.Series
    positions: pd.DataFrame
    transactions: pd.DataFrame


def quantstats_returns(record: Record) -> pd.Series:
    """Return net returns per session without a zone, named after the run: `quantstats.reports.html(returns)`."""
    own = record.returns
    index = pd.DatetimeIndex(own.index.to_numpy(dtype="datetime64[ns]"), name="date")
    return pd.Series(own.to_numpy(np.float64), index=index, name=record.name)


def pyfolio_frames(record: Record) -> PyfolioFrames:
    """Return returns, positions and transactions: `pyfolio.create_full_tear_sheet(*frames)`.

    A session's fills are stamped with the session: pyfolio counts by days.
    """
    own = record.returns
    index = pd.DatetimeIndex(own.index.to_numpy(dtype="datetime64[ns]"), name="date").tz_localize("UTC")
    returns = pd.Series(own.to_numpy(np.float64), index=index, name=record.name)
    equity = record.column("equity")[record.rows]
    positions = record.weights.iloc[record.rows].mul(equity, axis=0).set_axis(index)
    positions["cash"] = record.column("cash")[record.rows]
    fills = record.fills
    stamps = pd.DatetimeIndex(fills["session"].to_numpy(dtype="datetime64[D]").astype("datetime64[ns]"), name="date")
    columns = {name: fills[of].to_numpy() for name, of in (("amount", "qty"), ("price", "price"), ("symbol", "symbol"))}
    return PyfolioFrames(returns, positions, pd.DataFrame(columns, index=stamps.tz_localize("UTC")))
