"""One order, once: whatever becomes of the answer, and whenever the process dies (rows 1 and 2 of the failure modes).

That the adapter turns every doubtful answer into `Unknown` in tests/brokers/alpaca/test_alpaca_faults.py; that seeds
of all of it together lose nothing, in test_simulation.py.
"""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from support.live_case import due_of, make_case
from support.live_checks import TURN, Killer, account_is_sound, limits_of, turning
from support.live_venue import Killed

from plimsoll.brokers.exchange.settings import Handling
from plimsoll.engine.execution.venue import Rejected


@pytest.mark.parametrize("fault", ["before", "after"])
@pytest.mark.parametrize("k", range(3))
@pytest.mark.parametrize("lag", [0, 4])
def test_an_order_whose_answer_is_lost_is_there_once(place: Path, fault: str, k: int, lag: int) -> None:
    case = turning(place)
    wrong, before = limits_of(case), len(case.sent())
    case.line.on_submit = lambda n, _: fault if n == before + k else ""
    case.line.read_lag = timedelta(seconds=lag)
    assert case.run("09:35").ending == "done"
    assert wrong == []
    assert case.positions() == TURN
    assert account_is_sound(case) == []
    assert len(case.exchange.orders) == 4
    # what never arrived was sent again under its own id, what arrived was found
    assert len(set(case.sent())) == 4
    assert len(case.sent()) == 4 + (fault == "before")


def test_an_order_that_never_arrives_is_sent_four_times_under_one_id_and_then_given_up(place: Path) -> None:
    case = make_case(place)
    case.decide(AAA=100)
    case.line.on_submit = lambda _n, _i: "before"
    assert case.slot("09:35").ending == "done"
    assert len(case.sent()) == 4
    assert len(set(case.sent())) == 1
    assert [one.known.state for one in case.orders()] == ["absent"]


def test_a_refusal_of_the_second_attempt_says_nothing_of_the_first(place: Path) -> None:
    case = make_case(place)
    case.decide(AAA=100)
    case.line.on_submit = lambda n, _i: "after" if n == 0 else Rejected("buying_power", "insufficient buying power")
    case.line.read_lag = timedelta(seconds=12)  # longer than it is looked for the first time
    assert case.slot("09:35").ending == "done"
    assert case.positions() == {"AAA": 100}
    assert [one.known.state for one in case.orders()] == ["filled"]


def test_a_duplicate_is_looked_up_and_its_state_adopted_cancelled_or_not(place: Path) -> None:
    case = make_case(place)
    case.decide(AAA=100)
    case.behave(handling=Handling(delay_s=500))

    def cancelled(number: int, _: object) -> str:
        if number == 1:  # while nobody knew of it, the owner cancelled it
            case.exchange.cancel_all()
        return "after" if number == 0 else ""

    case.line.on_submit = cancelled
    case.line.read_lag = timedelta(seconds=12)
    assert case.slot("09:35").ending == "done"
    [order] = case.orders()
    assert (order.known.state, order.known.filled) == ("canceled", 0)
    assert len(case.exchange.orders) == 1


@pytest.mark.parametrize("reason", ["suspended", "unauthorized"])
def test_an_account_that_takes_no_orders_stops_everything_after_the_first(place: Path, reason: str) -> None:
    case = make_case(place)
    case.decide(AAA=100, BBB=100)
    told = Rejected("suspended" if reason == "suspended" else "unauthorized", "new orders are rejected by user request")
    case.line.on_submit = lambda _n, _i: told
    assert case.slot("09:35").ending == "halted"
    assert len(case.sent()) == 1


# ---- row 2: the process dies


def places(folder: Path) -> list[str]:
    """The places that the second session passes without trouble."""
    case = turning(folder)
    killer = Killer()
    case.run("09:35", killer)
    assert case.positions() == TURN
    return killer.passed


@pytest.mark.parametrize("fault", ["", "before", "after"])
def test_killed_at_any_place_and_started_again_it_ends_as_if_nothing_had_been(place: Path, fault: str) -> None:
    passed = places(place / "clean")
    assert len(passed) > 20
    for at in range(1, len(passed) + 1):
        case = turning(place / f"{at}")
        wrong, before = limits_of(case), len(case.sent())
        case.line.on_submit = lambda n, _, before=before: fault if n == before + 1 else ""
        with suppress(Killed):
            case.run("09:35", Killer(at))
        case.run("09:35")
        told = (at, passed[at - 1], wrong, account_is_sound(case), len(case.exchange.orders), case.positions())
        assert told == (at, passed[at - 1], [], [], 4, TURN)


def test_killed_once_more_while_it_recovers_it_still_ends_right(place: Path) -> None:
    passed = places(place / "clean")
    for first in range(3, len(passed), 5):
        for second in range(1, 12, 4):
            case = turning(place / f"{first}-{second}")
            wrong = limits_of(case)
            for at in (first, second):
                with suppress(Killed):
                    case.run("09:35", Killer(at))
            case.run("09:35")
            assert (first, second, wrong, account_is_sound(case)) == (first, second, [], [])
            assert (len(case.exchange.orders), case.positions()) == (4, TURN)


def test_started_again_after_its_slot_it_sends_nothing_and_the_next_slot_makes_up_for_it(place: Path) -> None:
    case = turning(place)
    before = len(case.sent())
    with suppress(Killed):
        case.run("09:35", Killer(6))  # the plan is written, nothing is sent
    case.to(due_of(case.day(1), "09:35") + timedelta(minutes=40))
    assert case.run("09:35").ending in ("already", "skipped", "late")
    assert len(case.sent()) == before
    assert case.slot("12:00", case.day(1)).ending == "done"
    assert case.positions() == TURN


def test_a_slot_that_is_done_is_not_done_again_however_often_it_is_started(place: Path) -> None:
    case = turning(place)
    case.run("09:35")
    sent = len(case.sent())
    assert [case.run("09:35").ending for _ in range(5)] == ["already"] * 5
    assert len(case.sent()) == sent
