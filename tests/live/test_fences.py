"""One sender: two processes, one that slept and was overtaken, a copied state folder (row 13)."""

import multiprocessing
import os
import shutil
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.live_case import Case
from support.live_checks import TURN, turning

from plimsoll.engine.errors import OutputError
from plimsoll.engine.live.fence import accounts_folder, alone, claimed, on_account, release

fork = multiprocessing.get_context("fork")


def hold(folder: Path, what: str) -> None:
    """Hold a state folder, or an account, until somebody ends this process."""
    with ExitStack() as stack:
        if what == "state":
            stack.enter_context(alone(folder / "state", "the book"))
        else:
            stack.enter_context(on_account(folder / "accounts", "PA1", "another", folder / "another"))
        (folder / "held").touch()
        time.sleep(3600)


def child_that_holds(folder: Path, what: str) -> Any:
    child = fork.Process(target=hold, args=(folder, what))
    child.start()
    for _ in range(500):
        if (folder / "held").exists():
            return child
        time.sleep(0.01)
    raise AssertionError("it does not hold it")


@pytest.mark.parametrize("stopped", [False, True], ids=["runs", "was stopped"])
@pytest.mark.parametrize("what", ["state", "account"])
def test_a_second_process_is_refused_while_the_first_lives_and_taken_once_it_is_gone(
    place: Path, what: str, stopped: bool
) -> None:
    child = child_that_holds(place, what)
    if stopped:
        os.kill(int(child.pid or 0), signal.SIGSTOP)

    def enter() -> None:
        if what == "state":
            with alone(place / "state", "the book"):
                pass
        else:
            with on_account(place / "accounts", "PA1", "book", place / "state"):
                pass

    with pytest.raises(OutputError, match="another process"):
        enter()
    child.kill()
    child.join()
    child.close()
    enter()


def test_a_copied_state_folder_is_refused_on_its_account_and_named(place: Path) -> None:
    (place / "state").mkdir()
    with on_account(place / "accounts", "PA1", "book", place / "state"):
        pass
    shutil.copytree(place / "state", place / "copy")
    with (
        pytest.raises(OutputError, match=r"has its state in .*state"),
        on_account(place / "accounts", "PA1", "book", place / "copy"),
    ):
        pass
    with on_account(place / "accounts", "PA1", "book", place / "copy" / ".." / "state"):
        pass  # the same folder by another way
    release(place / "accounts", "PA1", "book")
    with on_account(place / "accounts", "PA1", "book", place / "copy"):
        pass


def test_another_book_whose_ids_would_be_the_same_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plimsoll.engine.live.fence.book_code", lambda _: "abcdef")
    with on_account(place, "PA1", "book", place / "one"):
        pass
    with (
        pytest.raises(OutputError, match="its order ids would be those of book 'book'"),
        on_account(place, "PA1", "other", place / "two"),
    ):
        pass


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '"book"'])
def test_a_claim_that_is_garbled_is_refused_and_not_written_over(place: Path, text: str) -> None:
    with on_account(place, "PA1", "book", place / "one"):
        pass
    [claim] = (place / "PA1").glob("*.json")
    claim.write_text(text)
    with pytest.raises(OutputError), on_account(place, "PA1", "book", place / "one"):
        pass
    assert claim.read_text() == text


def test_a_full_disk_is_told_in_one_line_and_nobody_works_there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OutputError, match="No space left on device"), alone(place, "the book"):
        raise AssertionError("it must not work")
    monkeypatch.undo()
    monkeypatch.setattr(Path, "write_text", full)
    with (
        pytest.raises(OutputError, match="No space left on device"),
        on_account(place / "accounts", "PA1", "book", place),
    ):
        raise AssertionError("it must not work")
    monkeypatch.undo()
    assert claimed(place / "accounts", "PA1", "book") is None
    with alone(place, "the book"), on_account(place / "accounts", "PA1", "book", place):
        assert claimed(place / "accounts", "PA1", "book") == place.resolve()


def test_where_claims_are_kept_is_one_place_for_each_user() -> None:
    home = Path("/home/somebody")
    assert accounts_folder({}, home) == home / ".local/state/plimsoll/accounts"
    assert accounts_folder({"XDG_STATE_HOME": "/x"}, home) == Path("/x/plimsoll/accounts")
    assert accounts_folder({"PLIMSOLL_ACCOUNTS": "/y"}, home) == Path("/y")


def test_a_process_overtaken_at_any_place_sends_and_writes_nothing_more(place: Path) -> None:
    clean, names = turning(place / "clean"), list[str]()
    clean.run("09:35", names.append)
    overtaken = 0
    for at, name in enumerate(names, start=1):
        if name in ("opened", "sending locked", "sending committed", "answered"):
            continue  # before its fence, or with the sending lock held: the other process waits
        case = turning(place / f"{at}")
        count, sent = 0, 0

        def other(_: str, case: Case = case, at: int = at) -> None:
            nonlocal count, sent
            count += 1
            if count == at:
                case.run("09:35")
                sent = len(case.sent())

        try:
            case.run("09:35", other)
        except OutputError as error:
            overtaken += "another process has taken over" in str(error)
        assert (name, len(case.sent()), len(case.exchange.orders), case.positions()) == (name, sent, 4, TURN)
    assert overtaken > 10
