"""The gates: what is wrong with a symbol's columns, told in one line naming symbol, session and value."""

from collections.abc import Callable
from typing import Final

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.bars import BarRows, RawBars
from plimsoll.engine.market.calendar import (
    FIRST_DAY,
    FIRST_DAY_OF_HOURS,
    FULL_SESSION_MINUTES,
    LAST_DAY,
    day_kind,
    minutes_of,
    schedule,
    session_mask,
)
from plimsoll.engine.types import Bools, Dates, Floats

# A high may lie this far (relative) below the other prices and a low above them. Vendors round each column by itself
# and multiply back-adjusted ones by rounded factors: at $5 with four decimals that is 2e-5; a real contradiction is
# a cent or more, 2e-4 at $50.
CONTRADICTION: Final = 1e-4

# Beyond these nothing is a price, a split or a volume; arithmetic on it would overflow. Back-adjusted prices of funds
# that were reverse-split many times begin above ten million.
LOWEST_PRICE: Final = 1e-9
HIGHEST_PRICE: Final = 1e12
LARGEST_SPLIT: Final = 1e6
LARGEST_VOLUME: Final = 1e18

MEND_PRICES: Final = "correct the row, or empty all its prices: then it counts as a session without a row"


def check_stamps(rows: BarRows) -> None:
    """Check that the stamps ascend, without duplicates, and each is a bar of the exchange's grid.

    Raises
    ------
    DataError
        Naming the first stamp that is not.
    """
    check_order(rows)
    days = rows.stamp.astype("datetime64[D]")
    _refuse(
        rows,
        ~session_mask(days),
        lambda at: f"not a session of the exchange but a {day_kind(days[at].astype(object))}",
        cause="dates shifted by a time zone, or prices of another exchange?",
        fix="remove the row, or correct its date",
    )
    if rows.interval != "1d":
        _check_grid(rows, days)


def check_order(rows: BarRows) -> None:
    """Check that the stamps ascend without duplicates, inside the calendar's range, daily ones without a time.

    Raises
    ------
    DataError
        Naming the first stamp that does not.
    """
    stamp = rows.stamp
    days = stamp.astype("datetime64[D]")
    far = (days < np.datetime64(FIRST_DAY)) | (days > np.datetime64(LAST_DAY))
    fix = "correct the date, or leave rows outside it away"
    _refuse(rows, far, f"outside the calendar ({FIRST_DAY} to {LAST_DAY})", fix=fix)
    if rows.interval == "1d":
        timed = rows._replace(interval="with time")
        _refuse(timed, stamp != days, "a daily row carries a time of day", fix="stamp daily rows by date alone")
    steps = np.diff(stamp).astype(np.int64)
    _refuse(rows, np.append(False, steps == 0), "the row appears twice", fix="keep one of the two")
    _refuse(
        rows,
        np.append(False, steps < 0),
        lambda at: f"the row comes after that of {rows.show(at - 1)}",
        cause="rows are not in order",
        fix="sort them, oldest first",
    )


def check_finite(rows: BarRows, value: Floats) -> None:
    """Check that a series (R,) holds no infinite value; NaN is unknown and allowed.

    Raises
    ------
    DataError
        Naming the first row that does.
    """
    _refuse(rows, np.isinf(value), "the value is infinite", fix="leave unknown cells empty")


def check_prices(raw: RawBars) -> None:
    """Check that every row has four positive, finite prices that do not contradict each other.

    Raises
    ------
    DataError
        Naming the first row and column that has not.
    """
    for name, column in (("open", raw.open), ("high", raw.high), ("low", raw.low), ("close", raw.close)):
        check_positive(raw.rows, name, column)
    top = np.maximum(np.maximum(raw.open, raw.close), raw.low)
    bottom = np.minimum(np.minimum(raw.open, raw.close), raw.high)
    _refuse(
        raw.rows,
        raw.high < top * (1.0 - CONTRADICTION),
        lambda at: f"high {raw.high[at]:.10g} is below {top[at]:.10g}, another price of the row",
        cause="contradictory prices",
        fix=MEND_PRICES,
    )
    _refuse(
        raw.rows,
        raw.low > bottom * (1.0 + CONTRADICTION),
        lambda at: f"low {raw.low[at]:.10g} is above {bottom[at]:.10g}, another price of the row",
        cause="contradictory prices",
        fix=MEND_PRICES,
    )


def check_positive(rows: BarRows, name: str, price: Floats) -> None:
    """Check that every price (R,) is known, positive, finite and of a size that prices have.

    Raises
    ------
    DataError
        Naming the first row where it is not.
    """

    def say(at: int) -> str:
        if np.isnan(price[at]):
            return f"{name} is empty while other prices of the row are known"
        if 0.0 < price[at] < np.inf:
            return f"{name} is {price[at]:.10g}, no price lies beyond {LOWEST_PRICE:g} to {HIGHEST_PRICE:g}"
        return f"{name} is {price[at]:.10g}, not a positive price"

    _refuse(rows, ~((price >= LOWEST_PRICE) & (price <= HIGHEST_PRICE)), say, fix=MEND_PRICES)


def check_volume(raw: RawBars) -> None:
    """Check that no volume is negative, infinite or above any volume; NaN is unknown and allowed.

    Raises
    ------
    DataError
        Naming the first row where it is.
    """
    wrong = (raw.volume < 0.0) | (raw.volume > LARGEST_VOLUME)
    fix = "correct it, or leave the cell empty for unknown"
    _refuse(raw.rows, wrong, lambda at: f"volume is {raw.volume[at]:.10g}", fix=fix)


def check_splits(raw: RawBars, split: Floats) -> None:
    """Check that splits (R,) are positive and between one for a million and a million for one.

    Raises
    ------
    DataError
        Naming the first row where they are not.
    """
    _refuse(
        raw.rows,
        ~((split >= 1.0 / LARGEST_SPLIT) & (split <= LARGEST_SPLIT)),
        lambda at: f"split is {split[at]:.10g}",
        cause="it counts new shares per old share",
        fix="write 1, or leave the cell empty, for none",
    )


def check_dividends(raw: RawBars, dividend: Floats, split: Floats) -> None:
    """Check that dividends (R,) are finite, not negative and not above the previous close in today's shares.

    Raises
    ------
    DataError
        Naming the first row where they are not.
    """
    wrong = ~np.isfinite(dividend) | (dividend < 0.0)
    fix = "write 0, or leave the cell empty, for none"
    _refuse(raw.rows, wrong, lambda at: f"dividend is {dividend[at]:.10g}", fix=fix)
    before = np.append(np.nan, raw.close[:-1]) / split
    _refuse(
        raw.rows,
        dividend > before,
        lambda at: f"dividend {dividend[at]:.10g} exceeds the previous close of {before[at]:.10g}",
        cause="a split is missing, or the dividend is not per share of that session",
        fix="correct it",
    )


def check_actions_open(raw: RawBars) -> None:
    """Check that listed dividends and splits of intraday rows stand on the first row of their session, and once.

    Raises
    ------
    DataError
        Naming the first row where one does not.
    """
    days = raw.stamp.astype("datetime64[D]")
    later = np.append(False, days[1:] == days[:-1]) if len(days) else np.zeros(0, dtype=np.bool_)
    for name, column, none in (("dividend", raw.dividend, 0.0), ("split", raw.split, 1.0)):
        if column is not None:
            _refuse(
                raw.rows,
                later & ~np.isnan(column) & (column != none),
                f"a {name} stands on a row that is not the first of its session",
                cause=f"the day's {name} written on every bar?",
                fix="keep it on the session's first row alone",
            )


def check_unpriced(raw: RawBars, priced: Bools, where: str = "without prices") -> None:
    """Check that no dividend or split stands on a row that is left out, where it would be lost; `where` says which.

    Raises
    ------
    DataError
        Naming the first row where one does.
    """
    for name, column, none in (("dividend", raw.dividend, 0.0), ("split", raw.split, 1.0)):
        if column is not None:
            what = f"a {name} stands on a row {where}"
            fix = f"move the {name} to the next {'session' if raw.interval == '1d' else 'regular bar'} that has prices"
            _refuse(raw.rows, ~priced & ~np.isnan(column) & (column != none), what, fix=fix)


def _check_grid(rows: BarRows, days: Dates) -> None:
    early = days < np.datetime64(FIRST_DAY_OF_HOURS)
    what = f"the exchange's hours are known from {FIRST_DAY_OF_HOURS} on"
    _refuse(rows, early, what, fix="leave earlier rows away, or use daily bars")
    minutes = minutes_of(rows.interval) or FULL_SESSION_MINUTES
    plan = schedule()
    at = np.searchsorted(plan.session, days)
    second = (rows.stamp - days.astype("datetime64[s]")).astype(np.int64)
    opens, closes = 60 * plan.open_minute[at], 60 * plan.close_minute[at]
    _refuse(
        rows,
        (second < opens) | (second > closes),
        lambda at: f"outside the session's hours {_clock_text(opens[at])}-{_clock_text(closes[at])}",
        cause="another time zone, or extended hours?",
        fix="stamp bars in exchange local time; data.extended_hours = 'drop' leaves out those beyond regular hours",
    )
    _refuse(
        rows,
        second == closes,
        lambda at: f"the session closes at {_clock_text(closes[at])}, no bar starts then",
        cause="stamped with the end of the bar?",
        fix="say data.label = 'right' if they all are, else stamp bars with their start",
    )
    wrong = (second - opens) % (60 * minutes) != 0
    _refuse(rows, wrong, f"not the start of a {rows.interval} bar", fix="check the interval")


def _clock_text(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}"


def _refuse(rows: BarRows, wrong: Bools, say: str | Callable[[int], str], *, cause: str = "", fix: str = "") -> None:
    """Raise about the first row that is wrong; `say` is the message, or makes it from the row's number."""
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        what = say if isinstance(say, str) else say(at)
        raise DataError(f"{rows.symbol}, {rows.show(at)}: {what}", where=rows.where, cause=cause, fix=fix)
