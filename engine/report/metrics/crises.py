"""What a run did while markets fell: its part in the known falls of the S&P 500, and its own worst spell."""

from typing import Final

import numpy as np

from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.drawdowns import drawdowns
from plimsoll.engine.report.metrics.returns import Figures
from plimsoll.engine.runtime.beside import Beside
from plimsoll.engine.types import Dates, Floats

# Closing high and closing low of the S&P 500 around each: the return is from one close to the other.
WINDOWS: Final = (
    ("2008, financial crisis", "2007-10-09", "2009-03-09"),
    ("2011, euro debt and downgrade", "2011-04-29", "2011-10-03"),
    ("2015, China and oil", "2015-05-21", "2016-02-11"),
    ("2018, fourth quarter", "2018-09-20", "2018-12-24"),
    ("2020, pandemic", "2020-02-19", "2020-03-23"),
    ("2022, inflation and rates", "2022-01-03", "2022-10-12"),
)
OWN: Final = "the run's own worst"


def crisis_rows(returns: Floats, sessions: Dates, beside: Beside | None = None) -> list[Figures]:
    """Return a row per window that the run has a session of, and one for its own deepest fall, peak to trough.

    Each: `name`, `start`, the close it is measured from, `end`, `sessions`, `whole` (the run covers all of it),
    `total_return`, `max_drawdown` within it, `benchmark` the benchmark's return, None where it does not cover it.
    """
    rows = [_row(name, (first, last), returns, sessions, beside) for name, first, last in WINDOWS]
    spells = drawdowns(returns)
    if spells:
        worst = spells[0]
        first = str(m.start_of(sessions) if worst.peak == 0 else sessions[worst.peak - 1])
        rows.append(_row(OWN, (first, str(sessions[worst.trough - 1])), returns, sessions, beside))
    return [row for row in rows if row is not None]


def _row(name: str, window: tuple[str, str], returns: Floats, sessions: Dates, beside: Beside | None) -> Figures | None:
    first, last = (np.datetime64(day, "D") for day in window)
    rows = slice(*(int(np.searchsorted(sessions, day, side="right")) for day in (first, last)))
    if rows.stop <= rows.start:
        return None
    whole = bool(m.start_of(sessions) <= first and sessions[-1] >= last)
    return {
        "name": name,
        "start": str(first if rows.start > 0 or whole else m.start_of(sessions)),
        "end": str(min(last, sessions[-1])),
        "sessions": rows.stop - rows.start,
        "whole": whole,
        "total_return": m.total_return(returns[rows]),
        "max_drawdown": m.max_drawdown(returns[rows]),
        "benchmark": None if beside is None else beside_within(beside, rows),
    }


def beside_within(beside: Beside, rows: slice) -> float | None:
    """Return the benchmark's return over some sessions; None where it does not cover the first and the last."""
    chosen = (beside.starts >= rows.start) & (beside.ends < rows.stop)
    starts, ends = beside.starts[chosen], beside.ends[chosen]
    whole = len(ends) > 0 and starts[0] == rows.start and ends[-1] == rows.stop - 1
    return m.total_return(beside.theirs[chosen]) if whole else None
