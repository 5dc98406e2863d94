"""A catalog whose writer is killed, crowded or out of room opens clean and has everything that was acknowledged."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.histories import NOW, history

from plimsoll.engine.errors import OutputError
from plimsoll.engine.market.catalog.disk import Disk
from plimsoll.engine.market.catalog.store import Catalog

_STEPS = ("write", "fsync", "replace")

# Stores sessions 10, 11, 12 ... of AAA one by one, and dies by SIGKILL before (or half-way through) its n-th operation.
_KILLED = """
import os, signal, sys
from pathlib import Path
from plimsoll.engine.market.catalog.disk import Disk
from plimsoll.engine.market.catalog.store import Catalog
from support.histories import NOW, history

root, fatal, last = Path(sys.argv[1]), range(int(sys.argv[2]), int(sys.argv[3])), int(sys.argv[4])
whole = history()

def attempt(folder, deadly):
    count = 0
    def step(operation):
        def counted(*arguments):
            nonlocal count
            count += 1
            if count == deadly:
                if operation is os.write:
                    os.write(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return operation(*arguments)
        return counted
    disk = Disk(write=step(os.write), fsync=step(os.fsync), replace=step(os.replace))
    acknowledged = os.open(folder.with_suffix(".acks"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for row in range(10, last):
        Catalog(folder, disk).store(whole.take(slice(row, row + 1)), (), NOW)
        os.write(acknowledged, b"%d\\n" % row)
    os._exit(0)

for deadly in fatal:
    child = os.fork()
    if child == 0:
        attempt(root / f"{deadly:03d}", deadly)
    os.waitpid(child, 0)
"""


def test_killed_before_every_single_operation_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    # a store writes and syncs the log, then writes, syncs, replaces and syncs the folder; the first makes the log too
    n_operations, n_points = 6 + 6 + 7, 22
    _run(_KILLED, tmp_path, 1, n_points, 13)
    finished = 0
    for deadly in range(1, n_points):
        folder = tmp_path / f"{deadly:03d}"
        acknowledged = [int(line) for line in folder.with_suffix(".acks").read_text().split()]
        finished += acknowledged == [10, 11, 12]
        catalog = Catalog(folder)
        stored = catalog.find("AAA")
        held = [] if stored is None else stored.current().session.tolist()
        assert held[: len(acknowledged)] == [history().session[row].astype(object) for row in acknowledged]
        assert len(held) - len(acknowledged) in (0, 1)  # the one in flight is there whole, or not at all
        for row in range(10, 13):  # and whoever comes next goes on
            catalog.store(history().take(slice(row, row + 1)), (), NOW)
        assert len(catalog.read("AAA").current()) == 3
        assert [event["event"] for event in catalog.log.events()][-3:] == ["stored"] * 3
        assert sorted(path.name for path in (folder / "bars").iterdir()) == ["AAA.parquet"]
    assert finished == n_points - 1 - n_operations


def test_killed_at_random_moments_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from plimsoll.engine.market.catalog.store import Catalog
from support.histories import NOW, history
catalog, whole = Catalog(Path(sys.argv[1])), history()
for row in range(42):
    catalog.store(whole.take(slice(row, row + 1)), (), NOW)
    os.write(1, b"%d\\n" % row)
"""
    for n_acks in (1, 5, 17):
        folder = tmp_path / str(n_acks)
        with subprocess.Popen(_command(code, folder), stdout=subprocess.PIPE, cwd=_TESTS, text=True) as writer:
            assert writer.stdout is not None
            rows = [int(writer.stdout.readline()) for _ in range(n_acks)]
            writer.send_signal(signal.SIGKILL)
            rows += [int(line) for line in writer.stdout.read().split()]
        held = Catalog(folder).read("AAA").current()
        assert len(held) in (len(rows), len(rows) + 1)
        assert held.close.tolist() == history().close[: len(held)].tolist()


def test_two_writers_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from plimsoll.engine.market.catalog.store import Catalog
from support.histories import NOW, history
catalog = Catalog(Path(sys.argv[1]))
for row in range(int(sys.argv[2]), 42, 2):
    catalog.store(history().take(slice(row, row + 1)), (), NOW)
"""
    writers = [subprocess.Popen(_command(code, tmp_path, start), cwd=_TESTS) for start in (0, 1)]
    assert [writer.wait() for writer in writers] == [0, 0]
    catalog = Catalog(tmp_path)
    assert catalog.read("AAA").current().close.tolist() == history().close.tolist()
    assert sum(event["added"] for event in catalog.log.events()) == 42


@pytest.mark.parametrize("step", _STEPS)
@pytest.mark.parametrize("nth", range(1, 7))
def test_a_full_disk_at_any_operation_is_one_line_and_changes_nothing(tmp_path: Path, step: str, nth: int) -> None:
    catalog = Catalog(tmp_path)
    catalog.store(history().take(slice(0, 34)), (), NOW)
    before = catalog.read("AAA")
    full = Disk(**{step: _fails(getattr(os, step), nth)})
    try:
        Catalog(tmp_path, full).store(history(), (), NOW)
    except OutputError as error:  # some n are past the last operation
        if "No space left on device; make room" not in str(error):
            raise
        found = catalog.read("AAA")
        assert len(found.current()) in (len(before.current()), len(history()))
    assert not list(tmp_path.rglob("*.unfinished"))
    assert catalog.store(history(), (), NOW).revised == 0
    assert catalog.read("AAA").current().close.tolist() == history().close.tolist()
    list(catalog.log.events())


def test_a_short_write_goes_on_where_it_stopped(tmp_path: Path) -> None:
    dribble = Disk(write=lambda handle, data: os.write(handle, bytes(data)[:100]))
    Catalog(tmp_path, dribble).store(history(), (), NOW)
    assert Catalog(tmp_path).read("AAA").current().close.tolist() == history().close.tolist()


def test_a_lock_that_is_never_given_back_is_one_line(tmp_path: Path) -> None:
    waited: list[float] = []
    with Disk().locked(tmp_path):
        other = Disk(wait=waited.append)
        with pytest.raises(OutputError, match=r"the catalog is locked .another process"), other.locked(tmp_path):
            pass
    assert len(waited) == 1499


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot be written: .*; make room, or point --catalog"):
        Catalog(tmp_path / "file" / "catalog").store(history(), (), NOW)


_TESTS = Path(__file__).resolve().parents[1]


def _command(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *(str(one) for one in arguments)]


def _run(code: str, *arguments: object) -> None:
    done = subprocess.run(_command(code, *arguments), cwd=_TESTS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _fails(operation: Callable[..., Any], nth: int) -> Callable[..., Any]:
    count = 0

    def counted(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        if count >= nth:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return operation(*arguments)

    return counted
