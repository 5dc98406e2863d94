"""Round trips: each part of a position from its fill in to its fill out, with what it made and how far it went."""

from collections.abc import Collection
from typing import Any, Final

import numpy as np
import pandas as pd

from plimsoll.engine.runtime.holdings import Holdings, before
from plimsoll.engine.runtime.lots import DUST, Fill, Match, Method, accrued, matches
from plimsoll.engine.types import Bools, Dates, Floats, Ints

TRADE_COLUMNS: Final = (
    "symbol", "side", "qty", "entry", "entry_price", "exit", "exit_price", "split", "sessions", "price_pnl",
    "dividends", "pnl_gross", "financing", "costs", "pnl", "ret", "mae", "mfe", "why", "open", "position",
)  # fmt: skip
# How a trade ended.
ORDER: Final = "order"
OPEN: Final = "open"
RUIN: Final = "ruin"
DELISTED: Final = "delisted"
IN_LIEU: Final = "cash in lieu"
WITHDRAWAL: Final = "withdrawal"


def round_trips(
    h: Holdings, index: pd.DatetimeIndex, session: Ints, *, method: Method, delisted: Collection[tuple[str, str]],
    ruined: bool,
) -> pd.DataFrame:  # fmt: skip
    """Return a row per round trip, in the order of their ends, those that are still open last.

    index : stamps of the T bars. session (T,) : the number of each bar's session. delisted : (symbol, session) of what
    was sold because it is gone. ruined : the run ended by selling everything.

    Columns: symbol; side "long" or "short"; qty > 0 in shares as they are at the exit, entry_price and exit_price per
    such share, split = how many of them one share of the entry became; entry and exit stamps; sessions in between;
    price_pnl + dividends = pnl_gross; less financing and costs (of both ends) = pnl; all in dollars. ret = pnl over
    the dollars of the entry. mae, mfe = the worst and the best that the price moved against and for it in between,
    fractions of the entry price, by the bars' lows and highs; NaN where they are unknown. why = how it ended; open = it
    has not, and is marked at the last close. position = number of the symbol's way from flat to flat.
    """
    found = [(k, match) for k in range(len(h.symbols)) for match in _of_symbol(h, k, method)]
    if not found:
        return _empty()
    symbol = np.array([k for k, _ in found], dtype=np.int64)
    rows = {name: np.array([getattr(match, name) for _, match in found]) for name in Match._fields}
    last = len(index) - 1
    entry_bar = h.bar[rows["entry"]]
    is_open = rows["exit"] < 0
    exit_bar = np.where(is_open, last, h.bar[rows["exit"]])
    after = h.split[exit_bar, symbol]
    shares = rows["units"] * after
    sign = np.sign(shares)
    entry_value, exit_value = rows["entry_value"], rows["exit_value"]
    price_pnl = sign * (exit_value - entry_value)
    dividends, financing = _without_noise(rows["dividends"]), _without_noise(rows["financing"])
    gross = price_pnl + dividends
    pnl = gross - financing - rows["costs"]
    size, ratio = np.abs(shares), after / h.split[entry_bar, symbol]
    entry_price = h.price[rows["entry"]] / ratio if method == "fifo" else entry_value / size
    exit_price = np.where(is_open, exit_value / size, h.price[rows["exit"]])
    mae, mfe = _excursions(h, symbol, rows["entry"], rows["exit"], exit_bar, sign, after,
                           entry_price, exit_price)  # fmt: skip
    why = _reasons(h, index, delisted, ruined=ruined)
    table = pd.DataFrame(
        {
            "symbol": np.array(h.symbols, dtype=object)[symbol],
            "side": np.where(sign > 0.0, "long", "short").astype(object),
            "qty": size,
            "entry": index.to_numpy()[entry_bar],
            "entry_price": entry_price,
            "exit": index.to_numpy()[exit_bar],
            "exit_price": exit_price,
            "split": ratio,
            "sessions": session[exit_bar] - session[entry_bar],
            "price_pnl": price_pnl,
            "dividends": dividends,
            "pnl_gross": gross,
            "financing": financing,
            "costs": rows["costs"],
            "pnl": pnl,
            "ret": pnl / entry_value,
            "mae": mae,
            "mfe": mfe,
            "why": np.where(is_open, OPEN, why[rows["exit"]]).astype(object),
            "open": is_open,
            "position": rows["position"],
        }
    )
    order = np.lexsort((rows["entry"], np.where(is_open, len(h.bar), rows["exit"]), is_open))
    return table.iloc[order].reset_index(drop=True).rename_axis(index="trade")


def _of_symbol(h: Holdings, k: int, method: Method) -> list[Match]:
    """Return the matches of one symbol's fills."""
    received = accrued(h.dividend[:, k])
    carried = before(h.held)[:, k]
    charged = accrued(np.divide(h.financing[:, k], carried, out=np.zeros(len(carried)), where=carried != 0.0))
    rows = np.flatnonzero(h.column == k)
    fills = [
        Fill(
            int(row), float(h.units[row]), abs(float(h.paid[row])), float(h.costs[row]), float(received[h.bar[row]]),
            float(charged[h.bar[row]]), DUST / float(h.split[h.bar[row], k]),
        )
        for row in rows
    ]  # fmt: skip
    worth = h.value[-1, k] / h.held[-1, k] if h.held[-1, k] != 0.0 else 0.0
    end = Fill(-1, 0.0, float(worth), 0.0, float(received[-1]), float(charged[-1]), 0.0)
    return matches(fills, end, method)


def _without_noise(dollars: Any) -> Floats:
    """Return dollars with 0 for what is a difference of equal sums: a billionth of a dollar is nobody's."""
    amounts = np.asarray(dollars, dtype=np.float64)
    return np.where(np.abs(amounts) < 1e-9, 0.0, amounts)


def _reasons(h: Holdings, index: pd.DatetimeIndex, delisted: Collection[tuple[str, str]], *, ruined: bool) -> Any:
    """Return (F,) why each fill was: an order's, or one of those that nobody ordered."""
    why = np.full(len(h.bar), ORDER, dtype=object)
    days = np.datetime_as_string(index.to_numpy().astype("datetime64[D]"))
    liquidated = set()
    if ruined:  # the last fill of each symbol in the last bar
        of_last = np.flatnonzero((h.bar == len(index) - 1) & ~h.ordered)
        liquidated = {int(of_last[h.column[of_last] == k][-1]) for k in set(h.column[of_last].tolist())}
    seen: set[tuple[int, int]] = set()
    for row in np.flatnonzero(~h.ordered).tolist():
        at = int(h.bar[row]), int(h.column[row])
        first = at not in seen
        seen.add(at)
        if row in liquidated:
            why[row] = RUIN
        elif first and _splits(h, *at):
            why[row] = IN_LIEU
        elif (h.symbols[at[1]], str(days[at[0]])) in delisted:
            why[row] = DELISTED
        else:
            why[row] = WITHDRAWAL
    return why


def _splits(h: Holdings, bar: int, column: int) -> bool:
    return bool(h.prices.split[bar, column] != 1.0)


def _excursions(
    h: Holdings, symbol: Ints, entry: Ints, exits: Ints, exit_bar: Ints, sign: Floats, after: Floats,
    entry_price: Floats, exit_price: Floats,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return mae (<= 0) and mfe (>= 0) of each round trip as fractions of its entry price.

    A bar counts where the shares were held through it: from an entry at the open on, up to an exit at the close.
    """
    n = len(symbol)
    first = h.bar[entry] + np.where(_at_open(h, entry), 0, 1)
    stop = np.where(exits < 0, exit_bar + 1, exit_bar + np.where(_at_open(h, exits), 0, 1))
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    for k in range(len(h.symbols)):
        mine = np.flatnonzero((symbol == k) & (first < stop))
        if len(mine):
            ends = np.stack((first[mine], stop[mine]), axis=1).ravel()
            for series, out, pick in ((h.prices.low, low, np.fmin), (h.prices.high, high, np.fmax)):
                path = np.append(series[:, k] * h.split[:, k], np.nan)
                out[mine] = pick.reduceat(path, ends)[::2] / after[mine]
    low = np.fmin(np.fmin(low, exit_price), entry_price)
    high = np.fmax(np.fmax(high, exit_price), entry_price)
    down, up = low / entry_price - 1.0, high / entry_price - 1.0
    return np.where(sign > 0.0, down, -up) + 0.0, np.where(sign > 0.0, up, -down) + 0.0


def _at_open(h: Holdings, row: Ints) -> Bools:
    """Return whether each fill was at its bar's open; what is gone has none, nor a bar to be held through."""
    opened = h.prices.open[h.bar[row], h.column[row]]
    at_open: Bools = np.isnan(opened) | (h.price[row] == opened)
    return at_open


def session_numbers(stamps: Dates) -> Ints:
    """Return (T,) the number of the session each bar is of, by its date."""
    days = stamps.astype("datetime64[D]")
    return np.cumsum(np.append(False, days[1:] != days[:-1])[: len(days)]).astype(np.int64)


def _empty() -> pd.DataFrame:
    """Return a table of no trades, its columns typed as those of a table with some."""
    text, stamps = np.empty(0, dtype=object), np.empty(0, dtype="datetime64[s]")
    kinds: dict[str, Any] = dict.fromkeys(("symbol", "side", "why"), text) | dict.fromkeys(("entry", "exit"), stamps)
    kinds |= dict.fromkeys(("sessions", "position"), np.empty(0, dtype=np.int64))
    kinds["open"] = np.empty(0, dtype=bool)
    return pd.DataFrame({name: kinds.get(name, np.empty(0)) for name in TRADE_COLUMNS}).rename_axis(index="trade")
