"""`plimsoll twin` on two run folders, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_two_runs_side_by_side(here: Path, cli: Callable[..., Any]) -> None:
    assert cli("backtest", "run.toml", "--out", "one").code == 0
    assert cli("backtest", "run.toml", "--out", "two", "--set", "execution.fill=next_close").code == 0
    told = cli("twin", "one", "two")
    assert told.code == 0
    assert "volatility a year" in told.out
    found = json.loads(cli("twin", "one", "two", "--json").out)
    for book, folder in zip(found["books"], ("one", "two"), strict=True):
        metrics = json.loads((here / folder / "metrics.json").read_text())
        assert book["gross_max"] == pytest.approx(metrics["exposure"]["gross"]["max"], rel=1e-9)
        assert book["vol_target"] is None
    assert 0.0 < found["tracking"]["error_ann"] < 0.1


def test_a_run_beside_itself_is_not_apart(here: Path, cli: Callable[..., Any]) -> None:
    assert cli("backtest", "run.toml", "--out", "one").code == 0
    found = json.loads(cli("twin", "one", "one", "--json").out)
    assert found["tracking"]["error_ann"] == found["tracking"]["difference_bps"] == 0.0


def test_what_is_no_run_and_no_book_is_refused_in_one_line(here: Path, cli: Callable[..., Any]) -> None:
    (here / "empty").mkdir()
    told = cli("twin", "empty", "empty")
    assert (told.code, "not a run folder" in told.err) == (2, True)
    told = cli("twin", "run.toml")
    assert (told.code, "[broker]" in told.err) == (2, True)
    told = cli("twin", "one", "two", "--session", "2020-01-02")
    assert (told.code, "neither a session nor a shadow" in told.err) == (2, True)
