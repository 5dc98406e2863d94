"""A large account is held against its journal with few questions."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
from support.houses import over_desk
from support.panels import make_panel
from support.venue import make_desk, moment, ticket

from plimsoll.engine.execution.legalise import NEEDS, LegalOrder
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import OrderRow, PlanRow, SlotRow
from plimsoll.engine.live.order_state import Known
from plimsoll.engine.live.reconcile import Whose, reconcile

DAY = date(2019, 1, 3)
SYMBOLS = tuple(f"S{n:03d}" for n in range(100))


class Still:
    def now(self) -> datetime:
        return moment("2019-01-03T12:00")

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing differs, nothing is waited for")


def test_five_hundred_orders_and_a_hundred_positions_take_at_most_thirty_requests(place: Path) -> None:
    panel = make_panel(np.full((5, 100), 50.0), symbols=SYMBOLS)
    desk = make_desk(panel, "2019-01-03T10:00", cash=Decimal(1_000_000))
    venue = over_desk(desk, SYMBOLS)
    journal = Journal.open(place, Still().now)
    whose = Whose("big", venue.snapshot().account, frozenset(SYMBOLS), "account")
    ids = [f"pl1-{whose.account[-4:]}-x-{n}" for n in range(500)]
    slot = SlotRow(DAY, "09:35", moment("2019-01-03T09:35"), moment("2019-01-03T09:55"), done=False)
    with journal.tx():
        journal.set_meta("account", whose.account)
        journal.begin({}, Decimal(1_000_000), "new")
        plan = PlanRow(DAY, date(2019, 1, 2), datetime.now(UTC), False, Decimal(1_000_000), "c", "s")
        journal.add_plan(plan)
        journal.add_slot(slot)
        for n in range(500):
            order = LegalOrder(n, SYMBOLS[n % 100], "buy", Decimal(3), "market", None, NEEDS, Decimal(50))
            made = real_id(whose, n)
            ids[n] = made
            row = OrderRow(made, DAY, "09:35", 1, False, order, Known("planned"))
            journal.add_order(row)
            journal.set_state(row, "sending")
    for n in range(500):  # the process died before any answer came
        desk.exchange.submit(ticket(SYMBOLS[n % 100], 3, client_order_id=ids[n]))
    desk.exchange.advance(desk.exchange.now + timedelta(minutes=1))
    before = len(desk.transcript.requests())
    report = reconcile(journal, venue, Still(), whose)
    asked = len(desk.transcript.requests()) - before
    assert report.clean
    assert len(report.snapshot.positions) == 100
    assert {one.known.state for one in journal.orders()} == {"filled"}
    assert sum(journal.holdings().values()) == 1500
    assert asked <= 30
    journal.close()


def real_id(whose: Whose, n: int) -> str:
    from plimsoll.engine.live.ids import OrderId, account_code, book_code

    return str(
        OrderId(account_code(whose.account), book_code(whose.name), DAY, "0935", SYMBOLS[n % 100], "buy", n // 100, 0)
    )
