"""Whether prices lie on whole cents, as traded ones do."""

from typing import Final

import numpy as np

from plimsoll.engine.types import Floats

CENT: Final = 0.01
# What single precision, in which vendors keep prices, may be off by, relative.
SINGLE: Final = 3e-7
# How much of its last printed decimal a price may be off by.
PRINTED: Final = 0.6
# A row has a say where its tolerance is below this share of the grid's step; fewer rows than this have none.
COARSE: Final = 0.25
LEAST_ROWS: Final = 30
# Splits that nobody listed leave fractions of a cent, down to this one: 40 for two splits of 10 and 4.
FINEST: Final = 1000
FITS: Final = 0.9
# Enough rows to tell, of a long file.
MOST_ROWS: Final = 2000


def on_cents(close: Floats, contained: Floats) -> tuple[float | None, bool]:
    """Return the share of closes (R,) on whole cents, and whether another grid, cents / n, fits nine in ten.

    contained : (R,) the splits that a close contains; times them it is as traded. The share is None where too few
    rows are printed finely enough to tell.
    """
    if len(close) > MOST_ROWS:
        some = np.linspace(0, len(close) - 1, MOST_ROWS).astype(np.int64)
        close, contained = close[some], contained[some]
    tolerance = np.maximum(SINGLE * close, PRINTED * printed_quantum(close)) * contained
    value = close * contained
    share = _share(value, tolerance, CENT)
    if share is None:
        return None, False
    finer = (_share(value, tolerance, CENT / n) for n in range(2, FINEST + 1))
    return share, share < FITS and any(one is not None and one >= FITS for one in finer)


def printed_quantum(values: Floats) -> float:
    """Return the finest decimal place that positive values (R,) use, 1 to 1e-9."""
    for decimals in range(9):
        if (np.abs(values - np.round(values, decimals)) <= 4.0 * np.spacing(values)).all():
            return float(10.0**-decimals)
    return 1e-9


def _share(value: Floats, tolerance: Floats, step: float) -> float | None:
    tells = tolerance < COARSE * step
    if np.count_nonzero(tells) < LEAST_ROWS:
        return None
    off = np.abs(value - step * np.round(value / step))
    return float(np.mean(off[tells] <= tolerance[tells]))
