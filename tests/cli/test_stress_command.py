"""`plimsoll stress`: the table, the figures it writes, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

OWN = """\
name = "mine"
title = "My crash"
[returns]
SPY = -0.30
TLT = 0.04
"""


@pytest.fixture
def own(here: Path) -> Path:
    path = here / "own.toml"
    path.write_text(OWN)
    return path


def test_a_scenario_of_ones_own_is_told_as_a_table_a_page_and_figures(
    here: Path, own: Path, cli: Callable[..., Any]
) -> None:
    told = cli("stress", "run.toml", "--scenario", str(own), "--out", "found")
    assert told.code == 0
    assert "My crash" in told.out
    assert "BREACH" not in told.out  # half in each: 13%
    assert "none of 1 scenarios lose more than 15%" in told.out
    found = json.loads((here / "found/stress.json").read_text())
    (one,) = found["scenarios"]
    assert one["shock"]["last"] == pytest.approx(0.5 * (-0.30 + 0.04), abs=0.01)
    # the orders of the last close fill on the way: rebalancing costs a few basis points
    assert one["replay"]["drawdown"] == pytest.approx(-one["shock"]["last"], abs=1e-3)
    page = (here / "found/stress.html").read_text()
    assert "My crash" in page
    assert found["verdict"].split(".")[0] in page


def test_a_breach_is_told_and_leaves_with_nought(here: Path, own: Path, cli: Callable[..., Any]) -> None:
    own.write_text(OWN.replace("-0.30", "-0.60"))
    told = cli("stress", "run.toml", "--scenario", str(own), "--json", "--out", "found")
    found = json.loads(told.out)
    assert told.code == 0
    assert not found["ok"]
    (one,) = found["scenarios"]
    assert one["shock"]["last"] == pytest.approx(0.5 * (-0.60 + 0.04), abs=0.01)
    assert one["verdict"].startswith("BREACH: last book at once -2")
    assert f"replay -{one['replay']['drawdown']:.1%}" in one["breaches"]


def test_scenarios_of_the_package_are_picked_by_name(here: Path, cli: Callable[..., Any]) -> None:
    told = cli("stress", "run.toml", "--only", "covid_2020", "--only", "black_monday_1987", "--json", "--out", "f")
    names = [one["name"] for one in json.loads(told.out)["scenarios"]]
    assert names == ["covid_2020", "black_monday_1987"]


def test_a_symbol_nobody_can_place_is_asked_for(
    here: Path, refused: Callable[..., str], cli: Callable[..., Any]
) -> None:
    (here / "data/SPY.csv").rename(here / "data/NVDA.csv")
    (here / "run.toml").write_text((here / "run.toml").read_text().replace("SPY", "NVDA"))
    line = refused("stress", "run.toml", "--only", "covid_2020", "--out", "found")
    assert "nobody knows what NVDA does" in line
    assert "[stress.classes]" in line
    told = cli("stress", "run.toml", "--only", "covid_2020", "--out", "f", "--set", "stress.classes.NVDA=nasdaq")
    assert told.code == 0


def test_from_the_eve_of_a_window_the_prices_after_the_end_are_looked_up(here: Path, cli: Callable[..., Any]) -> None:
    """The run ends on 2015-03-31; what SPY and TLT did in April is in the files, and is what the scenario is."""
    (here / "april.toml").write_text('name = "april"\nstart = 2015-03-31\nend = 2015-04-14\n')
    told = cli("stress", "run.toml", "--to", "2015-03-31", "--scenario", "april.toml", "--json", "--out", "f")
    (one,) = json.loads(told.out)["scenarios"]
    assert one["how"] == {"prices": ["SPY", "TLT"]}
    assert one["modelled"] == []
    assert cli("backtest", "run.toml", "--to", "2015-04-14", "--out", "real").code == 0
    ret = pd.read_csv(here / "real/equity.csv", index_col="session")["ret"].loc["2015-04-01":]
    assert len(ret) == one["sessions"] == 9
    assert one["replay"]["nav"][: len(ret) + 1] == pytest.approx([1.0, *(1.0 + ret).cumprod()], rel=1e-12)


REFUSED = {
    "no such scenario": (("--only", "covid_2021"), "did you mean 'covid_2020'"),
    "no such file": (("--scenario", "none.toml"), "no such config file"),
    "no data": (("--data", "nowhere"), "nowhere"),
    "not empty": (("--out", "data"), "not empty"),
    "unknown class": (("--set", 'stress.classes.SPY="equities"'), "unknown asset class"),
    "unknown key": (("--set", "stress.klasses.SPY=gold"), "classes"),
}


@pytest.mark.parametrize(("options", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_bad_input_is_one_line(options: tuple[str, ...], said: str, refused: Callable[..., str]) -> None:
    out = () if "--out" in options else ("--out", "found")
    assert said in refused("stress", "run.toml", *options, *out)
