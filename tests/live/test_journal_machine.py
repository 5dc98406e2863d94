"""The journal under whatever a venue may tell, in any order: what is held is the sum of what filled."""

import shutil
import tempfile
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from plimsoll.engine.errors import EngineError
from plimsoll.engine.execution.legalise import FREES, NEEDS, LegalOrder
from plimsoll.engine.execution.venue import VenueOrder, VenueState
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import OrderRow, PlanRow, SlotRow
from plimsoll.engine.live.order_state import ENDS, NEVER_SENT, Known, State

DAY = date(2024, 1, 2)
NOW = datetime(2024, 1, 2, 15, 0, tzinfo=UTC)
CASH = Decimal(100_000)
# state -> what it may become, from the documentation of `order_state`
WAYS: dict[State, set[State]] = {
    "planned": {"sending", "denied"},
    "sending": {"acked", "partial", "unknown", "rejected", "denied", "filled", "canceled", "expired", "replaced"},
    "unknown": {"sending", "acked", "partial", "filled", "canceled", "expired", "replaced", "rejected", "absent"},
    "acked": {"partial", "filled", "canceled", "expired", "replaced", "rejected"},
    "partial": {"filled", "canceled", "expired", "replaced"},
    "absent": {"acked", "partial", "filled", "canceled", "expired", "replaced", "rejected"},
}
TOLD = {**WAYS, "partial": {*WAYS["partial"], "rejected"}}  # the venue may end an order in any of its words
numbers = st.integers(0, 5)


class AnyJournal(RuleBasedStateMachine):
    """Six orders; steps of ours, news of the venue, processes that end and start again."""

    @initialize()
    def begin(self) -> None:
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.journal = Journal.open(self.folder, lambda: NOW)
        with self.journal.tx():
            self.journal.begin({"A": Decimal(50)}, CASH, "test")
            self.journal.add_plan(PlanRow(DAY, date(2023, 12, 29), NOW, False, CASH, "c", "s"))
            self.journal.add_slot(SlotRow(DAY, "09:35", NOW, NOW + timedelta(minutes=20), done=False))
            for n in range(6):
                side = "sell" if n % 2 else "buy"
                order = LegalOrder(n, "AB"[n % 3 % 2], side, Decimal(10), "market", None, FREES if n % 2 else NEEDS,
                                   Decimal(100))  # fmt: skip
                self.journal.add_order(OrderRow(f"c{n}", DAY, "09:35", 0, bool(n % 2), order, Known("planned")))
        self.seen = {f"c{n}": Known("planned") for n in range(6)}

    def row(self, n: int) -> OrderRow:
        row = self.journal.order(f"c{n}")
        assert row is not None
        return row

    @rule(n=numbers, state=st.sampled_from(sorted(WAYS)))
    def step(self, n: int, state: State) -> None:
        before = self.row(n)
        if before.known.state in ENDS or state not in WAYS[before.known.state]:
            with pytest.raises(EngineError), self.journal.tx():
                self.journal.set_state(before, state)
            assert self.row(n) == before
            return
        with self.journal.tx():
            self.journal.set_state(before, state, "a step")

    @rule(
        n=numbers,
        state=st.sampled_from(["working", "filled", "canceled", "expired", "rejected", "replaced"]),
        filled=st.integers(0, 10),
        price=st.sampled_from([None, "99.5", "100.25"]),
    )
    def news(self, n: int, state: VenueState, filled: int, price: str | None) -> None:
        before = self.row(n)
        average = Decimal(price) if price and filled else None
        order = before.order
        told = VenueOrder(f"v{n}", f"c{n}", order.symbol, order.side, order.qty, Decimal(filled), average, state, state)
        if before.known.state in NEVER_SENT:
            with pytest.raises(EngineError), self.journal.tx():
                self.journal.take_in(before, told)
            return
        with self.journal.tx():
            first = self.journal.take_in(before, told)
        with self.journal.tx():
            assert self.journal.take_in(first, told) == first  # told twice is told once
        assert first == self.row(n)

    @rule()
    def start_again(self) -> None:
        self.journal.close()
        self.journal = Journal.open(self.folder, lambda: NOW)

    @rule(n=numbers)
    def die_within_a_transaction(self, n: int) -> None:
        before = self.row(n)
        with suppress(KeyboardInterrupt), self.journal.tx():
            self.journal.set_holding("A", Decimal(n))
            raise KeyboardInterrupt
        assert self.row(n) == before

    @invariant()
    def holdings_are_the_sum_of_fills(self) -> None:
        if not hasattr(self, "journal"):
            return
        held, cash = {"A": Decimal(50), "B": Decimal(0)}, CASH
        for row in self.journal.orders():
            held[row.symbol] += row.sign * row.known.filled
            cash -= row.sign * row.value
            assert (row.value > 0) == (row.known.filled > 0)
        assert self.journal.holdings() == {symbol: qty for symbol, qty in held.items() if qty}
        assert self.journal.cash() == cash

    @invariant()
    def states_move_as_documented(self) -> None:
        if not hasattr(self, "journal"):
            return
        for row in self.journal.orders():
            before, now = self.seen[row.client_id], row.known
            assert now.filled >= before.filled
            assert now.state == before.state or now.state in TOLD.get(before.state, set())
            self.seen[row.client_id] = now

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.journal.close()
            shutil.rmtree(self.folder)


AnyJournal.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestAnyJournal = AnyJournal.TestCase
