"""A configured book through the verbs: a week equals its backtest, a slot is done once, what is missed is not lost."""

import resource
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from support.live_book import FIRST, LAST, SLOTS, Desk, make_desk
from support.live_venue import Killed

from plimsoll.brokers.exchange.settings import Behaviour, Handling
from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import ConfigError, OutputError
from plimsoll.engine.execution.venue import Intent
from plimsoll.engine.live.clock import POINTS
from plimsoll.engine.live.day_plan import DayPlan
from plimsoll.engine.market.calendar import sessions
from plimsoll.engine.runtime.assemble import build
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.verbs.rebalance import preview

WEEK: list[date] = sessions(FIRST, LAST).astype(object).tolist()


def simulated(desk: Desk, *, last: date = LAST) -> dict[str, Decimal]:
    """Return what the backtest of the same configuration holds that takes the account over on the first session."""
    config = load_config({**desk.values, "run": {**desk.values["run"], "start": FIRST.isoformat()}})
    setup = build(config, desk.panel, make_strategies(config))
    days = setup.panel.clock.session.astype("datetime64[D]").astype(object).tolist()
    run_loop(setup, stop_at=days.index(last))
    held = {symbol: round(Decimal(repr(qty)), 9) for symbol, qty in setup.broker.positions().items()}
    return {symbol: qty for symbol, qty in held.items() if qty}


def trade(desk: Desk, days: list[date] = WEEK) -> None:
    """Run every slot of the sessions."""
    for day in days:
        for slot in SLOTS:
            desk.to(day, slot)
            outcome = desk.slot(slot)
            assert outcome.ok, (day, slot, outcome)
    desk.to(days[-1], "16:30")


def test_a_week_with_a_half_day_a_split_and_a_dividend_ends_where_its_backtest_does(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    trade(desk)
    assert {s: round(q, 9) for s, q in desk.shares().items()} == simulated(desk)
    kinds = [getattr(one, "kind", "FILL") for one in desk.exchange.activities]
    assert {"SPLIT", "DIV", "FILL"} <= set(kinds)
    sessions_traded = {order.submitted_at.date() for order in desk.exchange.orders.values()}
    assert len(sessions_traded) >= 3
    assert date(2024, 11, 29) in WEEK


def test_a_slot_that_is_done_sends_nothing_again(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    first = desk.slot("09:35")
    assert (first.ending, first.sent) == ("done", 3)
    again = desk.slot("09:35")
    assert (again.ending, again.sent, len(desk.exchange.orders)) == ("already", 0, 3)


def test_later_slots_of_a_session_decide_nothing_new(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    trade(desk, [FIRST])
    assert len(desk.exchange.orders) == 3


def test_slots_that_a_half_day_is_too_short_for_are_skipped(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    trade(desk, WEEK[: WEEK.index(date(2024, 11, 29))])
    desk.to(date(2024, 11, 29), "12:00")
    assert desk.slot("12:00").ending == "done"
    desk.to(date(2024, 11, 29), "12:45")
    assert desk.slot("14:00").ending == "skipped"


def test_a_late_slot_is_not_run_and_the_next_one_decides(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:46")
    assert desk.slot("09:35").ending == "late"
    assert not desk.exchange.orders
    desk.to(FIRST, "12:00")
    assert desk.slot("12:00").sent == 3


def test_a_session_that_was_missed_altogether_is_made_up_for(tmp_path: Path) -> None:
    """A sleeve answers once; whoever was not there takes over what it holds, at the next session that is traded."""
    desk = make_desk(tmp_path)
    decided = WEEK[:2]
    trade(desk, decided)
    days = desk.panel.clock.session.astype("datetime64[D]").astype(object).tolist()
    config = desk.config
    setup = build(config, desk.panel, make_strategies(config))
    deciding = [days[one.t] for one in run_loop(setup).decisions]
    # a close that decided, whose session is slept through, before one that did not decide
    slept = next(day for day in WEEK[2:-1] if WEEK[WEEK.index(day) - 1] in deciding and day not in deciding)
    later = WEEK[WEEK.index(slept) + 1]
    before = len(desk.exchange.orders)
    desk.to(later, "09:35")
    outcome = desk.slot("09:35")
    assert outcome.ok
    assert len(desk.exchange.orders) > before
    # and it ends with the weights that the backtest has, to the drift of a session
    value = desk.venue.snapshot()
    held = {one.symbol: float(one.qty * (one.price or 0)) / float(value.equity) for one in value.positions}
    wanted = simulated(desk, last=later)
    price = dict(zip(desk.panel.symbols, desk.panel.close[days.index(later) - 1], strict=True))
    for symbol, qty in wanted.items():
        assert held[symbol] == pytest.approx(float(qty) * price[symbol] / 100_000.0, abs=0.02)


@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_and_started_again_it_ends_where_it_would_have(tmp_path: Path, point: str) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")

    def die(name: str) -> None:
        if name == point:
            raise Killed(name)

    killed = False
    try:
        desk.slot("09:35", point=die)
    except Killed:
        killed = True
    assert desk.slot("09:35").ok
    assert killed or point == "cancel asked"
    desk.to(FIRST, "16:30")
    assert {s: round(q, 9) for s, q in desk.shares().items()} == simulated(desk, last=FIRST)
    assert len(desk.exchange.orders) == 3


def test_what_did_not_fill_is_finished_in_the_next_session(tmp_path: Path) -> None:
    """An answer is due until it is executed: what a session left over is sent under the next one's ids."""
    desk = make_desk(tmp_path, execution={"unfilled": "carry"})
    desk.to(FIRST, "09:35")
    desk.exchange.halted.add("BBB")
    done = desk.slot("09:35")
    assert [one.symbol for one in done.changes if one.rule == "tradable"] == ["BBB"]
    desk.to(FIRST, "16:30")
    desk.exchange.halted.clear()
    day = WEEK[1]
    desk.to(day, "09:35")
    outcome = desk.slot("09:35")
    assert outcome.ok
    assert "BBB" in {order.ticket.symbol for order in desk.exchange.orders.values()}


def test_data_that_are_not_up_to_date_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(date(2024, 12, 5), "09:35")  # the prices end on the third
    outcome = desk.slot("09:35")
    assert (outcome.ending, outcome.sent) == ("refused", 0)
    assert "the data end on 2024-12-03" in outcome.why
    assert not desk.exchange.orders


def test_the_order_that_leaves_is_the_order_that_was_written(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    outcome = desk.slot("09:35")
    for row in outcome.orders:
        sent = desk.exchange.by_client_id[row.client_id].ticket
        intent: Intent = row.intent()
        assert (sent.symbol, sent.side, sent.qty, sent.limit_price) == (
            intent.symbol,
            intent.side,
            intent.qty,
            intent.limit,
        )


def test_synthetic_prices_decide_for_no_account_elsewhere(tmp_path: Path) -> None:
    desk = make_desk(tmp_path, broker={"url": "https://paper-api.alpaca.markets"})
    desk.panel = replace(desk.panel, synthetic=True)
    desk.to(FIRST, "09:35")
    outcome = desk.slot("09:35")
    assert (outcome.ending, outcome.sent) == ("refused", 0)
    assert "synthetic" in outcome.why


def test_a_broker_is_not_named_by_the_environment(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    with pytest.raises(ConfigError, match="PLIMSOLL__BROKER__URL"):
        load_config(desk.values, env={"PLIMSOLL__BROKER__URL": "http://127.0.0.1:9"})


def wanted(made: DayPlan) -> list[tuple[str, str, Decimal]]:
    return sorted((one.symbol, one.side, one.qty) for one in made.orders)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("missed", [(), (date(2024, 11, 26), date(2024, 11, 27))], ids=["none missed", "two missed"])
def test_what_is_shown_before_a_slot_is_what_the_slot_sends(
    tmp_path: Path, seed: int, missed: tuple[date, ...]
) -> None:
    desk = make_desk(tmp_path, live={"max_gap": 1.0})
    desk.values["sleeve"][0]["params"].update(seed=seed, often=0.3)
    for day in [day for day in WEEK if day not in missed]:
        desk.to(day, "09:35")
        before, sent = tree(tmp_path), len(desk.exchange.orders)
        shown = shown_on(desk)
        assert (tree(tmp_path), len(desk.exchange.orders)) == (before, sent)
        outcome = desk.slot("09:35")
        assert (shown.executes, shown.refusal) == (day, "")
        assert wanted(shown) == sorted((one.symbol, one.side, one.order.qty) for one in outcome.orders)


def test_what_is_left_of_a_decided_session_is_shown_too(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.exchange.behaviour = Behaviour(handling=Handling(delay_s=1e6))
    desk.to(FIRST, "09:35")
    shown = wanted(shown_on(desk))
    assert shown
    desk.slot("09:35")
    desk.to(FIRST, "12:00")
    assert wanted(shown_on(desk)) == shown  # nothing of it filled
    desk.exchange.behaviour = Behaviour()
    desk.slot("12:00")
    assert wanted(shown_on(desk)) == []


def test_where_a_slot_would_refuse_it_is_shown_why(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    desk.slot("09:35")
    desk.exchange.ledger.trade("AAA", Decimal(5), Decimal(90))
    desk.to(date(2024, 11, 26), "09:35")
    shown = shown_on(desk)
    assert "journal and venue differ" in shown.refusal
    assert shown.orders == ()
    assert "run.start" in shown_on(make_desk(tmp_path / "b", run={"start": "2025-06-02"})).refusal


def shown_on(desk: Desk) -> DayPlan:
    return preview(desk.values, data=desk.panel, venue=desk.venue, clock=desk.clock, host=desk.host)


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Return every file below a folder with its size and time."""
    files = [one for one in folder.rglob("*") if one.is_file() and not one.name.endswith(("-shm", "-wal"))]
    return {str(one): (one.stat().st_size, one.stat().st_mtime_ns) for one in files}


@pytest.fixture
def disk() -> Iterator[Callable[[], None]]:
    """What fills the disk: no file can grow any more."""
    heard, before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, heard)


@pytest.mark.parametrize("point", [point for point in POINTS if point not in ("cancel asked", "reconciled after")])
def test_a_disk_that_fills_up_on_the_way_is_one_line_and_the_slot_goes_on_once_there_is_room(
    tmp_path: Path, disk: Callable[[], None], point: str
) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    room = resource.getrlimit(resource.RLIMIT_FSIZE)

    def full(name: str) -> None:
        if name == point:
            disk()

    with pytest.raises(OutputError) as caught:
        desk.slot("09:35", point=full)
    resource.setrlimit(resource.RLIMIT_FSIZE, room)
    assert str(tmp_path / "state") in str(caught.value)
    desk.clock.sleep(30.0)
    assert desk.slot("09:35").ending in ("done", "already")
    assert len(desk.exchange.orders) == 3
