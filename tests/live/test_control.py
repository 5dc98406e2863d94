"""Stop, go on, accept, get out: the verbs a person types, whatever state everything else is in."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.live_book import FIRST, Desk, make_desk
from support.live_venue import Killed
from support.opened import on, opened, state
from support.venue import ticket

from plimsoll.engine.errors import ConfigError, DataError, OutputError, VenueError
from plimsoll.engine.live.halt_file import read_halt, sending
from plimsoll.engine.live.heartbeat import Heartbeat
from plimsoll.engine.live.journal.file import FILE
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import PlanRow
from plimsoll.engine.live.standing import Governor, write_governor
from plimsoll.engine.verbs.accounts import adopt, flatten, reconcile
from plimsoll.engine.verbs.control import halt, resume, status


def stopped(desk: Desk, **more: Any) -> Any:
    """Halt it."""
    return halt(desk.values, "a test", venue=desk.venue, host=desk.host, **more)


def test_after_a_halt_nothing_is_sent_until_somebody_resumes(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    done = stopped(desk)
    assert (done.sure, done.suspended, done.failed) == (True, True, [])
    assert desk.slot("09:35").ending == "halted"
    assert not desk.exchange.orders
    assert status(desk.values, host=desk.host)["healthy"] is False
    assert resume(desk.values, "it was a test", venue=desk.venue, host=desk.host) == ["a test"]
    assert desk.slot("09:35").sent == 3


def test_no_new_risk_lets_reductions_go_on(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    assert stopped(desk, no_new_risk=True).suspended is False
    assert reconcile(desk.values, **on(desk)).clean
    day = date(2024, 12, 2)
    for slept in (date(2024, 11, 26), date(2024, 11, 27), date(2024, 11, 29)):
        desk.to(slept, "09:35")
        desk.slot("09:35")
    desk.to(day, "09:35")
    desk.slot("09:35")
    bought = [
        one for one in desk.exchange.orders.values() if one.ticket.side == "buy" and one.submitted_at.date() > FIRST
    ]
    assert bought == []


def test_a_halt_needs_neither_the_venue_nor_the_journal(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    (state(desk) / FILE).write_bytes(b"not a database, but long enough to be read as one" * 100)
    desk.exchange.tape = None  # type: ignore[assignment]  # whoever asks it anything gets no answer
    done = halt(desk.values, "everything burns", local=True, host=desk.host)
    assert done.sure
    assert [one.split(":")[0] for one in done.failed] == ["journal"]
    found = read_halt(state(desk))
    assert found is not None
    assert (found.grade, found.reason) == ("all", "everything burns")


def test_a_venue_that_is_down_does_not_stop_a_halt(tmp_path: Path) -> None:
    desk = opened(tmp_path)

    class Down:
        def __getattr__(self, name: str) -> Any:
            raise VenueError("no answer", where=name)

    done = halt(desk.values, "venue down", venue=Down(), host=desk.host)  # type: ignore[arg-type]
    assert done.sure
    assert len(done.failed) == 2
    assert read_halt(state(desk)) is not None


HANG = """
import sys, time
from pathlib import Path
from plimsoll.engine.live.halt_file import sending
with sending(Path(sys.argv[1])):
    print("inside", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("suspended", [False, True])
def test_a_sender_that_hangs_in_the_middle_of_an_order_is_ended(tmp_path: Path, suspended: bool) -> None:
    desk = opened(tmp_path)
    child = subprocess.Popen([sys.executable, "-c", HANG, str(state(desk))], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "inside\n"
        if suspended:
            os.kill(child.pid, signal.SIGSTOP)
        began = time.monotonic()
        done = stopped(desk, patience_s=0.2)
        assert done.sure
        assert f"process {child.pid} hung" in done.silence
        assert child.wait(10) == -signal.SIGKILL
        assert time.monotonic() - began < 10
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def test_a_halt_waits_for_the_order_that_is_on_its_way(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    with sending(state(desk)):
        done = stopped(desk, patience_s=0.1)
    assert not done.sure  # it is this very process: it is not ended


def test_a_halt_cancels_the_books_orders_and_nobody_elses(tmp_path: Path) -> None:
    desk = make_desk(tmp_path, broker={"manage": "symbols"})
    desk.to(FIRST, "09:35")
    desk.exchange.behaviour = desk.exchange.behaviour.model_validate({"handling": {"delay_s": 3600}})

    def die(name: str) -> None:
        if name == "all sent":
            raise Killed(name)

    with pytest.raises(Killed):
        desk.slot("09:35", point=die)
    desk.exchange.submit(ticket("AAA", 1, client_order_id="somebody"))
    done = stopped(desk)
    assert (done.cancelled, done.suspended) == (3, False)
    assert [one.client_order_id for one in desk.exchange.working()] == ["somebody"]


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_whoever_resumes_says_why(tmp_path: Path, reason: str) -> None:
    desk = opened(tmp_path)
    stopped(desk)
    with pytest.raises(DataError, match="no reason"):
        resume(desk.values, reason, venue=desk.venue, host=desk.host)
    assert read_halt(state(desk)) is not None


def test_an_account_that_held_the_book_before_its_journal_is_adopted_first(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    desk.exchange.submit(ticket("AAA", 10))
    outcome = desk.slot("09:35")
    assert outcome.ending == "refused"
    assert "there is no journal, and the account holds 10 AAA" in outcome.why
    assert len(desk.exchange.orders) == 1
    assert adopt(desk.values, "bought by hand", **on(desk)) == {"AAA": Decimal(10)}
    assert desk.slot("09:35").ending == "done"
    assert len(desk.exchange.orders) > 1


def test_trades_by_hand_halt_new_risk_until_they_are_adopted(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    desk.clock.sleep(60)
    desk.exchange.submit(ticket("AAA", -3))
    found = reconcile(desk.values, **on(desk))
    assert not found.clean
    assert any("AAA" in one for one in found.differences)
    assert status(desk.values, host=desk.host)["halts"][0]["grade"] == "new_risk"
    desk.clock.sleep(60)
    adopt(desk.values, "sold three by hand", **on(desk))
    assert reconcile(desk.values, **on(desk)).clean
    assert status(desk.values, host=desk.host)["healthy"]


def test_source_that_changed_is_refused_until_it_is_adopted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = opened(tmp_path)
    monkeypatch.setattr("plimsoll.engine.live.decide.code_hash_of", lambda _: "another")
    monkeypatch.setattr("plimsoll.engine.verbs.accounts.code_hash_of", lambda _: "another")
    desk.to(date(2024, 11, 26), "09:35")
    outcome = desk.slot("09:35")
    assert outcome.ending == "refused"
    assert "source changed" in outcome.why
    adopt(desk.values, "looked at it", code=True, **on(desk))
    assert desk.slot("09:35").ending == "done"


def test_flatten_sells_everything_of_the_book_and_stays_halted(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    stopped(desk)
    outcome = flatten(desk.values, "out", **on(desk))
    assert (outcome.ending, desk.shares()) == ("done", {})
    assert desk.venue.snapshot().blocked
    assert desk.slot("09:35").ending != "done"
    found = read_halt(state(desk))
    assert found is not None
    assert found.grade == "all"


def test_flatten_reports_what_it_could_not_sell(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    desk.exchange.halted.add("AAA")
    outcome = flatten(desk.values, "out", **on(desk))
    assert outcome.ending == "refused"
    assert "still held" in outcome.why
    assert set(desk.shares()) == {"AAA"}
    desk.exchange.halted.clear()
    assert flatten(desk.values, "out again", **on(desk)).ending == "done"


def test_flatten_while_the_market_is_closed_blocks_new_risk_and_says_so(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    desk.to(FIRST, "17:00")
    outcome = flatten(desk.values, "out", **on(desk))
    assert "market is closed" in outcome.why
    assert any(one["grade"] == "new_risk" for one in status(desk.values, host=desk.host)["halts"])
    assert len(desk.exchange.orders) == 3


def test_the_wrong_account_is_refused(tmp_path: Path) -> None:
    desk = make_desk(tmp_path, broker={"account": "PA0000000009"})
    desk.to(FIRST, "09:35")
    with pytest.raises(ConfigError, match="keys are of account PA0000000000"):
        desk.slot("09:35")


def test_a_second_process_on_the_book_is_refused(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    second: list[str] = []

    def intrude(name: str) -> None:
        if name == "fenced":
            with pytest.raises(OutputError, match="another process works on book 'week'"):
                desk.slot("12:00")
            second.append(name)

    desk.to(FIRST, "12:00")
    assert desk.slot("12:00", point=intrude).ok
    assert second == ["fenced"]


def test_a_copied_state_folder_is_refused(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    other = make_desk(tmp_path / "other")
    other.env = desk.env
    with pytest.raises(OutputError, match="has its state in"):
        reconcile(other.values, venue=desk.venue, clock=desk.clock, host=other.host)


def test_status_says_what_is_overdue(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    desk.to(FIRST, "12:09")
    assert status(desk.values, host=desk.host)["overdue"] == []
    desk.to(FIRST, "12:11")
    told = status(desk.values, host=desk.host)
    assert (told["overdue"], told["healthy"], told["next_slot"]) == (["12:00"], False, "2024-11-25 14:00")
    json.dumps(told)


def test_status_says_how_far_the_book_is_from_its_plan(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    assert "drift" not in status(desk.values, host=desk.host)
    desk.exchange.halted.add("AAA")
    desk.slot("09:35")
    goals = plan_of(desk).goals
    away = abs(goals["AAA"].qty) * goals["AAA"].price
    rest = sum(abs(one.qty - desk.shares().get(one.symbol, 0)) * one.price for one in goals.values())
    told = status(desk.values, host=desk.host)["drift"]
    assert told["largest"] == "AAA"
    assert Decimal(told["dollars"]) == round(rest, 2)
    assert rest >= away > 0
    assert told["of_equity"] == pytest.approx(float(rest) / 100_000, rel=1e-4)


def plan_of(desk: Desk) -> PlanRow:
    """Return the last plan."""
    with journal_of(desk) as journal:
        found = journal.last_plan()
    assert found is not None
    return found


@contextmanager
def journal_of(desk: Desk) -> Iterator[Journal]:
    """Open the journal."""
    journal = Journal.open(state(desk), desk.clock.now)
    try:
        yield journal
    finally:
        journal.close()


def test_a_split_since_the_plan_is_no_drift(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    before = status(desk.values, host=desk.host)["drift"]
    desk.to(date(2024, 11, 26), "09:31")
    with journal_of(desk) as journal, journal.tx():
        before_it = journal.holdings()["AAA"]
        journal.set_holding("AAA", before_it * 2)
        journal.event("split", symbol="AAA", ratio="2", before=str(before_it), after=str(before_it * 2))
    assert status(desk.values, host=desk.host)["drift"] == before


def test_status_shows_where_the_governor_stood(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    assert status(desk.values, host=desk.host)["governor"] is None
    with journal_of(desk) as journal, journal.tx():
        write_governor(journal, Governor("2024-11-25", 0.0625, 2))
    assert status(desk.values, host=desk.host)["governor"] == {"session": "2024-11-25", "drawdown": 0.0625, "tier": 2}


@pytest.mark.parametrize("begun", [False, True])
def test_status_tells_how_old_the_last_sign_of_life_is(tmp_path: Path, begun: bool) -> None:
    desk = opened(tmp_path) if begun else make_desk(tmp_path)
    assert status(desk.values, host=desk.host)["heartbeat"] == "none"
    state(desk).mkdir(exist_ok=True)
    heart = Heartbeat(state(desk), desk.host.clock)
    heart.beat("waiting", next_slot="2024-11-25T17:00+00:00")
    for age, well in ((0.0, True), (89.0, True), (91.0, False)):
        desk.clock.sleep(age - status(desk.values, host=desk.host)["heartbeat"]["age_s"])
        told = status(desk.values, host=desk.host)
        assert (told["heartbeat"]["age_s"], told["healthy"]) == (age, well)
    heart.end("told to end")
    desk.clock.sleep(1000)
    assert status(desk.values, host=desk.host)["healthy"]
    (state(desk) / "heartbeat.json").write_text("{")
    told = status(desk.values, host=desk.host)
    assert (told["heartbeat"], told["healthy"]) == ("heartbeat.json is not what was written", False)
