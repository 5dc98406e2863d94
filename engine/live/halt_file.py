"""The stop that works when nothing else does: a file beside the journal.

It can be written while the sender hangs, the database is locked and the venue is down. The sender looks at it inside
the transaction that precedes every order, and once more right before the order leaves. A file that is there and cannot
be read stops everything: fail closed. Each halt is a file of its own: HALT, and HALT.* for those that come after it.
"""

import json
import os
import secrets
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Seen:
    """The halts that somebody knew of when he looked: one that comes later is none of them, whatever it says.

    files : by the name of their file; journal : those that stand in the journal.
    """

    files: Mapping[str, Halt] = field(default_factory=dict)
    journal: tuple[Halt, ...] = ()

    @property
    def halts(self) -> list[Halt]:
        """Return all of them, those of files first, the strongest of these first."""
        return [*sorted(self.files.values(), key=_strength), *self.journal]


def read_halts(folder: Path) -> dict[str, Halt]:
    """Return every halt that was written, by the name of its file."""
    try:
        names = [one.name for one in folder.iterdir() if one.name == FILE or one.name.startswith(f"{FILE}.")]
    except FileNotFoundError:
        return {}
    except OSError as error:
        return {FILE: Halt("all", f"{folder.name} cannot be read: {type(error).__name__}", "")}
    found = {name: _read(folder / name) for name in sorted(names)}
    return {name: halt for name, halt in found.items() if halt is not None}


def read_halt(folder: Path, passed: Mapping[str, Halt] | None = None) -> Halt | None:
    """Return the halt in force, the strongest of those that were written; None if there is none.

    passed : those that do not bind whoever asks.
    """
    binding = [halt for name, halt in read_halts(folder).items() if passed is None or passed.get(name) != halt]
    return min(binding, key=_strength, default=None)


def _strength(halt: Halt) -> tuple[bool, str]:
    return halt.grade != "all", halt.since


def _read(path: Path) -> Halt | None:
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


def write_halt(folder: Path, grade: Grade, reason: str, now: datetime) -> str:
    """Write a halt, durably, beside those that are there: none is weakened, and each is taken away by itself.

    Return the name of its file. On a full disk it stands there without its reason, and stops everything.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    body = json.dumps({"grade": grade, "reason": reason, "since": now.astimezone(UTC).isoformat()})
    name = f"{FILE}.{secrets.token_hex(8)}"
    path, fresh = folder / name, folder / f".{name}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            _write(fresh, body)
            path = _place(fresh, path)
        except OSError:  # a name needs no room: an empty halt stops everything
            _write(path, "")
        _sync(folder)
    except OSError as error:
        fix = "stop the process by hand, or suspend trading at the venue"
        raise OutputError(f"cannot be written: {error.strerror}", where=str(folder / FILE), fix=fix) from error
    finally:
        with suppress(OSError):
            fresh.unlink()
    return path.name


def _write(path: Path, body: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        rest = body.encode()
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _place(fresh: Path, path: Path) -> Path:
    """Give a halt that is written the name by which it is looked for: the plain one, or its own where that is taken."""
    plain = path.with_name(FILE)
    try:
        os.link(fresh, plain)
    except OSError:  # or the file system knows no links
        fresh.replace(path)
        return path
    return plain


def remove_halt(folder: Path, seen: Mapping[str, Halt] | None = None) -> bool:
    """Take halts away, durably, all or those that were seen; return whether there was one.

    Whoever takes some away and leaves others does so alone, in a transaction of the journal.

    Raises
    ------
    OutputError
        If one cannot be removed.
    """
    there = read_halts(folder)
    names = [name for name, halt in there.items() if seen is None or seen.get(name) == halt]
    try:
        for name in names:
            (folder / name).unlink(missing_ok=True)
        if names:
            _sync(folder)
    except OSError as error:
        raise OutputError(f"cannot be removed: {error.strerror}", where=str(folder / FILE)) from error
    return bool(names)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def sending(folder: Path) -> Iterator[None]:
    """Hold the lock of whoever sends an order, from the last look at the halt until the order is out or refused.

    Raises
    ------
    OutputError
        If it cannot be had, or the disk has no room for who holds it.
    """
    handle = _hold(folder / LOCK)
    try:
        yield
    finally:
        os.close(handle)


def _hold(path: Path) -> int:
    import fcntl

    handle = -1
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.ftruncate(handle, 0)
        os.pwrite(handle, _own_name(os.getpid()), 0)
    except OSError as error:
        if handle >= 0:
            os.close(handle)
        raise OutputError(f"cannot be used: {error.strerror}", where=str(path), fix="free some space") from error
    return handle


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
    try:
        os.kill(pid, signal.SIGKILL)
    except PermissionError:
        return Silence(False, f"process {pid} hangs in the middle of an order and is another user's: end it")
    except ProcessLookupError:
        pass  # it ended in the meantime, and its lock with it
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
