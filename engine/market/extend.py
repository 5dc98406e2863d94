"""Lengthen a leveraged fund's history backwards from its underlying: modelled prices, flagged as such."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.errors import DataError, did_you_mean
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.instruments import instrument
from plimsoll.engine.market.panel import CLOSE, OPEN, DataWarning, Panel
from plimsoll.engine.types import Floats, Ints

# Financing over bills that a real fund paid: measured on TQQQ against QQQ, 2010-02 to 2026-05. SQQQ paid none.
SPREAD: Final = 0.010


class ModelledPrices(NamedTuple):
    """One symbol's modelled prices, each (T,), NaN where there are none."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats


def leveraged_returns(
    underlying: Floats, bill: Floats, leverage: float, fee: float, spread: float = SPREAD, bars_per_year: float = 252.0
) -> Floats:
    """Return the total returns (T,) of a fund that restores `leverage` times its underlying at every close.

    Where the underlying has no return the fund has none, and the next one bears what the bars between cost.

    Parameters
    ----------
    underlying, bill : (T,) array
        Total returns per bar; NaN = not known.
    leverage : float
        Daily multiple, signed.
    fee, spread : float
        Expense ratio, and what borrowing costs beyond bills, per year, as fractions. A fund of negative multiple
        borrows nothing: it earns bills on its own money and on what it sold.
    bars_per_year : float
        Bars over which yearly rates are spread.

    Notes
    -----
        r_L = L q - (L - 1) r - (max(L - 1, 0) s + f) / 252

    Source: Cheng & Madhavan (2009), The dynamics of leveraged and inverse exchange-traded funds, costs made explicit.
    """
    carry = -(leverage - 1.0) * bill - (max(leverage - 1.0, 0.0) * spread + fee) / bars_per_year
    out: Floats = np.full(len(underlying), np.nan)
    known = np.flatnonzero(~np.isnan(underlying))
    for at, t in enumerate(known):
        begin = known[at - 1] + 1 if at > 0 else t
        out[t] = leverage * underlying[t] + carry[begin : t + 1].sum()
    return out


def extend_leveraged(
    panel: Panel, symbols: Iterable[str], bill_returns: Floats, spread: float = SPREAD, fee: float | None = None
) -> Panel:
    """Return the panel with modelled rows before the first real one of each leveraged fund in `symbols`.

    The closes are chained backwards from the first real close by `leveraged_returns`; open, high and low follow the
    underlying's own, times the leverage. No dividends, no splits, volume unknown. Nothing from the first real row on
    changes. The model reaches back as far as the underlying and the bill returns are known. Each fund is named in a
    warning of kind ``synthetic_extension``.

    Parameters
    ----------
    panel : Panel
        Must hold the underlying of each fund.
    symbols : iterable of str
        Funds whose leverage and underlying are known.
    bill_returns : (T,) array
        Return of bills per bar; NaN = not known.
    spread, fee : float
        As in `leveraged_returns`; by default each fund's own expense ratio.

    Raises
    ------
    DataError
        If a fund or its underlying is not in the panel, or the fund has no known underlying.
    """
    if len(bill_returns) != panel.n_bars:
        raise DataError(f"{len(bill_returns)} bill returns for {panel.n_bars} bars", where="extend_leveraged")
    chosen = sorted(set(symbols))
    if not chosen:
        return panel
    feed = Feed(panel)
    block, high, low = panel.block.copy(), panel.high.copy(), panel.low.copy()
    warnings = []
    for symbol in chosen:
        column, base = _columns(panel, symbol)
        fund = instrument(symbol)
        rows = np.flatnonzero(~np.isnan(panel.close[:, column]))
        first = int(rows[0]) if len(rows) else 0
        cost = fund.expense_ratio if fee is None else fee
        returns = leveraged_returns(
            feed.ret[:, base], bill_returns, fund.leverage, cost, spread, panel.clock.bars_per_year
        )
        bars = _backwards(panel, returns, first, column, base, fund.leverage)
        made = np.flatnonzero(~np.isnan(bars.close))
        block[OPEN, made, column], block[CLOSE, made, column] = bars.open[made], bars.close[made]
        high[made, column], low[made, column] = bars.high[made], bars.low[made]
        warnings.append(_warning(panel, symbol, len(rows), made, first))
    return replace(panel, block=block, high=high, low=low, warnings=panel.warnings + tuple(warnings))


def _columns(panel: Panel, symbol: str) -> tuple[int, int]:
    """Return the columns of a fund and of its underlying."""
    if symbol not in panel.symbols:
        raise DataError(f"symbol {symbol!r} is not in the data", fix=did_you_mean(symbol, panel.symbols))
    underlying = instrument(symbol).underlying
    if not underlying:
        raise DataError(
            f"{symbol} cannot be extended: no underlying is known for it",
            cause="only funds with a known daily multiple can be modelled",
            fix="leave it out of extend_leveraged",
        )
    if underlying not in panel.symbols:
        raise DataError(
            f"{symbol} cannot be extended without its underlying {underlying}", fix=f"load {underlying} too"
        )
    return panel.column(symbol), panel.column(underlying)


def _backwards(panel: Panel, returns: Floats, first: int, column: int, base: int, leverage: float) -> ModelledPrices:
    """Chain prices back from the first real close; they end where a return is unknown or would wipe the fund out."""
    bars = ModelledPrices(*np.full((4, panel.n_bars), np.nan))
    rows = np.flatnonzero(~np.isnan(panel.close[: first + 1, base]))
    if not len(rows) or rows[-1] != first:
        return bars
    day, up, down = _intraday(panel, base, leverage)
    worth = (panel.close[first, column] + panel.dividend[first, column]) * panel.split[first, column]
    for now, before in zip(rows[:0:-1], rows[-2::-1], strict=True):
        if not (returns[now] > -1.0 and down[before] > 0.0):
            break
        worth /= 1.0 + returns[now]
        start = worth / day[before]
        for series, price in zip(bars, (start, start * up[before], start * down[before], worth), strict=True):
            series[before] = price
    return bars


def _intraday(panel: Panel, base: int, leverage: float) -> tuple[Floats, Floats, Floats]:
    """Return the fund's close, high and low over its open, from the underlying's moves within the session."""
    start = panel.open[:, base]
    close, high, low = (1.0 + leverage * (x[:, base] / start - 1.0) for x in (panel.close, panel.high, panel.low))
    return (close, high, low) if leverage > 0.0 else (close, low, high)


def _warning(panel: Panel, symbol: str, n_rows: int, made: Ints, first: int) -> DataWarning:
    fund = instrument(symbol)
    if not len(made):
        why = "it has no real row to start from" if n_rows == 0 else "nothing is known of the underlying before it"
        return DataWarning("synthetic_extension", symbol, f"{symbol} was not extended: {why}")
    session = panel.clock.session
    text = (
        f"{symbol} before its first real row on {session[first]} is a model: {fund.leverage:g} times {fund.underlying} "
        f"less financing and fees, {len(made)} bars from {session[made[0]]} to {session[made[-1]]}; volume unknown"
    )
    return DataWarning("synthetic_extension", symbol, text, str(session[made[0]]))
