"""The stop: after it is written nothing goes out, whatever the process, the database and the venue do (row 16)."""

import multiprocessing
import os
import signal
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.live_case import Case, make_case
from support.live_checks import TURN, Killer, turning

from plimsoll.brokers.exchange.settings import Handling
from plimsoll.engine.errors import OutputError
from plimsoll.engine.live.halt_file import (
    FILE,
    read_halt,
    read_halts,
    remove_halt,
    sending,
    started,
    wait_for_silence,
    write_halt,
)
from plimsoll.engine.live.journal.file import FILE as JOURNAL
from plimsoll.engine.live.journal.rows import Grade, Halt

NOW = datetime(2024, 1, 2, 15, 0, tzinfo=UTC)
fork = multiprocessing.get_context("fork")


def passed(folder: Path) -> list[str]:
    killer = Killer()
    turning(folder).run("09:35", killer)
    return killer.passed


class StopAt:
    """Writes a halt at the n-th place that a process passes. arrived : orders at the venue until then."""

    def __init__(self, case: Case, at: int, grade: Grade) -> None:
        self._case, self._left, self._grade = case, at, grade
        self.arrived = 0

    def __call__(self, _: str) -> None:
        self._left -= 1
        if self._left == 0:
            write_halt(self._case.folder, self._grade, "stop", self._case.clock.now())
            self.arrived = len(self._case.sent())


# ---- between every two points


def test_after_a_halt_between_any_two_points_no_order_arrives(place: Path) -> None:
    points = passed(place / "clean")
    for at in range(1, len(points) + 1):
        case = turning(place / f"{at}")
        stop = StopAt(case, at, "all")
        case.run("09:35", stop)
        case.run("09:35")
        case.slot("12:00", case.day(1))
        assert (at, points[at - 1], len(case.sent())) == (at, points[at - 1], stop.arrived)
        remove_halt(case.folder)
        case.slot("14:00", case.day(1))
        assert case.positions() == TURN


def test_after_a_halt_of_new_risk_between_any_two_points_only_reductions_go_on(place: Path) -> None:
    points = passed(place / "clean")
    for at in range(1, len(points) + 1):
        case = turning(place / f"{at}")
        stop = StopAt(case, at, "new_risk")
        case.run("09:35", stop)
        case.slot("12:00", case.day(1))
        assert {one.intent.side for one in case.line.posted[stop.arrived :]} <= {"sell"}
        assert case.positions().get("AAA", 0) == 0


def test_what_works_when_the_halt_comes_is_still_watched_and_cancelled(place: Path) -> None:
    case = turning(place)
    case.behave(handling=Handling(delay_s=9000))

    def point(name: str) -> None:
        if name == "all sent":
            write_halt(case.folder, "all", "stop", case.clock.now())

    assert case.run("09:35", point).ending == "halted"
    assert case.exchange.working() == []
    assert case.line.cancels >= 1


# ---- the file


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"grade": "new_risk"}', b'{"grade": "none", "reason": "", "since": ""}',
     b"[" * 100_000, b'{"grade": 1e999, "reason": 9, "since": null}'],
    ids=["empty", "cut", "no text", "list", "null", "half", "unknown grade", "deep", "numbers"],
)  # fmt: skip
def test_a_halt_file_that_is_garbled_stops_everything(place: Path, content: bytes) -> None:
    case = make_case(place)
    case.decide(AAA=10)
    case.folder.mkdir()
    (case.folder / FILE).write_bytes(content)
    halt = read_halt(case.folder)
    assert halt is not None
    assert halt.grade == "all"
    assert case.slot("09:35").ending == "halted"
    assert case.sent() == []


@pytest.mark.parametrize("kind", ["folder", "link to nothing", "link to itself"])
def test_anything_by_that_name_that_cannot_be_read_stops_everything(place: Path, kind: str) -> None:
    if kind == "folder":
        (place / FILE).mkdir()
    else:
        (place / FILE).symlink_to(place / ("nothing" if kind == "link to nothing" else FILE))
    halt = read_halt(place)
    assert halt is not None
    assert halt.grade == "all"


def test_a_stop_of_everything_is_never_weakened_and_only_taken_away(place: Path) -> None:
    write_halt(place, "all", "first", NOW)
    write_halt(place, "new_risk", "second", NOW)
    assert read_halt(place) == Halt("all", "first", NOW.isoformat())
    assert (remove_halt(place), remove_halt(place), read_halt(place)) == (True, False, None)


def test_a_halt_that_cannot_be_written_is_never_reported_as_one(place: Path) -> None:
    (place / "file").touch()
    with pytest.raises(OutputError, match="by hand"):
        write_halt(place / "file", "all", "stop", NOW)


def test_it_is_written_with_the_database_locked_and_the_venue_away(place: Path) -> None:
    case = turning(place)
    locked = sqlite3.connect(case.folder / JOURNAL, isolation_level=None)
    locked.execute("BEGIN EXCLUSIVE")
    begun = time.monotonic()
    write_halt(case.folder, "all", "stop", NOW)
    told = wait_for_silence(case.folder, time.sleep)
    assert (told.sure, time.monotonic() - begun < 1.0) == (True, True)
    locked.close()
    sent = len(case.sent())
    assert case.run("09:35").ending == "halted"
    assert len(case.sent()) == sent


# ---- a process that hangs in the middle of an order


def hang(folder: Path, inside: str) -> None:
    """Hold the sending lock and do nothing for ever, as a line without a time-out does."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with sending(folder):
        (folder / inside).touch()
        time.sleep(3600)


def until(path: Path) -> None:
    for _ in range(500):
        if path.exists():
            return
        time.sleep(0.01)
    raise AssertionError(f"no {path.name}")


@pytest.mark.parametrize("stopped", [False, True], ids=["hangs", "was stopped"])
def test_a_sender_that_hangs_is_ended_and_nothing_of_it_follows(place: Path, stopped: bool) -> None:
    child = fork.Process(target=hang, args=(place, "inside"))
    child.start()
    until(place / "inside")
    if stopped:
        os.kill(int(child.pid or 0), signal.SIGSTOP)
    write_halt(place, "all", "stop", NOW)
    quiet = wait_for_silence(place, time.sleep, patience_s=0.2)
    child.join(10)
    assert (quiet.sure, f"process {child.pid} hung" in quiet.told) == (True, True)
    assert child.exitcode == -signal.SIGKILL
    assert wait_for_silence(place, time.sleep).told == "no order is on its way"
    child.close()


def test_a_sender_may_be_left_alive_and_then_silence_is_not_promised(place: Path) -> None:
    child = fork.Process(target=hang, args=(place, "inside"))
    child.start()
    until(place / "inside")
    quiet = wait_for_silence(place, time.sleep, patience_s=0.1, end=False)
    assert (quiet.sure, child.is_alive()) == (False, True)
    child.kill()
    child.join()
    child.close()


def test_nobody_is_ended_by_a_process_number_that_belongs_to_somebody_else_by_now(place: Path) -> None:
    with sending(place):
        (place / "send.lock").write_text(f"{os.getppid()} 1", encoding="utf-8")
        quiet = wait_for_silence(place, time.sleep, patience_s=0.1)
    assert quiet.sure is False
    assert started(os.getppid()) != ""


# ---- each halt by itself


def test_only_the_halts_that_were_seen_are_taken_away(place: Path) -> None:
    write_halt(place, "all", "first", NOW)
    seen = read_halts(place)
    write_halt(place, "all", "second", NOW + timedelta(seconds=1))
    assert remove_halt(place, seen)
    assert read_halt(place) == Halt("all", "second", (NOW + timedelta(seconds=1)).isoformat())
    assert not remove_halt(place, seen)
    write_halt(place, "new_risk", "third", NOW + timedelta(seconds=2))  # under the name that the first one had
    assert not remove_halt(place, seen)
    assert len(read_halts(place)) == 2


def test_whoever_may_pass_the_halts_he_saw_passes_no_other(place: Path) -> None:
    write_halt(place, "all", "seen", NOW)
    seen = read_halts(place)
    assert read_halt(place, seen) is None
    write_halt(place, "all", "seen", NOW)
    assert read_halt(place, seen) == Halt("all", "seen", NOW.isoformat())


def no_room(*_: object) -> int:
    raise OSError(28, "No space left on device")


def test_on_a_full_disk_a_halt_stands_without_its_reason(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "write", no_room)
    write_halt(place, "new_risk", "stop", NOW)
    halt = read_halt(place)
    assert halt is not None
    assert halt.grade == "all"
    assert [one.name for one in place.iterdir()] == list(read_halts(place))


def test_where_there_are_no_links_each_halt_is_there_all_the_same(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", no_room)
    write_halt(place, "all", "first", NOW)
    write_halt(place, "all", "second", NOW)
    assert sorted(one.reason for one in read_halts(place).values()) == ["first", "second"]


def test_a_sender_that_has_no_room_for_its_lock_says_so_in_one_line(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "pwrite", no_room)
    with pytest.raises(OutputError, match="No space left on device"), sending(place):
        raise AssertionError("it must not send")
    monkeypatch.undo()
    assert wait_for_silence(place, time.sleep).told == "no order is on its way"
