"""What a halt does at the venue: called off is what works no more, and reductions are what reduces."""

import os
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.live_book import FIRST, Desk, make_desk
from support.live_venue import Killed
from support.opened import on, opened, state

from plimsoll.brokers.exchange.settings import Behaviour, Handling
from plimsoll.engine.errors import OutputError, VenueError
from plimsoll.engine.execution.venue import Acked, Intent, Side, Unknown, VenueOrder
from plimsoll.engine.live.halt_file import read_halt
from plimsoll.engine.live.ids import OrderId, account_code, book_code
from plimsoll.engine.live.journal.file import FILE
from plimsoll.engine.verbs.accounts import reconcile
from plimsoll.engine.verbs.control import halt, resume, status


def stopped(desk: Desk, **more: Any) -> Any:
    """Halt it, and do not wait for cancellations."""
    return halt(desk.values, "a test", venue=desk.venue, host=desk.host, patience_s=0.0, **more)


def slow(desk: Desk, **handling: float) -> None:
    """Let orders work for ever."""
    desk.exchange.behaviour = Behaviour(handling=Handling(delay_s=1e6, **handling))


def order(desk: Desk, symbol: str, side: Side, qty: int, leg: int) -> str:
    """Hand in an order of the book that its journal does not know, well in the market."""
    client_id = str(OrderId(account_code("PA0000000000"), book_code("week"), FIRST, "1200", symbol, side, leg, 0))
    limit = Decimal(1000) if side == "buy" else Decimal(1)
    answer = desk.venue.submit(Intent(client_id, symbol, side, Decimal(qty), "limit", limit=limit))
    assert isinstance(answer, Acked)
    return client_id


def dying_at_all_sent(desk: Desk) -> None:
    """Run the slot's process until its orders are out, and no further."""

    def die(name: str) -> None:
        if name == "all sent":
            raise Killed(name)

    with pytest.raises(Killed):
        desk.slot("09:35", point=die)


def working(desk: Desk) -> set[str]:
    """Return the ids of what works at the venue."""
    return {one.client_id for one in desk.venue.open_orders()}


def test_an_order_whose_cancellation_is_pending_is_not_reported_as_cancelled(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    slow(desk, cancel_delay_s=3600)
    dying_at_all_sent(desk)
    done = stopped(desk)
    assert (done.cancelled, len(done.failed)) == (0, 3)
    assert all("still works at the venue (pending_cancel)" in one for one in done.failed)


def test_an_order_whose_cancellation_is_refused_is_not_reported_as_cancelled(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    slow(desk)
    dying_at_all_sent(desk)
    desk.venue.cancel = lambda _: False  # type: ignore[method-assign]
    done = stopped(desk)
    assert (done.cancelled, len(done.failed)) == (0, 3)


def test_a_cancellation_without_an_answer_that_happened_is_one(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    slow(desk)
    dying_at_all_sent(desk)
    real = desk.venue.cancel

    def lost(one: VenueOrder) -> Unknown:
        real(one)
        return Unknown("reset")

    desk.venue.cancel = lost  # type: ignore[method-assign]
    done = stopped(desk)
    assert (done.cancelled, done.failed) == (3, [])


def test_cancellations_that_cannot_be_read_back_are_not_reported_as_done(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    slow(desk)
    dying_at_all_sent(desk)
    real, calls = desk.venue.open_orders, list[int]()

    def once() -> Any:
        calls.append(1)
        if len(calls) > 1:
            raise VenueError("503", where="/orders")
        return real()

    desk.venue.open_orders = once  # type: ignore[method-assign]
    done = stopped(desk)
    assert done.cancelled == 0
    assert done.failed == ["3 cancels asked for, not seen: /orders: 503"]


def test_no_new_risk_leaves_covers_and_cancels_short_sales(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    reconcile(desk.values, **on(desk))
    order(desk, "BBB", "sell", 100, 1)
    order(desk, "CCC", "buy", 20, 2)
    assert desk.shares() == {"BBB": Decimal(-100), "CCC": Decimal(20)}
    slow(desk)
    order(desk, "AAA", "sell", 200, 3)  # opens
    order(desk, "CCC", "buy", 5, 4)  # adds
    cover = order(desk, "BBB", "buy", 50, 5)
    done = stopped(desk, no_new_risk=True)
    assert working(desk) == {cover}
    assert (done.sure, done.cancelled, done.failed) == (True, 2, [])


def test_no_new_risk_leaves_sales_of_what_is_held(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    slow(desk)
    sale = order(desk, "AAA", "sell", 5, 1)
    order(desk, "BBB", "buy", 5, 2)
    assert stopped(desk, no_new_risk=True).cancelled == 1
    assert working(desk) == {sale}


def test_no_new_risk_leaves_the_reductions_that_the_journal_knows(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.values["sleeve"][0]["params"]["seed"] = 9  # sells in its second session
    desk.to(FIRST, "09:35")
    desk.slot("09:35")
    desk.to(date(2024, 11, 26), "09:35")
    slow(desk)
    dying_at_all_sent(desk)
    sales = working(desk)
    assert sales

    def silent() -> Any:
        raise VenueError("503", where="/account")

    desk.venue.snapshot = silent  # type: ignore[method-assign]
    done = stopped(desk, no_new_risk=True)
    assert (working(desk), done.cancelled, done.failed) == (sales, 0, [])


def test_a_halt_whose_file_cannot_be_written_goes_on_to_the_venue_and_is_never_sure(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    slow(desk)
    order(desk, "AAA", "buy", 1, 1)
    (tmp_path / "file").touch()
    desk.values["live"]["state"] = str(tmp_path / "file" / "state")
    desk.env["XDG_STATE_HOME"] = str(tmp_path / "nobody")
    done = stopped(desk)
    assert (done.sure, done.plain()["halted"]) == (False, "no")
    assert done.failed[0].startswith("halt: ")
    assert (done.suspended, done.cancelled, working(desk)) == (True, 1, set())


def test_a_halt_on_a_full_disk_stops_everything_and_goes_on_to_the_venue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = opened(tmp_path)
    slow(desk)
    order(desk, "AAA", "buy", 1, 1)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("plimsoll.engine.live.halt_file.os.write", full)
    done = stopped(desk)
    monkeypatch.undo()
    assert (done.suspended, done.cancelled) == (True, 1)
    found = read_halt(state(desk))
    assert found is not None
    assert found.grade == "all"


def test_where_only_the_journal_can_be_written_the_halt_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = opened(tmp_path)

    def never(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("plimsoll.engine.live.halt_file._write", never)
    done = stopped(desk, local=True)
    assert (done.sure, done.state) == (True, [state(desk)])
    assert [one.split(":")[0] for one in done.failed] == ["halt"]
    desk.to(FIRST, "12:00")
    assert desk.slot("12:00").ending == "halted"


@pytest.mark.parametrize("source", ["gone:Nothing", "support.restless:Nothing"])
def test_a_halt_and_a_resume_need_no_strategy(tmp_path: Path, source: str) -> None:
    desk = opened(tmp_path)
    slow(desk)
    order(desk, "AAA", "buy", 1, 1)
    desk.values["sleeve"][0]["strategy"] = source
    done = stopped(desk)
    assert (done.sure, done.suspended, done.cancelled, done.failed) == (True, True, 1, [])
    assert resume(desk.values, "mended", venue=desk.venue, host=desk.host) == ["a test"]


def unreadable(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the system refuse every look into a folder, as it does for another user's; root may look anywhere."""
    stat, listed, opened_by = os.stat, os.listdir, os.open

    def inside(path: Any) -> None:
        if isinstance(path, (str, os.PathLike)) and Path(os.fsdecode(path)).is_relative_to(folder):
            raise PermissionError(13, "Permission denied")

    def refused(real: Any) -> Any:
        def ask(path: Any, *args: Any, **more: Any) -> Any:
            inside(path)
            return real(path, *args, **more)

        return ask

    for name, real in (("stat", stat), ("listdir", listed), ("open", opened_by), ("mkdir", os.mkdir)):
        monkeypatch.setattr(os, name, refused(real))


def test_a_halt_in_a_folder_of_another_user_goes_on_to_the_venue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = opened(tmp_path)
    slow(desk)
    order(desk, "AAA", "buy", 1, 1)
    unreadable(monkeypatch, state(desk))
    done = stopped(desk)
    assert (done.sure, done.plain()["halted"], done.suspended, done.cancelled) == (False, "no", True, 1)
    for verb in (lambda: status(desk.values, host=desk.host), lambda: resume(desk.values, "on", host=desk.host)):
        with pytest.raises(OutputError, match="Permission denied"):
            verb()


def test_an_account_that_is_not_suspended_although_it_was_asked_is_told(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    desk.venue.suspend = lambda _: False  # type: ignore[method-assign]
    assert stopped(desk).failed == ["suspend: the venue says that it still takes orders"]


# ---- where the book has its state


def test_a_halt_typed_in_another_working_directory_stops_the_book_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, other = tmp_path / "home_of_it", tmp_path / "other"
    home.mkdir()
    other.mkdir()
    desk = make_desk(tmp_path, live={"state": "state"}, broker={"manage": "symbols"})
    monkeypatch.chdir(home)
    desk.to(FIRST, "09:35")
    desk.slot("09:35")
    before = len(desk.exchange.orders)
    monkeypatch.chdir(other)
    done = stopped(desk)
    assert (done.sure, done.failed) == (True, [])
    assert done.state[0] == home / "state"
    told = status(desk.values, host=desk.host)
    assert (told["elsewhere"], told["healthy"]) == (str(home / "state"), False)
    with pytest.raises(Exception, match="has its state in"):
        resume(desk.values, "go on", venue=desk.venue, host=desk.host)
    monkeypatch.chdir(home)
    desk.to(FIRST, "12:00")
    assert desk.slot("12:00").ending == "halted"
    assert len(desk.exchange.orders) == before
    assert resume(desk.values, "go on", venue=desk.venue, host=desk.host) == ["a test"]


def test_a_halt_where_nobody_ever_traded_the_book_is_not_sure_unless_the_venue_takes_no_orders(tmp_path: Path) -> None:
    desk = opened(tmp_path, broker={"manage": "symbols"})
    desk.env["XDG_STATE_HOME"] = str(tmp_path / "another user's")
    desk.values["live"]["state"] = str(tmp_path / "nowhere")
    done = stopped(desk)
    assert done.sure is False
    assert done.failed == [
        f"no process traded this book from {tmp_path / 'nowhere'}: one that does elsewhere is not stopped"
    ]
    desk.values["broker"]["manage"] = "account"
    assert stopped(desk).sure
    assert not (tmp_path / "nowhere" / FILE).exists()  # a later look must not take it for the book's


def test_a_place_where_nothing_ever_was_is_not_healthy_and_nothing_is_resumed_there(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    assert status(desk.values, host=desk.host)["healthy"] is False
    with pytest.raises(Exception, match="no journal and no halt"):
        resume(desk.values, "go on", venue=desk.venue, host=desk.host)
    assert not state(desk).exists()


# ---- a halt that comes while another is taken away


@pytest.mark.parametrize("reason", ["another", "a test"])
def test_a_halt_that_comes_while_resume_waits_for_the_venue_stays(tmp_path: Path, reason: str) -> None:
    desk = opened(tmp_path)
    stopped(desk)
    real = desk.venue.suspend

    def slowly(suspended: bool) -> bool:
        if not suspended:
            desk.venue.suspend = real  # type: ignore[method-assign]
            desk.clock.sleep(1.0)
            assert halt(desk.values, reason, venue=desk.venue, host=desk.host).sure
        return real(suspended)

    desk.venue.suspend = slowly  # type: ignore[method-assign]
    with pytest.raises(Exception, match=f"halted again meanwhile: {reason}"):
        resume(desk.values, "go on", venue=desk.venue, host=desk.host)
    assert desk.venue.snapshot().blocked
    desk.to(FIRST, "12:00")
    assert desk.slot("12:00").ending == "halted"
    assert resume(desk.values, "go on", venue=desk.venue, host=desk.host)[0] == reason
    assert not desk.venue.snapshot().blocked


# ---- a slot that did not end


def test_status_says_that_a_slot_is_over_and_did_not_end(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    slow(desk)
    dying_at_all_sent(desk)
    desk.to(FIRST, "09:56")  # its last minute was 09:54; cancellations are waited for until 09:57
    assert status(desk.values, host=desk.host)["healthy"]
    desk.to(FIRST, "09:58")
    told = status(desk.values, host=desk.host)
    assert (told["overdue"], told["healthy"]) == (["09:35"], False)
    desk.to(date(2024, 11, 26), "09:31")
    assert status(desk.values, host=desk.host)["overdue"] == ["2024-11-25 09:35"]
    desk.to(date(2024, 11, 26), "09:35")
    desk.exchange.behaviour = Behaviour()
    desk.slot("09:35")
    assert status(desk.values, host=desk.host)["overdue"] == []


def test_status_says_that_an_order_works_beyond_its_slot(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    slow(desk, cancel_delay_s=36000)
    desk.slot("09:35")
    desk.to(FIRST, "10:30")
    told = status(desk.values, host=desk.host)
    assert [one["done"] for one in told["slots_today"]] == [True]
    assert (told["overdue"], told["healthy"]) == (["09:35"], False)
