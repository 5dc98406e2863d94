"""The trial ledger under hostile conditions: many writers, killed writers, other files in its place, damage."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.trials import make_trial, raw

from plimsoll.engine.errors import OutputError
from plimsoll.engine.trials.ledger import TrialLedger

ROOT = Path(__file__).resolve().parents[2]
# 1,000 sessions a trial and 400 trials are 3 MB: more than SQLite keeps in memory, so it writes before the commit.
LONG, MANY = 1_000, 400


def _start(code: str, *arguments: str) -> subprocess.Popen[str]:
    paths = os.pathsep.join((str(ROOT / "src"), str(ROOT / "tests")))
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": paths},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def ledger(tmp_path: Path) -> TrialLedger:
    return TrialLedger(tmp_path / "trials.sqlite")


WRITER = """
import sys
from pathlib import Path
from support.trials import make_trial
from plimsoll.engine.trials.ledger import TrialLedger
ledger, who = TrialLedger(Path(sys.argv[1]), timeout_s=120.0), sys.argv[2]
sys.stdin.readline()
print(sum(ledger.record([make_trial(f"{who}-{k}"), make_trial(f"{who}-{k}b"), make_trial(k)]) for k in range(25)))
"""


def test_four_processes_that_write_at_once_lose_nothing_and_count_nothing_twice(ledger: TrialLedger) -> None:
    writers = [_start(WRITER, str(ledger.path), who) for who in "abcd"]
    told = [writer.communicate("go\n") for writer in writers]
    assert [err for _, err in told] == [""] * 4
    expected = {f"config-{who}-{k}{b}" for who in "abcd" for k in range(25) for b in ("", "b")}
    expected |= {f"config-{k}" for k in range(25)}
    assert sum(int(out) for out, _ in told) == len(expected)
    rows = ledger.rows()
    assert {row.config_hash for row in rows} == expected
    assert [row.id for row in rows] == list(range(1, len(expected) + 1))
    assert raw(ledger.path, "PRAGMA integrity_check") == [("ok",)]


# The tracer sees each statement before it runs, on the connection that the ledger itself opens.
VICTIM = """
import os, signal, sqlite3, sys
from pathlib import Path
from support.trials import make_trial
from plimsoll.engine.trials.ledger import TrialLedger
path, moment, turn = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
seen = set()  # a statement is told once more for each trigger it fires
def trace(sql):
    if sql.strip().startswith(moment):
        seen.add(sql)
    if len(seen) == turn:
        os.kill(os.getpid(), signal.SIGKILL)
connect = sqlite3.connect
def traced(*args, **named):
    connection = connect(*args, **named)
    connection.set_trace_callback(trace)
    return connection
sqlite3.connect = traced
TrialLedger(path).record([make_trial(f"new-{k}", n=1000) for k in range(400)])
"""


def _kill_at(path: Path, moment: str, turn: int) -> None:
    victim = _start(VICTIM, str(path), moment, str(turn))
    _, err = victim.communicate()
    assert victim.returncode == -signal.SIGKILL, err


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize(
    ("moment", "turn"), [("INSERT INTO trial", 1), ("INSERT INTO trial", 2), ("INSERT INTO trial", 390), ("COMMIT", 1)]
)
def test_a_killed_writer_leaves_all_earlier_trials_and_nothing_of_its_batch(
    moment: str, turn: int, ledger: TrialLedger
) -> None:
    ledger.record([make_trial(k, n=LONG) for k in range(3)])
    before, size = [row.returns.tobytes() for row in ledger.rows()], ledger.path.stat().st_size
    _kill_at(ledger.path, moment, turn)
    if turn != 1 or moment == "COMMIT":
        assert Path(f"{ledger.path}-journal").stat().st_size > 0
    if turn == 390:
        assert ledger.path.stat().st_size > 2 * size  # half the batch is in the file, and has to go again
    assert [row.returns.tobytes() for row in ledger.rows()] == before
    assert ledger.record([make_trial(f"new-{k}", n=LONG) for k in range(MANY)]) == MANY
    assert len(ledger.rows()) == 3 + MANY
    assert raw(ledger.path, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize(("moment", "turn"), [("BEGIN", 1), ("CREATE TABLE", 2), ("INSERT INTO trial", 390)])
def test_a_writer_killed_while_it_begins_a_ledger_leaves_an_empty_one(
    moment: str, turn: int, ledger: TrialLedger
) -> None:
    _kill_at(ledger.path, moment, turn)
    assert (ledger.families(), ledger.rows()) == ((), ())
    assert ledger.record([make_trial()]) == 1
    assert len(ledger.rows()) == 1


def test_a_writer_holds_the_lock_before_it_looks_at_anything(
    ledger: TrialLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.record([make_trial(1)])
    connect, others = sqlite3.connect, []

    def try_to_write(sql: str) -> None:
        if sql == "PRAGMA application_id":
            with closing(connect(ledger.path, timeout=0.0, isolation_level=None)) as other:
                try:
                    others.append(other.execute("BEGIN IMMEDIATE"))
                except sqlite3.OperationalError as error:
                    others.append(str(error))

    def watched(*arguments: Any, **named: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **named)
        connection.set_trace_callback(try_to_write)
        return connection

    monkeypatch.setattr(sqlite3, "connect", watched)
    assert ledger.record([make_trial(2)]) == 1
    assert others == ["database is locked"]


def test_an_error_within_a_batch_leaves_nothing_of_it(ledger: TrialLedger) -> None:
    ledger.record([make_trial(1)])
    broken = make_trial(3)
    object.__setattr__(broken, "config_hash", None)
    with pytest.raises(OutputError, match=r"NOT NULL constraint failed: trial\.config_hash"):
        ledger.record([make_trial(2), broken])
    assert [row.name for row in ledger.rows()] == ["run-1"]


def test_a_ledger_that_stays_locked_is_one_clear_line(ledger: TrialLedger) -> None:
    ledger.record([make_trial(1)])
    impatient = TrialLedger(ledger.path, timeout_s=0.01)
    with closing(sqlite3.connect(ledger.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OutputError, match=r"is locked for more than 0.01 s \(another process is writing\)"):
            impatient.record([make_trial(2)])
        assert len(impatient.rows()) == 1  # readers are not kept out
    assert impatient.record([make_trial(2)]) == 1


def _text(path: Path) -> None:
    path.write_text("this is not a database " * 100)


def _other_database(path: Path) -> None:
    raw(path, "CREATE TABLE trial (id INTEGER)")


def _other_application(path: Path) -> None:
    raw(path, "PRAGMA application_id = 7", "PRAGMA user_version = 1")


def _newer(path: Path) -> None:
    TrialLedger(path).record([make_trial()])
    raw(path, "PRAGMA user_version = 3")


def _cut(path: Path) -> None:
    TrialLedger(path).record([make_trial(k, n=LONG) for k in range(9)])
    path.write_bytes(path.read_bytes()[: 4096 * 5])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_text, "is not a trial ledger (another kind of file, or a damaged one)"),
        (_other_database, "is not a trial ledger (another database)"),
        (_other_application, "is not a trial ledger (another database)"),
        (_newer, "the ledger is of version 3, this plimsoll knows 2 (a newer plimsoll wrote it); upgrade"),
        (_cut, "is damaged: database disk image is malformed"),
        (Path.mkdir, "cannot be used: unable to open database file"),
    ],
)
def test_what_is_not_a_ledger_of_ours_is_refused_and_left_alone(
    make: Callable[[Path], None], says: str, ledger: TrialLedger
) -> None:
    make(ledger.path)
    before = None if ledger.path.is_dir() else ledger.path.read_bytes()
    calls: list[Callable[[], object]] = [ledger.rows, lambda: ledger.record([make_trial("new")])]
    if make is not _cut:
        calls.append(ledger.families)
    for call in calls:
        with pytest.raises(OutputError) as refused:
            call()
        assert str(refused.value).startswith(f"{ledger.path}: {says}")
        assert "PLIMSOLL_TRIALS" in str(refused.value)
    if before is not None:
        assert ledger.path.read_bytes() == before
    assert [path.name for path in ledger.path.parent.iterdir()] == [ledger.path.name]


def test_an_empty_file_is_an_empty_ledger(ledger: TrialLedger) -> None:
    ledger.path.touch()
    assert ledger.rows() == ()
    assert ledger.record([make_trial()]) == 1


@pytest.mark.parametrize("what", ["returns", "sessions"])
def test_a_bit_that_turned_in_the_figures_is_noticed(what: str, ledger: TrialLedger) -> None:
    row = make_trial(n=60)
    ledger.record([row])
    content = bytearray(ledger.path.read_bytes())
    stored = row.returns.tobytes() if what == "returns" else row.sessions.astype("<i4").tobytes()
    content[content.index(stored) + 17] ^= 4
    ledger.path.write_bytes(content)
    with pytest.raises(OutputError, match="trial 1 is damaged; restore the file from a copy"):
        ledger.rows()


def test_damage_anywhere_is_an_error_of_one_kind_or_harmless(ledger: TrialLedger) -> None:
    ledger.record([make_trial(k, n=100) for k in range(12)])
    whole = ledger.path.read_bytes()
    stored = {row.returns.tobytes() for row in ledger.rows()}
    rng = np.random.default_rng(11)
    refused = 0
    for position in rng.integers(0, len(whole), 300):
        content = bytearray(whole)
        content[position : position + 4] = rng.bytes(4)
        ledger.path.write_bytes(content)
        try:
            found = {row.returns.tobytes() for row in ledger.rows()}
        except OutputError:
            refused += 1
        else:
            assert found <= stored
    assert refused > 100
