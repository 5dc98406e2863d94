"""Turn what a source gave into checked bars: which columns are read, and how."""

from dataclasses import replace

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.adjustment import check_counted_once, splits_in_force
from plimsoll.engine.market.bars import Bars, RawBars, show_stamp
from plimsoll.engine.market.dividends import derive_dividends
from plimsoll.engine.market.fill_close import close_gaps, dividends_after
from plimsoll.engine.market.frequency import check_frequency
from plimsoll.engine.market.panel import DataWarning
from plimsoll.engine.market.quality import (
    check_actions_open,
    check_dividends,
    check_order,
    check_positive,
    check_prices,
    check_splits,
    check_stamps,
    check_unpriced,
    check_volume,
)
from plimsoll.engine.market.suspicion import stale_runs, suspect_dividends
from plimsoll.engine.types import Bools, Floats, PriceKind


def settle(raw: RawBars, prices: PriceKind | None = None, *, adjusted_only: bool | None = None) -> Bars:
    """Check the columns of one symbol and settle how they are read.

    - A row without any price is a session without a row: dropped here, a hole in the panel.
    - A symbol whose first row has an adjusted close but no other price is adjusted-only for its whole life. A later
      such row has the close before it, moved as the adjusted close moved.
    - `dividend` and `split` columns are used where present; an empty cell means none. Splits that prices contain are
      not applied again (`splits_in_force`); dividends that they contain are refused (`check_counted_once`).
    - No dividend column but an adjusted close: dividends are derived.

    Parameters
    ----------
    prices : "raw", "split" or "adjusted"
        What the prices are, if somebody said so: nothing is inferred then.
    adjusted_only : bool
        What the first row of the whole source says, if `raw` begins later; None = `begins_adjusted(raw)`.

    Raises
    ------
    DataError
        At the first thing that is wrong, naming symbol, session and value.
    """
    check_order(raw.rows)
    check_frequency(raw.rows)
    check_stamps(raw.rows)
    if adjusted_only is None:
        adjusted_only = begins_adjusted(raw)
    if raw.adj_close is not None and np.isnan(raw.adj_close).all():
        raw = replace(raw, adj_close=None)
    priced = _quoted(raw) | _adjusted(raw)
    check_unpriced(raw, priced)
    raw = raw.keep(priced)
    if adjusted_only:
        bars = _adjusted_only(raw, prices)
    elif prices == "adjusted":
        bars = _said_adjusted(raw)
    else:
        bars = _as_traded(raw, prices)
    return replace(bars, warnings=(*bars.warnings, *stale_runs(bars, raw.interval)))


def begins_adjusted(raw: RawBars) -> bool:
    """Say whether the first row with a price has an adjusted close and no other: it decides for the whole life."""
    quoted, adjusted = _quoted(raw), _adjusted(raw)
    first = np.flatnonzero(quoted | adjusted)[:1]
    return bool((adjusted & ~quoted)[first].any())


def _quoted(raw: RawBars) -> Bools:
    return ~(np.isnan(raw.open) & np.isnan(raw.high) & np.isnan(raw.low) & np.isnan(raw.close))


def _adjusted(raw: RawBars) -> Bools:
    return np.zeros(len(raw.stamp), dtype=np.bool_) if raw.adj_close is None else ~np.isnan(raw.adj_close)


def _adjusted_only(raw: RawBars, prices: PriceKind | None) -> Bars:
    if prices in {"raw", "split"}:
        what = f"{raw.symbol}: [data.prices] says {prices!r}, but its first row has an adjusted close alone"
        raise DataError(what, where=raw.where, fix="leave the symbol out there")
    price = np.full(len(raw.stamp), np.nan) if raw.adj_close is None else raw.adj_close
    check_positive(raw.rows, "adj_close", price)
    n_rows = len(price)
    first = show_stamp(raw.stamp[0], raw.interval) if n_rows else ""
    text = f"{raw.symbol} is read from adjusted closes alone: its first row has no other price; no volume, no actions"
    return Bars(
        symbol=raw.symbol,
        stamp=raw.stamp,
        open=price,
        high=price,
        low=price,
        close=price,
        volume=np.full(n_rows, np.nan),
        dividend=np.zeros(n_rows),
        split=np.ones(n_rows),
        adjusted_only=True,
        warnings=(DataWarning("adjusted_only", raw.symbol, text, first),),
    )


def _said_adjusted(raw: RawBars) -> Bars:
    """Read prices that contain dividends and splits: neither is counted again."""
    check_prices(raw)
    check_volume(raw)
    ones = np.ones(len(raw.stamp))
    if raw.adj_close is not None:
        check_positive(raw.rows, "adj_close", raw.adj_close)
        paid = np.flatnonzero(derive_dividends(raw.rows, raw.close, raw.adj_close, ones))
        if len(paid):
            raise DataError(
                f"{raw.symbol}, {raw.rows.show(int(paid[0]))}: [data.prices] says 'adjusted', but close and adj_close "
                "do not move alike",
                where=raw.where,
                fix='say "raw" or "split", or leave the symbol out there',
            )
    text = f"{raw.symbol}: read as adjusted for dividends and splits, as [data.prices] says; none is counted again"
    return Bars(
        symbol=raw.symbol,
        stamp=raw.stamp,
        open=raw.open,
        high=raw.high,
        low=raw.low,
        close=raw.close,
        volume=raw.volume,
        dividend=np.zeros(len(ones)),
        split=ones,
        adjusted_only=True,
        warnings=(DataWarning("adjusted_only", raw.symbol, text),),
    )


def _as_traded(raw: RawBars, prices: PriceKind | None) -> Bars:
    given = _quoted(raw)
    raw, filled = close_gaps(raw, given)
    check_prices(raw)
    check_volume(raw)
    split = np.ones(len(raw.stamp)) if raw.split is None else np.where(np.isnan(raw.split), 1.0, raw.split)
    check_splits(raw, split)
    if raw.interval != "1d":
        check_actions_open(raw)
    split, assumed = splits_in_force(raw.rows, raw.close, split, prices)
    dividend, warnings = _dividends(raw, split, given)
    check_dividends(raw, dividend, split)
    if raw.dividend is not None and prices is None:
        warnings = (*warnings, *check_counted_once(raw, dividend, split, given))
    return Bars(
        symbol=raw.symbol,
        stamp=raw.stamp,
        open=raw.open,
        high=raw.high,
        low=raw.low,
        close=raw.close,
        volume=raw.volume,
        dividend=dividend,
        split=split,
        n_derived_dividends=int(np.count_nonzero(dividend)) if raw.dividend is None else 0,
        warnings=(*filled, *assumed, *warnings),
    )


def _dividends(raw: RawBars, split: Floats, given: Bools) -> tuple[Floats, tuple[DataWarning, ...]]:
    """Return the dividends, listed or derived, and what to say about them."""
    if raw.dividend is not None:
        listed = np.where(np.isnan(raw.dividend), 0.0, raw.dividend)
        dividend = dividends_after(raw, listed, split, given)
        return dividend, suspect_dividends(raw, dividend, split)
    if raw.adj_close is None:
        return np.zeros(len(split)), _no_dividends(raw)
    check_positive(raw.rows, "adj_close", raw.adj_close)
    dividend = derive_dividends(raw.rows, raw.close, raw.adj_close, split)
    found = np.count_nonzero(dividend)
    if not found:  # a fund that pays nothing is nothing to tell
        return dividend, ()
    text = f"{raw.symbol}: {found} dividends derived from close and adj_close"
    return dividend, (DataWarning("derived_dividends", raw.symbol, text),)


def _no_dividends(raw: RawBars) -> tuple[DataWarning, ...]:
    if len(raw.stamp) == 0:
        return ()
    if raw.interval == "1d":
        raise DataError(
            f"{raw.symbol} has neither a dividend nor an adj_close in any row, so its total return is not known",
            where=raw.where,
            cause="an index rather than a fund?",
            fix="list it under indicators, add a dividend column (all 0 if it pays none), or say "
            f'[data.prices] {raw.symbol} = "adjusted" if the prices contain dividends',
        )
    text = f"{raw.symbol} has no dividend and no adj_close column: its returns are price returns"
    return (DataWarning("no_dividends", raw.symbol, text),)
