"""`status --watch`: plain lines where nobody looks, redrawn on a terminal, ended by Ctrl-C."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from plimsoll.engine.cli.watch import status_line, watch
from plimsoll.engine.errors import OutputError

ROOT = Path(__file__).resolve().parents[2]
RUN = "from plimsoll.engine.cli.main import main; main()"
TOLD: dict[str, Any] = {
    "book": "week", "at": "2026-03-02T14:35:00.5+00:00", "next_slot": "2026-03-02 12:00", "heartbeat": "none",
    "healthy": True, "halts": [],
}  # fmt: skip


def command(folder: Path, *more: str) -> list[str]:
    """Return the command, under which a process of its own may be interrupted."""
    config = ROOT / "config" / "paper.toml"
    state = ["--set", f"live.state={folder / 'state'}"]
    return [sys.executable, "-c", RUN, "status", str(config), "--watch", "--every", "0.1", *state, *more]


@pytest.mark.parametrize("as_json", [False, True])
def test_where_nobody_looks_it_is_a_line_each_time_until_interrupted(tmp_path: Path, as_json: bool) -> None:
    args = command(tmp_path, *(["--json"] if as_json else []))
    with subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(3)]
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=20)
    assert child.returncode == 130
    assert err == "interrupted\n"
    for line in lines:
        if as_json:
            assert json.loads(line)["heartbeat"] == "none"
        else:
            assert " paper, NOT HEALTHY, heartbeat none, next " in line  # nothing ever ran there


def test_on_a_terminal_it_is_redrawn_and_the_screen_given_back(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    with subprocess.Popen(command(tmp_path), stdout=theirs, stderr=subprocess.PIPE, env=env) as child:
        os.close(theirs)
        shown = b""
        while shown.count(b"heartbeat") < 3:
            shown += os.read(ours, 4096)
        child.send_signal(signal.SIGINT)
        try:
            while chunk := os.read(ours, 4096):
                shown += chunk
        except OSError:  # the other side is closed
            pass
        child.communicate(timeout=20)
    os.close(ours)
    assert child.returncode == 130
    assert shown.index(b"\x1b[?1049h") < shown.rindex(b"\x1b[?1049l")


def test_what_goes_wrong_later_is_shown_and_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    def answers() -> Iterator[Mapping[str, Any] | Exception]:
        yield TOLD
        yield OutputError("database is locked", where="journal")
        yield TOLD
        yield KeyboardInterrupt  # type: ignore[misc]

    coming, waits = answers(), list[float]()

    def ask() -> Mapping[str, Any]:
        found = next(coming)
        if isinstance(found, Mapping):
            return found
        raise found

    with pytest.raises(KeyboardInterrupt):
        watch(ask, str, 5.0, as_json=False, sleep=waits.append)
    good = "2026-03-02T14:35:00 week, healthy, heartbeat none, next 2026-03-02 12:00, working 0"
    assert capsys.readouterr().out.splitlines() == [good, "NOT HEALTHY, journal: database is locked", good]
    assert waits == [5.0, 5.0, 5.0]


def test_what_is_wrong_at_the_start_is_an_error() -> None:
    def ask() -> Mapping[str, Any]:
        raise OutputError("database is locked")

    with pytest.raises(OutputError):
        watch(ask, str, 5.0, as_json=False)


def test_a_line_names_everything_that_is_wrong() -> None:
    beat = {"age_s": 91.0, "doing": "waiting"}
    halts = [{"grade": "all", "reason": "a test", "since": ""}]
    told = {**TOLD, "healthy": False, "heartbeat": beat, "halts": halts, "overdue": ["12:00", "14:00"], "working": [{}]}
    assert status_line(told).split(", ")[1:] == [
        "NOT HEALTHY", "heartbeat 91 s: waiting", "next 2026-03-02 12:00", "working 1", "all halted: a test",
        "overdue 12:00 14:00",
    ]  # fmt: skip
