"""Turn what a source gave into checked bars: which columns are read, and how."""

from dataclasses import replace

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.bars import Bars, RawBars, show_stamp
from plimsoll.engine.market.dividends import derive_dividends
from plimsoll.engine.market.panel import DataWarning
from plimsoll.engine.market.quality import (
    check_dividends,
    check_positive,
    check_prices,
    check_splits,
    check_stamps,
    check_unpriced,
    check_volume,
)
from plimsoll.engine.market.suspicion import suspect, suspect_dividends
from plimsoll.engine.types import Bools, Floats


def settle(raw: RawBars) -> Bars:
    """Check the columns of one symbol and settle how they are read.

    - A row without any price is a session without a row: dropped here, a hole in the panel.
    - Any row with an adjusted close but no close: the symbol is adjusted-only for its whole life, that is for all
      rows handed in. Sources cut at their `end` before, so a later row has no say.
    - `dividend` and `split` columns are used where present; an empty cell means none.
    - No dividend column but an adjusted close: dividends are derived.

    Raises
    ------
    DataError
        At the first thing that is wrong, naming symbol, session and value.
    """
    check_stamps(raw.rows)
    if raw.adj_close is not None and np.isnan(raw.adj_close).all():
        raw = replace(raw, adj_close=None)
    prices = np.vstack([raw.open, raw.high, raw.low, raw.close])
    quoted: Bools = np.any(~np.isnan(prices), axis=0)
    adjusted: Bools = np.zeros(len(quoted), dtype=np.bool_) if raw.adj_close is None else ~np.isnan(raw.adj_close)
    priced = quoted | adjusted
    check_unpriced(raw, priced)
    raw = raw.keep(priced)
    if raw.adj_close is not None and (adjusted & ~quoted).any():
        bars = _adjusted_only(raw, raw.adj_close)
    else:
        bars = _as_traded(raw)
    return replace(bars, warnings=(*bars.warnings, *suspect(bars, raw.interval)))


def _adjusted_only(raw: RawBars, price: Floats) -> Bars:
    check_positive(raw.rows, "adj_close", price)
    n_rows = len(price)
    first = show_stamp(raw.stamp[np.isnan(raw.close)][0], raw.interval)
    text = f"{raw.symbol} is read from adjusted closes alone: there is no close on {first}, so no volume and no actions"
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


def _as_traded(raw: RawBars) -> Bars:
    check_prices(raw)
    check_volume(raw)
    split = np.ones(len(raw.stamp)) if raw.split is None else np.where(np.isnan(raw.split), 1.0, raw.split)
    check_splits(raw, split)
    dividend, warnings = _dividends(raw, split)
    check_dividends(raw, dividend, split)
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
        warnings=warnings,
    )


def _dividends(raw: RawBars, split: Floats) -> tuple[Floats, tuple[DataWarning, ...]]:
    """Return the dividends, listed or derived, and what to say about them."""
    if raw.dividend is not None:
        dividend = np.where(np.isnan(raw.dividend), 0.0, raw.dividend)
        return dividend, suspect_dividends(raw, dividend, split)
    if raw.adj_close is None:
        return np.zeros(len(split)), _no_dividends(raw)
    check_positive(raw.rows, "adj_close", raw.adj_close)
    dividend = derive_dividends(raw.rows, raw.close, raw.adj_close, split)
    text = f"{raw.symbol}: {np.count_nonzero(dividend)} dividends derived from close and adj_close"
    return dividend, (DataWarning("derived_dividends", raw.symbol, text),)


def _no_dividends(raw: RawBars) -> tuple[DataWarning, ...]:
    if len(raw.stamp) == 0:
        return ()
    if raw.interval == "1d":
        raise DataError(
            f"{raw.symbol} has neither a dividend nor an adj_close in any row, so its total return is not known",
            where=raw.where,
            cause="an index rather than a fund?",
            fix="list it under indicators, or add a dividend column (all 0 if it pays none)",
        )
    text = f"{raw.symbol} has no dividend and no adj_close column: its returns are price returns"
    return (DataWarning("no_dividends", raw.symbol, text),)
