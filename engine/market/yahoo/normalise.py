"""From what Yahoo told to rows as traded: the one place that knows how Yahoo's numbers are meant.

Yahoo divides prices and dividends by every split since, and multiplies volumes by them. As traded is

    P_t = Y_t F_t,   V_t = Yv_t / F_t,   F_t = product of the split ratios in force after t

so a later split changes no row that is stored.
"""

from typing import Any, Final

import numpy as np

from plimsoll.engine.market.fetching import fetch_error
from plimsoll.engine.market.history import PRICES, History
from plimsoll.engine.types import Floats

SOURCE: Final = "yahoo"
# Yahoo's numbers carry single precision: seven digits.
SINGLE: Final = 3e-7
_FUNDS: Final = ("EQUITY", "ETF", "MUTUALFUND")
_ZONES: Final = {False: ("America/New_York",), True: ("America/New_York", "America/Chicago")}


def normalise(told: dict[str, Any], symbol: str, *, index: bool) -> History:
    """Return the rows as traded, NaN where Yahoo has nothing.

    Volume 0 on a session whose prices moved is one that Yahoo does not know: NaN.

    Raises
    ------
    NoSuchDataError
        If the symbol is of another market, currency or kind than asked for.
    GarbledError
        If the columns do not fit together.
    """
    _check_market(told, symbol, index)
    session = np.array(told["session"], dtype="datetime64[D]")
    columns = {name: _column(told, name, symbol, len(session)) for name in (*PRICES, "volume")}
    dividend, split, gain = (_column(told, name, symbol, len(session)) for name in ("dividend", "split", "gain"))
    if not told["midnight"] or (np.diff(session).astype(np.int64) <= 0).any():
        raise fetch_error("garbled", SOURCE, symbol, "its rows are not one a day, in order")
    split = np.where(np.isnan(split) | (split == 0.0), 1.0, split)
    if index:
        split = np.ones(len(session))
    after = later_splits(split)
    prices = {name: cents(columns[name] * after) for name in PRICES}
    volume = np.round(columns["volume"] / after)
    moved = (prices["high"] > prices["low"]) & (volume == 0.0)
    return History(
        symbol=symbol,
        kind="index" if index else "traded",
        session=session,
        source=np.full(len(session), SOURCE),
        **prices,
        volume=np.where(moved | index, np.nan, volume),
        dividend=np.zeros(len(session)) if index else np.nan_to_num(dividend) * after,
        split=split,
        gain=np.zeros(len(session)) if index else np.nan_to_num(gain) * after,
    )


def later_splits(split: Floats) -> Floats:
    """Return (R,) the product of the splits in force after each row."""
    through = np.cumprod(split[::-1])[::-1]
    after: Floats = np.append(through[1:], 1.0)
    return after


def cents(price: Floats) -> Floats:
    """Return prices (R,) on whole cents where they are there but for single precision; the others as they are."""
    whole = np.round(price, 2)
    near: Floats = np.where(np.abs(price - whole) <= SINGLE * np.abs(price), whole, price)
    return near


def _check_market(told: dict[str, Any], symbol: str, index: bool) -> None:
    kind, zone, currency = (told.get(key) for key in ("instrumentType", "exchangeTimezoneName", "currency"))
    if index != (kind == "INDEX") or (not index and kind not in _FUNDS):
        wanted = "an index" if index else "a share or a fund"
        raise fetch_error("no_such_data", SOURCE, symbol, f"Yahoo has it as {kind}, not as {wanted}")
    if zone not in _ZONES[index] or told["zone"] != zone:
        raise fetch_error("no_such_data", SOURCE, symbol, f"it trades by the clock of {zone}, not of New York")
    if not index and currency != "USD":
        raise fetch_error("no_such_data", SOURCE, symbol, f"it is quoted in {currency}, not in USD")


def _column(told: dict[str, Any], name: str, symbol: str, n_rows: int) -> Floats:
    if name == "gain" and name not in told:  # shares have no such column
        return np.zeros(n_rows)
    if len(told.get(name, ())) != n_rows:
        raise fetch_error("garbled", SOURCE, symbol, f"column {name!r} is missing or of another length")
    return np.array(told[name], dtype=np.float64)
