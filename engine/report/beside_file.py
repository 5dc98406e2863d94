"""Benchmark and bill returns in a run folder: `beside.csv`, a row per series and session."""

from typing import Final

import numpy as np
import pandas as pd

from plimsoll.engine.runtime.record import Record

BESIDE: Final = "beside"
ROLES: Final = ("benchmark", "bill")


def beside_frame(record: Record) -> pd.DataFrame | None:
    """Return session, role, name, ret of the series beside the account; None without any. NaN = no row."""
    parts = []
    for role in ROLES:
        series: pd.Series | None = getattr(record, role)
        if series is not None:
            columns = {"session": series.index, "role": role, "name": str(series.name), "ret": series.to_numpy()}
            parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True) if parts else None


def series_of(frame: pd.DataFrame | None, role: str) -> pd.Series | None:
    """Return one series as the record had it; None where the table has none of that role."""
    mine = None if frame is None else frame[frame["role"] == role]
    if mine is None or not len(mine):
        return None
    index = pd.DatetimeIndex(mine["session"].to_numpy().astype("datetime64[s]"), name="session")
    return pd.Series(mine["ret"].to_numpy(np.float64), index=index, name=str(mine["name"].iloc[0]))
