"""One sender: one process in a state folder, one state folder of a book, one process at a time on an account.

A copied state folder, a second configuration of the same name and a second process are all refused before anything is
asked or sent. Locks end with the process that holds them, however that ends.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from plimsoll.engine.errors import OutputError
from plimsoll.engine.live.ids import account_code, book_code

STATE_LOCK: Final = "lock"
DAEMON_LOCK: Final = "daemon.lock"
ACCOUNT_LOCK: Final = "account.lock"


def accounts_folder(env: Mapping[str, str], home: Path) -> Path:
    """Return where it is written which book of which account has its state where: one place for each user."""
    named = env.get("PLIMSOLL_ACCOUNTS")
    if named:
        return Path(named)
    state = env.get("XDG_STATE_HOME")
    return (Path(state) if state else home / ".local" / "state") / "plimsoll" / "accounts"


@contextmanager
def alone(folder: Path, what: str) -> Iterator[None]:
    """Hold a state folder for this process.

    Raises
    ------
    OutputError
        If another process holds it, or it cannot be used.
    """
    with _lock(folder, STATE_LOCK, f"another process works on {what}"):
        yield


@contextmanager
def only_daemon(folder: Path, what: str) -> Iterator[None]:
    """Be the only daemon of a state folder, for as long as this one lives; other verbs still find their turn.

    Raises
    ------
    OutputError
        If there is one already.
    """
    with _lock(folder, DAEMON_LOCK, f"a daemon runs for {what}"):
        yield


@contextmanager
def on_account(accounts: Path, account: str, book: str, state: Path) -> Iterator[None]:
    """Hold an account for this process, and this state folder for this book on it.

    Raises
    ------
    OutputError
        If another process holds it, or this book of this account has its state elsewhere.
    """
    with ExitStack() as stack:
        _private(accounts)
        stack.enter_context(_lock(accounts / account, ACCOUNT_LOCK, f"another process trades account {account}"))
        _claim(_claim_file(accounts, account, book), book, state)
        yield


def claimed(accounts: Path, account: str, book: str) -> Path | None:
    """Return the folder in which a book of an account has its state, None where it never had one.

    Raises
    ------
    OutputError
        If what is written there cannot be read.
    """
    path = _claim_file(accounts, account, book)
    there = _read_claim(path)
    if there is None or there.get("book") != book:
        return None
    state = there.get("state")
    if not isinstance(state, str):
        raise OutputError("is not what was written", where=str(path), fix="remove it if the book has its state here")
    return Path(state)


def check_claim(accounts: Path, account: str, book: str, state: Path) -> None:
    """Refuse to work on a book in a folder that is not the one where it has its state; nothing is written.

    Raises
    ------
    OutputError
        As above.
    """
    path = _claim_file(accounts, account, book)
    there = _read_claim(path)
    if there is not None:
        _same(path, there, book, state)


def release(accounts: Path, account: str, book: str) -> None:
    """Forget where a book has its state, so that it may begin elsewhere."""
    _claim_file(accounts, account, book).unlink(missing_ok=True)


def _claim_file(accounts: Path, account: str, book: str) -> Path:
    return accounts / account / f"{account_code(account)}-{book_code(book)}.json"


def _read_claim(path: Path) -> dict[str, Any] | None:
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise OutputError(f"cannot be read: {type(error).__name__}", where=str(path)) from error
    if not isinstance(there, dict):
        raise OutputError("is not what was written", where=str(path), fix="remove it if the book has its state here")
    return there


def _claim(path: Path, book: str, state: Path) -> None:
    there = _read_claim(path)
    if there is not None:
        _same(path, there, book, state)
        return
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps({"book": book, "state": str(state.resolve())}), encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror}", where=str(path)) from error


def _same(path: Path, there: dict[str, Any], book: str, state: Path) -> None:
    if there == {"book": book, "state": str(state.resolve())}:
        return
    if there.get("book") != book:
        raise OutputError(
            f"its order ids would be those of book {there.get('book')!r}", where=f"run.name {book!r}",
            fix="choose another name",
        )  # fmt: skip
    raise OutputError(
        f"book {book!r} on this account has its state in {there.get('state')}", where=str(state),
        cause="a copied folder, or a second configuration of the same name",
        fix=f"use that folder, or another run.name; if it was moved for good, remove {path}",
    )  # fmt: skip


def _private(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise OutputError(f"cannot be used: {error.strerror}", where=str(folder)) from error


@contextmanager
def _lock(folder: Path, name: str, taken: str) -> Iterator[None]:
    import fcntl

    _private(folder)
    try:
        handle = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise OutputError(f"cannot be used: {error.strerror}", where=str(folder)) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            who = os.pread(handle, 20, 0).decode(errors="replace").strip()
            fix = f"let process {who} end, or stop it" if who.isdigit() else "let it end, or stop it"
            raise OutputError(taken, where=str(folder), fix=fix) from None
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
        except OSError as error:
            raise OutputError(f"cannot be written: {error.strerror}", where=str(folder)) from error
        yield
    finally:
        os.close(handle)
