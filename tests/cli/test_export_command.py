"""`plimsoll export`: what it writes and prints, and what it refuses in one line with nothing written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import plimsoll

Cli = Callable[..., Any]
Refused = Callable[..., str]


@pytest.fixture
def run(here: Path) -> Path:
    """A finished run in the working folder."""
    plimsoll.backtest("run.toml", out="run", trials="off")
    return here / "run"


def test_the_command_writes_what_the_function_returns(run: Path, here: Path, cli: Cli) -> None:
    ran = cli("export", "run", "--out", "daily.csv")
    assert ran.code == 0
    assert ran.out.splitlines()[1:] == ["daily.csv", "daily_summary.json"]
    made = plimsoll.export("run")
    assert made.files == ()
    assert ran.out.splitlines()[0].endswith(f"{len(made.table)} sessions, {made.table.shape[1]} columns")
    assert json.loads((here / "daily_summary.json").read_text()) == json.loads(json.dumps(made.summary))
    table = pd.read_csv("daily.csv", index_col="session", parse_dates=True)
    pd.testing.assert_frame_equal(table, made.table, check_dtype=False, check_index_type=False, rtol=1e-12)
    again = plimsoll.export("run", "called.csv")
    assert again.files[0].read_bytes() == (here / "daily.csv").read_bytes()


def test_the_folder_of_the_run_is_left_as_it_was(run: Path, cli: Cli) -> None:
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    assert cli("export", "run", "--out", "run/daily.csv").code == 0
    after = {path.name: path.read_bytes() for path in run.iterdir()}
    assert after.keys() - before.keys() == {"daily.csv", "daily_summary.json"}
    assert {name: after[name] for name in before} == before
    assert plimsoll.explain("run")


def test_machines_get_the_summary_and_a_quiet_call_the_path(run: Path, cli: Cli) -> None:
    told = json.loads(cli("export", "run", "--out", "daily.csv", "--json").out)
    assert told["files"] == ["daily.csv", "daily_summary.json"]
    assert told["stats"]["n_days"] > 0
    assert cli("export", "run", "--out", "daily.csv", "--force", "-q").out == "daily.csv\n"


@pytest.mark.parametrize("name", ["daily.csv", "daily_summary.json"])
def test_what_is_there_is_overwritten_only_when_asked(
    run: Path, here: Path, cli: Cli, refused: Refused, name: str
) -> None:
    (here / name).write_text("mine")
    assert refused("export", "run", "--out", "daily.csv").startswith(f"{name}: exists already")
    assert (here / name).read_text() == "mine"
    assert cli("export", "run", "--out", "daily.csv", "--force").code == 0
    assert (here / name).read_text() != "mine"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("run", "--out", "daily.txt"), "daily.txt: is no kind of table that can be written"),
        (("run", "--out", "data.csv"), "data.csv: is a folder, not a file"),
        (("run", "--out", "run/equity.csv", "--force"), "run/equity.csv: is a table of the run itself"),
        (("run", "--out", "run/../run/weights.parquet"), "is a table of the run itself"),
        (("run", "--out", "nowhere/daily.csv"), "cannot be written: No such file or directory"),
        (("data", "--out", "daily.csv"), "data: not a run folder: it needs config.toml, env.json and metrics.json"),
        (("nothing", "--out", "daily.csv"), "nothing: not a run folder"),
        (("run.toml", "--out", "daily.csv"), "run.toml: not a run folder"),
        (("run", "--out", "daily.csv", "--data", "nowhere"), "nowhere"),
    ],
    ids=["suffix", "folder", "its own", "its own by another way", "no folder", "no run", "absent", "a file", "data"],
)
def test_what_cannot_be_exported_is_one_line(
    run: Path, here: Path, refused: Refused, words: tuple[str, ...], told: str
) -> None:
    (here / "data.csv").mkdir()
    assert told in refused("export", *words)


def test_a_run_that_was_interrupted_or_whose_data_changed_is_refused(run: Path, here: Path, refused: Refused) -> None:
    (run / "metrics.json").rename(here / "kept.json")
    assert "not a whole run folder: it needs metrics.json and the tables" in refused("export", "run", "--out", "d.csv")
    (here / "kept.json").rename(run / "metrics.json")
    lines = (here / "data/SPY.csv").read_text().splitlines()
    (here / "data/SPY.csv").write_text("\n".join(lines[:-1]) + "\n")
    assert "the data have changed since this run" in refused("export", "run", "--out", "d.csv")


def test_data_that_have_moved_are_found_where_they_are(run: Path, here: Path, cli: Cli) -> None:
    (here / "data").rename(here / "elsewhere")
    assert cli("export", "run", "--out", "daily.csv", "--data", "elsewhere").code == 0
