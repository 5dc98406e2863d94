"""Rows that have an adjusted close and nothing else, after rows that had prices: their close follows it."""

from dataclasses import replace

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.bars import RawBars
from plimsoll.engine.market.dividends import implied_dividends
from plimsoll.engine.market.panel import DataWarning
from plimsoll.engine.types import Bools, Floats


def close_gaps(raw: RawBars, given: Bools) -> tuple[RawBars, tuple[DataWarning, ...]]:
    """Return the columns with the prices of the other rows supplied, and a line that names them.

        C_t = C_{t-1} A_t / A_{t-1},   open = high = low = close, volume unknown, dividends contained

    given : (R,) rows that have prices; the first one has.

    Raises
    ------
    DataError
        If there is no adjusted close in the row before, or a split is listed on such a row.
    """
    gaps = np.flatnonzero(~given)
    if not len(gaps) or raw.adj_close is None:
        return raw, ()
    adjusted, close = raw.adj_close, raw.close.copy()
    for t in gaps.tolist():
        _check_gap(raw, t)
        close[t] = close[t - 1] * (adjusted[t] / adjusted[t - 1])
    first = raw.rows.show(int(gaps[0]))
    text = (
        f"{raw.symbol}: {len(gaps)} row{'s' * (len(gaps) > 1)} from {first} on with an adjusted close and no other "
        "price: the close follows it, volume unknown"
    )
    filled = replace(
        raw,
        open=np.where(given, raw.open, close),
        high=np.where(given, raw.high, close),
        low=np.where(given, raw.low, close),
        close=close,
        volume=np.where(given, raw.volume, np.nan),
        dividend=None if raw.dividend is None else np.where(given, raw.dividend, 0.0),
    )
    return filled, (DataWarning("close_from_adjusted", raw.symbol, text, first),)


def dividends_after(raw: RawBars, listed: Floats, split: Floats, given: Bools) -> Floats:
    """Return the listed dividends (R,), those of rows that follow supplied closes read off the adjusted close instead.

    A supplied close contains what was paid on its row and the ones before; the step down to the next price is that.
    """
    after = np.flatnonzero(given[1:] & ~given[:-1])
    if not len(after) or raw.adj_close is None:
        return listed
    implied, step, tolerance = implied_dividends(raw.close, raw.adj_close, split)
    known = after[np.isfinite(implied[after])]
    out = listed.copy()
    out[known + 1] = np.where(step[known] > tolerance[known], implied[known], 0.0)
    return out


def _check_gap(raw: RawBars, t: int) -> None:
    adjusted = raw.adj_close
    assert adjusted is not None
    if t == 0:
        raise DataError(
            f"{raw.symbol}, {raw.rows.show(0)}: the rows asked for begin with an adjusted close alone, in a file that "
            "begins with prices",
            where=raw.where,
            fix="begin at an earlier row",
        )
    for at in (t - 1, t):
        if not (0.0 < adjusted[at] < np.inf):
            raise DataError(
                f"{raw.symbol}, {raw.rows.show(at)}: adj_close is {adjusted[at]:.10g}, and the close of "
                f"{raw.rows.show(t)} is known by it alone",
                where=raw.where,
                fix="give that row its prices, or empty all of them",
            )
    if raw.split is not None and not np.isnan(raw.split[t]) and raw.split[t] != 1.0:
        raise DataError(
            f"{raw.symbol}, {raw.rows.show(t)}: a split is listed on a row whose only price is an adjusted close",
            where=raw.where,
            fix="give that row its prices",
        )
