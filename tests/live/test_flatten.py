"""Out of everything, whatever was halted before: it sells, and never takes a halt away."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from support.live_book import FIRST, Desk, make_desk
from support.live_venue import Killed
from support.opened import on, opened, state

from plimsoll.brokers.exchange.settings import Behaviour, Handling
from plimsoll.engine.errors import DataError, VenueError
from plimsoll.engine.live.halt_file import read_halt
from plimsoll.engine.verbs.accounts import flatten
from plimsoll.engine.verbs.control import halt, status

LATER = (date(2024, 11, 26), date(2024, 11, 27), date(2024, 12, 2), date(2024, 12, 3))


def stop(desk: Desk, reason: str = "stop", **more: Any) -> Any:
    """Halt it."""
    return halt(desk.values, reason, venue=desk.venue, host=desk.host, **more)


def sent_later(desk: Desk) -> int:
    """Return how many orders reach the exchange in the sessions after the first, in some of which the book trades."""
    before = len(desk.exchange.orders)
    for day in LATER:
        desk.to(day, "09:35")
        desk.slot("09:35")
    return len(desk.exchange.orders) - before


def test_flatten_sells_on_an_account_that_a_halt_has_suspended(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    assert stop(desk).suspended
    assert flatten(desk.values, "out", **on(desk)).ending == "done"
    assert desk.shares() == {}
    assert desk.venue.snapshot().blocked
    assert sent_later(desk) == 0


def test_flatten_again_sells_what_it_could_not_before(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    desk.exchange.halted.add("AAA")
    assert flatten(desk.values, "out", **on(desk)).ending == "refused"
    assert desk.venue.snapshot().blocked
    desk.exchange.halted.clear()
    assert flatten(desk.values, "out again", **on(desk)).ending == "done"
    assert desk.shares() == {}


def test_flatten_sells_although_the_venue_does_not_say_whether_it_takes_orders_again(tmp_path: Path) -> None:
    desk = opened(tmp_path)

    def silent(_: bool) -> bool:
        raise VenueError("no answer", where="account configurations")

    desk.venue.suspend = silent  # type: ignore[method-assign]
    outcome = flatten(desk.values, "out", **on(desk))
    assert (outcome.ending, outcome.why) == ("refused", "nothing is held, NOT suspended")
    assert desk.shares() == {}


def closed(desk: Desk) -> None:
    desk.to(FIRST, "17:00")
    assert "market is closed" in flatten(desk.values, "out", **on(desk)).why


def without_answer(desk: Desk) -> None:
    def silent() -> Any:
        raise VenueError("503", where="/orders")

    real, desk.venue.open_orders = desk.venue.open_orders, silent  # type: ignore[method-assign]
    with pytest.raises(VenueError):
        flatten(desk.values, "out", **on(desk))
    desk.venue.open_orders = real  # type: ignore[method-assign]


def dead_before(desk: Desk) -> None:
    def die() -> Any:
        raise Killed("open orders")

    real, desk.venue.open_orders = desk.venue.open_orders, die  # type: ignore[method-assign]
    with pytest.raises(Killed):
        flatten(desk.values, "out", **on(desk))
    desk.venue.open_orders = real  # type: ignore[method-assign]


@pytest.mark.parametrize("fails", [closed, without_answer, dead_before])
def test_a_flatten_that_sells_nothing_leaves_a_total_halt_as_it_was(
    tmp_path: Path, fails: Callable[[Desk], None]
) -> None:
    desk = opened(tmp_path, broker={"manage": "symbols"})
    stop(desk, "nothing may go out")
    fails(desk)
    found = read_halt(state(desk))
    assert found is not None
    assert (found.grade, found.reason) == ("all", "nothing may go out")
    assert ("all", "nothing may go out") in [
        (one["grade"], one["reason"]) for one in status(desk.values, host=desk.host)["halts"]
    ]
    assert sent_later(desk) == 0


@pytest.mark.parametrize("at", ["sending committed", "answered", "all sent"])
def test_a_flatten_that_dies_while_it_sells_leaves_a_total_halt_and_the_next_one_sells_the_rest(
    tmp_path: Path, at: str
) -> None:
    desk = opened(tmp_path, broker={"manage": "symbols"})
    stop(desk)

    def die(name: str) -> None:
        if name == at:
            raise Killed(name)

    with pytest.raises(Killed):
        flatten(desk.values, "out", point=die, **on(desk))
    found = read_halt(state(desk))
    assert found is not None
    assert found.grade == "all"
    desk.clock.sleep(5)
    assert flatten(desk.values, "out", **on(desk)).ending == "done"
    assert desk.shares() == {}  # none short either: nothing was sold twice
    assert sent_later(desk) == 0


def test_a_flatten_that_dies_while_it_sells_leaves_everything_halted(tmp_path: Path) -> None:
    desk = opened(tmp_path, broker={"manage": "symbols"})

    def die(name: str) -> None:
        if name == "sending committed":
            raise Killed(name)

    with pytest.raises(Killed):
        flatten(desk.values, "out", point=die, **on(desk))
    found = read_halt(state(desk))
    assert found is not None
    assert found.grade == "all"
    assert sent_later(desk) == 0


def test_where_the_venue_falls_silent_while_flatten_sells_everything_stays_halted_and_suspended(tmp_path: Path) -> None:
    desk = opened(tmp_path)

    def silent(_: Any) -> Any:
        raise VenueError("503", where="/assets")

    desk.venue.assets = silent  # type: ignore[method-assign]
    with pytest.raises(VenueError):
        flatten(desk.values, "out", **on(desk))
    assert desk.venue.snapshot().blocked
    found = read_halt(state(desk))
    assert found is not None
    assert found.grade == "all"


def test_a_halt_that_comes_while_flatten_sells_stops_it(tmp_path: Path) -> None:
    desk = opened(tmp_path, broker={"manage": "symbols"})
    stop(desk, "before")
    before, seen = len(desk.exchange.orders), list[int]()

    def point(name: str) -> None:
        if name == "outcome committed" and not seen:
            stop(desk, "before", local=True)  # in the same words, and at the same second
            seen.append(len(desk.exchange.orders))

    outcome = flatten(desk.values, "out", point=point, **on(desk))
    assert seen == [before + 1]
    assert len(desk.exchange.orders) == before + 1
    assert [one.known.state for one in outcome.orders] == ["filled", "denied", "denied"]
    assert "still held" in outcome.why


def test_flatten_is_not_done_while_orders_of_the_book_still_work(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    desk.exchange.behaviour = Behaviour(handling=Handling(delay_s=7200, cancel_delay_s=3600))

    def die(name: str) -> None:
        if name == "all sent":
            raise Killed(name)

    with pytest.raises(Killed):
        desk.slot("09:35", point=die)
    outcome = flatten(desk.values, "out", **on(desk))
    assert (outcome.ending, outcome.why) == ("refused", "nothing is held, but orders still work: they may fill")


def test_flatten_is_refused_where_the_book_has_no_journal(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    with pytest.raises(DataError, match="there is no journal"):
        flatten(desk.values, "out", **on(desk))
    assert not desk.exchange.orders
