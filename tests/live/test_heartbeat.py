"""Signs of life: in a file that is always whole, and to systemd over its socket."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from plimsoll.engine.live.heartbeat import FILE, Beat, Heartbeat, Notifier, read_beat

AT = datetime(2026, 3, 2, 14, 35, tzinfo=UTC)


def now() -> datetime:
    return AT


@contextmanager
def listening(address: str | bytes) -> Iterator[socket.socket]:
    """Listen as systemd does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind(address)
        one.setblocking(False)
        yield one


def heard(one: socket.socket) -> list[str]:
    """Return what has come."""
    found = []
    while True:
        try:
            found.append(one.recv(4096).decode())
        except BlockingIOError:
            return found


def test_a_beat_is_read_as_it_was_given(tmp_path: Path) -> None:
    heart = Heartbeat(tmp_path, now)
    assert heart.beat("deciding", session="2026-03-02", slot="09:35", next_slot="2026-03-02T17:00+00:00")
    beat = read_beat(tmp_path)
    assert isinstance(beat, Beat)
    since = Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(")")[2].split()[19]
    assert beat == Beat(AT, os.getpid(), since, "deciding", "2026-03-02", "09:35", "2026-03-02T17:00+00:00")
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize(
    ("seconds", "stale"), [(0, False), (90, False), (90.1, True), (1e7, True), (-90, False), (-91, True)]
)
def test_one_that_is_older_than_90_seconds_or_from_the_future_is_stale(seconds: float, stale: bool) -> None:
    beat = Beat(AT, 1, "1", "waiting")
    assert beat.age_s(AT + timedelta(seconds=seconds)) == seconds
    assert beat.is_stale(AT + timedelta(seconds=seconds)) is stale


def test_who_ended_by_itself_is_never_stale(tmp_path: Path) -> None:
    heart = Heartbeat(tmp_path, now)
    heart.beat("waiting")
    heart.end("told to end")
    beat = read_beat(tmp_path)
    assert isinstance(beat, Beat)
    assert (beat.ended, beat.doing) == (True, "told to end")
    assert not beat.is_stale(AT + timedelta(days=30))


def test_who_never_lived_does_not_speak_for_whoever_does(tmp_path: Path) -> None:
    Heartbeat(tmp_path, now).beat("waiting")
    before = (tmp_path / FILE).read_bytes()
    assert not Heartbeat(tmp_path, now).end("refused at the start")
    assert (tmp_path / FILE).read_bytes() == before


def test_none_is_none(tmp_path: Path) -> None:
    assert read_beat(tmp_path) is None
    assert read_beat(tmp_path / "gone") is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b"[]", b"1", b'{"at": 1}', b'{"at": "2026-03-02T14:35:00"}', b'{"pid": 1}',
     b'{"at": "2026-03-02T14:35:00+00:00", "odd": 1}', b'{"at": "2026-03-02T14:35:00+00:00"}', b"[" * 100_000],
    ids=range(11),
)  # fmt: skip
def test_a_file_that_is_something_else_is_named_and_raises_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert read_beat(tmp_path) == "heartbeat.json is not what was written"


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    heart, stop, odd = Heartbeat(tmp_path, now), threading.Event(), list[Any]()
    heart.beat("0")

    def look() -> None:
        while not stop.is_set():
            found = read_beat(tmp_path)
            if not isinstance(found, Beat):
                odd.append(found)

    reader = threading.Thread(target=look)
    reader.start()
    for k in range(500):
        heart.beat("x" * (k % 150))
    stop.set()
    reader.join()
    assert odd == []


def test_a_folder_that_cannot_be_written_fails_nobody(tmp_path: Path) -> None:
    heart = Heartbeat(tmp_path / "gone", now)
    assert [heart.beat("waiting"), heart.end("x")] == [False, False]
    assert heart.failed == 2


# ---- systemd


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_systemd_hears_ready_once_then_signs_of_life_then_the_end(tmp_path: Path, kind: str) -> None:
    name = f"plimsoll-test-{os.getpid()}-{kind}"
    path = str(tmp_path / "notify")
    address, told = (path, path) if kind == "path" else (b"\0" + name.encode(), f"@{name}")
    with listening(address) as systemd:
        heart = Heartbeat(tmp_path, now, Notifier({"NOTIFY_SOCKET": told}))
        heart.beat("slot 2026-03-02 09:35", session="2026-03-02", slot="09:35")
        heart.beat("waiting\nREADY=1")
        heart.end("told to end")
        assert heard(systemd) == [
            "READY=1", "STATUS=slot 2026-03-02 09:35 2026-03-02 09:35", "WATCHDOG=1",
            "STATUS=waiting READY=1", "WATCHDOG=1",
            "STOPPING=1", "STATUS=told to end",
        ]  # fmt: skip


@pytest.mark.parametrize("told", ["", "@", "/", "/nobody/listens", "@nobody", "vsock:2:1", "x" * 300, "/" + "x" * 300])
def test_where_nobody_listens_nothing_happens(told: str) -> None:
    one = Notifier({"NOTIFY_SOCKET": told} if told else {})
    assert [one.ready(), one.watchdog(), one.stopping(), one.status("\udc80")] == [False] * 4


def test_a_systemd_that_does_not_listen_any_more_holds_nobody_up(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with listening(path):
        one = Notifier({"NOTIFY_SOCKET": path})
        sent = [one.watchdog() for _ in range(5000)]
    assert sent[0] is True
    assert sent[-1] is False  # the queue is full; it would wait for ever if it waited


@pytest.mark.parametrize(
    ("env", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
    ids=["none", "ours by default", "ours", "another's", "zero", "a word"],
)
def test_the_watchdogs_period_is_read_as_systemd_gives_it(env: dict[str, str], seconds: float | None) -> None:
    assert Notifier(env).watchdog_s == seconds


BEAT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from plimsoll.engine.live.heartbeat import Heartbeat
Heartbeat(Path(sys.argv[1]), lambda: datetime.now(UTC)).beat("waiting")
"""


def test_a_process_that_is_gone_can_be_told_from_one_that_is_there(tmp_path: Path) -> None:
    from plimsoll.engine.live.standing import heart

    subprocess.run([sys.executable, "-c", BEAT, str(tmp_path)], check=True)
    told, well = heart(tmp_path, datetime.now(UTC))
    assert isinstance(told, dict)
    assert (told["process_is_there"], well) == (False, True)  # it may be on its way up again
    Heartbeat(tmp_path, now).beat("waiting")
    told, well = heart(tmp_path, AT)
    assert isinstance(told, dict)
    assert (told["process_is_there"], told["age_s"], well) == (True, 0.0, True)
    json.dumps(told)
