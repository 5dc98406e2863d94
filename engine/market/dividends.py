"""Dividends read off a close and an adjusted close."""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.bars import BarRows
from plimsoll.engine.types import Floats

# Below this relative step nothing can be told from the noise of vendors' single-precision adjustment factors.
FLOOR: Final = 4e-6
# Worst-case rounding of two rows, half as much again for the rounding of the vendor's own factor.
SAFETY: Final = 1.5
# Vendors print four decimals, six below five dollars; the adjusted close, which is a made-up number, six.
CLOSE_QUANTUM: Final = 1e-4
FINE_QUANTUM: Final = 1e-6
FINE_BELOW: Final = 5.0
# An adjusted close may lag its close by less than this without an error: two basis points.
NEGATIVE_STEP: Final = 2e-4


class Implied(NamedTuple):
    """What two columns imply for each row but the first, all (R - 1,).

    dividend : per share, noise included. step : dividend / previous close in today's shares.
    tolerance : the step below which nothing can be told from rounding.
    """

    dividend: Floats
    step: Floats
    tolerance: Floats


def derive_dividends(rows: BarRows, close: Floats, adjusted: Floats, split: Floats) -> Floats:
    """Return the dividend per share on each row, (R,), out of what close and adjusted close imply.

    close, adjusted, split (R,), all known and positive. A dividend is kept where its step exceeds the tolerance,
    else it is 0; the first row has no predecessor and gets 0. A row depends on no later one.

    Raises
    ------
    DataError
        If a dividend is negative beyond its tolerance and 2 bp.
    """
    dividend, step, tolerance = implied_dividends(close, adjusted, split)
    wrong = np.flatnonzero(step < -np.maximum(tolerance, NEGATIVE_STEP))
    if len(wrong):
        at = int(wrong[0])
        raise DataError(
            f"{rows.symbol}, {rows.show(at + 1)}: close and adj_close imply a dividend of {dividend[at]:.6g}",
            where=rows.where,
            cause="the two columns come from different downloads, or a reverse split is not recorded",
            fix="reload both from one download, or add a split column",
        )
    return np.append(np.zeros(min(len(close), 1)), np.where(step > tolerance, dividend, 0.0))


def implied_dividends(close: Floats, adjusted: Floats, split: Floats) -> Implied:
    """Solve the vendors' adjustment for the dividend of every row but the first.

    close, adjusted, split (R,). With P = C_{t-1} / split_t, the previous close in today's shares, a vendor lowers
    everything before an ex-date by the factor 1 - D/P, so

        A_{t-1} / A_t = (P / C_t) (1 - D_t / P)   and   D_t = P - C_t A_{t-1} / A_t

    tolerance = max(4e-6, 1.5 x the rounding of this row and the previous one). A row's rounding is half a quantum of
    its close (1e-4, or 1e-6 below $5) plus half a quantum of its adjusted close, each relative to its price. The
    latter quantum is the finest decimal place used up to that row, so that an adjusted close printed in cents does
    not turn into a dividend a day.

    Source: the back-adjustment of the CRSP and Yahoo conventions.
    """
    before = close[:-1] / split[1:]
    dividend = before - close[1:] * adjusted[:-1] / adjusted[1:]
    rounding = 0.5 * _close_quantum(close) / close + 0.5 * _adjusted_quantum(adjusted) / adjusted
    tolerance = np.maximum(FLOOR, SAFETY * (rounding[1:] + rounding[:-1]))
    return Implied(dividend, dividend / before, tolerance)


def _close_quantum(close: Floats) -> Floats:
    return np.where(close < FINE_BELOW, FINE_QUANTUM, CLOSE_QUANTUM)


def _adjusted_quantum(adjusted: Floats) -> Floats:
    """Return the finest decimal place, 1e-2 to 1e-6, that the column has used up to each row."""
    quantum = np.full(len(adjusted), FINE_QUANTUM)
    for decimals in (5, 4, 3, 2):
        fits = np.abs(adjusted - np.round(adjusted, decimals)) <= 4.0 * np.spacing(adjusted)
        quantum[fits] = 10.0**-decimals
    finest: Floats = np.minimum.accumulate(quantum)
    return finest
