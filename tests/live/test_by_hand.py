"""What is done beside the slots, at whatever time: accepted holdings, symbols that leave, sessions nobody ran."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from support.live_book import FIRST, SYMBOLS, Desk, make_desk, market
from support.opened import on, opened, state

from plimsoll.engine.errors import InputError, VenueError
from plimsoll.engine.execution.venue import Intent, Quote
from plimsoll.engine.live.halt_file import write_halt
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import Goal, PlanRow
from plimsoll.engine.live.marks import MarksSoFar, marks_of
from plimsoll.engine.live.proposal import Proposal
from plimsoll.engine.live.way import carried
from plimsoll.engine.runtime.load import load_run
from plimsoll.engine.verbs.accounts import adopt, flatten, reconcile
from plimsoll.engine.verbs.control import resume, status
from plimsoll.engine.verbs.rebalance import rebalance

WEEK = (date(2024, 11, 25), date(2024, 11, 26), date(2024, 11, 27), date(2024, 11, 29), date(2024, 12, 2))
MONDAY = date(2024, 12, 2)


def journal_of(desk: Desk) -> Journal:
    found = Journal.read_only(state(desk), desk.clock.now)
    assert found is not None
    return found


def trade(desk: Desk, days: tuple[date, ...]) -> list[float]:
    """Run the first slot of each session; return what the exchange said the account was worth at each close."""
    worth = []
    for day in days:
        desk.to(day, "09:35")
        assert desk.slot("09:35").ok
        desk.to(day, "16:30")
        worth.append(float(desk.venue.snapshot().equity))
    return worth


def closes(desk: Desk) -> np.ndarray:
    """Return the book's own closes, dollars and growth since it began, (2, S)."""
    journal = journal_of(desk)
    found, step_by_step = marks_of(journal, desk.panel), MarksSoFar().marks(journal, desk.panel, None)
    journal.close()
    assert step_by_step.digest() == found.digest()
    known = ~np.isnan(found.index)
    return np.vstack((found.equity[known], found.index[known]))


@pytest.mark.parametrize(
    ("begun", "first"),
    [
        (date(2024, 11, 23), FIRST),  # a Saturday
        (date(2024, 11, 24), FIRST),
        *((day, day) for day in (date(2024, 11, 25), date(2024, 11, 26), date(2024, 11, 27))),
        (date(2024, 11, 28), date(2024, 11, 29)),  # Thanksgiving
        (date(2024, 11, 29), date(2024, 11, 29)),
    ],
)
def test_a_journal_begun_on_any_day_has_the_closes_of_the_account(tmp_path: Path, begun: date, first: date) -> None:
    desk = make_desk(tmp_path)
    desk.to(begun, "08:00")
    assert reconcile(desk.values, **on(desk)).clean
    days = tuple(day for day in WEEK if day >= first)
    worth = trade(desk, days)
    equity, index = closes(desk)[:, : len(days)]
    assert equity == pytest.approx(worth, abs=0.02)
    assert index == pytest.approx(np.array(worth) / 100_000.0, abs=1e-6)


@pytest.mark.parametrize("begun", [date(2024, 11, 23), FIRST])
def test_the_governor_of_a_book_begun_on_a_weekend_sees_no_loss(tmp_path: Path, begun: date) -> None:
    desk = make_desk(tmp_path, integrator={"preset": "book"})
    desk.to(begun, "08:00")
    assert reconcile(desk.values, **on(desk)).clean
    trade(desk, WEEK)
    equity, _ = closes(desk)
    assert (abs(equity / 100_000.0 - 1.0) < 0.05).all()
    assert desk.shares()  # nothing made it sell all


def test_what_filled_before_holdings_were_accepted_is_in_them_and_is_not_counted_again(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    desk.to(FIRST, "11:00")
    desk.venue.submit(Intent("byhand", "AAA", "sell", Decimal(1), "market"))
    desk.to(FIRST, "11:05")
    assert not reconcile(desk.values, **on(desk)).clean
    adopt(desk.values, "a share sold by hand", **on(desk))
    desk.to(FIRST, "16:30")
    worth = [float(desk.venue.snapshot().equity), *trade(desk, WEEK[1:])]
    equity, index = closes(desk)[:, : len(WEEK)]
    assert equity == pytest.approx(worth, abs=0.02)
    assert np.diff(np.log(index)) == pytest.approx(np.diff(np.log(worth)), abs=1e-6)


def test_cash_that_came_before_holdings_were_accepted_is_in_them(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    desk.exchange.ledger.cash += Decimal(5_000)
    desk.to(FIRST, "11:00")
    assert "cash that is not from orders" in str(reconcile(desk.values, **on(desk)).recognised)
    adopt(desk.values, "looked through", **on(desk))
    desk.to(FIRST, "16:30")
    worth = [float(desk.venue.snapshot().equity), *trade(desk, WEEK[1:2])]
    assert closes(desk)[0][:2] == pytest.approx(worth, abs=0.02)


@pytest.mark.parametrize("accepted_on", [date(2024, 11, 29), date(2024, 11, 30)])
def test_holdings_accepted_after_the_last_session_of_a_week_are_those_of_the_book(
    tmp_path: Path, accepted_on: date
) -> None:
    desk = make_desk(tmp_path)
    trade(desk, WEEK[:3])
    desk.to(WEEK[3], "09:35")
    assert desk.slot("09:35").ok
    symbol, qty = next(iter(desk.shares().items()))
    desk.to(WEEK[3], "12:30")
    desk.venue.submit(Intent("byhand", symbol, "sell", Decimal(qty), "market"))
    desk.to(accepted_on, "17:00")
    adopt(desk.values, "accepted", **on(desk))
    worth = trade(desk, (MONDAY,))
    assert closes(desk)[0][4] == pytest.approx(worth[0], abs=0.02)


def test_a_symbol_that_was_traded_once_and_left_the_book_is_no_trouble(tmp_path: Path) -> None:
    panel = market(split_on=date(2024, 9, 10), paid_on=date(2024, 9, 11))
    folder = tmp_path / "csv"
    folder.mkdir()
    desk = make_desk(tmp_path, panel=panel, data={"source": "csv", "path": str(folder)})

    def write_before(day: date) -> None:
        days = panel.clock.session.astype("datetime64[D]").astype(object)
        for i, symbol in enumerate(panel.symbols):
            rows = ["date,open,high,low,close,volume,dividend,split"]
            for t in range(panel.n_bars):
                a, b = panel.open[t, i], panel.close[t, i]
                if days[t] < day:
                    rows.append(f"{days[t]},{a},{max(a, b)},{min(a, b)},{b},1000000,0,{panel.split[t, i]}")
            (folder / f"{symbol}.csv").write_text("\n".join(rows) + "\n")

    def slot(day: date) -> str:
        write_before(day)
        desk.to(day, "09:35")
        return rebalance(desk.values, "09:35", venue=desk.venue, clock=desk.clock, host=desk.host).ending

    assert slot(WEEK[0]) == "done"
    desk.to(FIRST, "12:00")
    assert flatten(desk.values, "another universe", **on(desk)).ending == "done"
    resume(desk.values, "go on", venue=desk.venue, host=desk.host)
    desk.values["sleeve"][0]["params"]["symbols"] = list(SYMBOLS[:2])
    assert [slot(day) for day in WEEK[1:4]] == ["done"] * 3
    desk.to(WEEK[3], "16:30")
    worth = float(desk.venue.snapshot().equity)
    write_before(MONDAY)
    _, own, _ = load_run(desk.config)
    assert own.symbols == SYMBOLS[:2]
    journal = journal_of(desk)
    marks = marks_of(journal, own)
    journal.close()
    assert marks.equity[-1] == pytest.approx(worth, abs=0.02)


@pytest.mark.parametrize("seed", [3, 9])
@pytest.mark.parametrize("split", [2.0, 0.1])
def test_a_split_of_a_session_nobody_ran_is_applied_once(tmp_path: Path, seed: int, split: float) -> None:
    panel = market(split_on=MONDAY)
    after, column = int(np.searchsorted(panel.clock.session, np.datetime64(MONDAY))), 0
    panel.split[after, column] = split
    for name in ("open", "high", "low", "close"):
        getattr(panel, name)[after:, column] *= 2.0 / split  # the market of the panel has a 2:1 split there
    desk = make_desk(tmp_path, panel=panel, live={"max_gap": 0.15})
    desk.values["sleeve"][0]["params"].update(seed=seed)
    trade(desk, WEEK[:4])
    assert desk.shares()["AAA"]
    desk.to(date(2024, 12, 3), "09:35")  # nobody ran on Monday
    before = float(desk.venue.snapshot().equity)
    done = desk.slot("09:35")
    assert any("was split" in note for note in done.notes)
    journal = journal_of(desk)
    told = json.loads(journal.events("inputs")[-1].body)
    journal.close()
    assert told["prices"]["AAA"][1] == "quote"
    assert told["equity"] == pytest.approx(before, rel=2e-3)
    assert told["splits"] == {}  # the close that decides knows of it


@pytest.mark.parametrize(("day", "slot"), [(FIRST, "12:00"), (WEEK[1], "09:35")])
def test_what_was_sold_by_hand_and_accepted_is_not_bought_back(tmp_path: Path, day: date, slot: str) -> None:
    desk = make_desk(tmp_path)
    desk.values["sleeve"][0]["params"].update(seed=3, often=0.3)  # says nothing on the second session
    desk.to(FIRST, "09:35")
    assert desk.slot("09:35").sent == 3
    desk.to(FIRST, "11:00")
    desk.venue.submit(Intent("byhand", "AAA", "sell", Decimal(desk.shares()["AAA"]), "market"))
    desk.to(FIRST, "11:05")
    adopt(desk.values, "no AAA for me", **on(desk))
    desk.to(day, slot)
    done = desk.slot(slot)
    assert (done.ending, done.sent) == ("done", 0)
    assert "AAA" not in desk.shares()


def test_a_symbol_that_is_held_and_left_the_configuration_is_said_to_be(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    held = desk.shares()["CCC"]
    desk.values["sleeve"][0]["params"]["symbols"] = ["AAA", "BBB"]
    (told,) = reconcile(desk.values, **on(desk)).differences
    assert told.startswith(f"CCC: the book holds {held.normalize():f} of it, and its configuration has it no more")
    assert "adopt" in told


def goal(symbol: str, qty: int, held: int) -> Goal:
    return Goal(symbol, Decimal(qty), Decimal(held), Decimal(100), Decimal(100))


def carry(goals: list[Goal], closes: Mapping[str, int], held: Mapping[str, int]) -> tuple[dict[str, Goal], list[str]]:
    made = datetime(2024, 11, 25, 14, 35, tzinfo=UTC)
    plan = PlanRow(
        FIRST, date(2024, 11, 22), made, carried=False, equity=Decimal(1), config_hash="", code_hash="",
        goals={one.symbol: one for one in goals},
    )  # fmt: skip
    proposal = Proposal(FIRST, due=False, wishes=(), closes={s: Decimal(c) for s, c in closes.items()})
    notes: list[str] = []
    return carried(plan, proposal, {}, {s: Decimal(q) for s, q in held.items()}, notes), notes


def test_a_sale_of_what_is_held_goes_on_however_far_the_price_fell() -> None:
    found, notes = carry([goal("AAA", 0, 10)], {"AAA": 60}, {"AAA": 10})
    assert (found["AAA"].qty, found["AAA"].close, notes) == (0, 60, [])


def test_a_purchase_of_what_is_not_held_after_a_jump_is_dropped_and_noted() -> None:
    found, notes = carry([goal("AAA", 10, 0), goal("BBB", 5, 0)], {"AAA": 60, "BBB": 110}, {})
    assert list(found) == ["BBB"]
    assert notes == ["AAA: what was left to buy of it is dropped: its close moved by -40%"]


def test_of_what_has_no_close_nothing_is_carried_and_that_is_noted() -> None:
    found, notes = carry([goal("AAA", 10, 0), goal("BBB", 5, 0)], {}, {"BBB": 5})  # of BBB nothing is left to do
    assert (found, notes) == ({}, ["AAA: what was left to trade of it is dropped: it has no close"])


@pytest.mark.parametrize(("at", "when"), [(date(2024, 11, 30), "12:00"), (MONDAY, "02:00"), (MONDAY, "09:00")])
def test_holdings_accepted_in_the_night_before_a_split_are_split_with_it(tmp_path: Path, at: date, when: str) -> None:
    desk = make_desk(tmp_path)
    trade(desk, WEEK[:4])
    assert desk.shares()["AAA"]
    desk.to(at, when)
    adopt(desk.values, "looked through", **on(desk))
    worth = trade(desk, (MONDAY, date(2024, 12, 3)))
    assert closes(desk)[0][4:6] == pytest.approx(worth, abs=0.02)


def test_holdings_accepted_before_a_split_that_is_found_a_session_late_are_split_with_it(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    trade(desk, WEEK[:4])
    desk.to(date(2024, 11, 30), "12:00")
    adopt(desk.values, "looked through", **on(desk))
    desk.to(MONDAY, "16:30")  # the split's session: nobody is there
    monday = float(desk.venue.snapshot().equity)
    (tuesday,) = trade(desk, (date(2024, 12, 3),))
    assert closes(desk)[0][4:6] == pytest.approx([monday, tuesday], abs=0.02)


@pytest.mark.parametrize("ratio", [0.2, 2.0])
@pytest.mark.parametrize("seen", [True, False])
def test_what_is_carried_over_a_split_is_in_new_shares_whoever_saw_it_first(
    tmp_path: Path, ratio: float, seen: bool
) -> None:
    panel = market(split_on=date(2024, 9, 10), paid_on=date(2024, 9, 11))
    after = int(np.searchsorted(panel.clock.session, np.datetime64(WEEK[2])))
    panel.split[after, 1] = ratio
    for name in ("open", "high", "low", "close"):
        getattr(panel, name)[after:, 1] /= ratio
    desk = make_desk(tmp_path, panel=panel)
    params = {"symbols": list(SYMBOLS), "on": ["2024-11-22", "2024-11-25"]}
    desk.values["sleeve"] = [{"name": "s", "strategy": "support.emitting:Dated", "params": params}]
    desk.to(WEEK[0], "09:35")
    assert desk.slot("09:35").ok
    desk.exchange.halted.add("BBB")  # the second answer is left over in it
    desk.to(WEEK[1], "09:35")
    assert desk.slot("09:35").ok
    desk.exchange.halted.clear()
    journal = journal_of(desk)
    plan = journal.plan(WEEK[1])
    journal.close()
    assert plan is not None
    assert plan.goals["BBB"].qty != desk.shares()["BBB"]
    if seen:  # nothing is decided in the split's own session
        desk.to(WEEK[2], "10:30")
        assert any("was split" in told for told in reconcile(desk.values, **on(desk)).recognised)
    desk.to(WEEK[3], "09:35")
    assert desk.slot("09:35").ok
    assert float(desk.shares()["BBB"]) == pytest.approx(float(plan.goals["BBB"].qty) * ratio, rel=1e-3, abs=1.0)


def test_a_clock_that_is_put_back_between_the_beginning_and_the_plan_loses_no_goal(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    desk.clock.off = timedelta(seconds=10)

    def point(name: str) -> None:
        if name == "decided":
            desk.clock.off = timedelta(0)

    assert desk.slot("09:35", point=point).sent == 3


def test_a_halt_in_an_outage_ends_the_wait_for_an_answer(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    known, asked, halted = desk.venue.quotes, list[int](), list[datetime]()

    def quotes(symbols: Sequence[str]) -> Mapping[str, Quote]:
        asked.append(1)
        if len(asked) > 2:
            raise VenueError("503", where="data")
        return known(symbols)

    def point(name: str) -> None:
        if name == "no answer" and not halted:
            write_halt(state(desk), "all", "stop", desk.clock.now())
            halted.append(desk.clock.now())

    desk.venue.quotes = quotes  # type: ignore[method-assign,assignment]
    sent = desk.slot("09:35", point=point).sent
    assert desk.clock.now() - halted[0] < timedelta(seconds=30)
    assert sent < 3


def test_a_slot_from_before_the_book_began_is_not_overdue(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "11:00")
    assert reconcile(desk.values, **on(desk)).clean
    told = status(desk.values, host=desk.host)
    assert (told["healthy"], told["overdue"]) == (True, [])
    desk.to(FIRST, "13:00")
    assert status(desk.values, host=desk.host)["overdue"] == ["12:00"]


def test_an_account_of_another_number_may_begin_in_another_folder(tmp_path: Path) -> None:
    desk = opened(tmp_path / "old")
    fresh = make_desk(tmp_path / "new")
    fresh.env = desk.env
    told = fresh.venue.snapshot
    fresh.venue.snapshot = lambda: replace(told(), account="PA1111111111")  # type: ignore[method-assign]
    fresh.values["live"]["state"], fresh.values["broker"]["account"] = desk.values["live"]["state"], "PA1111111111"
    fresh.to(WEEK[1], "09:35")
    with pytest.raises(InputError, match=r"live\.state"):
        fresh.slot("09:35")
    fresh.values["live"]["state"] = str(tmp_path / "elsewhere")
    assert fresh.slot("09:35").ending == "done"
