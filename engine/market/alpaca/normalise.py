"""From what Alpaca told to rows as traded: the one place that knows how Alpaca's numbers are meant.

Bars of `adjustment=raw` are as traded, stamped with New York's midnight in UTC, shorter ones with their start. A cash
dividend counts per share of its ex-date; a split is new_rate / old_rate, a stock dividend of rate r the split 1 + r.
The same announcement may be listed twice under two ids and counts once; an ordinary and a special dividend are two.
"""

from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from plimsoll.engine.market.fetching import FetchError, fetch_error
from plimsoll.engine.market.history import PRICES, History
from plimsoll.engine.types import Dates, Floats

SOURCE: Final = "alpaca"
_NEW_YORK: Final = ZoneInfo("America/New_York")
# What changes what a share is without a number of shares or of dollars.
_UNTOLD: Final = ("unit_splits", "spin_offs")
# What of an announcement is not about the action but about its being listed.
_LISTING: Final = ("id", "process_date")


class Event(NamedTuple):
    """An action: its ex-date, cash per share, new shares per old share."""

    day: np.datetime64
    cash: float
    ratio: float


class MinuteBars(NamedTuple):
    """Bars shorter than a day as they were told, extended hours among them, and the actions beside them.

    stamp : (R,) datetime64[s], start of each bar by New York's clock, ascending. columns : open, high, low, close in
    dollars as traded, volume in shares, (R,).
    """

    stamp: Dates
    columns: dict[str, Floats]
    events: tuple[Event, ...]


def normalise_minutes(told: Any, actions: Any, symbol: str, name: str) -> MinuteBars:
    """Return bars shorter than a day. told, actions, name : as `normalise`.

    Raises
    ------
    NoSuchDataError, GarbledError
        As `normalise`.
    """
    try:
        bars = list(told.get(name) or ())
        starts = [datetime.fromisoformat(bar["t"]).astimezone(_NEW_YORK).replace(tzinfo=None) for bar in bars]
        columns = {key: _floats(bars, letter) for key, letter in zip((*PRICES, "volume"), "ohlcv", strict=True)}
        events = _events(actions, symbol)
    except FetchError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise fetch_error("garbled", SOURCE, symbol, f"a row of another shape ({error!r:.80})") from None
    if not bars:
        raise fetch_error("no_such_data", SOURCE, symbol, "not one bar")
    stamp = np.array(starts, dtype="datetime64[s]")
    if (np.diff(stamp).astype(np.int64) <= 0).any():
        raise fetch_error("garbled", SOURCE, symbol, "its bars are not in order")
    return MinuteBars(stamp, columns, tuple(events))


def normalise(told: Any, actions: Any, symbol: str, name: str) -> History:
    """Return the rows as traded. An action on a day without a bar makes a row without prices, for the gates to see.

    told, actions : raw payloads of bars and corporate actions. name : Alpaca's spelling.

    Raises
    ------
    NoSuchDataError
        If there is no bar, or an action that no number of shares or dollars can tell.
    GarbledError
        If a bar or an action is not of the known shape.
    """
    try:
        bars = list(told.get(name) or ())
        stamps = [datetime.fromisoformat(bar["t"]).astimezone(_NEW_YORK) for bar in bars]
        columns = {key: _floats(bars, letter) for key, letter in zip((*PRICES, "volume"), "ohlcv", strict=True)}
        events = _events(actions, symbol)
    except FetchError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise fetch_error("garbled", SOURCE, symbol, f"a row of another shape ({error!r:.80})") from None
    if not bars:
        raise fetch_error("no_such_data", SOURCE, symbol, "not one bar")
    if any((stamp.hour, stamp.minute) != (0, 0) for stamp in stamps):
        raise fetch_error("garbled", SOURCE, symbol, f"a bar stamped {stamps[0]}: not daily by New York's clock")
    session = np.array([stamp.date() for stamp in stamps], dtype="datetime64[D]")
    if (np.diff(session).astype(np.int64) <= 0).any():
        raise fetch_error("garbled", SOURCE, symbol, "its rows are not one a day, in order")
    return _with_events(symbol, session, columns, events)


def _floats(bars: list[Any], key: str) -> Floats:
    return np.array([np.nan if bar[key] is None else float(bar[key]) for bar in bars], dtype=np.float64)


def _events(actions: Any, symbol: str) -> list[Event]:
    found: list[Event] = []
    for kind in _UNTOLD:
        for one in actions.get(kind) or ():
            text = f"a {kind[:-1].replace('_', '-')} on {one.get('ex_date') or one.get('effective_date')}"
            raise fetch_error("no_such_data", SOURCE, symbol, f"{text}, which no price tells; pull it from yahoo")
    for kind in ("forward_splits", "reverse_splits"):
        found += [Event(_ex(one), 0.0, float(one["new_rate"]) / float(one["old_rate"])) for one in _once(actions, kind)]
    found += [Event(_ex(one), 0.0, 1.0 + float(one["rate"])) for one in _once(actions, "stock_dividends")]
    found += [Event(_ex(one), float(one["rate"]), 1.0) for one in _once(actions, "cash_dividends")]
    return found


def _once(actions: Any, kind: str) -> list[Any]:
    """Return each announcement of a kind once: listings that differ only in who and when listed them are one."""
    found: dict[tuple[tuple[str, str], ...], Any] = {}
    for one in actions.get(kind) or ():
        found.setdefault(tuple(sorted((key, str(one[key])) for key in one if key not in _LISTING)), one)
    return list(found.values())


def _ex(action: Any) -> np.datetime64:
    return np.datetime64(action["ex_date"], "D")


def _with_events(symbol: str, session: Dates, columns: dict[str, Floats], events: list[Event]) -> History:
    inside = [event for event in events if session[0] <= event[0] <= session[-1]]
    days = np.union1d(session, np.array([event[0] for event in inside], dtype="datetime64[D]"))
    at = np.searchsorted(days, session)
    spread = {name: np.full(len(days), np.nan) for name in columns}
    for name, column in columns.items():
        spread[name][at] = column
    dividend, split = np.zeros(len(days)), np.ones(len(days))
    for day, cash, ratio in inside:
        row = int(np.searchsorted(days, day))
        dividend[row] += cash
        split[row] *= ratio
    return History(
        symbol=symbol,
        kind="traded",
        session=days,
        source=np.full(len(days), SOURCE),
        **spread,
        dividend=dividend,
        split=split,
        gain=np.zeros(len(days)),
    )
