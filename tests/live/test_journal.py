"""The journal on a bad disk: what is damaged, cut, gone or newer is refused, and nothing is sent twice (row 14)."""

import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.live_book import FIRST
from support.live_case import Case
from support.live_checks import TURN, account_is_sound, turning
from support.opened import on, opened, state

from plimsoll.engine.errors import OutputError
from plimsoll.engine.live.journal.file import FILE
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.rebalance import BACKUP
from plimsoll.engine.live.reconcile import adopt
from plimsoll.engine.verbs import accounts


def now() -> datetime:
    return datetime(2024, 1, 3, 14, 40, tzinfo=UTC)


def told(folder: Path) -> list[str]:
    """Return all that a journal says."""
    db = sqlite3.connect(folder / FILE)
    try:
        return list(db.iterdump())
    finally:
        db.close()


def test_a_flipped_byte_anywhere_is_refused_or_changes_nothing_that_leads_to_a_wrong_order(place: Path) -> None:
    case = turning(place)
    whole = (case.folder / FILE).read_bytes()
    before, refused, seen = told(case.folder), 0, 0
    for at in range(60, len(whole), 811):
        spoilt = bytearray(whole)
        spoilt[at] ^= 0x04
        (case.folder / FILE).write_bytes(spoilt)
        try:
            Journal.open(case.folder, now).close()
        except OutputError:
            refused += 1
            continue
        with suppress(sqlite3.Error, UnicodeDecodeError):
            seen += told(case.folder) != before
    (case.folder / FILE).write_bytes(whole)
    assert refused > 5
    # what passes is unused space, or a value that the venue is asked about before anything is sent
    assert seen <= refused


@pytest.mark.parametrize("change", ["altered", "removed", "reordered"])
def test_an_event_that_was_altered_removed_or_moved_breaks_the_chain(place: Path, change: str) -> None:
    case = turning(place)
    db = sqlite3.connect(case.folder / FILE)
    with db:
        if change == "altered":
            db.execute("UPDATE event SET body = replace(body, '9900', '9901') WHERE kind = 'plan'")
        elif change == "removed":
            db.execute("DELETE FROM event WHERE seq = 3")
        else:
            db.execute("UPDATE event SET seq = -seq WHERE seq IN (3, 4)")
            db.execute("UPDATE event SET seq = 7 + seq WHERE seq < 0")
    db.close()
    with pytest.raises(OutputError, match="not the one that was written"):
        case.run("09:35")
    assert len(case.sent()) == 1


CHANGES = (
    "UPDATE intent SET state = 'planned'",
    "UPDATE intent SET qty = qty || '0' WHERE rowid = 1",
    "UPDATE intent SET filled = '1'",
    "UPDATE intent SET side = CASE side WHEN 'buy' THEN 'sell' ELSE 'buy' END",
    "UPDATE intent SET limit_price = '1'",
    "DELETE FROM attempt; DELETE FROM intent",
    "UPDATE holding SET qty = '7'",
    "DELETE FROM holding",
    "UPDATE meta SET value = '1' WHERE key = 'cash'",
)


@pytest.mark.parametrize("change", CHANGES)
def test_a_table_that_says_anything_else_than_its_events_is_refused(place: Path, change: str) -> None:
    case = turning(place)
    db = sqlite3.connect(case.folder / FILE)
    db.executescript(change)
    db.commit()
    db.close()
    with pytest.raises(OutputError, match=r"events say|is missing"):
        case.run("09:35")
    assert len(case.sent()) == 1


def test_a_file_that_is_no_journal_is_refused(place: Path) -> None:
    for content in (b"hello" * 1000, b"SQLite format 3\0" + b"\xff" * 5000):
        (place / FILE).write_bytes(content)
        with pytest.raises(OutputError, match="cannot be used"):
            Journal.open(place, now)


def test_a_journal_of_a_newer_version_is_refused_and_left_alone(place: Path) -> None:
    case = turning(place)
    db = sqlite3.connect(case.folder / FILE)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(OutputError, match="the journal has version 99"):
        case.run("09:35")
    assert len(case.sent()) == 1


# ---- what a crash left behind, and a part of it gone


def crash_images(case: Case, folder: Path) -> list[Path]:
    """Run the slot, and copy the state folder at every place as a crash would leave it."""
    images: list[Path] = []

    def copy(_: str) -> None:
        images.append(folder / f"{len(images)}")
        shutil.copytree(case.folder, images[-1])

    case.run("09:35", copy)
    return images


def cut(path: Path, keep: float) -> None:
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * keep))


DAMAGE: dict[str, Callable[[Path], None]] = {
    "no wal": lambda state: state.joinpath(f"{FILE}-wal").unlink(missing_ok=True),
    "wal cut in half": lambda state: cut(state / f"{FILE}-wal", 0.5),
    "wal cut at the end": lambda state: cut(state / f"{FILE}-wal", 0.97),
    "no shm": lambda state: state.joinpath(f"{FILE}-shm").unlink(missing_ok=True),
    "no journal at all": lambda state: [one.unlink() for one in state.glob(f"{FILE}*")].clear(),
    "the last backup": lambda state: (
        [one.unlink() for one in state.glob(f"{FILE}-*")].clear(),
        shutil.copy(state / BACKUP, state / FILE),
    )[0],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_journal_that_lost_its_newest_rows_never_sends_anything_twice(
    place: Path, damage: Callable[[Path], None]
) -> None:
    case = turning(place)
    for image in crash_images(case, place / "images"):
        damage(image)
        before = dict(case.positions())
        late = replace(case, folder=image)
        with suppress(OutputError):
            assert late.run("09:35").ending == "refused" or account_is_sound(late) == []
        assert (image.name, case.positions(), len(case.exchange.orders)) == (image.name, before, 4)
    assert case.positions() == TURN


def test_without_a_journal_an_account_that_holds_the_book_is_refused_and_after_adopt_it_goes_on(place: Path) -> None:
    case = turning(place)
    shutil.rmtree(case.folder)
    outcome = case.run("09:35")
    assert (outcome.ending, "there is no journal, and the account holds 9900 AAA" in outcome.why) == ("refused", True)
    assert case.slot("12:00", case.day(1)).ending == "refused"
    assert len(case.sent()) == 1
    journal = case.open()
    adopt(journal, case.reconcile(), case.whose, "the disk is new")
    with journal.tx():
        journal.clear_halts("the disk is new")
    journal.close()
    assert case.slot("14:00", case.day(1)).ending == "done"
    assert case.positions() == TURN


# ---- full, locked, not to be written


def fill_up(journal: Journal) -> None:
    """Leave no room for another event."""
    pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
    journal._db.execute(f"PRAGMA max_page_count = {pages}")
    for size in (400, 1):
        with suppress(OutputError):
            while True:
                with journal.tx():
                    journal.event("padding", text="x" * size)


def test_a_disk_that_is_full_at_any_place_sends_nothing_it_has_not_written_and_loses_nothing(place: Path) -> None:
    clean = turning(place / "clean")
    names: list[str] = []
    clean.run("09:35", names.append)
    raised = 0
    for at in range(1, len(names) + 1, 2):
        case = turning(place / f"{at}")
        count = 0

        def fill(_: str, case: Case = case, at: int = at) -> None:
            nonlocal count
            count += 1
            if count == at:
                assert case.journal is not None
                fill_up(case.journal)

        try:
            case.run("09:35", fill)
        except OutputError as error:
            raised += "full" in str(error)
        case.run("09:35")
        assert (names[at - 1], case.positions(), account_is_sound(case)) == (names[at - 1], TURN, [])
        assert len(case.exchange.orders) == 4
    assert raised > 3


def test_a_journal_that_another_program_holds_sends_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plimsoll.engine.live.journal.file.BUSY_MS", 50)
    case = turning(place)
    locked = sqlite3.connect(case.folder / FILE, isolation_level=None)
    locked.execute("BEGIN IMMEDIATE")
    with pytest.raises(OutputError, match="another program holds it"):
        case.run("09:35")
    locked.close()
    assert len(case.sent()) == 1
    assert case.run("09:35").ending == "done"


@pytest.mark.parametrize("kind", ["a file", "a place of the kernel", "a link to nothing"])
def test_a_state_folder_that_cannot_be_written_is_refused_in_one_line(place: Path, kind: str) -> None:
    state = place / "state"
    if kind == "a file":
        state.touch()
    elif kind == "a place of the kernel":
        state = Path("/proc/1/state")
    else:
        state.symlink_to("/proc/1/state")
    with pytest.raises(OutputError, match="cannot be used"):
        Journal.open(state, now)


def test_a_journal_is_looked_at_without_a_way_to_write_to_it(place: Path) -> None:
    case = turning(place)
    journal = Journal.read_only(case.folder, now)
    assert journal is not None
    with pytest.raises(OutputError, match="cannot be used"), journal.tx():
        journal.set_meta("cash", "1")
    journal.close()


@pytest.mark.parametrize("text", ["'; DROP TABLE intent; --", '"', "\x00", "<script>", "ä\u202e", "a" * 100_000])
def test_hostile_text_is_stored_as_text_and_nothing_else(place: Path, text: str) -> None:
    case = turning(place)
    journal = case.open()
    with journal.tx():
        journal.begin({**journal.holdings(), text: journal.holdings()["AAA"]}, journal.cash(), text)
        journal.set_meta(text, text)
        journal.add_halt("all", text)
        journal.event(text, why=text)
    assert (journal.meta(text), journal.halts()[0].reason, text in journal.holdings()) == (text, text, True)
    assert journal.orders()[0].symbol == "AAA"
    journal.close()
    case.open().close()  # the chain holds


def test_what_the_message_of_a_damaged_journal_advises_works(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    folder = state(desk)

    def damage() -> None:
        with closing(sqlite3.connect(folder / FILE)) as db:
            db.execute("UPDATE holding SET qty = '1' WHERE symbol = 'AAA'")
            db.commit()
        with pytest.raises(OutputError, match=re.escape(f"{FILE}, its -wal and -shm away")):
            desk.slot("12:00")
        for file in folder.glob(f"{FILE}*"):
            if file.suffix != ".backup":
                file.rename(tmp_path / file.name)

    desk.to(FIRST, "12:00")
    held = desk.shares()
    damage()
    shutil.copy(folder / BACKUP, folder / FILE)
    assert accounts.reconcile(desk.values, **on(desk)).clean
    damage()
    assert accounts.adopt(desk.values, "begun anew", **on(desk)) == held
    assert desk.slot("12:00").ending == "done"
