"""The stop that works when nothing else does: a file beside the journal.

It can be written while the sender hangs, the database is locked and the venue is down. The sender looks at it inside
the transaction that precedes every order, and once more right before the order leaves. A file that is there and cannot
be read stops everything: fail closed.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from plimsoll.engine.errors import OutputError
from plimsoll.engine.live.journal.rows import Grade, Halt

FILE: Final = "HALT"
LOCK: Final = "send.lock"
PATIENCE_S: Final = 5.0
_POLL_S: Final = 0.05


def read_halt(folder: Path) -> Halt | None:
    """Return the halt in force, None if there is none."""
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Halt("all", f"{path.name} is a link to nothing", "") if path.is_symlink() else None
    except (OSError, UnicodeDecodeError) as error:
        return Halt("all", f"{path.name} cannot be read: {type(error).__name__}", "")
    try:
        told = json.loads(text)
        grade: Grade = "new_risk" if told["grade"] == "new_risk" else "all"
        return Halt(grade, str(told["reason"]), str(told["since"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return Halt("all", f"{path.name} is not what was written", "")


def write_halt(folder: Path, grade: Grade, reason: str, now: datetime) -> None:
    """Write the halt, durably. One that stops everything is never weakened.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    there = read_halt(folder)
    if there is not None and there.grade == "all":
        if there.since:
            return
        grade = "all"  # as what cannot be read has it, whose place is taken
    body = json.dumps({"grade": grade, "reason": reason, "since": now.astimezone(UTC).isoformat()})
    path, fresh = folder / FILE, folder / f".{FILE}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(handle, body.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        fresh.replace(path)
        _sync(folder)
    except OSError as error:
        fix = "stop the process by hand, or suspend trading at the venue"
        raise OutputError(f"cannot be written: {error.strerror}", where=str(path), fix=fix) from error


def remove_halt(folder: Path) -> bool:
    """Take the halt away, durably; return whether there was one."""
    try:
        (folder / FILE).unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise OutputError(f"cannot be removed: {error.strerror}", where=str(folder / FILE)) from error
    _sync(folder)
    return True


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def sending(folder: Path) -> Iterator[None]:
    """Hold the lock of whoever sends an order, from the last look at the halt until the order is out or refused."""
    import fcntl

    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.ftruncate(handle, 0)
        os.pwrite(handle, _own_name(os.getpid()), 0)
        yield
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class Silence:
    """Whether nobody is in the middle of sending: at once, after a while, or because the sender was ended."""

    sure: bool
    told: str


def wait_for_silence(
    folder: Path, sleep: Callable[[float], None], *, patience_s: float = PATIENCE_S, end: bool = True
) -> Silence:
    """Wait until no order is on its way; after `patience_s` end the process that hangs in the middle of one.

    A sender is written to be killed at any moment: what it was about to do is in the journal, as unknown.
    """
    waited = 0.0
    while not _free(folder):
        if waited >= patience_s:
            return _end_sender(folder, sleep) if end else Silence(False, "an order is on its way and does not end")
        sleep(_POLL_S)
        waited += _POLL_S
    return Silence(True, "no order is on its way")


def _free(folder: Path) -> bool:
    import fcntl

    try:
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def _end_sender(folder: Path, sleep: Callable[[float], None]) -> Silence:
    try:
        number, _, since = (folder / LOCK).read_text(encoding="utf-8").partition(" ")
        pid = int(number)
    except (OSError, ValueError):
        return Silence(False, "somebody holds the sending lock, and it does not say who")
    if pid == os.getpid() or started(pid) != since:
        return Silence(False, f"process {pid} held the sending lock and is not there")
    os.kill(pid, signal.SIGKILL)
    for _ in range(int(PATIENCE_S / _POLL_S)):
        if _free(folder):
            return Silence(
                True, f"process {pid} hung in the middle of an order and was ended: run `plimsoll reconcile`"
            )
        sleep(_POLL_S)
    return Silence(False, f"process {pid} was ended and still holds the sending lock")


@lru_cache(maxsize=1)
def _own_name(pid: int) -> bytes:
    return f"{pid} {started(pid)}".encode()


def started(pid: int) -> str:
    """Return when a process began, in the kernel's ticks; "" if there is none or nobody knows."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
