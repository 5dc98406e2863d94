"""What prices that stand beside listed splits and dividends are: as traded, or adjusted for them already.

Adjusted prices with their actions counted once more are the commonest silent error of all: a fund that made 13% a
year makes 15%. Whatever is found here decides between one reading and a refusal; of two readings, splits in the
prices or not, the first listed split decides, so that later rows never restate earlier ones.
"""

from typing import Final

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.bars import BarRows, RawBars
from plimsoll.engine.market.dividends import implied_dividends
from plimsoll.engine.market.grid import on_cents
from plimsoll.engine.market.panel import DataWarning
from plimsoll.engine.types import Bools, Floats, Ints, PriceKind

# A split of this size stands out of any session's own move; a smaller one cannot contradict a larger.
CLEAR: Final = float(np.log(1.25))
# A dividend can be told from rounding if its step is so many times the tolerance.
TELLING: Final = 4.0
# An adjusted close within this of the close is the close.
SAME: Final = 1e-6
# Fewer ex-dates than this have no mean to speak of.
LEAST_EX_DATES: Final = 12
_SHOWN: Final = 3


def splits_in_force(
    rows: BarRows, close: Floats, split: Floats, prices: PriceKind | None
) -> tuple[Floats, tuple[DataWarning, ...]]:
    """Return the splits to apply (R,) and a line about them: 1 after the first row where closes (R,) contain them.

    Closes are continuous over a split that they contain: |log C_t / C_{t-1}| < 1/2 |log split_t|.

    Raises
    ------
    DataError
        If they are over some of the listed splits and not over others.
    """
    at = np.flatnonzero(split[1:] != 1.0) + 1
    if prices == "raw" or not len(at):
        return split, ()
    size = np.abs(np.log(split[at]))
    flows = np.abs(np.log(close[at] / close[at - 1])) < 0.5 * size
    if prices == "split":
        why = "as [data.prices] says"
    else:
        if ((size >= CLEAR) & (flows != flows[0])).any():
            raise DataError(
                f"{rows.symbol}: prices jump at the split of {_dates(rows, at[~flows])} "
                f"and not at that of {_dates(rows, at[flows])}",
                where=rows.where,
                cause="two downloads in one file, or a split on a wrong date?",
                fix=f'correct the file, or say [data.prices] {rows.symbol} = "raw" or "split"',
            )
        if not flows[0]:
            return split, ()
        why = "prices do not jump there"
    text = (
        f"{rows.symbol}: read as adjusted for its {len(at)} listed split{'s' * (len(at) > 1)} "
        f"({_dates(rows, at)}), {why}; dividends are taken to be in the same units"
    )
    none = np.ones(len(split))
    none[0] = split[0]  # before anything is held it means nothing, and no later row may change it
    return none, (DataWarning("split_adjusted", rows.symbol, text),)


def check_counted_once(raw: RawBars, dividend: Floats, split: Floats, given: Bools) -> tuple[DataWarning, ...]:
    """Check that closes are not adjusted for the listed dividends (R,); return a warning if nothing can tell.

    split : (R,) those in force. given : (R,) rows whose close the source gave. `evidence` decides.

    Raises
    ------
    DataError
        With the evidence, and what settles it.
    """
    ex = np.flatnonzero(dividend[1:] > 0.0) + 1
    found = evidence(raw, dividend, split, given)
    if found is None:
        text = (
            f"{raw.symbol}: cannot tell whether prices are adjusted for the {len(ex)} listed dividends; read as traded "
            f'([data.prices] {raw.symbol} = "raw" or "adjusted" settles it)'
        )
        return (DataWarning("dividends_unproven", raw.symbol, text),)
    if found:
        raise DataError(
            f"{raw.symbol}: {len(ex)} dividends are listed beside prices that contain them already: {found}",
            where=raw.where,
            cause="counted again they would be earned twice",
            fix=f'give unadjusted prices, or say [data.prices] {raw.symbol} = "adjusted" (or "raw" if this is wrong)',
        )
    return ()


def evidence(raw: RawBars, dividend: Floats, split: Floats, given: Bools) -> str | None:
    """Say whether closes are adjusted for the listed dividends (R,): "" = no, None = nothing can tell, else the reason.

    split : (R,) those in force. given : (R,) rows whose close the source gave. The first of these that decides:

    1. An adjusted close that differs from the close: its steps at the ex-dates are those of the listed dividends.
    2. An adjusted close equal to the close in every row: the close is adjusted.
    3. Closes, times the splits they contain, on whole cents: as traded; off them, and off every fraction of a cent
       that unlisted splits could leave: adjusted.
    4. Twelve ex-dates or more: the mean overnight move is that of a price that pays (-D/C), or it is none: adjusted.
    """
    ex = np.flatnonzero(dividend[1:] > 0.0) + 1
    if not len(ex):
        return ""
    found = _by_adjusted_close(raw, dividend, split, ex)
    if found is None:
        found = _by_cents(raw, split, given)
    if found is None:
        found = _by_overnight_moves(raw, dividend, split, ex)
    return found


# Each test answers "" for as traded, the evidence for adjusted, None where it cannot tell.


def _by_adjusted_close(raw: RawBars, dividend: Floats, split: Floats, ex: Ints) -> str | None:
    adjusted = raw.adj_close
    if adjusted is None:
        return None
    known = np.isfinite(adjusted) & (adjusted > 0.0)
    if known.any() and (np.abs(adjusted - raw.close) <= SAME * raw.close)[known].all():
        return "adj_close equals close in every row"
    implied, _, tolerance = implied_dividends(raw.close, np.where(known, adjusted, np.nan), split)
    before = raw.close[ex - 1] / split[ex]
    telling = np.isfinite(implied[ex - 1]) & (dividend[ex] / before > TELLING * tolerance[ex - 1])
    steps = implied[ex - 1] > 0.5 * dividend[ex]  # nearer to what is listed than to none
    return "" if telling.any() and np.mean(steps[telling]) >= 0.5 else None


def _by_cents(raw: RawBars, split: Floats, given: Bools) -> str | None:
    listed = np.ones(len(split)) if raw.split is None else np.where(np.isnan(raw.split), 1.0, raw.split)
    contained = listed / split  # 1 where the split is applied, the ratio where the prices contain it
    later = np.append(np.cumprod(contained[:0:-1])[::-1], 1.0)
    share, fits = on_cents(raw.close[given], later[given])
    if share is None:
        return None
    if share >= 0.9:
        return ""
    return f"{100 * share:.0f}% of closes lie on whole cents" if share <= 0.2 and not fits else None


def _by_overnight_moves(raw: RawBars, dividend: Floats, split: Floats, ex: Ints) -> str | None:
    if len(ex) < LEAST_EX_DATES:
        return None
    before = raw.close[ex - 1] / split[ex]
    move = raw.open[ex] / before - 1.0
    beyond = move + dividend[ex] / before  # about 0 for a price that pays
    zeros, pays = _errors_from_zero(move), _errors_from_zero(beyond)
    if pays >= 3.0 and abs(zeros) <= 2.0:
        return f"on its {len(ex)} ex-dates the open is {100 * move.mean():+.2f}% from the close before, as if none paid"
    return "" if zeros <= -3.0 and abs(pays) <= 2.0 else None


def _errors_from_zero(values: Floats) -> float:
    error = float(values.std(ddof=1)) / np.sqrt(len(values))
    return float(values.mean()) / error if error > 0.0 else 0.0


def _dates(rows: BarRows, at: Ints) -> str:
    shown = ", ".join(rows.show(int(one)) for one in at[:_SHOWN])
    return shown + (", ..." if len(at) > _SHOWN else "")
