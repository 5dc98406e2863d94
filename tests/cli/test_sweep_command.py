"""`plimsoll sweep` as it is typed: what it prints, writes, returns and refuses."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plimsoll.engine.config.schema import load_config

GRID = ("--grid", "sleeve.s.params.rebalance='5','10',W-FRI", "--grid", "costs.preset=none,us_etf")
ALONE = ("--executor", "threads", "--workers", "1")
FILES = {
    "sweep.json", "sweep.csv", "sweep.parquet", "returns.parquet", "summary.json", "report.html", "config.toml",
    "env.json", "best",
}  # fmt: skip
BROKEN = """\
from plimsoll import Context, Strategy, StrategyParams


class Moody(Strategy):
    class Params(StrategyParams):
        mood: int = 0

    universe = ("SPY", "TLT")

    def on_bar(self, ctx: Context):
        if self.params.mood < 0 and ctx.bar_index == 30:
            raise RuntimeError("not today")
        return ctx.weights({"SPY": 0.5})
"""


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_a_sweep_prints_the_best_and_writes_the_whole_folder(here: Path, cli: Callable[..., Any]) -> None:
    ran = cli("sweep", "run.toml", *GRID, "--out", "out", "--top", "2", *ALONE)
    assert ran.code == 0, ran
    assert "tried: 6 settings, 0 failed" in ran.out
    assert "The best of 6 settings looks better than it is" in ran.out
    assert ran.out.rstrip().endswith("out/report.html")
    assert {path.name for path in (here / "out").iterdir()} == FILES
    table = rows(here / "out/sweep.csv")
    assert [(row["sleeve.s.params.rebalance"], row["costs.preset"]) for row in table] == [
        (rebalance, preset) for rebalance in ("5", "10", "W-FRI") for preset in ("none", "us_etf")
    ]
    order = sorted(table, key=lambda row: -float(row["sharpe"]))
    shown = [line.split() for line in ran.out.splitlines() if line[:6].split(" ")[0] in {"1", "2", "median", "worst"}]
    wanted = [order[0], order[1], order[2], order[5]]
    assert [line[1:3] for line in shown] == [[row["sleeve.s.params.rebalance"], row["costs.preset"]] for row in wanted]
    assert [line[3:5] for line in shown] == [[row["from"], row["sessions"]] for row in wanted]
    assert [line[5] for line in shown] == [f"{float(row['sharpe']):.2f}".replace("-", "−") for row in wanted]


def test_a_sweep_says_what_is_left_of_its_best_here_and_after_what_the_ledger_has(
    here: Path, cli: Callable[..., Any]
) -> None:
    ran = cli("sweep", "run.toml", *GRID, "--out", "first", "--trials", "ledger", *ALONE)
    line = json.loads((here / "first/summary.json").read_text())["luck"]["text"]
    assert f"\n{line}\n" in ran.out
    assert " after 6 settings of this sweep, worth about 1." in line
    assert "in the ledger" not in ran.out  # which has these six and no more
    best = rows(here / "first/sweep.csv")[json.loads((here / "first/summary.json").read_text())["luck"]["setting"]]
    shown = next(line.split() for line in ran.out.splitlines() if line.startswith("1 "))
    wanted = (best["probabilistic_sharpe"], best["deflated_sharpe"])
    assert shown[6:8] == [f"{float(value):.2%}" for value in wanted]
    again = cli("sweep", "run.toml", "--grid", "costs.preset=flat,none", "--out", "more", "--trials", "ledger", *ALONE)
    assert " after 2 settings of this sweep" in again.out
    assert " after 7 tries of equal_weight in the ledger" in again.out


def test_a_best_setting_is_a_configuration_that_backtest_takes_as_it_is(here: Path, cli: Callable[..., Any]) -> None:
    assert cli("sweep", "run.toml", *GRID, "--out", "out", "--metric", "cagr", "-q", *ALONE).out == "out\n"
    best = sorted((here / "out/best").iterdir())
    assert len(best) == 5
    ran = cli("backtest", best[0], "--out", "again", "-q")
    assert ran.code == 0, ran
    metrics = json.loads((here / "again/metrics.json").read_text())
    table = rows(here / "out/sweep.csv")
    row = max(table, key=lambda row: float(row["cagr"]))
    for name in ("cagr", "sharpe", "max_drawdown", "skew"):
        assert metrics[name] == pytest.approx(float(row[name]), rel=1e-12)
    assert metrics["run"]["final_equity"] == pytest.approx(float(row["final_equity"]), rel=1e-12)


def test_json_is_the_summary_and_nothing_else(here: Path, cli: Callable[..., Any]) -> None:
    ran = cli("sweep", "run.toml", *GRID, "--out", "out", "--json", *ALONE)
    assert ran.code == 0
    facts = json.loads(ran.out)
    assert facts.pop("folder") == "out"
    assert facts == json.loads((here / "out/summary.json").read_text())
    assert (facts["settings"], facts["failed"], len(facts["top"])) == (6, 0, 5)


def test_settings_that_fail_are_told_and_the_exit_code_says_so(here: Path, cli: Callable[..., Any]) -> None:
    (here / "moody.py").write_text(BROKEN)
    (here / "moody.toml").write_text(
        '[data]\nsource = "csv"\npath = "data"\n[[sleeve]]\nname = "m"\nstrategy = "moody:Moody"\n'
    )
    ran = cli("sweep", "moody.toml", "--grid", "sleeve.m.params.mood=-1:2:4", "--out", "out", *ALONE)
    assert ran.code == 1
    assert "4 settings, 1 failed" in ran.out
    assert "failed: setting 0: sleeve 'm'" in ran.out
    assert "not today" in ran.out
    assert [row["status"] for row in rows(here / "out/sweep.csv")] == ["failed", "ok", "ok", "ok"]
    assert cli("sweep", "moody.toml", "--grid", "sleeve.m.params.mood=-2,-1", "--out", "none", *ALONE).code == 1
    assert list((here / "none/best").glob("*")) == []


def test_random_settings_follow_the_seed(here: Path, cli: Callable[..., Any]) -> None:
    def drawn(out: str, *more: str) -> list[tuple[str, str]]:
        grid = (
            "--grid",
            "integrator.turnover.band=0.0:0.1",
            "--grid",
            "sleeve.s.params.rebalance='5','10'",
            "--random",
            "5",
        )
        assert cli("sweep", "run.toml", *grid, "--out", out, "-q", *ALONE, *more).code == 0
        found = rows(here / out / "sweep.csv")
        return [(row["integrator.turnover.band"], row["sleeve.s.params.rebalance"]) for row in found]

    first = drawn("first")
    assert len(set(first)) == 5
    assert first == drawn("second")
    assert first != drawn("third", "--set", "run.seed=43")


def test_without_out_the_folder_is_named_for_time_run_and_sweep(here: Path, cli: Callable[..., Any]) -> None:
    folders = [cli("sweep", "run.toml", *GRID, "-q", *ALONE).out.strip() for _ in range(2)]
    digests = {folder.rpartition("-sweep-")[2][:8] for folder in folders}
    assert len(set(folders)) == 2
    assert len(digests) == 1
    for folder in folders:
        assert folder.startswith("runs/")
        assert "-tried-sweep-" in folder
        assert (here / folder / "summary.json").exists()


def test_a_finished_sweep_is_run_anew_with_force_only(
    here: Path, cli: Callable[..., Any], refused: Callable[..., str]
) -> None:
    command = ("sweep", "run.toml", *GRID, "--out", "out", *ALONE)
    cli(*command)
    table = (here / "out/sweep.csv").read_bytes()
    again = cli(*command)
    assert (again.code, again.out) == (0, "this sweep is finished: out/report.html; --force runs it anew\n")
    assert cli(*command, "-q").out == "out\n"
    assert json.loads(cli(*command, "--json").out)["folder"] == "out"
    other = ("sweep", "run.toml", "--grid", "run.cash=1e4,1e5,1e6", "--out", "out", *ALONE)
    assert refused(*other).startswith("out: the folder holds another sweep (its grid, settings differs)")
    assert refused("backtest", "run.toml", "--out", "out").startswith("out: the folder is not empty")
    assert (here / "out/sweep.csv").read_bytes() == table
    assert cli(*other, "--force").code == 0
    assert len(rows(here / "out/sweep.csv")) == 3


def test_options_that_shape_a_backtest_shape_every_setting(here: Path, cli: Callable[..., Any]) -> None:
    span = ("--from", "2015-02-02", "--to", "2015-03-31", "--set", "run.cash=5e4", "--data", "data")
    cli("sweep", "run.toml", *GRID, *span, "--out", "out", "-q", *ALONE)
    cli("backtest", "run.toml", *span, "--set", "sleeve.s.params.rebalance='10'", "--out", "alone", "-q")
    metrics = json.loads((here / "alone/metrics.json").read_text())
    row = rows(here / "out/sweep.csv")[3]
    assert float(row["final_equity"]) == pytest.approx(metrics["run"]["final_equity"], rel=1e-12)
    assert str(load_config(here / "out/config.toml").run.end) == "2015-03-31"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--grid: nothing is varied"),
        (["--grid", "run.csh=1,2"], "--grid: unknown key 'run.csh'; did you mean 'cash'?"),
        (["--grid", "run.cash="], "--grid: run.cash has no value"),
        (["--grid", "run.cash=1:100000:100000", "--grid", "run.seed=1:10000:10000"], "--grid: 1,000,000,000 settings"),
        (["--grid", "run.cash=1,2,3", "--max-settings", "2"], "--grid: 3 settings, at most 2 are run"),
        (["--grid", "run.cash=1,2,3", "--random", "4"], "--random: 4 settings are asked for, there are only 3"),
        (["--grid", "sleeve.s.params.symbols=['SPY'],['NONE']"], "data: no file for symbol 'NONE' "),
        (["--grid", "run.cash=1,2", "--metric", "sharp"], "--metric: unknown metric 'sharp'; did you mean 'sharpe'?"),
        (["--grid", "run.cash=1,2", "--top", "-1"], "--top: -1 best settings are asked for"),
        (["--grid", "run.cash=1,2", "--set", "run.cash=x"], "run.toml: run.cash: input should be a number"),
        (["--grid", "run.cash=1,2", "--out", "run.toml"], "run.toml: is a file, not a folder"),
        (["--grid", "run.cash=1,2", "--own-window", "--common-window"], "--own-window, --common-window: either one "),
        (["--grid", "run.start=2015-01-05,2015-02-02"], "--grid: run.start cannot vary within one common window"),
    ],
    ids=[
        "no grid",
        "unknown key",
        "empty",
        "too many",
        "max-settings",
        "random",
        "no data",
        "metric",
        "top",
        "set",
        "out",
        "both windows",
        "no one window",
    ],
)
def test_what_makes_no_sense_is_told_in_one_line_before_anything_runs(
    arguments: list[str], says: str, refused: Callable[..., str]
) -> None:
    assert refused("sweep", "run.toml", *arguments).startswith(says)


@pytest.mark.parametrize("arguments", [["--executor", "hamsters"], ["--workers", "0"], ["--random", "few"]])
def test_an_option_that_does_not_exist_exits_with_2(arguments: list[str], cli: Callable[..., Any]) -> None:
    ran = cli("sweep", "run.toml", *GRID, *arguments)
    assert ran.code == 2
    assert ran.err.splitlines()[-1].startswith("Error: ")
