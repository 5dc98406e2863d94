"""The checks reject versions that are wrong on purpose, and let the right one pass.

Each version is a small change of the real classes; the check is a scenario that lists what it found wrong.
"""

import operator
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from support.live_case import Case, account_is_sound, beside, limits_of, make_case
from support.live_sim import Killed, simulate
from support.venue import ticket

from plimsoll.brokers.exchange.settings import Handling
from plimsoll.engine.errors import EngineError, InputError
from plimsoll.engine.execution.venue import Missing
from plimsoll.engine.live import execute, rebalance, reconcile
from plimsoll.engine.live.halt_file import write_halt
from plimsoll.engine.live.ids import OrderId, parse_id
from plimsoll.engine.live.journal.rows import OrderRow
from plimsoll.engine.live.order_state import Known
from plimsoll.engine.live.send import Sender

Patch = pytest.MonkeyPatch
Check = Callable[[Path], list[str]]
TURN = {"BBB": 4000, "CCC": 20_000}


# ---- what the checks do


def turning(folder: Path) -> Case:
    case = make_case(folder)
    case.decide(AAA=9900)
    case.slot("09:35")
    case.decide(case.day(1), **TURN)
    case.behave(handling=Handling(delay_s=3))
    case.at("09:35", case.day(1))
    return case


def seeds(place: Path) -> list[str]:
    """Sessions under faults, crashes and halts, until a seed finds something."""
    found: list[str] = []
    for seed in range(12):
        try:
            found += simulate(seed, str(place)).wrong
        except EngineError as error:
            found.append(str(error))
        if found:
            break
    return found


def two_hosts(place: Path) -> list[str]:
    """A copied journal and another decision for the same slot: ids collide, and no host takes the other's for its own.

    The second host asks an account that is shown as it was before the first one traded.
    """
    one = make_case(place / "one")
    other = beside(one, place / "other")
    one.decide(AAA=10, BBB=20)
    other.decide(AAA=15, BBB=20)
    one.behave(handling=Handling(delay_s=600))
    one.at("09:35")
    blind(one, other)
    found = account_is_sound(other) if other.folder.exists() else []
    bought = [order.ticket.symbol for order in one.exchange.orders.values()]
    return found + [f"{symbol} was ordered twice" for symbol in {*bought} if bought.count(symbol) > 1]


def opposite_hosts(place: Path) -> list[str]:
    """The other host decides to sell what the first one buys: neither books the other's execution as its own."""
    one = make_case(place / "one", margin=True)
    other = beside(one, place / "other")
    one.decide(AAA=10)
    other.decide(AAA=-10)
    one.behave(handling=Handling(delay_s=600))
    one.at("09:35")
    blind(one, other)
    return account_is_sound(other) + [f"{one_id} says another side" for one_id in wrong_side(one)]


def wrong_side(case: Case) -> Iterator[str]:
    for posted in case.line.posted:
        parts = parse_id(posted.intent.client_id)
        if parts is None or parts.side != posted.intent.side:
            yield posted.intent.client_id


def blind(one: Case, other: Case) -> None:
    """Let the first host stop right after it sent; the second one has made its plan before it could see that."""
    def second(name: str) -> None:
        if name == "planned":
            with suppress(Killed):
                one.run("09:35", lambda at: dead(at, "all sent"))

    with suppress(InputError, EngineError):
        other.run("09:35", second)


def dead(name: str, at: str) -> None:
    if name == at:
        raise Killed(name)


def two_books(place: Path) -> list[str]:
    """Two books of symbols on one account are both done, slot after slot."""
    one = make_case(place / "one", manage="symbols", symbols=("AAA", "BBB"), book="one")
    other = beside(one, place / "other", symbols=("CCC", "DDD"), book="other")
    one.decide(AAA=10)
    other.decide(DDD=10)
    return [
        f"{case.book} at {slot}: {ended.why}"
        for slot in ("09:35", "12:00")
        for case in (one, other)
        if (ended := case.slot(slot)).ending != "done"
    ]


def slow_sales(place: Path) -> list[str]:
    """Sales fill slowly, and one answer is lost; nothing is bought before they ended, and the day ends where meant."""
    case = turning(place)
    wrong, before = limits_of(case), len(case.sent())
    case.line.on_submit = lambda n, _: "after" if n == before else ""
    case.line.read_lag = timedelta(seconds=1)
    case.behave(handling=Handling(delay_s=30))
    case.run("09:35")
    case.slot("12:00", case.day(1))
    return wrong + account_is_sound(case) + ([] if case.positions() == TURN else [f"{case.positions()}"])


def lost_answers(place: Path) -> list[str]:
    """An answer is lost, and the venue knows of the order only later: it is there once."""
    case = make_case(place)
    case.decide(AAA=100)
    wrong = limits_of(case)
    case.line.on_submit = lambda n, _: "after" if n == 0 else ""
    case.line.read_lag = timedelta(seconds=12)
    case.slot("09:35")
    case.slot("12:00")
    return wrong + account_is_sound(case) + ([] if len(case.exchange.orders) == 1 else ["it is there twice"])


def halts(place: Path) -> list[str]:
    """A halt at each place: nothing arrives after it."""
    found = []
    names: list[str] = []
    turning(place / "clean").run("09:35", names.append)
    for at in range(1, len(names) + 1):
        case, count, arrived = turning(place / f"{at}"), 0, 0

        def point(_: str, case: Case = case, at: int = at) -> None:
            nonlocal count, arrived
            count += 1
            if count == at:
                write_halt(case.folder, "all", "stop", case.clock.now())
                arrived = len(case.sent())

        case.run("09:35", point)
        if len(case.sent()) > arrived:
            found.append(f"an order after a halt at {names[at - 1]}")
    return found


def foreign_round_trips(place: Path) -> list[str]:
    """Somebody else buys and sells in the account: no new risk."""
    case = make_case(place)
    case.decide(AAA=10)
    case.slot("09:35")
    for signed in (5, -5):
        case.exchange.submit(ticket("BBB", signed))
    return [] if case.slot("12:00").ending == "refused" else ["nobody noticed"]


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


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
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
