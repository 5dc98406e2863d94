"""Weekly, monthly and quarterly bars among daily ones: refused as what they are."""

from typing import Final

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.bars import BarRows
from plimsoll.engine.market.calendar import schedule
from plimsoll.engine.types import Dates, Ints

# Fewer rows than this say nothing.
LEAST_ROWS: Final = 8
# Gaps in sessions between rows of such bars; a share of all gaps must lie there, beside the median one.
GAPS: Final = {"weekly": (4, 5), "monthly": (19, 23), "quarterly": (60, 66)}
SHARE: Final = 0.8


def check_frequency(rows: BarRows) -> None:
    """Check that ascending daily rows (R,) are not bars of weeks, months or quarters.

    The gaps are counted in sessions; a stamp that is none, as the Saturday of a week, counts by the nearest one. A
    daily file that lacks rows here and there passes.

    Raises
    ------
    DataError
        If the median gap, and 80% of them, are those of a longer bar.
    """
    if rows.interval != "1d" or len(rows.stamp) < LEAST_ROWS:
        return
    gaps = np.diff(_nearest(rows.stamp.astype("datetime64[D]")))
    middle = float(np.median(gaps))
    for name, (low, high) in GAPS.items():
        if low <= middle <= high and np.mean((gaps >= low) & (gaps <= high)) >= SHARE:
            raise DataError(
                f"{rows.symbol} holds {name} bars: the median gap between rows is {middle:g} sessions",
                where=rows.where,
                cause="downloaded at another interval?",
                fix="give daily bars",
            )


def _nearest(days: Dates) -> Ints:
    """Return the position of the session nearest to each day."""
    session = schedule().session
    after = np.clip(np.searchsorted(session, days), 1, len(session) - 1)
    nearer = days - session[after - 1] <= session[after] - days
    found: Ints = np.where(nearer, after - 1, after)
    return found
