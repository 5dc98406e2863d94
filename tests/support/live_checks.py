"""What is held against a slot by hand: limits at every order, an account that is sound, and scenarios that go wrong.

A scenario lists what it found wrong, so that the same one shows a right version right and a wrong one wrong.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from support.live_case import Case, beside, make_case
from support.live_sim import simulate
from support.live_venue import Killed
from support.venue import ticket

from plimsoll.brokers.exchange.settings import Handling
from plimsoll.engine.errors import EngineError, InputError
from plimsoll.engine.execution.venue import Intent
from plimsoll.engine.live.halt_file import write_halt
from plimsoll.engine.live.ids import parse_id
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.order_state import NEVER_SENT

TURN = {"BBB": 4000, "CCC": 20_000}


def turning(folder: Path) -> Case:
    """Return a book that sells one symbol and buys two on its second session, with next to no cash: its slot is due."""
    case = make_case(folder)
    case.decide(AAA=9900)
    assert case.slot("09:35").ending == "done"
    case.decide(case.day(1), **TURN)
    case.behave(handling=Handling(delay_s=3))
    case.at("09:35", case.day(1))
    return case


class Killer:
    """Ends the process at its n-th place; counts the places it passed."""

    def __init__(self, at: int = 0) -> None:
        self.left = at
        self.passed: list[str] = []

    def __call__(self, name: str) -> None:
        self.passed.append(name)
        if len(self.passed) == self.left:
            raise Killed(name)


def limits_of(case: Case) -> list[str]:
    """Watch every order that arrives, and return the list that gets what was wrong: money, order of steps, ids."""
    wrong: list[str] = []

    def look(intent: Intent) -> None:
        if case.exchange.ledger.cash < 0:
            wrong.append(f"cash is {case.exchange.ledger.cash} before {intent.client_id}")
        journal = Journal.read_only(case.folder, case.clock.now)
        assert journal is not None
        rows = {one.client_id: one for one in journal.orders()}
        journal.close()
        mine = rows.get(intent.client_id)
        if mine is None or mine.known.state != "sending":
            wrong.append(f"{intent.client_id} left before it was written down")
        elif not mine.frees:
            wrong.extend(
                f"{intent.client_id} while {one.client_id} is {one.known.state}"
                for one in rows.values()
                if one.frees and (one.session, one.slot) == (mine.session, mine.slot) and not one.known.ended
            )
            working = [one.client_order_id for one in case.exchange.working() if one.purpose == "close"]
            wrong.extend(f"{intent.client_id} while {one} works" for one in working)

    case.line.watch = look
    return wrong


def account_is_sound(case: Case) -> list[str]:
    """Return what is wrong with the account and the journal after a slot: cash, shares, orders that are there twice."""
    exchange, wrong = case.exchange, []
    if exchange.ledger.cash < 0:
        wrong.append(f"cash is {exchange.ledger.cash}")
    wrong += [f"{symbol} is {qty}" for symbol, qty in case.positions().items() if qty < 0 and not case.margin]
    for row in case.orders():
        order = exchange.by_client_id.get(row.client_id)
        if row.known.state in NEVER_SENT and order is not None:
            wrong.append(f"{row.client_id} was never sent and is there")
        if order is not None and order.filled_qty > row.order.qty:
            wrong.append(f"{row.client_id} filled {order.filled_qty} of {row.order.qty}")
        if order is not None and (order.ticket.symbol, order.ticket.side) != (row.symbol, row.side):
            wrong.append(f"{row.client_id} is another order at the venue")
    return wrong


def seeds(place: Path) -> list[str]:
    """Sessions under faults, crashes and halts, until a seed finds something."""
    found: list[str] = []
    for seed in range(40):
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
