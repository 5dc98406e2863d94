"""The orders of a slot, in steps: what frees money, then what needs it, each step ended before the next begins.

Money is read again before anything is bought, and what there is not enough for is made smaller. What works too long is
cancelled, and counts as working until the venue says that it ended.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from itertools import chain, repeat
from typing import Final, TypeVar

from plimsoll.engine.errors import VenueError
from plimsoll.engine.execution.legal_batch import money
from plimsoll.engine.execution.legalise import FREES, Desk, Legalised, LegalOrder, afford
from plimsoll.engine.execution.venue import Missing, Quote, Unknown, Venue, VenueClock
from plimsoll.engine.live.clock import LiveClock, Point
from plimsoll.engine.live.ids import parse_id
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import ZERO, Goal, OrderRow, SlotRow
from plimsoll.engine.live.order_state import NEVER_SENT, Known
from plimsoll.engine.live.prices import PriceRules, decision_prices
from plimsoll.engine.live.send import Sender
from plimsoll.engine.live.slots import Hours, Window

POLL_S: Final = 2.0
LOOK_S: Final = 30.0  # between two reconciliations while anything works
# Before a question without an answer is put again, seconds; the last one again and again.
ASK_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
CANCEL_S: Final = 120.0  # so long a cancel is waited for beyond the slot
LESS: Final = Decimal("0.95")  # of an order that the account could not pay, tried once more
STEP_FREES, STEP_NEEDS, STEP_HEDGE = 0, 1, 2
_Told = TypeVar("_Told")


@dataclass(frozen=True, slots=True)
class Counter:
    """The rules by which a slot's orders are shaped and priced. margin : money is what the venue lends, too."""

    desk: Desk
    prices: PriceRules
    collar: Decimal
    margin: bool
    wave: timedelta


class Executor:
    """Works the orders of one slot that are in the journal, from wherever they stand.

    look : holds the journal against the account; called now and then while orders work.
    """

    def __init__(
        self, journal: Journal, venue: Venue, clock: LiveClock, sender: Sender, counter: Counter, point: Point,
        look: Callable[[], None],
    ) -> None:  # fmt: skip
        self._journal = journal
        self._venue = venue
        self._clock = clock
        self._sender = sender
        self._counter = counter
        self._point = point
        self._look = look

    def run(self, window: Window, hours: Hours, slot: SlotRow, goals: Mapping[str, Goal]) -> None:
        """Send, watch and cancel, step by step; at the end nothing of the slot works, as far as the venue says so."""
        steps = sorted({one.step for one in self._orders(slot)})
        for step in steps:
            self._point("wave begun")
            self._size(slot, step, goals)
            self._send(slot, step, goals)
            self._point("all sent")
            deadline = window.ends
            if step != steps[-1]:
                deadline = min(deadline, self._clock.now() + self._counter.wave)
            self._watch(slot, step, deadline)
            self._end(slot, step, min(hours.closes, deadline + timedelta(seconds=CANCEL_S)))
            self._point("wave over")
        self.close(slot)

    def close(self, slot: SlotRow) -> None:
        """Give up what was not sent, look once more for what nobody knows of, and end the slot."""
        for order in self._orders(slot):
            if order.known.state == "planned":
                with self._journal.tx():
                    self._journal.set_state(order, "denied", "its slot is over")
            elif order.known.state in ("unknown", "sending"):
                self._absent(order)
        sent = [one for one in self._orders(slot) if one.known.state not in NEVER_SENT]
        filled = sum(one.known.filled == one.order.qty for one in sent)
        with self._journal.tx():
            self._journal.end_slot(slot, f"{len(sent)} sent, {filled} filled")
        self._point("slot done")

    def _absent(self, order: OrderRow) -> None:
        if order.known.state == "sending":
            with self._journal.tx():
                order = self._journal.set_state(order, "unknown", "the process ended before the answer came")
        order = self._sender.look(order)
        if order.known.state == "unknown" and isinstance(self._venue.lookup(order.client_id), Missing):
            with self._journal.tx():
                self._journal.set_state(order, "absent", order.why or "never arrived")

    def _orders(self, slot: SlotRow, step: int | None = None) -> list[OrderRow]:
        found = self._journal.orders(slot.session, slot.slot)
        return found if step is None else [one for one in found if one.step == step]

    # ---- how much

    def _size(self, slot: SlotRow, step: int, goals: Mapping[str, Goal]) -> None:
        """Make what needs money as small as the money there is, and a hedge as small as what it hedges."""
        planned = [one for one in self._orders(slot, step) if one.known.state == "planned" and not one.frees]
        if not planned:
            return
        wanted = {one.client_id: one.order.qty for one in planned}
        if step == STEP_HEDGE:
            filled = self._filled_of(slot, goals)
            for one in planned:
                share = filled.get(goals[one.symbol].pair, Decimal(1)) if one.symbol in goals else Decimal(1)
                wanted[one.client_id] = _cut(one.order.qty * share, one.order.qty)
        there, desk = self._ask(slot, self._venue.snapshot), self._counter.desk
        if there is None:
            with self._journal.tx():
                for one in planned:
                    self._journal.set_state(one, "denied", "the venue did not say what the account can pay")
            return
        batch = [replace(one.order, row=n, qty=wanted[one.client_id]) for n, one in enumerate(planned)]
        legal = Legalised(tuple(one for one in batch if one.qty > 0), ())
        if not self._counter.margin:
            legal = afford(legal, money(legal, there.cash, there.equity, desk), desk)
        legal = afford(legal, money(legal, there.buying_power, there.equity, desk), desk, at_limits=True)
        left = {one.row: one.qty for one in legal.orders}
        with self._journal.tx():
            for n, one in enumerate(planned):
                qty = left.get(n, ZERO)
                if qty == 0:
                    self._journal.set_state(one, "denied", "there is no money for it, or nothing to hedge")
                elif qty < one.order.qty:
                    self._journal.resize(one, qty, "what the account can pay now")
        self._point("resized")

    def _filled_of(self, slot: SlotRow, goals: Mapping[str, Goal]) -> dict[int, Decimal]:
        """Return what share of each hedge group's smaller legs filled."""
        asked: dict[int, Decimal] = {}
        got: dict[int, Decimal] = {}
        for one in self._orders(slot, STEP_NEEDS):
            pair = goals[one.symbol].pair if one.symbol in goals else -1
            if pair >= 0:
                asked[pair] = asked.get(pair, ZERO) + one.order.qty * one.order.price
                got[pair] = got.get(pair, ZERO) + one.known.filled * one.order.price
        return {pair: got[pair] / total for pair, total in asked.items() if total > 0}

    # ---- out

    def _send(self, slot: SlotRow, step: int, goals: Mapping[str, Goal]) -> None:
        orders = [one for one in self._orders(slot, step) if one.known.state in ("planned", "unknown", "sending")]
        if not orders:
            return
        guard = self._guard(slot, goals, [one.symbol for one in orders])
        taken = {one.symbol for one in self._journal.orders(unended=True) if one.known.may_work}
        for order in orders:
            row = order
            if row.known.state == "sending":
                with self._journal.tx():
                    row = self._journal.set_state(row, "unknown", "the process ended before the answer came")
            if row.known.state == "planned":
                why = guard(row.symbol)
                if not why and row.symbol in taken:
                    why = "another order in the symbol works"
                if why:
                    with self._journal.tx():
                        self._journal.set_state(row, "denied", why)
                    continue
            row = self._sender.send(row, guard)
            if row.known.state == "rejected" and row.why.startswith("buying_power"):
                self._smaller(slot, row, guard)

    def _smaller(self, slot: SlotRow, order: OrderRow, guard: "Guard") -> None:
        """Try once more with what the account can pay; a refusal is explicit, so the id may rise."""
        parts = parse_id(order.client_id)
        if parts is None or parts.attempt > 0 or order.frees:
            return
        there, desk = self._ask(slot, self._venue.snapshot), self._counter.desk
        if there is None:
            return
        less = replace(order.order, row=0, qty=_cut(order.order.qty * LESS, order.order.qty))
        room = there.buying_power - desk.buffer * there.equity
        legal = afford(Legalised((less,) if less.qty > 0 else (), ()), room, desk, at_limits=True)
        if not legal.orders:
            return
        again = replace(
            order, client_id=str(replace(parts, attempt=parts.attempt + 1)), known=Known("planned"), value=ZERO, why="",
            order=replace(legal.orders[0], row=order.order.row),
        )  # fmt: skip
        with self._journal.tx():
            self._journal.add_order(again)
            self._journal.event("smaller", id=again.client_id, qty=str(again.order.qty))
        self._sender.send(again, guard)

    def _guard(self, slot: SlotRow, goals: Mapping[str, Goal], symbols: Sequence[str]) -> "Guard":
        names = list(dict.fromkeys(symbols))

        def look() -> Look | None:
            return self._ask(slot, lambda: Look(self._venue.quotes(names), self._venue.clock(), self._clock.now()))

        return Guard(look, self._clock, self._counter, goals)

    def _ask(self, slot: SlotRow, question: Callable[[], _Told]) -> _Told | None:
        """Ask until there is an answer, None once the slot is over: a bad minute leaves nothing half done."""
        for pause in chain(ASK_S, repeat(ASK_S[-1])):
            with suppress(VenueError):
                return question()
            left = (slot.ends - self._clock.now()).total_seconds()
            if left <= 0.0 or self._sender.stopped():
                break
            self._point("no answer")
            self._clock.sleep(min(pause, left))
        return None

    # ---- and what became of it

    def _watch(self, slot: SlotRow, step: int, deadline: datetime) -> None:
        """Ask every two seconds until nothing of the step works, or its time is over."""
        looked = self._clock.now()
        while self._refresh(slot, step) and self._clock.now() < deadline:
            self._clock.sleep(min(POLL_S, max((deadline - self._clock.now()).total_seconds(), 0.0)))
            if (self._clock.now() - looked).total_seconds() >= LOOK_S:
                self._look()
                looked = self._clock.now()

    def _refresh(self, slot: SlotRow, step: int) -> list[OrderRow]:
        """Take in the news of a step's orders; return those that may still be working."""
        working = [one for one in self._orders(slot, step) if one.known.may_work]
        if not working:
            return []
        try:
            told = {one.client_id: one for one in self._venue.orders(slot.due - timedelta(minutes=5))}
        except VenueError:
            self._point("no answer")
            return working  # asked again soon: what is not told has not ended
        news = [(one, told[one.client_id]) for one in working if one.client_id in told]
        with self._journal.tx():
            for order, said in news:
                self._journal.take_in(order, said)
        self._point("fill committed")
        return [one for one in self._orders(slot, step) if one.known.may_work]

    def _end(self, slot: SlotRow, step: int, patience: datetime) -> None:
        """Cancel what works until the venue says that it has ended."""
        while True:
            working = [one for one in self._refresh(slot, step) if one.known.state in ("acked", "partial")]
            if not working:
                return
            for order in working:
                found = self._venue.lookup(order.client_id)
                if isinstance(found, (Missing, Unknown)):
                    continue
                if not found.ended:
                    self._venue.cancel(found)
                with self._journal.tx():
                    self._journal.take_in(order, found)
            self._point("cancel asked")
            if self._clock.now() >= patience:
                return
            self._clock.sleep(POLL_S)


@dataclass(frozen=True, slots=True)
class Look:
    """What the venue told of prices and of itself, and what time it was here."""

    quotes: Mapping[str, Quote]
    there: VenueClock
    here: datetime


class Guard:
    """Why a symbol must not be traded now, "" if it may. look : asks the venue; None = it gave no answer in time."""

    def __init__(
        self, look: Callable[[], Look | None], clock: LiveClock, counter: Counter, goals: Mapping[str, Goal]
    ) -> None:
        self._look = look
        self._clock = clock
        self._counter = counter
        self._goals = goals
        self._last: Look | None = None

    def __call__(self, symbol: str) -> str:
        """Look at the market and the symbol's price; they are asked for again once they are old."""
        rules, last = self._counter.prices, self._last
        most = min(rules.max_age_seconds / 4, LOOK_S)
        if last is None or (self._clock.now() - last.here).total_seconds() > most:
            last = self._last = self._look()
        if last is None:
            return "the venue told no prices"
        if not last.there.is_open:
            return "the venue's market is closed"
        goal = self._goals.get(symbol)
        if goal is None:
            return "no decision names this symbol"
        now = last.there.now + (self._clock.now() - last.here)  # the stamps are the venue's, so is the time
        found = decision_prices([symbol], last.quotes, {symbol: float(goal.close)}, now, rules)[symbol]
        if found.kind == "none":
            return found.why
        move = abs(Decimal(repr(found.price)) / goal.price - 1)
        return f"the price moved {move:.1%} since the decision" if move > self._counter.collar else ""


def steps_of(orders: Sequence[LegalOrder], goals: Mapping[str, Goal]) -> list[tuple[int, LegalOrder]]:
    """Return orders with their steps: what frees money; what needs it; the larger legs of hedges after the smaller."""
    size: dict[tuple[int, str], Decimal] = {}
    for one in orders:
        pair = goals[one.symbol].pair if one.symbol in goals else -1
        if one.wave != FREES and pair >= 0:
            size[pair, one.side] = size.get((pair, one.side), ZERO) + one.notional
    found = []
    for one in orders:
        pair = goals[one.symbol].pair if one.symbol in goals else -1
        step = STEP_FREES if one.wave == FREES else STEP_NEEDS
        mine, other = size.get((pair, one.side), ZERO), size.get((pair, "sell" if one.side == "buy" else "buy"), ZERO)
        if step == STEP_NEEDS and mine and other and (mine > other or (mine == other and one.side == "sell")):
            step = STEP_HEDGE
        found.append((step, one))
    return sorted(found, key=lambda pair: pair[0])


def _cut(qty: Decimal, like: Decimal) -> Decimal:
    """Return a quantity cut to the decimals of another: whole shares stay whole."""
    whole = like == like.to_integral_value()
    return qty.quantize(Decimal(1) if whole else Decimal("1e-9"), rounding=ROUND_DOWN)
