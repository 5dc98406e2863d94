"""What is kept between processes: found again by what it follows from, or not at all."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from plimsoll.engine import kept
from plimsoll.engine.market import calendar


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLIMSOLL_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


def test_what_is_kept_is_found_under_its_key_alone() -> None:
    assert kept.recall("fact", "a") is None
    kept.keep("fact", "a", b"one")
    assert (kept.recall("fact", "a"), kept.recall("fact", "b"), kept.recall("other", "a")) == (b"one", None, None)
    kept.keep("fact", "b", b"")
    assert (kept.recall("fact", "a"), kept.recall("fact", "b")) == (None, b"")
    assert [path.name for path in kept.facts_folder().iterdir()] == ["fact"]


def test_a_file_that_is_torn_or_flipped_is_as_if_it_were_not_there() -> None:
    kept.keep("fact", "a", b"payload")
    path = kept.facts_folder() / "fact"
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at])
        assert kept.recall("fact", "a") is None
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert kept.recall("fact", "a") is None
    path.write_bytes(whole + b"!")
    assert kept.recall("fact", "a") is None
    path.unlink()
    path.mkdir()
    assert kept.recall("fact", "a") is None
    kept.keep("fact", "a", b"payload")  # nothing can be put in its place, and nothing is left lying about
    assert [one.name for one in kept.facts_folder().iterdir()] == ["fact"]


def test_where_nothing_can_be_written_nothing_is_kept(folder: Path) -> None:
    (folder / "cache").write_text("a file in the place of the folder", encoding="utf-8")
    kept.keep("fact", "a", b"payload")
    assert kept.recall("fact", "a") is None


def test_many_writers_leave_one_whole_file() -> None:
    payloads = [bytes([number]) * 50_000 for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda payload: kept.keep("fact", "a", payload), payloads))
    assert kept.recall("fact", "a") in payloads
    assert [path.name for path in kept.facts_folder().iterdir()] == ["fact"]


def test_a_stamp_sees_size_time_name_and_words(folder: Path) -> None:
    one, two = folder / "one.py", folder / "two.py"
    one.write_text("1", encoding="utf-8")
    two.write_text("2", encoding="utf-8")
    first = kept.stamp_of([one, two], "word")
    assert first == kept.stamp_of([two, one], "word")
    others = {kept.stamp_of([one], "word"), kept.stamp_of([one, two]), kept.stamp_of([one, two], "w", "ord")}
    os.utime(two, ns=(1, 1))
    others.add(kept.stamp_of([one, two], "word"))
    one.write_text("11", encoding="utf-8")
    others.add(kept.stamp_of([one, two], "word"))
    assert len(others | {first}) == 6
    with pytest.raises(OSError, match=r"gone\.py"):
        kept.stamp_of([folder / "gone.py"])


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar, "schedule", calendar.schedule.__wrapped__)  # every call as in a new process


@pytest.mark.usefixtures("forgetful")
def test_a_kept_calendar_is_the_one_that_was_built(monkeypatch: pytest.MonkeyPatch) -> None:
    built = calendar.schedule()
    monkeypatch.setattr(calendar, "_built", lambda: pytest.fail("it was kept"))
    found = calendar.schedule()
    for name in ("session", "open_minute", "close_minute", "month_first", "month_last", "week_last"):
        ours, theirs = getattr(found, name), getattr(built, name)
        np.testing.assert_array_equal(ours, theirs)
        assert (ours.dtype, ours.flags.c_contiguous, ours.flags.writeable) == (theirs.dtype, True, False)


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("change", ["library", "pandas", "torn"])
def test_a_calendar_is_built_again_when_what_made_it_has_changed(
    change: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = calendar.schedule()
    made = []
    monkeypatch.setattr(calendar, "_built", lambda: made.append(1) or built)
    calendar.schedule()
    assert made == []
    if change == "library":
        monkeypatch.setattr(calendar, "stamp_of", lambda files, *words: kept.stamp_of([*files, folder], *words))
    elif change == "pandas":
        monkeypatch.setattr(calendar, "version", lambda name: "0.1")
    else:
        path = kept.facts_folder() / "calendar-XNYS"
        path.write_bytes(path.read_bytes()[:-1])
    calendar.schedule()
    calendar.schedule()
    assert made == [1]  # and kept once more


@pytest.mark.usefixtures("forgetful")
def test_a_calendar_whose_library_cannot_be_looked_at_is_built_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object) -> str:
        raise OSError

    monkeypatch.setattr(calendar, "stamp_of", nothing)
    assert calendar.is_session(date(2025, 1, 8))
    assert not calendar.is_session(date(2025, 1, 9))
    assert not kept.facts_folder().exists()
