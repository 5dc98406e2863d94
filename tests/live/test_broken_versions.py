"""The checks reject versions that are wrong on purpose, and let the right one pass.

Each version is a small change of the real classes; the check is a scenario that lists what it found wrong.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from support.live_checks import (
    foreign_round_trips,
    halts,
    lost_answers,
    opposite_hosts,
    seeds,
    slow_sales,
    two_books,
    two_hosts,
)

from plimsoll.engine.errors import EngineError
from plimsoll.engine.execution.venue import Missing
from plimsoll.engine.live import execute, rebalance, reconcile
from plimsoll.engine.live.ids import OrderId, parse_id
from plimsoll.engine.live.journal.rows import OrderRow
from plimsoll.engine.live.order_state import Known
from plimsoll.engine.live.send import Sender

Patch = pytest.MonkeyPatch
Check = Callable[[Path], list[str]]


# ---- the versions


class NoWriteAhead(Sender):
    """Sends, and writes down afterwards that it is about to."""

    def _once(self, order: OrderRow) -> OrderRow:
        answer = self._venue.submit(order.intent())
        self._point("answered")
        with self._journal.tx():
            return self._record(self._journal.set_state(order, "sending"), answer)


class LooksEarly(Sender):
    """Looks at the halt before it takes the lock and opens the transaction, and not again."""

    def _once(self, order: OrderRow) -> OrderRow:
        self._early = super()._refusal(order)
        return super()._once(order)

    def _refusal(self, order: OrderRow) -> str:
        return self._early

    def _last_look(self, order: OrderRow) -> str:
        return ""


class NaiveRetry(Sender):
    """Tries an order of unknown outcome again under a new id."""

    def send(self, order: OrderRow, guard: Callable[[str], str]) -> OrderRow:
        order = self._once(order)
        parts = parse_id(order.client_id)
        if order.known.state == "unknown" and parts is not None and parts.attempt < 3:
            again = replace(
                order, client_id=str(replace(parts, attempt=parts.attempt + 1)), known=Known("planned"), why=""
            )
            with self._journal.tx():
                self._journal.add_order(again)
            return self.send(again, guard)
        return order


class OneLookIsEnough(Sender):
    """Takes one "no such order" for the truth."""

    def look(self, order: OrderRow) -> OrderRow:
        found = self._venue.lookup(order.client_id)
        with self._journal.tx():
            if isinstance(found, Missing):
                return self._journal.set_state(order, "absent")
        return super().look(order)


def random_ids(patch: Patch) -> None:
    change_ids(patch, lambda row: uuid4().hex)


def random_legs(patch: Patch) -> None:
    change_ids(patch, lambda row: str(replace(parts_of(row), leg=uuid4().int % 90 + 10)))


def quantity_in_the_id(patch: Patch) -> None:
    change_ids(patch, lambda row: str(replace(parts_of(row), leg=int(row.order.qty) % 100)))


def no_side(patch: Patch) -> None:
    change_ids(patch, lambda row: str(replace(parts_of(row), side="buy")))


def parts_of(row: OrderRow) -> OrderId:
    parts = parse_id(row.client_id)
    assert parts is not None
    return parts


def change_ids(patch: Patch, name: Callable[[OrderRow], str]) -> None:
    right = rebalance.Rebalancer._rows

    def rows(self: Any, *given: Any) -> list[OrderRow]:
        return [replace(row, client_id=name(row)) for row in right(self, *given)]

    patch.setattr(rebalance.Rebalancer, "_rows", rows)


def no_book(patch: Patch) -> None:
    for module in (rebalance, reconcile):
        patch.setattr(module, "book_code", lambda _: "abcdef")


def buys_first(patch: Patch) -> None:
    right = execute.steps_of
    first = operator.itemgetter(0)
    patch.setattr(rebalance, "steps_of", lambda *given: sorted([(1 - n, one) for n, one in right(*given)], key=first))


def buys_along(patch: Patch) -> None:
    patch.setattr(rebalance, "steps_of", lambda orders, _: [(1, one) for one in orders])


def no_strangers(patch: Patch) -> None:
    patch.setattr(reconcile, "_strange_fills", lambda *_: None)


def sender(made: type[Sender]) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(rebalance, "Sender", made)


@dataclass(frozen=True)
class Version:
    """What is wrong with it, and the checks that must see it."""

    change: Callable[[Patch], None]
    checks: tuple[Check, ...]


VERSIONS = {
    "random ids": Version(random_ids, (seeds, two_hosts)),
    "random legs in the id": Version(random_legs, (two_hosts,)),
    "no write-ahead": Version(sender(NoWriteAhead), (seeds, slow_sales)),
    "buys first": Version(buys_first, (slow_sales,)),
    "buys along with sales": Version(buys_along, (seeds, slow_sales)),
    "quantity in the id": Version(quantity_in_the_id, (two_hosts,)),
    "halt looked at outside the transaction": Version(sender(LooksEarly), (seeds, halts)),
    "naive retry": Version(sender(NaiveRetry), (seeds, lost_answers)),
    "one lookup is enough": Version(sender(OneLookIsEnough), (slow_sales,)),
    "foreign fills ignored": Version(no_strangers, (foreign_round_trips,)),
    "no side in the id": Version(no_side, (opposite_hosts,)),
    "no book in the id": Version(no_book, (two_books,)),
}
CHECKS = (seeds, two_hosts, opposite_hosts, two_books, slow_sales, lost_answers, halts, foreign_round_trips)


# the right one passes on these seeds in test_simulation.py, which has them among its thousand
@pytest.mark.parametrize("check", CHECKS[1:], ids=lambda check: check.__name__)
def test_the_right_version_passes(place: Path, check: Check) -> None:
    assert check(place) == []


@pytest.mark.parametrize(
    ("change", "check"),
    [
        pytest.param(version.change, check, id=f"{name}: {check.__name__}")
        for name, version in VERSIONS.items()
        for check in version.checks
    ],
)
def test_a_wrong_version_is_found_out(
    place: Path, monkeypatch: Patch, change: Callable[[Patch], None], check: Check
) -> None:
    change(monkeypatch)
    try:
        found = check(place)
    except EngineError as error:
        found = [str(error)]
    assert found != []
