"""The journal held against the venue: orders, executions, positions, cash, over the union of what either knows.

What is missing is never read as nothing: only an explicit answer counts. A difference stops new risk, and nothing is
traded to mend it; a split over night, a deposit and a reset account are recognised and named.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any, Final, Literal

from plimsoll.engine.execution.venue import Missing, Snapshot, Unknown, Venue, VenueFill, VenueOrder, VenuePosition
from plimsoll.engine.live.clock import LiveClock
from plimsoll.engine.live.ids import account_code, book_code, is_of
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import ZERO, OrderRow
from plimsoll.engine.live.order_state import NEVER_SENT
from plimsoll.engine.live.slots import hours_of, today
from plimsoll.engine.market.calendar import is_session, next_session, previous_session

# The account may be shown older than its orders: so long a difference is looked at again before it is one, seconds.
REREAD_S: Final = (1.0, 2.0, 5.0)
SPLIT_JUMP: Final = Decimal("0.05")  # by how much a position's value may move over a split
SPLIT_TERM: Final = 100
DIFFER: Final = "journal and venue differ"
CENT: Final = Decimal("0.01")
DUST: Final = Decimal("1e-9")
ACCEPTED: Final = "the holdings were accepted as they are: what was decided before is over"
ONE: Final = Decimal(1)
SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose orders and positions are the book's. manage : see `BrokerSection`."""

    name: str
    account: str
    symbols: frozenset[str]
    manage: Literal["account", "symbols"]

    def owns(self, client_id: str) -> bool:
        """Return whether an order's id is of this book."""
        return is_of(client_id, account_code(self.account), book_code(self.name))


@dataclass(slots=True)
class Report:
    """What was found. differences : what stops new risk; recognised : what was taken in; beside : left alone;
    splits : shares after for one before, of what was split over the last night."""

    snapshot: Snapshot
    differences: list[str] = field(default_factory=list)
    recognised: list[str] = field(default_factory=list)
    beside: dict[str, Decimal] = field(default_factory=dict)
    splits: dict[str, Decimal] = field(default_factory=dict)
    working: tuple[VenueOrder, ...] = ()
    unknown: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Return whether journal and venue tell the same."""
        return not self.differences

    def plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "account": self.snapshot.account,
            "equity": str(self.snapshot.equity),
            "cash": str(self.snapshot.cash),
            "clean": self.clean,
            "differences": self.differences,
            "recognised": self.recognised,
            "beside": {symbol: f"{qty:f}" for symbol, qty in sorted(self.beside.items())},
            "unknown": self.unknown,
            "working": [one.client_id or one.venue_id for one in self.working],
        }


Credits = Callable[[date | None, date, Mapping[str, Decimal]], Decimal]


def reconcile(
    journal: Journal, venue: Venue, clock: LiveClock, whose: Whose, *, credits_of: Credits | None = None
) -> Report:
    """Hold the journal against the venue; write what is recognised, and a halt of new risk where something differs.

    credits_of : the dividends that came due since a session was last seen; None = whoever looks does not know them, and
    leaves cash that may be one to who does.

    A session is seen from its open on: in the night before, a split or a dividend of the day may not be in force yet,
    and a price may already be one of after it. What comes then is still what came over night.

    Raises
    ------
    VenueError
        If the venue gives no answer that can be read; nothing is concluded then.
    """
    session = session_at(clock.now())
    opened = clock.now() >= hours_of(session).opens
    report = _once(journal, venue, clock.now(), whose, session, credits_of)
    for wait in REREAD_S:
        if report.clean:
            break
        clock.sleep(wait)
        report = _once(journal, venue, clock.now(), whose, session, credits_of)
    report.splits = journal.splits(session)
    with journal.tx():
        if not report.clean:
            journal.add_halt("new_risk", f"{DIFFER}: {'; '.join(report.differences)}"[:400])
            journal.event("reconciled", differences=report.differences)
        elif journal.begun:
            ours = journal.holdings()
            for position in report.snapshot.positions:
                if position.symbol in whose.symbols:
                    if position.qty != ours.get(position.symbol, ZERO):  # less than a lot: it must not add up
                        journal.event("dust", symbol=position.symbol, after=str(position.qty))
                    journal.set_holding(position.symbol, position.qty, position.price if opened else None)
            if opened and credits_of is not None:
                journal.set_meta("seen_session", session.isoformat())
            elif journal.meta("seen_session") is None:
                journal.set_meta("seen_session", previous_session(session).isoformat())
    return report


def session_at(now: datetime) -> date:
    """Return today's session, or the next one where today has none: corporate actions of the day are in force."""
    day = today(now)
    return day if is_session(day) else next_session(day)


def _once(
    journal: Journal, venue: Venue, now: datetime, whose: Whose, session: date, credits_of: Credits | None
) -> Report:
    told = _orders_and_fills(journal, venue, session)
    report = Report(venue.snapshot(), working=told.working)
    if report.snapshot.account != whose.account:
        report.differences.append(f"the keys are of account {report.snapshot.account}, not {whose.account}")
        return report
    _take_in(journal, venue, whose, told, report, now)
    if not journal.begun:
        _never_begun(journal, whose, told, report)
        return report
    _foreign_orders(whose, told.working, report)
    _strange_fills(journal, whose, told.fills, report)
    if _was_reset(journal, venue, whose, report):
        report.differences.append("the account holds nothing and knows none of our orders: it was reset")
        return report
    _positions(journal, whose, session, report)
    if report.clean:
        _cash(journal, session, credits_of, report)
    return report


@dataclass(frozen=True, slots=True)
class _Told:
    orders: tuple[VenueOrder, ...]
    working: tuple[VenueOrder, ...]
    fills: tuple[VenueFill, ...]


def _orders_and_fills(journal: Journal, venue: Venue, session: date) -> _Told:
    """Ask for everything since the oldest order that has not ended, at least since the last session that was seen."""
    days = [one.session for one in journal.orders(unended=True) if one.known.state not in NEVER_SENT]
    seen = journal.meta("seen_session")
    days += [date.fromisoformat(seen)] if seen else []
    last = journal.last_plan()
    days += [] if last is None else [last.session]
    since = datetime.combine(min([session, *days]), time(0), UTC) - SKEW
    return _Told(venue.orders(since), venue.open_orders(), venue.fills(since))


def _take_in(journal: Journal, venue: Venue, whose: Whose, told: _Told, report: Report, now: datetime) -> None:
    """Write what became of our orders; look for those that nobody tells of."""
    by_id = {one.client_id: one for one in (*told.orders, *told.working) if whose.owns(one.client_id)}
    began = journal.began()
    with journal.tx():
        for client_id, news in by_id.items():
            row = journal.order(client_id)
            if row is None and (began is None or (news.ended and (news.submitted_at or now) <= began)):
                continue  # before there was a journal, or before what it came to was accepted
            if row is None or row.known.state in NEVER_SENT:
                report.differences.append(f"the venue has order {client_id}, which the journal never sent")
                continue
            row = journal.take_in(row, news)
            if row.known.filled > row.order.qty:
                report.differences.append(f"{client_id} filled {row.known.filled} of {row.order.qty}")
    for row in journal.orders(unended=True):
        if row.known.state in NEVER_SENT or row.client_id in by_id:
            continue
        ends = next(one.ends for one in journal.slots(row.session) if one.slot == row.slot)
        _look(journal, venue, row, report, over=ends <= now)


def _look(journal: Journal, venue: Venue, row: OrderRow, report: Report, *, over: bool) -> None:
    """Look for an order that no list has. over : its slot is, so that an explicit no is the end of it."""
    if row.known.state == "sending":  # whoever sent it is gone
        with journal.tx():
            row = journal.set_state(row, "unknown", "the process ended before the answer came")
    found = venue.lookup(row.client_id)
    if isinstance(found, Missing) and over and row.known.state == "unknown":
        with journal.tx():
            journal.set_state(row, "absent", row.why or "never arrived")
        return
    if isinstance(found, (Missing, Unknown)):
        report.unknown.append(row.client_id)
        return
    with journal.tx():
        journal.take_in(row, found)


def _never_begun(journal: Journal, whose: Whose, told: _Told, report: Report) -> None:
    """Begin with an account that holds nothing of the book's; refuse to begin blind with one that does."""
    held = {one.symbol: one.qty for one in report.snapshot.positions if one.symbol in whose.symbols and one.qty}
    own = [one.client_id for one in told.orders if whose.owns(one.client_id)]
    if held:
        listed = ", ".join(f"{qty:f} {symbol}" for symbol, qty in sorted(held.items()))
        report.differences.append(f"there is no journal, and the account holds {listed} of this book")
    if own:
        report.differences.append(f"there is no journal, and the venue has {len(own)} orders of this book")
    _foreign_orders(whose, told.working, report)
    _beside(whose, report)
    if report.clean:
        with journal.tx():
            journal.set_meta("account", report.snapshot.account)
            journal.begin({}, report.snapshot.cash, "the account held nothing of this book")


def _foreign_orders(whose: Whose, working: Iterable[VenueOrder], report: Report) -> None:
    for one in working:
        if whose.owns(one.client_id):
            continue
        if whose.manage == "account" or one.symbol in whose.symbols:
            report.differences.append(f"a foreign order works: {one.side} {one.symbol} ({one.client_id[:40]})")


def _strange_fills(journal: Journal, whose: Whose, fills: Iterable[VenueFill], report: Report) -> None:
    """Take in executions of ours that the orders do not show yet; find those that are nobody's."""
    began = journal.began()
    strange: dict[str, int] = {}
    for fill in fills:
        row = journal.order_of_venue(fill.order_id)
        if row is None:
            if fill.symbol in whose.symbols and (began is None or fill.at > began):
                strange[fill.symbol] = strange.get(fill.symbol, 0) + 1
        elif fill.cumulative > row.known.filled:
            report.differences.append(f"{row.client_id}: an execution the order does not show")
    report.differences += [f"{n} foreign executions in {symbol}" for symbol, n in sorted(strange.items())]


def _was_reset(journal: Journal, venue: Venue, whose: Whose, report: Report) -> bool:
    """Return whether everything of ours is gone, orders included: a paper account that was set back."""
    if not journal.holdings() or any(one.symbol in whose.symbols for one in report.snapshot.positions):
        return False
    sent = journal.last_filled()
    return sent is not None and isinstance(venue.lookup(sent.client_id), Missing)


def _beside(whose: Whose, report: Report, ours: Collection[str] = ()) -> None:
    known = whose.symbols.union(ours)
    report.beside = {one.symbol: one.qty for one in report.snapshot.positions if one.symbol not in known}
    if whose.manage == "account" and report.beside:
        report.differences.append(f"the account also holds {', '.join(sorted(report.beside))} (broker.manage)")


def _positions(journal: Journal, whose: Whose, session: date, report: Report) -> None:
    """Compare shares over the union of what the journal and the venue know."""
    ours, prices = journal.holdings(), journal.last_prices()
    _beside(whose, report, ours)
    for symbol in sorted(ours.keys() - whose.symbols):
        told = f"{symbol}: the book holds {ours[symbol].normalize():f} of it, and its configuration has it no more"
        report.differences.append(f"{told}: put it back in, or sell it by hand and `plimsoll adopt`")
    theirs = {one.symbol: one for one in report.snapshot.positions if one.symbol in whose.symbols or one.symbol in ours}
    seen = journal.meta("seen_session")
    before = None if seen is None else date.fromisoformat(seen)
    for symbol in sorted({*ours, *theirs}):
        mine, position = ours.get(symbol, ZERO), theirs.get(symbol)
        qty = position.qty if position is not None else ZERO
        if abs(qty - mine) <= DUST:
            continue
        overnight = before is not None and before < session
        ratio = _split(mine, position, prices.get(symbol)) if overnight and position is not None else None
        if ratio is None or before is None:
            report.differences.append(
                f"{symbol}: {mine.normalize():f} in the journal, {qty.normalize():f} at the venue"
            )
            continue
        with journal.tx():
            journal.set_holding(symbol, qty)
            journal.add_split(session, symbol, ratio, before)
            journal.event("split", symbol=symbol, ratio=str(ratio), before=str(mine), after=str(qty))
        report.recognised.append(
            f"{symbol} was split {_spoken(ratio)}: {mine.normalize():f} became {qty.normalize():f}"
        )


def _split(mine: Decimal, position: VenuePosition, last: Decimal | None) -> Decimal | None:
    """Return shares after for one before if a position changed as a split changes it: more shares, each worth less."""
    if not mine or position.price is None or last is None or last <= 0 or mine * position.qty <= 0:
        return None
    jump = position.qty * position.price / (mine * last) - 1
    move = last / position.price
    if abs(jump) > SPLIT_JUMP or abs(move - 1) <= 2 * SPLIT_JUMP:
        return None
    grain = ONE if position.qty == position.qty.to_integral_value() else DUST  # a rest was paid out, or cut off
    least, most = (Fraction(abs(qty)) / Fraction(abs(mine)) for qty in (position.qty, abs(position.qty) + grain))
    for before in range(1, SPLIT_TERM + 1):  # the simplest ratio that shares and prices allow
        after = ceil(least * before)
        ratio = Decimal(after) / Decimal(before)
        if after <= SPLIT_TERM and after != before and Fraction(after, before) < most:
            return ratio if abs(move / ratio - 1) <= SPLIT_JUMP else None
    return None


def _spoken(ratio: Decimal) -> str:
    simple = Fraction(ratio).limit_denominator(SPLIT_TERM)
    return f"{simple.numerator}:{simple.denominator}"


def _cash(journal: Journal, session: date, credits_of: Credits | None, report: Report) -> None:
    """Take in what came and went beside our orders: dividends, fees, deposits."""
    gained = report.snapshot.cash - journal.cash()
    if abs(gained) < CENT:
        return
    seen = journal.meta("seen_session")
    last = date.fromisoformat(seen) if seen else None
    if credits_of is None and (last is None or last < session):
        return
    due = credits_of(last, session, journal.holdings()) if credits_of is not None else ZERO
    paid = due if abs(gained - due) <= max(CENT * 5, abs(due) * Decimal("0.01")) else ZERO
    kind = "dividends" if paid else "cash"
    with journal.tx():
        journal.set_meta("cash", str(report.snapshot.cash))
        journal.event(kind, amount=str(gained), session=session.isoformat())
        if kind == "cash":
            journal.move_day_equity(session, gained)
    word = "dividends" if paid else "cash that is not from orders"
    report.recognised.append(f"{word}: {gained:+.2f}")


def adopt(journal: Journal, report: Report, whose: Whose, why: str) -> dict[str, Decimal]:
    """Accept what the venue says the book holds, begin from there, and return it; halts for a difference are over.

    So is what was decided before: a goal of then would undo by itself what was done by hand since.
    """
    held = {one.symbol: one.qty for one in report.snapshot.positions if one.symbol in whose.symbols and one.qty}
    with journal.tx():
        journal.set_meta("account", report.snapshot.account)
        journal.begin(held, report.snapshot.cash, why)
        for position in report.snapshot.positions:
            if position.symbol in held:
                journal.set_holding(position.symbol, position.qty, position.price)
        for order in journal.orders(unended=True):
            if order.known.state == "planned":
                journal.set_state(order, "denied", ACCEPTED)
        for slot in journal.slots(undone=True):
            journal.end_slot(slot, ACCEPTED)
        journal.clear_halts(why, starting=DIFFER)
    return held
