"""The journal under whatever a venue may tell, in any order: held is the sum of what filled, a copy is the same."""

import shutil
import sqlite3
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
from plimsoll.engine.live.journal.chain import Verified
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


def everything(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, with its number."""
    db = sqlite3.connect(path)
    try:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: db.execute(f"SELECT rowid, * FROM {table} ORDER BY rowid").fetchall() for table in tables}
    finally:
        db.close()


class AnyJournal(RuleBasedStateMachine):
    """Six orders; steps of ours, news of the venue, copies, processes that end and start again."""

    @initialize()
    def begin(self) -> None:
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.verified, self.days = Verified(), 0
        self.journal = Journal.open(self.folder, lambda: NOW, self.verified)
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

    @rule(another=st.booleans())
    def start_again(self, another: bool) -> None:
        """Begin again, in another process or in the one that knows how far it had followed and copied the journal."""
        self.journal.close()
        self.verified = Verified() if another else self.verified
        self.journal = Journal.open(self.folder, lambda: NOW, self.verified)

    @rule()
    def the_next_session(self) -> None:
        self.days += 1
        day = DAY + timedelta(days=self.days)
        with self.journal.tx():
            self.journal.add_plan(PlanRow(day, day - timedelta(days=1), NOW, False, CASH, "c", "s"))
            self.journal.add_slot(SlotRow(day, "09:35", NOW, NOW, done=False))

    @rule()
    def end_the_oldest_slot(self) -> None:
        for slot in self.journal.slots(undone=True)[:1]:
            with self.journal.tx():
                self.journal.end_slot(slot, "over")

    @rule()
    def halt_or_resume(self) -> None:
        with self.journal.tx():
            if self.journal.halts():
                self.journal.clear_halts("looked")
            else:
                self.journal.add_halt("all", "a test")

    @rule(spoilt=st.sampled_from(["", "", "", "gone", "another", "torn"]))
    def copy(self, spoilt: str) -> None:
        to = self.folder / "copy"
        if to.exists() and spoilt == "gone":
            to.unlink()
        elif to.exists() and spoilt:
            to.write_bytes(b"no database" if spoilt == "another" else to.read_bytes()[:5000])
        self.journal.backup(to)
        assert everything(to) == everything(self.journal.path)
        assert to.stat().st_mode & 0o777 == 0o600
        assert sorted(path.name for path in self.folder.iterdir() if "copy" in path.name) == ["copy"]

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
