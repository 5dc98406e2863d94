"""The journal: one SQLite file of one book on one account, the only memory of what was sent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from plimsoll.engine.errors import EngineError
from plimsoll.engine.execution.legalise import FREES, NEEDS, LegalOrder
from plimsoll.engine.execution.venue import VenueOrder
from plimsoll.engine.live.journal.plans import PlanTables
from plimsoll.engine.live.journal.rows import ZERO, OrderRow, PlanRow
from plimsoll.engine.live.order_state import ENDS, NEVER_SENT, Known, State, moved, told

_ENDS: Final = ", ".join(f"'{state}'" for state in sorted(ENDS))
_NEVER_SENT: Final = ", ".join(f"'{state}'" for state in sorted(NEVER_SENT))


class Journal(PlanTables):
    """An open journal: orders, and what the book holds because of them, beside what it is made of."""

    # ---- orders

    def add_order(self, order: OrderRow) -> None:
        """Write an order that is planned; a client id that is there already is an error."""
        self._must_be_inside()
        one = order.order
        self._db.execute(
            "INSERT INTO intent VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', NULL)",
            (
                order.client_id, order.session.isoformat(), order.slot, one.symbol, one.side, str(one.qty), one.kind,
                None if one.limit is None else str(one.limit), str(one.price), order.step, int(order.frees), one.row,
                order.known.state, "0", "0",
            ),
        )  # fmt: skip
        self.event(
            "planned", id=order.client_id, session=order.session.isoformat(), slot=order.slot, symbol=one.symbol,
            side=one.side, qty=str(one.qty), limit_price=None if one.limit is None else str(one.limit),
            price=str(one.price), step=order.step,
        )  # fmt: skip

    def orders(
        self, session: date | None = None, slot: str | None = None, *, unended: bool = False, state: State | None = None
    ) -> list[OrderRow]:
        """Return orders in the order in which they were planned."""
        tests, args = ["1"], []
        for column, value in (("session", session and session.isoformat()), ("slot", slot), ("state", state)):
            if value is not None:
                tests.append(f"{column} = ?")
                args.append(value)
        if unended:
            tests.append(f"state NOT IN ({_ENDS})")
        rows = self._db.execute(f"SELECT * FROM intent WHERE {' AND '.join(tests)} ORDER BY rowid", args)
        return [_order(row) for row in rows]

    def sent(self, session: date) -> list[OrderRow]:
        """Return the orders of a session that were sent, whatever became of them."""
        only = f"state NOT IN ({_NEVER_SENT})"
        rows = self._db.execute(f"SELECT * FROM intent WHERE session = ? AND {only}", (session.isoformat(),))
        return [_order(row) for row in rows]

    def order(self, client_id: str) -> OrderRow | None:
        """Return one order."""
        row = self._db.execute("SELECT * FROM intent WHERE client_id = ?", (client_id,)).fetchone()
        return None if row is None else _order(row)

    def order_of_venue(self, venue_id: str) -> OrderRow | None:
        """Return the order that the venue knows by its own id."""
        row = self._db.execute("SELECT * FROM intent WHERE venue_id = ?", (venue_id,)).fetchone()
        return None if row is None else _order(row)

    def last_filled(self) -> OrderRow | None:
        """Return the newest order of which anything filled."""
        row = self._db.execute("SELECT * FROM intent WHERE filled <> '0' ORDER BY rowid DESC LIMIT 1").fetchone()
        return None if row is None else _order(row)

    def attempts(self, client_id: str) -> int:
        """Return how often an order was sent."""
        return int(self._db.execute("SELECT count(*) FROM attempt WHERE client_id = ?", (client_id,)).fetchone()[0])

    def resize(self, order: OrderRow, qty: Decimal, why: str) -> None:
        """Make an order that was not sent yet smaller."""
        self._must_be_inside()
        if order.known.state != "planned" or not 0 < qty <= order.order.qty:
            raise EngineError(f"{order.client_id} cannot become {qty}")
        self._db.execute("UPDATE intent SET qty = ?, why = ? WHERE client_id = ?", (str(qty), why, order.client_id))
        self.event("resize", id=order.client_id, qty=str(qty), why=why)

    def set_state(self, order: OrderRow, state: State, why: str = "") -> OrderRow:
        """Take a step of ours with an order; see `order_state.moved`."""
        self._must_be_inside()
        known = moved(order.known, state)
        if state == "sending":
            at = self.stamp()
            number = self.attempts(order.client_id) + 1
            self._db.execute("INSERT INTO attempt (client_id, n, sent) VALUES (?, ?, ?)", (order.client_id, number, at))
            self._db.execute("UPDATE intent SET sent = coalesce(sent, ?) WHERE client_id = ?", (at, order.client_id))
        elif order.known.state == "sending":
            self._end_attempt(order.client_id, f"{state} {why}".strip())
        self._db.execute("UPDATE intent SET state = ?, why = ? WHERE client_id = ?", (state, why, order.client_id))
        self.event("order", id=order.client_id, state=state, why=why)
        return replace(order, known=known, why=why)

    def _end_attempt(self, client_id: str, outcome: str) -> None:
        where = (client_id, self.attempts(client_id))
        self._db.execute("UPDATE attempt SET outcome = ? WHERE client_id = ? AND n = ?", (outcome, *where))

    def take_in(self, order: OrderRow, news: VenueOrder) -> OrderRow:
        """Write what the venue told of an order, and what it changed in the holdings; old news change nothing."""
        self._must_be_inside()
        known = told(order.known, news)
        value = order.value
        if known.filled > order.known.filled:
            value = known.filled * (news.average if news.average is not None else order.order.price)
        if known == order.known and value == order.value:
            return order
        gained, spent = known.filled - order.known.filled, value - order.value
        self._db.execute(
            "UPDATE intent SET state = ?, filled = ?, value = ?, venue_id = ? WHERE client_id = ?",
            (known.state, str(known.filled), str(value), known.venue_id, order.client_id),
        )
        if order.known.state == "sending":
            self._end_attempt(order.client_id, known.state)
        if gained:
            held = self.holdings().get(order.symbol, ZERO)
            self.set_holding(order.symbol, held + order.sign * gained)
            self.set_meta("cash", str(self.cash() - order.sign * spent))
        self.event("told", id=order.client_id, state=known.state, filled=str(known.filled), value=str(value))
        return replace(order, known=known, value=value)

    # ---- what the book holds

    @property
    def begun(self) -> bool:
        """Whether it was ever said what the book holds."""
        return self.meta("cash") is not None

    def began(self) -> datetime | None:
        """Return when it was last said what the book holds, None before."""
        found = self.events("adopt")
        return datetime.fromisoformat(found[-1].at) if found else None

    def cash(self) -> Decimal:
        """Return the dollars there should be."""
        return Decimal(self.meta("cash") or "0")

    def holdings(self) -> dict[str, Decimal]:
        """Return the signed shares that the book should hold, none of them zero."""
        return {
            symbol: Decimal(qty) for symbol, qty in self._db.execute("SELECT symbol, qty FROM holding") if Decimal(qty)
        }

    def last_prices(self) -> dict[str, Decimal]:
        """Return the venue's price of each holding when it was last looked at."""
        return {
            symbol: Decimal(price) for symbol, price in self._db.execute("SELECT symbol, price FROM holding") if price
        }

    def set_holding(self, symbol: str, qty: Decimal, price: Decimal | None = None) -> None:
        """Write what is held of a symbol."""
        self._must_be_inside()
        self._db.execute(
            "INSERT INTO holding VALUES (?, ?, ?) ON CONFLICT (symbol) DO UPDATE SET qty = excluded.qty,"
            " price = CASE excluded.price WHEN '' THEN price ELSE excluded.price END",
            (symbol, str(qty), "" if price is None else str(price)),
        )

    def splits(self, session: date) -> dict[str, Decimal]:
        """Return shares after for one before, of what was found split on a session."""
        told = json.loads(self.meta("splits") or "{}")
        ratios: dict[str, str] = told.get("ratios", {}) if told.get("session") == session.isoformat() else {}
        return {symbol: Decimal(ratio) for symbol, ratio in ratios.items()}

    def split_since(self, session: date) -> date | None:
        """Return the session after which there were the splits found on a session; None where none was found."""
        told = json.loads(self.meta("splits") or "{}")
        since = told.get("since") if told.get("session") == session.isoformat() else None
        return None if since is None else date.fromisoformat(since)

    def add_split(self, session: date, symbol: str, ratio: Decimal, since: date) -> None:
        """Remember a split through the session: whatever is decided on it must know.

        since : the last session that was seen before it. Prices through a later one may know of it already.
        """
        ratios = {name: str(one) for name, one in {**self.splits(session), symbol: ratio}.items()}
        told = {"session": session.isoformat(), "since": since.isoformat(), "ratios": ratios}
        self.set_meta("splits", json.dumps(told))

    def in_force(self, plan: PlanRow | None) -> PlanRow | None:
        """Return a plan with the goals that hold: none where what the book holds was accepted since it was made."""
        accepted = self.events("adopt")
        if plan is None or not accepted:
            return plan
        made = max((seq for seq, day in self.told("plan", "session") if day == plan.session.isoformat()), default=0)
        return plan if accepted[-1].seq < made else replace(plan, goals={})

    def begin(self, holdings: Mapping[str, Decimal], cash: Decimal, why: str) -> None:
        """Accept holdings and cash as what there is, whatever was thought before."""
        self._must_be_inside()
        self._db.execute("DELETE FROM holding")
        for symbol, qty in holdings.items():
            self.set_holding(symbol, qty)
        self.set_meta("cash", str(cash))
        shares = {symbol: str(qty) for symbol, qty in sorted(holdings.items())}
        self.event("adopt", holdings=shares, cash=str(cash), why=why)


def _order(row: Sequence[Any]) -> OrderRow:
    (
        client_id, session, slot, symbol, side, qty, kind, limit, price, step, frees, number, state, filled, value,
        venue_id, why, _,
    ) = row  # fmt: skip
    order = LegalOrder(
        number, symbol, side, Decimal(qty), kind, None if limit is None else Decimal(limit),
        FREES if frees else NEEDS, Decimal(price),
    )  # fmt: skip
    return OrderRow(
        client_id, date.fromisoformat(session), slot, step, bool(frees), order,
        Known(state, Decimal(filled), venue_id), Decimal(value), why,
    )  # fmt: skip
