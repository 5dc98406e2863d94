"""Bounds that nothing above them can move (row 17), and that a restart does not set back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.live_case import LIVE, Case, make_case
from support.live_venue import SYMBOLS

from plimsoll.engine.config.live import CapsSection, LiveSection
from plimsoll.engine.errors import InputError
from plimsoll.engine.execution.legalise import NEEDS, LegalOrder, Wish
from plimsoll.engine.execution.venue import Answer, Intent, Rejected
from plimsoll.engine.live.caps import Caps
from plimsoll.engine.live.clock import nowhere
from plimsoll.engine.live.journal.rows import Goal, OrderRow, PlanRow, SlotRow
from plimsoll.engine.live.order_state import Known
from plimsoll.engine.live.proposal import Asked, Proposal
from plimsoll.engine.live.send import Sender
from plimsoll.engine.live.slots import Window

DAY = date(2024, 1, 2)
EQUITY = Decimal(1_000_000)


def capped(**caps: Any) -> LiveSection:
    return LIVE.model_copy(update={"caps": CapsSection(**caps)})


def row(n: int, dollars: str = "100", state: Any = "planned", slot: str = "09:35") -> OrderRow:
    order = LegalOrder(n, f"S{n}", "buy", Decimal(dollars) / 100, "market", None, NEEDS, Decimal(100))
    return OrderRow(f"id{n}", DAY, slot, 1, False, order, Known(state))


@pytest.mark.parametrize("qty", ["NaN", "Infinity", "-Infinity", "0", "-5", "1e308"])
def test_a_quantity_that_is_none_is_refused_whatever_the_bounds_are(qty: str) -> None:
    loose = CapsSection(order_equity=1e9, slot_turnover=1e9, day_turnover=1e9)
    one = row(1)
    spoilt = replace(one, order=replace(one.order, qty=Decimal(qty)))
    assert Caps(loose, EQUITY).refusal(spoilt, [spoilt], 0) != ""


@pytest.mark.parametrize(
    ("caps", "adv", "dollars", "says"),
    [
        ({"order_notional": 500.0}, None, "501", "order_notional"),
        ({"order_equity": 0.1}, None, "100001", "order_equity"),
        ({"order_adv": 0.1}, "1000", "101", "order_adv"),
        ({"slot_turnover": 0.2}, None, "100001", "slot_turnover"),
        ({"day_turnover": 0.3, "slot_turnover": 9}, None, "100001", "day_turnover"),
        ({"slot_orders": 2}, None, "1", "slot_orders"),
        ({"day_orders": 4}, None, "1", "day_orders"),
    ],
)
def test_each_bound_refuses_what_lies_just_beyond_it(
    caps: dict[str, Any], adv: str | None, dollars: str, says: str
) -> None:
    # 50,000 twice in the slot and 50,000 twice before it
    before = [row(n, "50000", "filled", "09:35" if n < 2 else "12:00") for n in range(4)]
    one = replace(row(9, dollars), slot="09:35")
    bounds = Caps(CapsSection(**caps), EQUITY, {} if adv is None else {"S9": Decimal(adv)})
    assert f"live.caps.{says}" in bounds.refusal(one, [*before, one], 0)
    assert Caps(CapsSection(), EQUITY).refusal(one, [*before, one], 0) == ""


def test_the_same_order_sent_again_is_not_counted_twice_and_still_has_its_own_bounds() -> None:
    bounds = Caps(CapsSection(slot_orders=1, order_notional=200), EQUITY)
    assert bounds.refusal(row(1, "100", "unknown"), [row(1, "100", "unknown"), row(2, "1", "filled")], 1) == ""
    assert bounds.refusal(row(1, "300", "unknown"), [], 1) != ""


# ---- a strategy gone mad


def test_a_thousand_orders_end_at_the_bound_of_the_slot(place: Path) -> None:
    case = make_case(place)
    window = Window(DAY, "09:35", case.clock.now(), case.clock.now(), case.clock.now() + timedelta(hours=1))
    journal = case.open()
    goals = {f"S{n}": Goal(f"S{n}", Decimal(1), Decimal(0), Decimal(1), Decimal(1)) for n in range(2)}
    slot = SlotRow(DAY, "09:35", window.due, window.ends, done=False)
    rows = [row(n, "1") for n in range(1000)]
    with journal.tx():
        journal.add_plan(PlanRow(DAY, date(2023, 12, 29), datetime.now(UTC), False, EQUITY, "c", "s", goals))
        journal.add_slot(slot)
        for one in rows:
            journal.add_order(one)
    sent: list[str] = []

    def take(_: int, intent: Intent) -> Answer:
        sent.append(intent.client_id)
        return Rejected("other", "no")

    case.line.on_submit = take
    sender = Sender(journal, case.line, case.clock, case.folder, window, Caps(CapsSection(), EQUITY), nowhere)
    states = [sender.send(one, lambda _: "").known.state for one in rows]
    journal.close()
    assert len(sent) == len(set(sent)) == 200
    assert (states[:200], set(states[200:])) == (["rejected"] * 200, {"denied"})


def wanting(case: Case, wish: Callable[[str], Decimal]) -> None:
    """Let the decision want absurd amounts."""
    usual = case.decider.propose

    def propose(asked: Asked) -> Proposal:
        wishes = tuple(Wish(n, s, wish(s), Decimal(100), Decimal(0), NEEDS) for n, s in enumerate(SYMBOLS))
        return replace(usual(asked), due=True, wishes=wishes)

    case.decider.propose = propose  # type: ignore[method-assign]


@pytest.mark.parametrize("qty", ["NaN", "Infinity", "-Infinity", "1e308", "-1e308", "1e30", "1e-300"])
def test_a_decision_of_absurd_quantities_ends_in_nothing_or_within_the_money_there_is(place: Path, qty: str) -> None:
    case = make_case(place)
    wanting(case, lambda _: Decimal(qty))
    try:
        case.slot("09:35")
    except (InputError, ArithmeticError):
        assert case.sent() == []
    assert sum((one.intent.qty * (one.intent.limit or 0) for one in case.line.posted), Decimal(0)) <= EQUITY
    assert case.exchange.ledger.cash >= 0


def test_weights_that_sum_to_fifty_are_cut_to_what_there_is(place: Path) -> None:
    case = make_case(place)
    wanting(case, lambda _: Decimal(125_000))
    case.slot("09:35")
    assert case.exchange.ledger.cash >= 0
    assert sum((one.intent.qty * 100 for one in case.line.posted), Decimal(0)) <= EQUITY


def test_a_flipped_sign_is_stopped_by_the_bounds_of_the_slot(place: Path) -> None:
    case = make_case(place, live=capped(slot_turnover=0.5), margin=True)
    case.decide(AAA=-3000, BBB=-6000, CCC=-15_000)
    case.slot("09:35")
    sent = sum((one.intent.qty * (one.intent.limit or 0) for one in case.line.posted), Decimal(0))
    assert sent <= EQUITY / 2
    assert [one.known.state for one in case.orders()].count("denied") == 2


def test_a_hundred_restarts_do_not_set_the_counters_back(place: Path) -> None:
    case = make_case(place, live=capped(day_orders=3, slot_orders=2))
    case.decide(AAA=10, BBB=10, CCC=10, DDD=10)
    case.line.on_submit = lambda _n, _i: Rejected("other", "no")
    for _ in range(25):
        for slot in case.live.slots:
            case.slot(slot) if case.clock.now() < case.exchange.session.open + timedelta(hours=7) else case.run(slot)
    assert len(case.sent()) == 3


def test_an_account_that_lost_too_much_since_the_sessions_first_look_takes_no_new_risk(place: Path) -> None:
    case = make_case(place, margin=True)
    case.decide(AAA=5000)
    case.slot("09:35")
    case.exchange.ledger.pay(Decimal(1))  # flows are no gain: the loss below is of the market
    case.slot("12:00")
    journal = case.open()
    with journal.tx():
        journal.set_day_equity(case.first, Decimal(1_200_000))
    journal.close()
    case.slot("14:00")
    journal = case.open()
    assert [one.grade for one in journal.halts()] == ["new_risk"]
    journal.close()
