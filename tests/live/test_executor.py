"""The steps of a slot: money comes before it is spent, what works is cancelled in time, what is left is carried on."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from support.live_case import LIVE, Case, make_case
from support.live_checks import account_is_sound, limits_of
from support.venue import ticket

from plimsoll.brokers.exchange.settings import Handling, HandlingRule
from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.errors import VenueError
from plimsoll.engine.execution.venue import Rejected

FULL = {"AAA": 4000, "BBB": 11_900}  # of a million at 100 and 50: 5,000 dollars stay
TURN = {"CCC": 20_000, "DDD": 59_400}


def invested(folder: Path, **more: object) -> Case:
    """A book that is full on the first session and turns round on the second."""
    case = make_case(folder, **more)
    case.decide(**FULL)
    assert case.slot("09:35").ending == "done"
    case.decide(case.day(1), **TURN)
    case.at("09:35", case.day(1))
    return case


# ---- 3.1 row 3: partial fills


def stall(case: Case, part: str, *, seconds: float = 1000.0) -> None:
    """Let the next order fill in part after some seconds, and the rest of it so much later again."""
    case.exchange.handling_rules = [HandlingRule(handling=Handling(delay_s=seconds, parts=(Decimal(part),)), times=1)]


@pytest.mark.parametrize(("part", "filled"), [("0.142858", 100), ("0.857143", 600)], ids=["1/7", "6/7"])
def test_a_partial_fill_is_cancelled_at_the_end_of_its_slot_and_only_the_rest_follows(
    place: Path, part: str, filled: int
) -> None:
    case = make_case(place)
    case.decide(AAA=700)
    stall(case, part)
    assert case.slot("09:35").ending == "done"
    [order] = case.orders()
    assert (order.known.state, order.known.filled) == ("canceled", filled)
    assert case.slot("12:00").ending == "done"
    assert [one.known.filled for one in case.orders()] == [filled, 700 - filled]
    assert case.positions() == {"AAA": 700}
    assert account_is_sound(case) == []


def test_a_fill_that_races_the_cancel_is_booked_and_nothing_is_bought_twice(place: Path) -> None:
    case = make_case(place)
    case.decide(AAA=700)
    # the slot lasts 1,195 s from here; the cancel takes 60 s, and the second half fills at 1,220 s
    case.exchange.handling_rules = [
        HandlingRule(handling=Handling(delay_s=610, parts=(Decimal("0.5"),), cancel_delay_s=60), times=1)
    ]
    assert case.slot("09:35").ending == "done"
    [order] = case.orders()
    assert (order.known.state, order.known.filled) == ("filled", 700)
    assert case.slot("12:00").ending == "done"
    assert len(case.sent()) == 1


def test_an_order_of_a_dead_process_expires_with_its_day_and_the_rest_is_carried_to_the_next(place: Path) -> None:
    case = make_case(place)
    case.decide(AAA=700)
    case.exchange.handling_rules = [HandlingRule(handling=Handling(delay_s=13_000, parts=(Decimal("0.2"),)), times=1)]

    def gone(name: str) -> None:
        if name == "answered":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        case.slot("09:35", point=gone)
    assert case.slot("09:35", case.day(1)).ending == "done"
    first, second = case.orders()
    assert (first.known.state, first.known.filled) == ("expired", 140)
    assert (second.known.state, second.order.qty) == ("filled", 560)
    assert case.positions() == {"AAA": 700}


# ---- 3.1 row 18: questions without an answer


def outage(case: Case, seconds: float) -> Callable[[str], None]:
    """Return a point at which, between sales and purchases, every question fails for so many seconds."""
    until: list[datetime] = []

    def fail() -> None:
        if until and case.clock.venue.now() < until[0]:
            raise VenueError("no answer (status 429)", where="account")

    def point(name: str) -> None:
        if name == "wave over" and not until:
            until.append(case.clock.venue.now() + timedelta(seconds=seconds))

    case.line.on_ask = fail
    return point


@pytest.mark.parametrize("seconds", [1, 4, 60, 600])
def test_an_outage_between_sales_and_purchases_is_ridden_out_while_the_slot_lasts(place: Path, seconds: int) -> None:
    case = invested(place)
    assert case.run("09:35", outage(case, seconds)).ending == "done"
    assert case.positions() == TURN
    assert account_is_sound(case) == []


def test_an_outage_longer_than_the_slot_buys_nothing_and_the_next_slot_does(place: Path) -> None:
    case = invested(place)
    outcome = case.run("09:35", outage(case, 3600.0))
    assert outcome.ending == "done"
    assert case.positions() == {}
    assert {one.known.state for one in outcome.orders if not one.frees} == {"denied"}
    assert case.slot("12:00", case.day(1)).ending == "done"
    assert case.positions() == TURN


@pytest.mark.parametrize("of", ["quotes", "snapshot"])
def test_an_outage_of_one_kind_of_question_is_ridden_out_too(place: Path, of: str) -> None:
    case = invested(place)
    case.behave(handling=Handling(delay_s=4))
    began: list[datetime] = []
    real = getattr(case.line, of)

    def flaky(*args: Any) -> Any:
        if began and case.clock.venue.now() < began[0] + timedelta(seconds=90):
            raise VenueError("no answer (status 503)", where=of)
        return real(*args)

    def point(name: str) -> None:
        if name == "wave begun" and not began:
            began.append(case.clock.venue.now())

    setattr(case.line, of, flaky)
    assert case.run("09:35", point).ending == "done"
    assert case.positions() == TURN


def test_while_there_is_no_answer_whoever_waits_says_that_it_lives_and_may_be_stopped(place: Path) -> None:
    case = invested(place)
    inner, heard = outage(case, 600.0), list[datetime]()

    def point(name: str) -> None:
        inner(name)
        heard.append(case.clock.venue.now())
        if len(heard) > 3 and name == "no answer" and heard[-1] > heard[0] + timedelta(seconds=200):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        case.run("09:35", point)
    assert all(after - before <= timedelta(seconds=30) for before, after in pairwise(heard))


# ---- 3.1 rows 9 and 10: money


@pytest.mark.parametrize("k", range(4))
@pytest.mark.parametrize("when", ["at the door", "after acceptance"])
def test_the_kth_order_refused_never_leads_to_debt_or_to_a_purchase_before_its_sale(
    place: Path, k: int, when: str
) -> None:
    case = invested(place)
    wrong = limits_of(case)
    case.behave(handling=Handling(delay_s=4, parts=(Decimal("0.3"),)))
    before = len(case.sent())
    if when == "at the door":
        case.line.on_submit = lambda n, _: Rejected("other", "no") if n == before + k else ""
    else:
        symbol = ("AAA", "BBB", "CCC", "DDD")[k]
        case.exchange.handling_rules = [HandlingRule(handling=Handling(reject=True, delay_s=2), symbol=symbol, times=1)]
    assert case.run("09:35").ending == "done"
    assert wrong == []
    assert account_is_sound(case) == []
    # what was refused is made up for in the next slot
    assert case.slot("12:00", case.day(1)).ending == "done"
    assert wrong == []
    assert case.positions() == TURN


def test_purchases_wait_for_slow_sales_and_for_an_account_that_is_shown_late(place: Path) -> None:
    case = invested(place)
    wrong = limits_of(case)
    case.behave(handling=Handling(delay_s=30, parts=(Decimal("0.25"),)))
    case.line.account_lag = timedelta(seconds=5)
    outcome = case.run("09:35")
    assert outcome.ending == "done"
    assert wrong == []
    assert account_is_sound(case) == []
    case.line.account_lag = timedelta(0)
    for slot in ("12:00", "14:00"):
        case.slot(slot, case.day(1))
    assert case.positions() == TURN


def test_sales_that_do_not_fill_leave_the_purchases_they_were_to_pay_unbought(place: Path) -> None:
    case = invested(place)
    wrong = limits_of(case)
    case.exchange.handling_rules = [HandlingRule(handling=Handling(delay_s=9000), side="sell")]
    assert case.run("09:35").ending == "done"
    assert wrong == []
    assert sum(case.exchange.ledger.qty(one) * price for one, price in (("CCC", 20), ("DDD", 10))) <= 5000
    assert account_is_sound(case) == []


def test_too_little_buying_power_is_tried_once_smaller_under_a_new_id_and_then_no_more(place: Path) -> None:
    case = make_case(place)
    case.decide(AAA=700)
    case.line.on_submit = lambda _n, _i: Rejected("buying_power", "insufficient buying power")
    assert case.slot("09:35").ending == "done"
    first, second = (one.intent for one in case.line.posted)
    assert (first.client_id[-3:], second.client_id[-3:]) == ("1-0", "1-1")
    assert second.qty < first.qty
    assert [one.known.state for one in case.orders()] == ["rejected", "rejected"]


# ---- 3.1 row 11: one working order a symbol


def test_no_second_order_goes_out_beside_one_whose_cancel_hangs(place: Path) -> None:
    case = make_case(place, live=LIVE.model_copy(update={"slots": ("09:35", "12:00", "14:00")}))
    case.decide(AAA=700, BBB=10)
    case.exchange.handling_rules = [
        HandlingRule(handling=Handling(delay_s=20_000, cancel_delay_s=11_000), symbol="AAA", times=1)
    ]
    assert case.slot("09:35").ending == "done"
    outcome = case.slot("12:00")
    assert [one for one in case.sent() if "AAA" in one] == case.sent()[:1]
    assert any("AAA: another order of it may work" in note for note in outcome.notes)
    assert case.slot("14:00").ending == "done"  # by now it is cancelled
    assert case.positions() == {"AAA": 700, "BBB": 10}


@pytest.mark.parametrize("reason", ["wash", "shares_held"])
def test_a_refusal_because_of_another_order_is_not_tried_again_in_its_slot(place: Path, reason: str) -> None:
    case = make_case(place)
    case.decide(AAA=700)
    told = Rejected("wash" if reason == "wash" else "shares_held", "existing order", "x")
    case.line.on_submit = lambda _n, _i: told
    assert case.slot("09:35").ending == "done"
    assert len(case.sent()) == 1
    assert case.orders()[0].why.startswith(reason)


def test_a_resting_order_of_somebody_else_on_the_other_side_stops_new_risk(place: Path) -> None:
    case = invested(place)
    case.exchange.submit(ticket("AAA", 5, "50"))
    outcome = case.run("09:35")
    assert (outcome.ending, "a foreign order works: buy AAA" in outcome.why) == ("refused", True)
    assert len(case.sent()) == 2


# ---- 3.1 row 18: storms


@pytest.mark.parametrize("seconds", [10, 60, 300])
def test_a_venue_that_is_away_for_a_while_is_asked_every_two_seconds_at_most(place: Path, seconds: int) -> None:
    case = make_case(place)
    case.decide(AAA=700)
    case.behave(handling=Handling(delay_s=seconds + 30))
    begun: list[int] = []

    def away() -> None:
        now = (case.clock.venue.now() - case.line.posted[0].at).total_seconds() if case.line.posted else -1.0
        if 0 <= now < seconds:
            begun.append(1)
            raise VenueError("no answer", where="sim")

    case.line.on_ask = away
    assert case.slot("09:35").ending == "done"
    assert 2 <= len(begun) <= seconds / 2 + seconds / 30 + 2  # a list every two seconds, a look at all every thirty
    assert case.positions() == {"AAA": 700}
    assert len(case.sent()) == 1


def test_a_cancel_that_is_not_taken_is_asked_for_again_until_the_order_ends(place: Path) -> None:
    case = make_case(place)
    case.decide(AAA=700)
    case.behave(handling=Handling(delay_s=9000))
    case.line.on_cancel = lambda number: number > 5
    assert case.slot("09:35").ending == "done"
    assert case.line.cancels == 6
    assert case.exchange.working() == []


# ---- hedges


def test_the_larger_leg_of_a_hedge_is_cut_to_what_its_smaller_leg_filled(place: Path) -> None:
    case = make_case(place, margin=True, live=LiveSection(cash_buffer=0.0, slots=("09:35",)))
    case.decide(AAA=1000, BBB=-2400)
    case.decider.pairs = {"AAA": 7, "BBB": 7}
    stall(case, "0.4", seconds=200.0)
    assert case.slot("09:35").ending == "done"
    first, second = case.orders()
    assert (first.symbol, first.known.filled) == ("AAA", 400)
    assert (second.symbol, second.known.filled) == ("BBB", 960)
