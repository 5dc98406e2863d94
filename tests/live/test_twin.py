"""A session against its twin: nothing between them where nothing went wrong, else every dollar under its own cause."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.live_book import FIRST, LAST, SLOTS, Desk, make_desk
from support.restless import Restless
from support.twin_week import WEEK, case_of, journal_of, revised, trade

from plimsoll.brokers.exchange.settings import Handling, HandlingRule
from plimsoll.engine.cli.twin import run_twin
from plimsoll.engine.errors import DataError
from plimsoll.engine.execution.broker import Account
from plimsoll.engine.execution.legalise import LegalOrder, Wish
from plimsoll.engine.live.day_plan import Decided
from plimsoll.engine.live.inputs import Inputs, journalled
from plimsoll.engine.live.journal.rows import Goal, OrderRow, PlanRow
from plimsoll.engine.live.order_state import Known
from plimsoll.engine.live.positions import Split
from plimsoll.engine.live.simulate import Simulated
from plimsoll.engine.live.track import Twin, twin_of
from plimsoll.engine.live.twin import CAUSES, Cash, Gap, Sides, gap_of, traded_of
from plimsoll.engine.verbs.accounts import flatten
from plimsoll.engine.verbs.twin import twin


def find(desk: Desk, session: date | None = None) -> Twin:
    """Return a session's twin."""
    with journal_of(desk) as journal:
        return twin_of(case_of(desk), journal, session)


def only(gap: Gap, *causes: str) -> None:
    """Check that no other cause has anything, and that all of them are the gap."""
    for name in CAUSES:
        if name not in causes:
            assert gap.of(name) == pytest.approx(0.0, abs=1e-6), name
    assert sum(gap.of(name) for name in CAUSES) == pytest.approx(gap.dollars, abs=1e-6)


def bar(desk: Desk, symbol: str, day: date) -> tuple[float, float]:
    """Return a symbol's open and close."""
    t, i = int(np.searchsorted(desk.panel.clock.session, np.datetime64(day))), desk.panel.column(symbol)
    return float(desk.panel.open[t, i]), float(desk.panel.close[t, i])


def test_a_clean_week_is_its_twin_and_the_account_is_the_exchanges(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    worth = trade(desk, slots=SLOTS)
    found = find(desk)
    assert [one.session for one in found.history] == WEEK
    assert [one.account for one in found.history] == pytest.approx(worth, abs=1e-6)
    for one in found.history:
        assert f"{abs(one.bps):.2f}" == "0.00"
        only(one)
    assert f"{abs(found.total_bps):.2f}" == "0.00"
    assert found.ok
    assert sum(one.carried for one in found.history) == 3  # some sessions of the week decided nothing
    filled = [line for one in found.history for line in one.lines if line.filled]
    assert len(filled) == 9
    for line in filled:
        assert line.filled == line.simulated == line.wished == line.wished_again


def test_the_journalled_inputs_are_the_account_that_decided(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    before = desk.venue.snapshot()
    desk.slot("09:35")
    with journal_of(desk) as journal:
        (told,) = journalled(journal)
        kinds = [event.kind for event in journal.events()]
    assert (told.session, told.cash, told.equity, told.holdings, told.adopt) == (
        FIRST, before.cash, float(before.equity), {}, True,
    )  # fmt: skip
    at = int(np.searchsorted(desk.panel.clock.session, np.datetime64(FIRST)))
    close = dict(zip(desk.panel.symbols, desk.panel.close[at - 1], strict=True))
    assert {s: one.price for s, one in told.prices.items()} == close
    assert kinds.index("inputs") == kinds.index("plan") + 1


def test_a_rejected_order_is_unfilled_and_nothing_else(tmp_path: Path) -> None:
    clean, desk = make_desk(tmp_path / "a"), make_desk(tmp_path / "b")
    worth = trade(clean, [FIRST])
    desk.exchange.handling_rules.append(HandlingRule(handling=Handling(reject=True), symbol="BBB"))
    lost = trade(desk, [FIRST])[0] - worth[0]
    gap = find(desk).gap
    opened, closed = bar(desk, "BBB", FIRST)
    line = next(one for one in gap.lines if one.symbol == "BBB")
    assert line.sent > 0.0 == line.filled
    assert gap.of("unfilled") == pytest.approx(-line.sent * (closed - opened), abs=1e-6)
    assert gap.dollars == pytest.approx(lost, abs=1e-6)
    assert "rejected" in line.state
    only(gap, "unfilled")


def test_a_partial_fill_is_unfilled_by_what_is_missing(tmp_path: Path) -> None:
    clean, desk = make_desk(tmp_path / "a"), make_desk(tmp_path / "b")
    worth = trade(clean, [FIRST])
    slow = Handling(parts=(Decimal("0.25"),), delay_s=900.0)
    desk.exchange.handling_rules.append(HandlingRule(handling=slow, symbol="CCC"))
    lost = trade(desk, [FIRST])[0] - worth[0]
    gap = find(desk).gap
    line = next(one for one in gap.lines if one.symbol == "CCC")
    opened, closed = bar(desk, "CCC", FIRST)
    assert line.filled == pytest.approx(0.25 * line.sent, abs=1e-8)
    assert gap.of("unfilled") == pytest.approx((line.filled - line.sent) * (closed - opened), abs=1e-6)
    assert gap.dollars == pytest.approx(lost, abs=1e-6)
    only(gap, "unfilled")


def test_what_the_next_slot_finished_is_not_missing(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    reject = HandlingRule(handling=Handling(reject=True), symbol="BBB", times=1)
    desk.exchange.handling_rules.append(reject)
    trade(desk, [FIRST], slots=SLOTS)
    gap = find(desk).gap
    line = next(one for one in gap.lines if one.symbol == "BBB")
    assert line.filled == line.sent == line.simulated
    only(gap)


def test_a_fee_has_its_own_column(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)

    def charge(day: date) -> None:
        if day == FIRST:
            desk.exchange.ledger.cash -= Decimal("1.23")

    trade(desk, WEEK[:2], after=charge)
    found = find(desk)
    first, second = found.history
    assert first.of("fees") == pytest.approx(-1.23, abs=1e-9)
    only(first, "fees")
    only(second)
    assert found.total_bps == pytest.approx(-1.23 / 100_000.0 * 1e4, abs=1e-6)


def test_what_is_sold_between_the_slots_is_risk(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    trade(desk, WEEK[:2])
    bought = {symbol: float(qty) for symbol, qty in desk.shares().items()}
    desk.to(WEEK[2], "09:35")
    desk.exchange.halted.update(bought)  # the decision of the day is not executed
    desk.slot("09:35")
    desk.exchange.halted.clear()
    desk.to(WEEK[2], "11:00")
    flatten(desk.values, "get out", venue=desk.venue, clock=desk.clock, host=desk.host)
    assert desk.shares() == {}
    desk.to(WEEK[2], "16:30")
    gap = find(desk).gap
    sold = sum(-qty * (bar(desk, symbol, WEEK[2])[1] - bar(desk, symbol, WEEK[2])[0]) for symbol, qty in bought.items())
    assert gap.of("risk") == pytest.approx(sold, abs=1e-6)
    assert gap.account == pytest.approx(float(desk.venue.snapshot().equity), abs=1e-6)
    only(gap, "risk", "rounding")


def test_a_withdrawal_is_no_fee_and_no_gap(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)

    def take(day: date) -> None:
        if day == FIRST:
            desk.exchange.ledger.cash -= Decimal(5_000)

    trade(desk, WEEK[:2], after=take)
    first, second = find(desk).history
    assert first.flow == pytest.approx(-5_000.0)
    assert second.equity < 96_000.0
    only(first)
    only(second)


def test_a_dividend_that_paper_omits_is_owed_by_symbol(tmp_path: Path) -> None:
    desk = make_desk(tmp_path, dividends=False)
    worth = trade(desk)
    paid_on = date(2024, 11, 29)
    gap = next(one for one in find(desk).history if one.session == paid_on)
    assert gap.of("dividends") == pytest.approx(-0.5 * 469.388239142, abs=1e-6)
    assert {line.symbol for line in gap.lines if line.causes["dividends"]} == {"BBB"}
    assert gap.account == pytest.approx(worth[WEEK.index(paid_on)], abs=1e-6)
    only(gap, "dividends")
    with journal_of(desk) as journal:
        assert twin_of(case_of(desk), journal, paid_on).inside  # 23.46 bps of 25


def test_costs_that_only_the_simulator_charges_are_fees(tmp_path: Path) -> None:
    desk = make_desk(tmp_path, costs={"preset": "flat", "flat_bps": 5.0})
    trade(desk, [FIRST])
    gap = find(desk).gap
    traded = sum(abs(line.filled) * line.price for line in gap.lines)
    assert traded > 1_000.0
    assert gap.of("fees") == pytest.approx(5e-4 * traded, rel=1e-9)
    only(gap, "fees")


def test_interest_that_only_the_simulator_books_is_carry(tmp_path: Path) -> None:
    desk = make_desk(tmp_path, financing={"cash_rate": 0.0504})
    trade(desk, [FIRST])
    gap = find(desk).gap
    assert gap.of("carry") == pytest.approx(-100_000.0 * 0.0504 / 252.0, abs=1e-9)
    only(gap, "carry")


def test_revised_prices_that_decide_otherwise_are_data_and_the_sum_still_holds(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.values["sleeve"][0].update(strategy="support.restless:Watcher", params={"symbols": ["AAA", "BBB", "CCC"]})
    trade(desk, WEEK[:4])
    with journal_of(desk) as journal:
        other = revised(desk.panel, "AAA", date(2024, 9, 20), by=1.5)
        found = twin_of(case_of(desk, other), journal)
    moved = [one for one in found.history if one.of("data")]
    assert moved
    for one in found.history:
        assert one.revised
        only(one, "data")
    assert not found.ok
    assert "AAA on or before 2024-11-22" in found.check.why[0]


def test_another_rule_under_the_same_prices_is_signal(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    trade(desk, [FIRST])
    changed = Restless(Restless.Params(symbols=("AAA", "BBB", "CCC"), seed=4, most=0.25, often=0.6))
    with journal_of(desk) as journal:
        found = twin_of(replace(case_of(desk), strategies={"s": changed}), journal)
    assert abs(found.gap.of("signal")) > 1.0
    only(found.gap, "signal")
    assert not found.check.decision


def test_the_verb_shows_a_session_in_text_and_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = make_desk(tmp_path, dividends=False, live={"twin_band_bps": 5.0})
    trade(desk, WEEK[:4])

    def here(what: Any, *args: Any, **more: Any) -> Any:
        return twin(desk.values, data=desk.panel, host=desk.host, session=more["session"])

    monkeypatch.setattr("plimsoll.engine.cli.twin.twin", here)
    assert run_twin(Path("x"), None, "2024-11-27", None, (), as_json=False)
    assert "+0.00 bps (band 5)" in capsys.readouterr().out
    assert not run_twin(Path("x"), None, None, None, (), as_json=False)
    out = capsys.readouterr().out
    assert "-234.69 dollars, -23.46 bps, OUTSIDE the band of 5" in out
    assert not run_twin(Path("x"), None, None, None, (), as_json=True)
    assert '"inside": false' in capsys.readouterr().out
    with pytest.raises(DataError, match="nothing was decided for it"):
        here("x", session="2024-12-03")
    with pytest.raises(DataError, match="is not a date"):
        here("x", session="yesterday")


def test_without_a_journal_there_is_nothing_to_compare(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    with pytest.raises(DataError, match="there is no journal"):
        twin(desk.values, data=desk.panel, host=desk.host)


def test_sessions_of_another_configuration_are_left_out_and_said(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    trade(desk, WEEK[:2])
    desk.values["live"]["cash_buffer"] = 0.03
    trade(desk, WEEK[2:4])
    found = find(desk)
    assert (len(found.history), found.left_out) == (2, 2)
    with pytest.raises(DataError, match="another configuration"):
        find(desk, WEEK[0])


# ---- the causes add up, whatever happened

SHARES = st.integers(-500, 500).map(float)
DOLLARS = st.integers(-2_000, 2_000).map(lambda cents: cents / 10)
PRICE = st.integers(100, 50_000).map(lambda cents: cents / 100)
N = 3
NAMES = ("A", "B", "C")
three: Callable[[Any], Any] = lambda one: st.lists(one, min_size=N, max_size=N)  # noqa: E731


@settings(max_examples=300, deadline=None)
@given(
    held=three(SHARES), again=three(SHARES), wished=three(SHARES), order=three(SHARES), fill=three(SHARES),
    sent=three(st.integers(1, 400)), parts=three(st.integers(0, 100)), sides=three(st.sampled_from(["buy", "sell"])),
    at=three(PRICE), paid=three(PRICE), close=three(PRICE), charged=three(DOLLARS), due=three(DOLLARS),
    money=three(DOLLARS), carry=DOLLARS, revised_too=st.booleans(), carried=st.booleans(),
)  # fmt: skip
def test_the_causes_add_up_to_account_less_twin(
    held: Any, again: Any, wished: Any, order: Any, fill: Any, sent: Any, parts: Any, sides: Any, at: Any, paid: Any,
    close: Any, charged: Any, due: Any, money: Any, carry: float, revised_too: bool, carried: bool,
) -> None:  # fmt: skip
    cash, exact = 100_000.0, [Decimal(repr(qty)) for qty in held]
    arrays = [np.array(values, dtype=float) for values in (order, fill, at, charged, due, close)]
    early, late, fees = money
    # what a simulated account is worth, from first principles
    worth = cash - early + sum(due) + carry - sum(charged) - float(arrays[1] @ arrays[2])
    worth += float((np.array(held) + arrays[1]) @ arrays[5])
    sim = Simulated(worth, arrays[0], arrays[1], arrays[2], arrays[3], arrays[4], carry, arrays[5])
    inputs = Inputs(
        FIRST, FIRST, Decimal(100_000), 100_000.0, dict(zip(NAMES, exact, strict=True)), {}, {}, False, True, (),
        "", {}, "", "",
    )  # fmt: skip
    goals = {
        name: Goal(name, qty + Decimal(repr(way)), qty, Decimal(1), Decimal(1))
        for name, qty, way in zip(NAMES, exact, wished, strict=True)
    }
    wishes = tuple(
        Wish(i, name, Decimal(repr(qty)), Decimal(1), exact[i], 0)
        for i, (name, qty) in enumerate(zip(NAMES, again, strict=True))
    )
    account = Account(cash, cash, 0.0, np.array(held), np.array(held))
    rows = []
    for i, name in enumerate(NAMES):
        filled = Decimal(sent[i]) * parts[i] / 100
        legal = LegalOrder(i, name, sides[i], Decimal(sent[i]), "market", None, 0, Decimal(1))
        known = Known("filled" if parts[i] == 100 else "canceled", filled)
        rows.append(OrderRow(name, FIRST, "09:35", 0, True, legal, known, filled * Decimal(repr(paid[i]))))
    plan = PlanRow(FIRST, FIRST, datetime(2024, 11, 25, tzinfo=UTC), carried, Decimal(100_000), "", "", goals)
    decided = Decided(account, False, True, None, {}, Split({}, {}), wishes)
    gap = gap_of(Sides(inputs, plan, rows, Cash(early, late, fees), decided, sim, NAMES, revised_too))
    # what the real one is worth, the same way
    traded = [(1 if side == "buy" else -1) * sent[i] * parts[i] / 100 for i, side in enumerate(sides)]
    real = cash + late - fees - sum(q * p for q, p in zip(traded, paid, strict=True))
    real += sum((h + q) * c for h, q, c in zip(held, traded, close, strict=True))
    assert gap.account == pytest.approx(real, abs=1e-6)
    assert gap.dollars == pytest.approx(real - worth, abs=1e-6)
    assert sum(gap.of(name) for name in CAUSES) == pytest.approx(gap.dollars, abs=1e-6)
    assert sum(line.total for line in gap.lines) == pytest.approx(gap.dollars, abs=1e-6)
    assert gap.of("fees") == pytest.approx(sum(charged) - fees, abs=1e-9)
    assert gap.of("dividends") == pytest.approx(early + late - sum(due), abs=1e-6)
    slipped = sum(q * (p - f) for q, p, f in zip(traded, at, paid, strict=True))
    assert gap.of("price") == pytest.approx(slipped, abs=1e-6)


def test_what_two_slots_sent_of_one_wish_counts_once() -> None:
    def row(slot: str, qty: int, filled: int) -> OrderRow:
        legal = LegalOrder(0, "A", "sell", Decimal(qty), "market", None, 0, Decimal(10))
        state: Any = "filled" if filled == qty else "canceled"
        return OrderRow(slot, LAST, slot, 0, True, legal, Known(state, Decimal(filled)), Decimal(10 * filled))

    found = traded_of([row("09:35", 100, 60), row("12:00", 40, 30)])["A"]
    assert (found.sent, found.filled, found.paid) == (-100, -90, -900)


def test_a_dividend_of_a_session_that_was_slept_through_is_in_neither(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    trade(desk, WEEK[:3])
    trade(desk, WEEK[4:])  # the ex-date, and the split a session later
    found = find(desk)
    assert len(found.history) == 5
    for one in found.history:
        assert abs(one.bps) < 0.005
        only(one)
