"""How much a price level grew over a number of bars, where single rows may be missing."""

from typing import Final

import numpy as np

from plimsoll.engine.kernels.derive import DELIST_SESSIONS
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats

# Rows a window needs beyond the bars it looks back: a level stands in for a missing row until the symbol would count
# as delisted.
SLACK: Final = DELIST_SESSIONS


@kernel
def growth(level: Floats, column: int, bars: int) -> float:
    """Return the relative change of one column of level (n, K) over `bars` bars up to the last row.

    n >= bars + SLACK, a window that shows nothing before the listing in force. Each end takes the last known level, up
    to SLACK - 1 rows old; NaN where there is none, so a symbol younger than `bars` has no growth yet.

        L_t / L_{t - bars} - 1
    """
    now, then, last = np.nan, np.nan, level.shape[0] - 1
    for age in range(SLACK):
        if np.isnan(now):
            now = level[last - age, column]
        if np.isnan(then):
            then = level[last - bars - age, column]
    return now / then - 1.0
