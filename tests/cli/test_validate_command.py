"""`plimsoll validate`: a table, one line, a page and a verdict; exit 0, 1 and 2."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SECTIONS = """
[validate]
train_sessions = 30
test_sessions = 12
embargo_sessions = 2
sensitivity = ["sleeve.s.params.size"]
[validate.grid.sleeve.s.params]
lean = [0.0, 0.5, 1.0]
[gate]
"""
SLEEVE = '[[sleeve]]\nname = "s"\nstrategy = "leaning:Leaning"\n'
STRATEGY = '''
import numpy as np
from plimsoll import Strategy, StrategyParams


class Leaning(Strategy):
    """Leans."""

    class Params(StrategyParams):
        lean: float = 0.5
        size: float = 0.5

    universe = ("SPY", "TLT")

    def on_bar(self, ctx):
        if ctx.bar_index % 5:
            return None
        return np.array([self.params.lean, 1.0 - self.params.lean]) * self.params.size
'''
EASY = "min_sharpe = 0\nmin_dsr = 0\nmax_pbo = 1.0\nmax_drawdown = 1.0\nmax_sensitivity = 50\nmin_capacity_usd = 0\n"


@pytest.fixture
def config(here: Path) -> Path:
    """Put a strategy and a configuration with a family beside the data."""
    (here / "leaning.py").write_text(STRATEGY)
    path = here / "family.toml"
    path.write_text('[run]\nname = "tried"\n[data]\nsource = "csv"\npath = "data"\n' + SLEEVE + SECTIONS)
    return path


def easy(config: Path) -> None:
    """Ask for nothing."""
    config.write_text(config.read_text() + EASY)


def test_a_result_that_fails_exits_1_and_says_why(config: Path, cli: Callable[..., Any], here: Path) -> None:
    ran = cli("validate", "family.toml", "--out", "out")
    assert ran.code == 1, ran
    verdict = json.loads((here / "out" / "verdict.json").read_text())
    assert verdict["passed"] is False
    assert f"FAIL: {'; '.join(verdict['reasons'])}" in ran.out
    assert "asked" in ran.out
    assert "Sharpe, cross-validated" in ran.out
    why = verdict["evidence"]["cpcv"]["why"]  # the history is too short for ten groups
    assert "89 sessions in 10 groups leave 8 to a group" in why
    assert why in " ".join(ran.out.split())
    assert {path.name for path in (here / "out").iterdir()} == {
        "verdict.json", "validation.json", "report.html", "walk.csv", "config.toml",
    }  # fmt: skip


def test_a_gate_that_asks_for_nothing_passes(config: Path, cli: Callable[..., Any], here: Path) -> None:
    easy(config)
    ran = cli("validate", "family.toml", "--out", "out", "-q")
    assert (ran.code, ran.out) == (0, "out/verdict.json\n"), ran
    told = cli("validate", "family.toml", "--out", "out", "--force", "--json")
    assert json.loads(told.out) == json.loads((here / "out" / "verdict.json").read_text())


def test_a_verdict_opens_the_gate_until_something_changes(
    config: Path, cli: Callable[..., Any], refused: Callable[..., str], here: Path
) -> None:
    gate = ("--set", "gate.required=true", "--set", "gate.verdict=out/verdict.json")
    easy(config)
    run = ("backtest", "family.toml", *gate, "--out", "run", "-q")
    assert "no verdict out/verdict.json" in refused(*run)
    assert cli("validate", "family.toml", "--out", "out", "-q").code == 0
    assert cli(*run).code == 0
    assert "of other configuration than now" in refused(*run[:-3], "--set", "run.cash=5000", "--out", "run2")
    (here / "held.csv").write_text("symbol,qty\nCASH,1000\n")
    plan = ("plan", "family.toml", "--positions", "held.csv", "--to", "2015-05-12")
    assert "of other configuration than now" in refused(*plan, *gate, "--set", "run.cash=5000")
    with (here / "leaning.py").open("a") as file:
        file.write("# changed\n")
    assert "of other strategy source than now" in refused(*run, "--force")


def test_a_scenario_of_ones_own_is_on_the_page_and_a_wrong_one_is_refused_before_anything_runs(
    config: Path, cli: Callable[..., Any], refused: Callable[..., str], here: Path
) -> None:
    easy(config)
    own = here / "own.toml"
    own.write_text('name = "mine"\ntitle = "Mine of a Monday"\nsessions = 1\n[returns]\nSPY = -0.2\nTLT = 0.05\n')
    ran = cli("validate", "family.toml", "--scenario", str(own), "--out", "out")
    assert ran.code == 0, ran
    assert "Mine of a Monday" in (here / "out" / "report.html").read_text()
    own.write_text('name = "mine"\n')
    assert "own.toml" in refused("validate", "family.toml", "--scenario", str(own), "--out", "other")
    assert not (here / "other").exists()


def test_a_history_too_short_is_one_line(config: Path, refused: Callable[..., str]) -> None:
    config.write_text(config.read_text().replace("train_sessions = 30", "train_sessions = 400"))
    line = refused("validate", "family.toml", "--out", "out")
    assert "which takes 414: 400 to train, 2 between, 12 to test" in line


def test_a_misspelt_key_is_answered_with_the_right_one(config: Path, refused: Callable[..., str]) -> None:
    config.write_text(config.read_text().replace("embargo_sessions", "embargo_session"))
    assert "did you mean 'embargo_sessions'" in refused("validate", "family.toml", "--out", "out")
