"""`plimsoll report`: a finished run read back to the bit, and held against others."""

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
def run(here: Path) -> plimsoll.Result:
    """A finished run in the folder `run` of the working folder."""
    return plimsoll.backtest("run.toml", out="run", trials="off")


def test_a_run_read_back_is_the_run(run: plimsoll.Result) -> None:
    again = plimsoll.Result.load("run")
    for name in ("equity", "weights", "fills", "trades", "pnl_by_symbol", "pnl_by_sleeve"):
        pd.testing.assert_frame_equal(
            getattr(again, name), getattr(run, name), check_exact=True, check_dtype=False, check_freq=False,
            check_index_type=False, check_names=False,
        )  # fmt: skip
    assert again.returns.to_numpy().tobytes() == run.returns.to_numpy().tobytes()
    assert json.dumps(again.metrics) == json.dumps(json.loads(json.dumps(run.metrics)))
    assert (again.run_id, again.data_hash) == (run.run_id, run.data_hash)


def test_a_run_is_shown_and_its_page_made_anew(run: plimsoll.Result, here: Path, cli: Cli) -> None:
    shown = cli("report", "run")
    assert shown.code == 0
    assert shown.out.rstrip().endswith("run/report.html")
    assert json.loads(cli("report", "run", "--json").out) == json.loads((here / "run" / "metrics.json").read_text())
    assert cli("report", "run", "--out", "page.html", "-q").out == "page.html\n"
    assert (here / "page.html").read_text().startswith("<!")


def test_runs_are_held_against_each_other(run: plimsoll.Result, here: Path, cli: Cli) -> None:
    plimsoll.backtest("run.toml", sets=["sleeve.0.params.rebalance='10'"], out="other", trials="off")
    ran = cli("report", "run", "--compare", "other", "run.toml")
    assert ran.code == 0
    assert "Settings that differ" in ran.out
    assert "sleeve.0.params.rebalance" in ran.out
    assert ran.out.rstrip().endswith("run/compare.html")
    told = json.loads(cli("report", "run", "--compare", "other", "--json").out)
    assert len(told["runs"]) == 2
    assert told["settings"]["sleeve.0.params.rebalance"].values() != set()
    plain = next(iter(told["figures"]["total_return"].values()))
    assert plain == pytest.approx(run.metrics["total_return"], rel=1e-12)


def test_a_folder_that_is_no_run_is_named(run: plimsoll.Result, here: Path, refused: Refused) -> None:
    assert refused("report", "data").startswith("data: not a run folder")
    assert refused("report", "run", "--compare", "nowhere").startswith("nowhere: not a run folder")
    (here / "run" / "equity.csv").unlink()
    assert refused("report", "run").startswith("run: not a whole run folder")
