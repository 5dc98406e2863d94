"""The run folder: complete, exact, the same bytes twice, and never half-written."""

import hashlib
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from plimsoll.engine.errors import OutputError
from plimsoll.engine.report import folder as folder_module
from plimsoll.engine.report.result import Result

Make = Callable[..., Result]
FILES = {
    "metrics.json",
    "equity.csv",
    "weights.csv",
    "targets.csv",
    "orders.csv",
    "fills.csv",
    "sleeves.csv",
    "trades.csv",
    "pnl_by_symbol.csv",
    "pnl_by_sleeve.csv",
    "beside.csv",
    "diagnostics.parquet",
    "trace.parquet",
    "config.toml",
    "env.json",
    "report.html",
}


@pytest.fixture(scope="module")
def small(make_result: Make) -> Result:
    return make_result(sessions=60)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_the_folder_holds_every_file_and_nothing_else(small: Result, tmp_path: Path) -> None:
    assert small.save(tmp_path / "runs" / "a") == tmp_path / "runs" / "a"
    assert {path.name for path in (tmp_path / "runs" / "a").iterdir()} == FILES
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["a"]


def test_tables_read_back_equal_to_the_last_bit(small: Result, tmp_path: Path) -> None:
    small.save(tmp_path / "a")
    for name in ("equity", "weights", "targets", "sleeves"):
        back = pd.read_csv(tmp_path / "a" / f"{name}.csv", index_col=0, parse_dates=True, engine="python")
        pd.testing.assert_frame_equal(
            back, getattr(small, name), check_dtype=False, check_index_type=False, check_exact=True, check_freq=False
        )
    fills = pd.read_csv(tmp_path / "a" / "fills.csv", engine="python")
    assert fills["price"].to_numpy(np.float64).tobytes() == small.fills["price"].to_numpy(np.float64).tobytes()
    notes = pd.read_parquet(tmp_path / "a" / "diagnostics.parquet")
    assert list(notes.columns) == ["session", "sleeve", "name", "value"]
    assert notes["value"].tolist() == small.diagnostics["value"].tolist()


def test_metrics_file_is_the_metrics(small: Result, tmp_path: Path) -> None:
    small.save(tmp_path / "a")
    text = (tmp_path / "a" / "metrics.json").read_text()
    assert json.loads(text) == small.metrics
    assert "NaN" not in text
    assert "Infinity" not in text


def test_the_same_run_gives_the_same_bytes(make_result: Make, tmp_path: Path) -> None:
    make_result(sessions=60).save(tmp_path / "a", created="2026-01-01T00:00:00Z")
    make_result(sessions=60).save(tmp_path / "b", created="2026-01-01T00:00:00Z")
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


def test_the_time_stamp_is_in_the_environment_file_only(small: Result, tmp_path: Path) -> None:
    small.save(tmp_path / "a", created="2031-05-06T07:08:09Z")
    small.save(tmp_path / "b")
    assert json.loads((tmp_path / "a" / "env.json").read_text())["created"] == "2031-05-06T07:08:09Z"
    assert "created" not in json.loads((tmp_path / "b" / "env.json").read_text())
    for path in (tmp_path / "a").iterdir():
        assert (path.name == "env.json") == (b"2031-05-06" in path.read_bytes())


def test_configuration_is_toml_with_its_hash(small: Result, tmp_path: Path) -> None:
    small.save(tmp_path / "a")
    text = (tmp_path / "a" / "config.toml").read_text()
    assert text.startswith(f'# config_hash = "{small.config_hash}"\n')
    assert tomllib.loads(text)["costs"]["flat_bps"] == 5.0


def test_further_files_come_along(small: Result, tmp_path: Path) -> None:
    small.save(tmp_path / "a", extras={"log.jsonl": b'{"event":"start"}\n'})
    assert (tmp_path / "a" / "log.jsonl").read_bytes() == b'{"event":"start"}\n'


def test_an_empty_folder_is_used(small: Result, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    small.save(tmp_path / "a")
    assert {path.name for path in (tmp_path / "a").iterdir()} == FILES


def test_a_full_folder_is_refused_in_one_line_and_left_alone(small: Result, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"the folder is not empty .*--force") as caught:
        small.save(tmp_path / "a")
    assert "\n" not in str(caught.value)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["notes.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_force_replaces_the_run_removes_stale_tables_and_keeps_other_files(small: Result, tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.mkdir()
    (target / "notes.txt").write_text("mine")
    (target / "weights.parquet").write_text("of an earlier run")
    (target / "metrics.json").write_text("old")
    small.save(target, force=True)
    assert {path.name for path in target.iterdir()} == FILES | {"notes.txt"}
    assert (target / "notes.txt").read_text() == "mine"
    assert json.loads((target / "metrics.json").read_text())["run"]["name"] == "level61"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_file_in_the_way_is_refused(small: Result, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(OutputError, match="is a file, not a folder"):
        small.save(tmp_path / "a", force=True)


def test_a_folder_that_cannot_be_made_is_one_clear_line(small: Result, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(OutputError, match=r"cannot be (written|read)"):
        small.save(tmp_path / "a" / "b")


@pytest.mark.parametrize("failing", ["equity.csv", "report.html", "metrics.json"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["disk", "ctrl-c"])
def test_a_failure_while_writing_leaves_nothing(
    small: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, error: BaseException
) -> None:
    original = Path.write_bytes

    def broken(self: Path, data: Any) -> int:
        if self.name == failing:
            original(self, data[: len(data) // 2])
            raise error
        return original(self, data)

    monkeypatch.setattr(Path, "write_bytes", broken)
    expected = OutputError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        small.save(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_while_writing_leaves_an_earlier_run_whole(
    small: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.save(tmp_path / "a")
    before = digests(tmp_path / "a")

    def broken(*_: Any, **__: Any) -> dict[str, bytes]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder_module, "folder_files", broken)
    with pytest.raises(OutputError, match="No space left on device"):
        small.save(tmp_path / "a", force=True)
    assert digests(tmp_path / "a") == before


def test_a_failure_between_two_renames_leaves_a_folder_without_metrics(
    small: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.save(tmp_path / "a")
    original = Path.replace

    def broken(self: Path, target: Path) -> Path:
        if self.name == "report.html":
            raise OSError(5, "Input/output error")
        return original(self, target)

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OutputError, match="Input/output error"):
        small.save(tmp_path / "a", force=True)
    assert not (tmp_path / "a" / "metrics.json").exists()  # nothing that reads as a finished run


def test_a_large_table_has_parquet_beside_its_csv_and_keeps_its_name(
    small: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plimsoll.engine.report.table_files.MAX_CSV_CELLS", 500)
    small.save(tmp_path / "a")
    names = {path.name for path in (tmp_path / "a").iterdir()}
    assert {"equity.parquet", "equity.csv", "targets.csv", "trades.csv", "pnl_by_symbol.csv"} <= names
    assert "targets.parquet" not in names
    back = pd.read_parquet(tmp_path / "a" / "equity.parquet")
    assert back["equity"].to_numpy().tobytes() == small.equity["equity"].to_numpy().tobytes()
