"""The day's orders on disk: a CSV that a person or another program executes, never overwritten silently.

What became of them nobody tells but a confirmation, or a file of positions that is another one since.
"""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import TypeAdapter, ValidationError

from plimsoll.engine.config.live import Slot
from plimsoll.engine.errors import ConfigError, OutputError
from plimsoll.engine.live.day_plan import DayPlan, order_row, why_of
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import Event
from plimsoll.engine.live.positions import Holdings, part, positions_in
from plimsoll.engine.market.panel import Panel

EMITTED: Final = "emitted"  # the kinds of the events
CONFIRMED: Final = "confirmed"
ZERO: Final = Decimal(0)
COLUMNS: Final = ("wave", "symbol", "side", "qty", "type", "limit", "price", "notional", "why")


def orders_csv(plan: DayPlan) -> bytes:
    """Return the orders, a line each, in the order in which they are to be sent."""
    text = io.StringIO()
    rows = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    rows.writeheader()
    for order in plan.orders:
        rows.writerow({**order_row(order), "why": why_of(plan.explained.get(order.symbol))})
    return text.getvalue().encode()


def target_of(out: Path, plan: DayPlan, slot: str) -> Path:
    """Return the file to write: `out`, or in a folder one named by book, session and slot."""
    if out.suffix and not out.is_dir():
        return out
    return out / name_of(plan, slot)


def name_of(plan: DayPlan, slot: str) -> str:
    """Return the name of the orders' file: book, session, slot."""
    return f"orders-{plan.name}-{plan.executes.isoformat()}-{slot.replace(':', '')}.csv"


def check_time(slot: str) -> None:
    """Refuse with a ConfigError what is no time of day."""
    try:
        TypeAdapter(Slot).validate_python(slot)
    except ValidationError:
        raise ConfigError(f"{slot!r} is no time", where="--at", fix="write HH:MM, New York time") from None


def write_orders(file: Path, content: bytes, *, force: bool) -> bool:
    """Write the orders whole or not at all; return False if the very same file is there already.

    Raises
    ------
    OutputError
        If other orders are there and `force` is not given, or the file cannot be written.
    """
    try:
        if file.exists() and file.read_bytes() == content:
            return False
        if file.exists() and not force:
            fix = "they may have been sent already: look, then choose another name or --force"
            raise OutputError("other orders are in this file", where=str(file), fix=fix)
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f".{file.name}.{os.getpid()}")
        fresh.write_bytes(content)
        fresh.replace(file)
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror or error}", where=str(file)) from error
    return True


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Hold a lock beside the orders, so that two plans at once are one plan and one refusal.

    Raises
    ------
    OutputError
        If another process holds it, or nothing can be written there.
    """
    import fcntl

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        held = (file.parent / ".plimsoll-plan.lock").open("a")
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror or error}", where=str(file)) from error
    with held as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            fix = "wait until the other one has ended"
            raise OutputError("another plan is being written here", where=str(file.parent), fix=fix) from None
        yield


# ---- what became of them


@dataclass(frozen=True, slots=True)
class Emission:
    """The newest orders that were emitted, and what became of them.

    session : the one they were for; decided : the close before it. answered : the last close that called for a
    decision, None = none did. held : signed shares of the book before them, None = not written down. ordered : symbols.
    after : the positions once they were confirmed, None before. short : less was confirmed than was ordered.
    """

    session: date
    decided: date
    answered: date | None
    held: Mapping[str, Decimal] | None
    ordered: frozenset[str]
    after: Holdings | None
    short: bool
    earlier: Mapping[str, Decimal] | None = None  # of the book after the orders before these, None = not written down
    found: Mapping[str, Decimal] | None = None  # of the book when these were confirmed, before what they came to

    def in_the_way(self, holdings: Holdings, panel: Panel) -> str:
        """Return why nothing may be ordered for these positions, "" if nothing speaks against them."""
        now, before = part(holdings, panel.symbols).book, self.held or {}
        if self._unconfirmed(now):
            return (
                f"the orders for {self.session} are not confirmed, and {holdings.source} is as it was before them: "
                "`plimsoll confirm` them, with --fills FILE as they were executed (its first line alone: none was)"
            )
        then = before if self.after is None else part(self.after, panel.symbols).book
        for day, symbol, ratio in splits_after(panel, self.decided):
            # on the morning of its own session an order counts new shares already: wrong is what was held before
            old = before if day == self.session else then
            if _in_new_shares(self.held, self.found, symbol, ratio):
                continue  # corrected between the orders and their confirmation
            if day == self.session and _in_new_shares(self.earlier, self.held, symbol, ratio):
                continue  # corrected before these orders
            if now.get(symbol) and old.get(symbol) and now[symbol] == then.get(symbol):
                return (
                    f"{symbol} was split on {day}, {ratio:g} shares for one, and {holdings.source} has the "
                    f"{now[symbol].normalize():f} from before it: correct it"
                )
        return ""

    def _unconfirmed(self, now: Mapping[str, Decimal]) -> bool:
        """Return whether no position tells that anything was executed: another number of one symbol would."""
        if not self.ordered or self.after is not None or self.held is None:
            return False
        return all(now.get(symbol, ZERO) == self.held.get(symbol, ZERO) for symbol in self.ordered)


def _in_new_shares(
    before: Mapping[str, Decimal] | None, after: Mapping[str, Decimal] | None, symbol: str, ratio: float
) -> bool:
    """Return whether a number of shares became another one as a split makes it, to less than a share that was paid out.

    A part of a share is less than that away from what it was, too: it has to have come nearer.
    """
    one, other = (float((held or {}).get(symbol, ZERO)) for held in (before, after))
    away = abs(other - one * ratio)
    return one != 0.0 and away < 1.0 and away < abs(other - one)


def last_emission(journal: Journal) -> Emission | None:
    """Return the newest orders of a journal, None if there are none."""
    events = journal.events(EMITTED)
    if not events:
        return None
    told = json.loads(events[-1].body)
    session = date.fromisoformat(told["session"])
    plan, last = journal.plan(session), journal.last_plan(decided=True)
    if plan is None:
        return None
    done = [json.loads(one.body) for one in journal.events(CONFIRMED, after=events[-1].seq)]
    confirmed = next((one for one in done if one["session"] == told["session"]), None)
    held = told.get("held")
    found, own = None, frozenset(held or ())
    if confirmed is not None:
        shares = positions_in(confirmed["new"], str(journal.path), "the confirmed positions").shares
        own |= {symbol for symbol, *_ in confirmed["fills"]}
        found = part(Holdings(shares, ZERO, ""), own).book
        for (symbol, side), qty in _sum(confirmed["fills"]).items():
            found[symbol] = found.get(symbol, ZERO) + (qty if side == "sell" else -qty)
    return Emission(
        session, plan.decided, None if last is None else last.decided,
        None if held is None else {symbol: Decimal(qty) for symbol, qty in held.items()},
        frozenset(one["symbol"] for one in told["orders"]),
        None if confirmed is None else positions_in(confirmed["new"], str(journal.path), "the confirmed positions"),
        confirmed is not None and _sum(confirmed["fills"]) != _sum(
            (one["symbol"], one["side"], one["qty"]) for one in told["orders"]
        ),
        _earlier(journal, events, own), found,
    )  # fmt: skip


def _earlier(journal: Journal, events: Sequence[Event], symbols: Iterable[str]) -> Mapping[str, Decimal] | None:
    """Return what the book held after the last but one of the orders; None if that is not written down."""
    if len(events) < 2:
        return None
    told = json.loads(events[-2].body)
    done = [json.loads(one.body) for one in journal.events(CONFIRMED, after=events[-2].seq)]
    new = next((one["new"] for one in done if one["session"] == told["session"]), None)
    if new is not None:
        return part(positions_in(new, str(journal.path), "the confirmed positions"), symbols).book
    held = told.get("held")
    return None if held is None else {symbol: Decimal(qty) for symbol, qty in held.items()}


def _sum(rows: Any) -> dict[tuple[str, str], Decimal]:
    """Return shares by symbol and side."""
    found: dict[tuple[str, str], Decimal] = {}
    for symbol, side, qty, *_ in rows:
        found[symbol, side] = found.get((symbol, side), ZERO) + Decimal(qty)
    return found


def splits_after(panel: Panel, day: date) -> list[tuple[date, str, float]]:
    """Return session, symbol and new shares for one old, of the splits after a session."""
    first = int(np.searchsorted(panel.clock.session, np.datetime64(day), side="right"))
    rows, columns = np.nonzero(panel.split[first:] != 1.0)
    days: list[date] = panel.clock.session[first:].astype("datetime64[D]").astype(object).tolist()
    return [
        (days[t], panel.symbols[i], float(panel.split[first + t, i]))
        for t, i in zip(rows.tolist(), columns.tolist(), strict=True)
    ]
