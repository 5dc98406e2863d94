"""Returns by calendar month and year."""

from dataclasses import dataclass

import numpy as np

from plimsoll.engine.report.metrics.returns import total_return
from plimsoll.engine.types import Dates, Floats


@dataclass(frozen=True, slots=True)
class Period:
    """One calendar month or year.

    label : "2020-03" or "2020".
    rows : its sessions as a slice of the series.
    total : compounded return of those sessions; an incomplete period is not scaled up.
    """

    label: str
    rows: slice
    total: float

    @property
    def sessions(self) -> int:
        """How many sessions of it the series holds."""
        return int(self.rows.stop - self.rows.start)


def by_month(returns: Floats, sessions: Dates) -> list[Period]:
    """Return the calendar months of the series; `sessions` (n,) are ascending dates."""
    return _periods(returns, sessions.astype("datetime64[M]"))


def by_year(returns: Floats, sessions: Dates) -> list[Period]:
    """Return the calendar years of the series."""
    return _periods(returns, sessions.astype("datetime64[Y]"))


def _periods(returns: Floats, keys: Dates) -> list[Period]:
    if len(keys) == 0:
        return []
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    stops = np.append(starts[1:], len(keys))
    out = []
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        rows = slice(start, stop)
        out.append(Period(str(keys[start]), rows, total_return(returns[rows])))
    return out


def monthly_grid(returns: Floats, sessions: Dates) -> dict[str, list[float | None]]:
    """Return year -> its twelve monthly returns, January first; None for a month without sessions."""
    grid: dict[str, list[float | None]] = {}
    for month in by_month(returns, sessions):
        year, number = month.label.split("-")
        grid.setdefault(year, [None] * 12)[int(number) - 1] = month.total
    return grid
