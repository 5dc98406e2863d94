"""Journal and venue told apart: what is recognised, what stops new risk, and that nothing is traded to mend it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.live_case import Case, beside, flat, make_case
from support.venue import ticket

from plimsoll.engine.live.reconcile import adopt
from plimsoll.engine.market.calendar import previous_session

HELD = {"AAA": 100, "BBB": 200}


def holding(folder: Path, **more: object) -> Case:
    """A book that holds two symbols since its first session, and would buy a third on its second."""
    case = make_case(folder, **more)
    case.decide(**HELD)
    assert case.slot("09:35").ending == "done"
    case.decide(case.day(1), **HELD, CCC=50)
    return case


# ---- row 12: drift


def foreign_order(case: Case) -> None:
    case.exchange.submit(ticket("AAA", 5, "50", "gtc"))


def foreign_fill(case: Case) -> None:
    case.exchange.submit(ticket("AAA", 5))


def foreign_sale(case: Case) -> None:
    case.exchange.submit(ticket("BBB", -200))


def foreign_round_trip(case: Case) -> None:
    """Bought and sold at one price: no position and no cash tells of it."""
    case.exchange.submit(ticket("DDD", 5))
    case.exchange.submit(ticket("DDD", -5))


def foreign_symbol(case: Case) -> None:
    """Something that the book knows nothing of."""
    case.symbols = ("AAA", "BBB", "CCC")
    case.exchange.submit(ticket("DDD", 5))


def removed_fill(case: Case) -> None:
    """The venue busts a trade."""
    case.trade("AAA", -100, "100")
    order = next(one for one in case.exchange.orders.values() if one.ticket.symbol == "AAA")
    case.exchange.activities = [one for one in case.exchange.activities if one.order_id != order.id]  # type: ignore[union-attr]


def moved_shares(case: Case) -> None:
    """Shares came or went without an order."""
    case.trade("BBB", 7, "50")


DRIFTS: tuple[Callable[[Case], None], ...] = (
    foreign_order, foreign_fill, foreign_sale, foreign_round_trip, foreign_symbol, removed_fill, moved_shares,
)  # fmt: skip


@pytest.mark.parametrize("drift", DRIFTS)
@pytest.mark.parametrize("when", ["in the session before", "in the session"])
def test_what_is_not_ours_stops_new_risk_is_named_and_is_never_traded_away(
    place: Path, drift: Callable[[Case], None], when: str
) -> None:
    case = holding(place)
    if when == "in the session":
        case.at("09:35", case.day(1), seconds=1)
    drift(case)
    sent = len(case.sent())
    outcome = case.slot("09:35", case.day(1))
    assert (outcome.ending, "differ" in outcome.why) == ("refused", True)
    assert case.slot("12:00", case.day(1)).ending == "refused"
    assert len(case.sent()) == sent
    assert case.reconcile().differences != []


def test_what_was_looked_at_and_adopted_is_where_it_goes_on_from(place: Path) -> None:
    case = holding(place)
    foreign_fill(case)
    assert case.slot("09:35", case.day(1)).ending == "refused"
    report, journal = case.reconcile(), case.open()
    adopt(journal, report, case.whose, "bought by hand")
    with journal.tx():
        journal.clear_halts("bought by hand")
    journal.close()
    assert case.reconcile().clean
    assert case.slot("12:00", case.day(1)).ending == "done"
    assert case.positions() == {**HELD, "CCC": 50}  # the decision was for 100 AAA, and the five more go


def test_a_position_that_is_missing_is_never_read_as_sold(place: Path) -> None:
    case = holding(place)
    del case.exchange.ledger.positions["AAA"]
    outcome = case.slot("09:35", case.day(1))
    assert outcome.ending == "refused"
    assert "AAA: 100 in the journal, 0 at the venue" in outcome.why
    assert "AAA" not in str(case.sent()[2:])


def test_an_account_that_was_set_back_is_recognised_and_refused(place: Path) -> None:
    case = holding(place)
    exchange = case.exchange
    exchange.ledger.positions.clear()
    exchange.orders.clear()
    exchange.by_client_id.clear()
    exchange.activities.clear()
    outcome = case.slot("09:35", case.day(1))
    assert (outcome.ending, "it was reset" in outcome.why) == ("refused", True)


def test_a_deposit_is_recognised_and_named(place: Path) -> None:
    case = holding(place)
    case.exchange.ledger.pay(Decimal(1000))
    outcome = case.slot("09:35", case.day(1))
    assert outcome.ending == "done"
    assert outcome.notes == ["cash that is not from orders: +1000.00"]


# ---- row 5: splits


@pytest.mark.parametrize("lieu", [False, True])
@pytest.mark.parametrize(
    ("ratio", "before", "after", "spoken"),
    [(2.0, 101, "202", "2:1"), (0.1, 1005, "100.5", "1:10"), (1.5, 101, "151.5", "3:2"), (0.1, 1009, "100.9", "1:10")],
    ids=["2:1", "1:10", "3:2", "1:10 and nearly one more"],
)
def test_a_split_overnight_is_recognised_with_or_without_cash_in_lieu(
    place: Path, ratio: float, before: int, after: str, spoken: str, lieu: bool
) -> None:
    case = make_case(place, flat(split={(1, "AAA"): ratio}), cash_in_lieu=lieu)
    case.decide(AAA=before, BBB=200)
    case.slot("09:35")
    case.decide(case.day(1), AAA=500, BBB=200)
    outcome = case.slot("09:35", case.day(1))
    assert outcome.ending == "done"
    assert outcome.notes[0].startswith(f"AAA was split {spoken}: {before} became ")
    assert case.positions() == {"AAA": 500, "BBB": 200}
    assert case.reconcile().clean
    bought = 500 - (Decimal(int(Decimal(after))) if lieu else Decimal(after))
    assert [one.known.filled for one in case.orders()[2:]] == [bought]


def test_what_a_session_left_over_in_shares_of_before_a_split_is_not_executed_in_shares_of_after_it(
    place: Path,
) -> None:
    case = make_case(place, flat(split={(1, "AAA"): 2.0}))
    case.decide(AAA=100)
    case.exchange.halt("AAA", on=True)
    case.slot("09:35")
    case.exchange.halt("AAA", on=False)
    case.slot("09:35", case.day(1))
    # nothing was held, so nothing tells of the split, and a goal in old shares is none
    assert case.positions() == {}


def test_what_a_session_left_over_of_something_held_is_carried_in_the_shares_after_its_split(place: Path) -> None:
    case = make_case(place, flat(split={(2, "AAA"): 2.0}))
    case.decide(AAA=10)
    case.slot("09:35")
    case.decide(case.day(1), AAA=100)
    case.exchange.halt("AAA", on=True)
    case.slot("09:35", case.day(1))
    case.exchange.halt("AAA", on=False)
    case.slot("09:35", case.day(2))
    assert case.positions() == {"AAA": 200}


@pytest.mark.parametrize("qty", [50, -30, 101])
def test_a_change_of_shares_at_an_unchanged_price_is_no_split(place: Path, qty: int) -> None:
    case = holding(place)
    case.trade("AAA", qty, "0")
    outcome = case.slot("09:35", case.day(1))
    assert (outcome.ending, "AAA: 100 in the journal" in outcome.why) == ("refused", True)


def test_twice_the_shares_within_a_session_are_no_split(place: Path) -> None:
    case = holding(place)
    case.trade("AAA", 100, "0")
    assert case.slot("12:00").ending == "refused"


def test_a_change_of_ticker_stops_new_risk_until_it_is_adopted(place: Path) -> None:
    case = holding(place)
    held = case.exchange.ledger.positions.pop("AAA")
    case.symbols = ("AAA", "BBB", "CCC")
    case.exchange.ledger.positions["DDD"] = replace(held, symbol="DDD")
    outcome = case.slot("09:35", case.day(1))
    assert outcome.ending == "refused"
    assert "the account also holds DDD" in outcome.why
    assert "AAA: 100 in the journal, 0 at the venue" in outcome.why


# ---- row 21: the expected account


def test_the_keys_of_another_account_are_refused_before_anything_is_written_or_sent(place: Path) -> None:
    case = make_case(place, account="PA9999999999")
    case.decide(AAA=10)
    outcome = case.slot("09:35")
    assert (outcome.ending, "the keys are of account PA0000000000" in outcome.why) == ("refused", True)
    assert (case.sent(), case.orders()) == ([], [])


def test_strategies_whose_source_changed_under_one_configuration_are_refused_until_accepted(place: Path) -> None:
    case = holding(place)
    case.decider.code_hash = "changed"
    outcome = case.slot("09:35", case.day(1))
    assert (outcome.ending, "adopt --code" in outcome.why) == ("refused", True)
    assert len(case.sent()) == 2
    journal = case.open()
    with journal.tx():
        journal.set_meta("code_hash", "changed")
    journal.close()
    assert case.slot("12:00", case.day(1)).ending == "done"


# ---- books beside each other


def test_what_lies_beside_a_book_of_symbols_is_left_alone(place: Path) -> None:
    case = make_case(place, manage="symbols", symbols=("AAA", "BBB", "CCC"))
    case.exchange.submit(ticket("DDD", 5))
    case.decide(AAA=10)
    assert case.slot("09:35").ending == "done"
    case.exchange.submit(ticket("DDD", -2))
    case.exchange.submit(ticket("DDD", 1, "5"))
    assert case.slot("12:00").ending == "done"
    assert case.reconcile().beside == {"DDD": 3}


def test_two_books_of_symbols_on_one_account_do_not_see_each_other(place: Path) -> None:
    one = make_case(place / "one", manage="symbols", symbols=("AAA", "BBB"), book="one")
    other = beside(one, place / "other", symbols=("CCC", "DDD"), book="other")
    one.decide(AAA=10)
    other.decide(DDD=10)
    for slot in ("09:35", "12:00"):
        assert [case.slot(slot).ending for case in (one, other)] == ["done", "done"]
    assert one.positions() == {"AAA": 10, "DDD": 10}
    assert len({one[11:17] for one in one.sent()}) == 2


# ---- looks between two sessions: a daemon that is started again at any hour

# from the evening before to the open: before midnight in New York, after it, after the venue's own night, the last
# minute; None = nobody looks
NIGHT = (None, "18:00", "00:30", "03:00", "05:00", "09:29")


def night_of(day: date, hour: str) -> datetime:
    """Return an hour of the night before a session's open."""
    at = time.fromisoformat(hour)
    evening = at > time(12)
    return datetime.combine(previous_session(day) if evening else day, at, ZoneInfo("America/New_York")).astimezone(UTC)


@pytest.mark.parametrize("knows", [False, True], ids=["a watch", "who knows dividends"])
@pytest.mark.parametrize("hours", [(hour,) for hour in NIGHT] + [NIGHT[1:]], ids=str)
def test_a_split_is_recognised_whoever_looked_in_the_night_before(
    place: Path, hours: tuple[str | None, ...], knows: bool
) -> None:
    case = make_case(place, flat(split={(1, "AAA"): 2.0}))
    case.decide(AAA=100, BBB=200)
    case.slot("09:35")
    case.decide(case.day(1), AAA=250, BBB=200)
    for hour in hours:
        if hour is not None:
            case.to(night_of(case.day(1), hour))
            assert case.reconcile(knows=knows).clean, hour
    assert case.slot("09:35", case.day(1)).ending == "done"
    assert case.positions() == {"AAA": 250, "BBB": 200}
    journal = case.open()
    assert journal.halts() == []
    assert journal.splits(case.day(1)) == {"AAA": 2}
    journal.close()


@pytest.mark.parametrize("hours", [(hour,) for hour in NIGHT] + [NIGHT[1:]], ids=str)
def test_a_dividend_is_one_whoever_looked_in_the_night_before(place: Path, hours: tuple[str | None, ...]) -> None:
    case = make_case(place)
    case.decide(AAA=100)
    case.slot("09:35")
    case.decider.pays = {case.day(1): Decimal(50)}
    paid = False
    for hour in (*hours, "09:31"):
        if hour is None:
            continue
        case.to(night_of(case.day(1), hour))
        if not paid and case.clock.now() >= night_of(case.day(1), "04:00"):
            case.exchange.ledger.pay(Decimal(50))
            paid = True
        assert case.reconcile().recognised == []  # it does not know: it may be a dividend
    assert case.slot("09:35", case.day(1)).notes == ["dividends: +50.00"]
    case.exchange.ledger.pay(Decimal(70))
    case.at("12:00", case.day(1))
    assert case.reconcile().recognised == ["cash that is not from orders: +70.00"]  # none comes within a session


def test_a_dividend_that_was_taken_in_at_night_is_not_taken_in_again(place: Path) -> None:
    case = make_case(place)
    case.decide(AAA=100)
    case.slot("09:35")
    case.decider.pays = {case.day(1): Decimal(50)}
    case.exchange.ledger.pay(Decimal(50))
    case.to(night_of(case.day(1), "05:00"))
    assert case.reconcile(knows=True).recognised == ["dividends: +50.00"]
    case.exchange.ledger.pay(Decimal(70))
    assert case.slot("09:35", case.day(1)).notes == ["cash that is not from orders: +70.00"]


def test_a_price_of_after_a_split_at_night_is_not_what_shares_of_before_are_valued_at(place: Path) -> None:
    """Venues bring prices and shares over a split at different minutes of the night."""
    case = make_case(place, flat(split={(1, "AAA"): 2.0}))
    case.decide(AAA=100, BBB=200)
    case.slot("09:35")
    case.to(night_of(case.day(1), "05:00"))
    held = case.exchange.ledger.positions["AAA"]
    case.exchange.ledger.trade("AAA", -held.qty / 2, Decimal(0))  # the price is of after, the shares are of before
    assert case.reconcile().clean
    case.exchange.ledger.trade("AAA", held.qty, Decimal(0))
    case.decide(case.day(1), AAA=250, BBB=200)
    outcome = case.slot("09:35", case.day(1))
    assert (outcome.ending, outcome.notes[0]) == ("done", "AAA was split 2:1: 100 became 200")
