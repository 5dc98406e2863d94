"""What the trial ledger keeps, counts and gives back."""

import sqlite3
import tempfile
import tomllib
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.trials import NOW, dump, make_trial, raw, weekdays

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import DataError, OutputError
from plimsoll.engine.report.result import record_of
from plimsoll.engine.runtime.rung import METHODS
from plimsoll.engine.trials.ledger import TrialLedger, open_ledger
from plimsoll.engine.trials.row import TrialRow, family_of, row_of
from plimsoll.engine.verbs.backtest import backtest
from plimsoll.engine.verbs.trials import trials

ARRAYS = ("sessions", "returns")
DAYS = st.lists(st.integers(-30_000, 60_000), min_size=1, max_size=12, unique=True).map(
    lambda days: np.array(sorted(days), dtype="datetime64[D]")
)


@pytest.fixture
def ledger(tmp_path: Path) -> TrialLedger:
    return TrialLedger(tmp_path / "deep" / "folder #1?" / "trials.sqlite")


def _same(a: TrialRow, b: TrialRow) -> bool:
    texts = all(getattr(a, f.name) == getattr(b, f.name) for f in fields(TrialRow) if f.name not in (*ARRAYS, "id"))
    return texts and all(getattr(a, name).tobytes() == getattr(b, name).tobytes() for name in ARRAYS)


def test_a_ledger_that_nobody_wrote_is_empty_and_stays_unmade(ledger: TrialLedger) -> None:
    assert (ledger.families(), ledger.rows(), ledger.record([])) == ((), (), 0)
    assert ledger.returns("trend").matrix.shape == (0, 0)
    assert not ledger.path.parent.exists()


def test_trials_come_back_in_the_order_they_were_recorded(ledger: TrialLedger) -> None:
    made = [make_trial("b"), make_trial("a", kind="sweep"), make_trial("c", family="carry")]
    assert ledger.record(made[:1]) == 1
    assert ledger.record(made[1:]) == 2
    found = ledger.rows()
    assert [row.id for row in found] == [1, 2, 3]
    assert all(_same(a, b) for a, b in zip(made, found, strict=True))
    assert [row.id for row in ledger.rows("trend")] == [1, 2]
    assert ledger.rows("tren") == ()


@settings(max_examples=40)
@given(data=st.data(), days=DAYS, text=st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_returns_and_dates_come_back_to_the_bit(data: st.DataObject, days: Any, text: str) -> None:
    values = data.draw(
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=len(days), max_size=len(days))
    )
    made = make_trial(sessions=days, returns=np.array(values), config_toml=text)
    with tempfile.TemporaryDirectory() as folder:
        ledger = TrialLedger(Path(folder) / "trials.sqlite")
        ledger.record([made])
        assert _same(ledger.rows()[0], made)
        assert ledger.returns("trend").matrix.tobytes() == np.array(values).tobytes()


@settings(max_examples=40)
@given(axes=st.lists(DAYS, min_size=1, max_size=5))
def test_trials_on_different_dates_are_aligned_as_pandas_aligns_them(axes: list[Any]) -> None:
    made = [make_trial(k, sessions=days) for k, days in enumerate(axes)]
    with tempfile.TemporaryDirectory() as folder:
        ledger = TrialLedger(Path(folder) / "trials.sqlite")
        ledger.record([*made, make_trial("other", family="carry", first="1999-01-04")])
        sessions, matrix, ids = ledger.returns("trend")
    series = [pd.Series(row.returns, index=row.sessions.astype("datetime64[s]")) for row in made]
    expected = pd.concat(series, axis=1, sort=True)
    np.testing.assert_array_equal(sessions, expected.index.to_numpy().astype("datetime64[D]"))
    np.testing.assert_array_equal(matrix, expected.to_numpy())
    assert matrix.flags.c_contiguous
    assert ids.tolist() == list(range(1, len(made) + 1))


def test_the_same_dates_are_stored_once(ledger: TrialLedger) -> None:
    ledger.record([make_trial(k) for k in range(20)] + [make_trial("longer", n=6)])
    assert raw(ledger.path, "SELECT count(*) FROM axis") == [(2,)]


OTHER = {
    "family": "carry",
    "config_hash": "other",
    "data_hash": "other",
    "returns": np.full(5, 0.001),
    "sessions": weekdays("2021-01-04", 5),
}
SAME = {"name": "renamed", "kind": "sweep", "recorded_at": "2027-01-01T00:00:00+00:00", "version": "9.9.9"}


@pytest.mark.parametrize("name", OTHER)
def test_a_trial_that_differs_in_what_identifies_it_is_another(name: str, ledger: TrialLedger) -> None:
    ledger.record([make_trial()])
    assert ledger.record([replace(make_trial(), **{name: OTHER[name]})]) == 1
    assert len(ledger.rows()) == 2


@pytest.mark.parametrize("name", SAME)
def test_a_trial_that_was_recorded_is_not_new_and_stays_as_it_was(name: str, ledger: TrialLedger) -> None:
    ledger.record([make_trial()])
    before = dump(ledger.path)
    assert ledger.record([replace(make_trial(), **{name: SAME[name]})]) == 0
    assert dump(ledger.path) == before


def test_one_bit_of_a_return_makes_another_trial(ledger: TrialLedger) -> None:
    row = make_trial()
    moved = row.returns.copy()
    moved[3] = np.nextafter(moved[3], 1.0)
    assert ledger.record([row, replace(row, returns=moved), row]) == 2


@settings(max_examples=20)
@given(batches=st.lists(st.lists(st.integers(0, 6), max_size=6), max_size=6))
def test_new_trials_are_counted_as_a_set_counts_them(batches: list[list[int]]) -> None:
    seen: set[int] = set()
    with tempfile.TemporaryDirectory() as folder:
        ledger = TrialLedger(Path(folder) / "trials.sqlite")
        for batch in batches:
            assert ledger.record([make_trial(k) for k in batch]) == len(set(batch) - seen)
            seen |= set(batch)
        assert {row.config_hash for row in ledger.rows()} == {f"config-{k}" for k in seen}


def test_families_are_counted(ledger: TrialLedger) -> None:
    early, late = "2026-01-01T00:00:00+00:00", "2026-03-01T00:00:00+00:00"
    ledger.record([make_trial(1, recorded_at=late), make_trial(2, recorded_at=early), make_trial(3, data_hash="x")])
    ledger.record([make_trial(1, family="carry+trend")])
    found = [(f.name, f.n_trials, f.n_data_sets, f.first_recorded, f.last_recorded) for f in ledger.families()]
    assert found == [("carry+trend", 1, 1, NOW, NOW), ("trend", 3, 2, early, late)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trial SET returns = zeroblob(40)",
        "UPDATE trial SET family = 'x' WHERE id = 1",
        "UPDATE OR REPLACE trial SET id = 2 WHERE id = 1",
        "DELETE FROM trial",
        "DELETE FROM trial WHERE id = 2",
        "UPDATE axis SET days = x'00'",
        "DELETE FROM axis",
    ],
)
def test_what_is_recorded_cannot_be_changed_or_deleted(statement: str, ledger: TrialLedger) -> None:
    ledger.record([make_trial(1), make_trial(2)])
    before = dump(ledger.path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw(ledger.path, statement)
    assert dump(ledger.path) == before


SAME_IDENTITY = "family, name, kind, config_hash, data_hash, returns_hash"
REST = "config_toml, axis_hash, first_session, last_session, n_sessions, zeroblob(40), recorded_at, 'forged' FROM trial"


@pytest.mark.parametrize(
    "statement",
    [
        f"INSERT OR REPLACE INTO trial SELECT 1, family, name, kind, 'x', data_hash, 'x', {REST} WHERE id = 1",
        f"INSERT OR REPLACE INTO trial SELECT 9, {SAME_IDENTITY}, {REST} WHERE id = 2",
        "INSERT OR REPLACE INTO axis SELECT hash, x'00000000' FROM axis",
    ],
)
def test_what_is_recorded_cannot_be_replaced(statement: str, ledger: TrialLedger) -> None:
    ledger.record([make_trial(1), make_trial(2)])
    before = dump(ledger.path)
    raw(ledger.path, statement)
    assert dump(ledger.path) == before


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("returns", np.array([0.1, np.nan, 0.0, 0.0, 0.0]), "1 of 5 trial 'run-0' returns are NaN or infinite"),
        ("returns", np.zeros(4), "trial 'run-0': 4 returns on 5 sessions"),
        ("sessions", weekdays("2020-01-02", 5)[::-1], "its sessions are not increasing days"),
        ("sessions", np.repeat(weekdays("2020-01-02", 1), 5), "its sessions are not increasing days"),
        ("sessions", weekdays("2020-01-02", 5).astype("datetime64[s]"), "its sessions are not increasing days"),
        ("kind", "live", "unknown kind 'live'; known: backtest, sweep, ladder"),
        ("recorded_at", "2026-01-05T16:00:00", "is not an ISO 8601 time in UTC"),
        ("recorded_at", "2026-01-05T16:00:00+01:00", "is not an ISO 8601 time in UTC"),
        ("recorded_at", "yesterday", "is not an ISO 8601 time in UTC"),
    ],
)
def test_a_trial_that_statistics_could_not_use_is_refused(field: str, value: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        replace(make_trial(), **{field: value})
    with pytest.raises(DataError, match="0 returns on 0 sessions"):
        make_trial(n=0)


@pytest.mark.parametrize(
    ("strategies", "family"),
    [
        (["trend"], "trend"),
        (["trend", "carry", "trend"], "carry+trend"),
        (["plimsoll.strategies.trend:Trend"], "trend"),
        (["mine.own:Idea", "trend"], "mine.own:Idea+trend"),
    ],
)
def test_a_family_is_named_for_its_strategies(strategies: list[str], family: str) -> None:
    sleeves = [{"name": f"s{k}", "strategy": strategy} for k, strategy in enumerate(strategies)]
    assert family_of(load_config({"sleeve": sleeves, "integrator": {"preset": "book"}})) == family


def test_a_finished_run_becomes_a_trial() -> None:
    config = load_config({"sleeve": [{"name": "s", "strategy": "sixty_forty"}], "run": {"name": "r"}})
    result = backtest(config, end="2007-12-31")
    row = row_of(record_of(result), "sweep", NOW)
    assert (row.family, row.name, row.kind, row.recorded_at) == (family_of(config), "r", "sweep", NOW)
    assert (row.config_hash, row.data_hash) == (result.config_hash, result.data_hash)
    assert row.config_toml == result.config_toml
    pd.testing.assert_series_equal(pd.Series(row.returns, index=result.returns.index, name="r"), result.returns)


@pytest.mark.parametrize(
    ("setting", "variable", "expected"),
    [
        ("a", "b", "a/trials.sqlite"),
        (None, "b", "b/trials.sqlite"),
        ("", "b", "b/trials.sqlite"),
        ("off", "b", None),
        ("OFF", None, None),
        (None, "off", None),
        ("a", "off", "a/trials.sqlite"),
        (Path("off"), None, "off/trials.sqlite"),
        (Path("a"), "b", "a/trials.sqlite"),
    ],
)
def test_the_setting_beats_the_environment(setting: Any, variable: str | None, expected: str | None) -> None:
    found = open_ledger(setting, {} if variable is None else {"PLIMSOLL_TRIALS": variable})
    assert (found.path.as_posix() if found else None) == expected


@pytest.mark.parametrize(
    ("platform", "env", "expected"),
    [
        ("linux", {}, "home/.local/share/plimsoll/trials/trials.sqlite"),
        ("linux", {"XDG_DATA_HOME": "/data", "PLIMSOLL_TRIALS": ""}, "/data/plimsoll/trials/trials.sqlite"),
        ("darwin", {}, "home/Library/Application Support/plimsoll/trials/trials.sqlite"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/plimsoll/trials/trials.sqlite"),
    ],
)
def test_by_default_it_is_where_the_platform_keeps_data(
    platform: str, env: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("home"))
    found = open_ledger(None, env)
    assert found is not None
    assert found.path.as_posix() == expected


def test_without_a_home_the_line_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(OutputError, match=r"no home folder is known.*PLIMSOLL_TRIALS"):
        open_ledger(None, {})


def test_the_python_function_records_where_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sets = ["sleeve.s.strategy=sixty_forty"]
    config = {"sleeve": [{"name": "s", "strategy": "sixty_forty"}]}
    before = datetime.now(UTC)
    result = backtest(config, end="2007-06-29", sets=sets, trials=tmp_path / "a")
    (row,) = TrialLedger(tmp_path / "a/trials.sqlite").rows()
    assert (row.family, row.kind, row.config_hash) == ("sixty_forty", "backtest", result.config_hash)
    assert row.returns.tobytes() == result.returns.to_numpy().tobytes()
    assert before.replace(microsecond=0) <= datetime.fromisoformat(row.recorded_at) <= datetime.now(UTC)
    monkeypatch.setenv("PLIMSOLL_TRIALS", str(tmp_path / "b"))
    backtest(config, end="2007-06-29", trials="off")
    assert not (tmp_path / "b").exists()
    backtest(config, end="2007-06-29")
    assert len(TrialLedger(tmp_path / "b/trials.sqlite").rows()) == 1


def test_a_ledger_in_trouble_is_a_warning_and_the_result_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.warns(RuntimeWarning, match="the run is not in the trial ledger: .*cannot be written"):
        result = backtest(
            {"sleeve": [{"name": "s", "strategy": "sixty_forty"}]}, end="2007-06-29", trials=tmp_path / "file" / "x"
        )
    assert len(result.returns) > 100


# ------------------------------------------------------------------------------------------------------------ ladders
def test_a_rung_of_a_ladder_is_kept_and_is_no_trial(ledger: TrialLedger) -> None:
    trial = make_trial(1)
    rungs = [replace(trial, kind="ladder", name="run-1/hrp"), make_trial(2, kind="ladder", name="run-1/erc")]
    assert ledger.record([trial, *rungs]) == 3
    assert ledger.record([trial, *rungs]) == 0
    assert [row.kind for row in ledger.rows()] == ["backtest"]
    assert [(f.name, f.n_trials) for f in ledger.families()] == [("trend", 1)]
    assert ledger.returns("trend").matrix.shape == (5, 1)
    found = ledger.ladders("trend")
    assert all(_same(a, b) for a, b in zip(rungs, found, strict=True))
    assert ledger.ladders("carry") == ()
    assert raw(ledger.path, "SELECT count(*) FROM axis") == [(1,)]


def test_what_was_a_rung_first_is_a_trial_once_it_is_tried(ledger: TrialLedger) -> None:
    ledger.record([make_trial(1, kind="ladder")])
    assert ledger.families() == ()
    assert ledger.record([make_trial(1)]) == 1
    assert (len(ledger.rows()), len(ledger.ladders())) == (1, 1)


@pytest.mark.parametrize("statement", ["UPDATE ladder SET returns = zeroblob(40)", "DELETE FROM ladder"])
def test_a_rung_cannot_be_changed_either(statement: str, ledger: TrialLedger) -> None:
    ledger.record([make_trial(1, kind="ladder")])
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw(ledger.path, statement)


def test_a_ledger_from_before_ladders_is_read_as_it_is_and_added_to_when_it_is_written(ledger: TrialLedger) -> None:
    ledger.record([make_trial(1), make_trial(2)])
    raw(ledger.path, "DROP TABLE ladder")
    raw(ledger.path, "PRAGMA user_version = 1")
    before = dump(ledger.path)
    assert (len(ledger.rows()), ledger.ladders()) == (2, ())
    assert dump(ledger.path) == before
    assert ledger.record([make_trial(3), make_trial(1, kind="ladder")]) == 2
    assert (len(ledger.rows()), len(ledger.ladders())) == (3, 1)
    assert raw(ledger.path, "PRAGMA user_version") == [(2,)]


def test_a_book_with_a_ladder_is_one_trial_and_a_rung_for_each_way_of_sharing(tmp_path: Path) -> None:
    sleeves = [{"name": name, "strategy": name} for name in ("sixty_forty", "inverse_vol", "buy_and_hold")]
    config = {"sleeve": sleeves, "integrator": {"preset": "book"}, "report": {"ladder": True}}
    result = backtest(config, start="2007-01-03", end="2007-12-31", trials=tmp_path, engine="compiled")
    (trial,) = (kept := TrialLedger(tmp_path / "trials.sqlite")).rows()
    rungs = kept.ladders()
    assert [row.name for row in rungs] == [f"run/{name}" for name in METHODS]
    own = rungs[0]
    assert (own.config_hash, own.returns.tobytes()) == (trial.config_hash, trial.returns.tobytes())
    ladder = record_of(result).ladder
    assert ladder is not None
    for row, rung in zip(rungs, ladder.rungs, strict=True):
        assert row.returns.tobytes() == rung.ret.tobytes()
        assert load_config(tomllib.loads(row.config_toml)).digest == row.config_hash
    assert [facts["kind"] for facts in trials(folder=tmp_path, ladder=True)] == ["ladder"] * len(METHODS)
    assert [facts["trials"] for facts in trials(folder=tmp_path)] == [1]
