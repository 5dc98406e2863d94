"""`plimsoll backtest` fills the trial ledger, `plimsoll trials` shows and exports it."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kurtosis, norm, skew
from support.trials import make_trial, raw

from plimsoll.engine.trials.ledger import TrialLedger
from plimsoll.engine.verbs.trials import family_rows

ROOT = Path(__file__).resolve().parents[2]
Cli = Callable[..., Any]
Refused = Callable[..., str]
POINT = ("--trials", "ledger")
PROBABILITIES = ("probabilistic_sharpe", "deflated_sharpe", "deflated_sharpe_effective")


def _percent(value: float) -> str:
    return f"{value:.2%}"


def _run(cli: Cli, *arguments: str, out: str = "out") -> Any:
    ran = cli("backtest", "run.toml", "--out", out, "--force", "-q", *POINT, *arguments)
    assert (ran.code, ran.out, ran.err) == (0, f"{out}\n", "")
    return ran


@pytest.fixture
def ledger(here: Path) -> TrialLedger:
    return TrialLedger(here / "ledger/trials.sqlite")


@pytest.fixture
def filled(ledger: TrialLedger) -> TrialLedger:
    """Three families; the trials of one start and end on different days."""
    ledger.record([make_trial(k, n=260 + k, first=f"202{k}-01-04") for k in range(4)])
    flat = make_trial("flat", family="cash", returns=np.zeros(5))
    ledger.record([flat, make_trial(1, family="carry+pairs", kind="sweep", data_hash="other")])
    return ledger


def test_a_backtest_that_is_run_twice_is_one_trial_and_another_parameter_is_another(
    cli: Cli, ledger: TrialLedger
) -> None:
    for _ in range(2):
        _run(cli)
    assert [(row.family, row.kind) for row in ledger.rows()] == [("equal_weight", "backtest")]
    _run(cli, "--set", "sleeve.s.params.rebalance='10'")
    _run(cli, "--to", "2015-03-31")
    assert len(ledger.rows("equal_weight")) == 3


def test_the_ledger_holds_what_the_run_folder_holds(here: Path, cli: Cli, ledger: TrialLedger) -> None:
    _run(cli)
    (row,) = ledger.rows()
    equity = pd.read_csv(here / "out/equity.csv")
    assert row.returns.tolist() == equity["ret"].tolist()
    assert [str(day) for day in row.sessions] == equity["session"].tolist()
    facts = json.loads((here / "out/env.json").read_text())
    assert (row.config_hash, row.data_hash) == (facts["config_hash"], facts["data_hash"])
    assert (here / "out/config.toml").read_text() == f'# config_hash = "{row.config_hash}"\n{row.config_toml}'
    assert row.recorded_at >= facts["created"]
    assert row.version == facts["versions"]["plimsoll"]


def test_the_run_folder_is_the_same_with_and_without_a_ledger(here: Path, cli: Cli) -> None:
    _run(cli, out="with")
    assert cli("backtest", "run.toml", "--out", "without", "--trials", "off", "-q").code == 0
    assert {path.name for path in (here / "with").iterdir()} == {path.name for path in (here / "without").iterdir()}
    stamped = {"env.json", "log.jsonl"}
    for path in (here / "with").iterdir():
        if path.name not in stamped:
            assert path.read_bytes() == (here / "without" / path.name).read_bytes()


def test_switched_off_leaves_no_file(here: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(here / "home"))
    monkeypatch.setenv("HOME", str(here / "home"))
    monkeypatch.setenv("PLIMSOLL_TRIALS", str(here / "named"))
    assert cli("backtest", "run.toml", "--out", "out", "--trials", "off").code == 0
    monkeypatch.setenv("PLIMSOLL_TRIALS", "off")
    assert cli("backtest", "run.toml", "--out", "again").code == 0
    assert {path.name for path in here.iterdir()} - {"__pycache__"} == {"run.toml", "data", "out", "again"}


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="the folder is another there")
def test_by_default_a_command_records_in_the_users_data_folder(here: Path) -> None:
    env = {key: value for key, value in os.environ.items() if key != "PLIMSOLL_TRIALS"}
    env |= {"PYTHONPATH": str(ROOT / "src"), "XDG_DATA_HOME": str(here / "home")}

    def plimsoll(*arguments: str) -> str:
        code = f"from plimsoll.engine.cli.main import main; main({list(arguments)!r})"
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=here, env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    plimsoll("backtest", "run.toml", "--out", "out", "-q")
    assert len(TrialLedger(here / "home/plimsoll/trials/trials.sqlite").rows()) == 1
    assert [one["family"] for one in json.loads(plimsoll("trials", "--json"))] == ["equal_weight"]


def _file_in_the_way(here: Path) -> str:
    (here / "taken").write_text("x")
    return "taken/deeper"


def _no_folder_for_files(_here: Path) -> str:
    return "/proc"  # read-only even to root


def _text_for_a_ledger(here: Path) -> str:
    (here / "ledger").mkdir()
    (here / "ledger/trials.sqlite").write_text("mine " * 100)
    return "ledger"


def _newer_ledger(here: Path) -> str:
    TrialLedger(here / "ledger/trials.sqlite").record([make_trial()])
    raw(here / "ledger/trials.sqlite", "PRAGMA user_version = 99")
    return "ledger"


TROUBLES = {
    _file_in_the_way: "cannot be written: Not a directory",
    _no_folder_for_files: "cannot be used: unable to open database file",
    _text_for_a_ledger: "is not a trial ledger",
    _newer_ledger: "the ledger is of version 99, this plimsoll knows 2",
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_ledger_in_trouble_costs_one_line_and_nothing_of_the_backtest(
    trouble: Callable[[Path], str], here: Path, cli: Cli
) -> None:
    folder = trouble(here)
    if not Path("/proc").is_dir():
        pytest.skip("there is no /proc")
    ran = cli("backtest", "run.toml", "--out", "out", "-q", "--trials", folder)
    assert (ran.code, ran.out) == (0, "out\n")
    assert ran.err.startswith("warning: the run is not in the trial ledger: ")
    assert f"{folder}/trials.sqlite: {TROUBLES[trouble]}" in ran.err
    assert ran.err.count("\n") == 1
    assert (here / "out/metrics.json").exists()


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_folder_costs_one_line(here: Path, cli: Cli) -> None:
    (here / "ledger").mkdir(mode=0o500)
    ran = cli("backtest", "run.toml", "--out", "out", "-q", *POINT)
    assert (ran.code, ran.out, ran.err.count("\n")) == (0, "out\n", 1)
    assert list((here / "ledger").iterdir()) == []


@pytest.mark.parametrize("trouble", [_text_for_a_ledger, _newer_ledger])
def test_what_is_not_a_ledger_is_not_listed(trouble: Callable[[Path], str], here: Path, refused: Refused) -> None:
    trouble(here)
    line = refused("trials", *POINT)
    assert line.startswith(str(Path("ledger/trials.sqlite")))
    assert TROUBLES[trouble] in line


def test_families_are_listed_with_the_ratios_pandas_finds(cli: Cli, filled: TrialLedger) -> None:
    facts = {one["family"]: one for one in json.loads(cli("trials", "--json", *POINT).out)}
    assert list(facts) == ["carry+pairs", "cash", "trend"]
    returns = pd.DataFrame(filled.returns("trend").matrix)
    ratios = returns.mean() / returns.std() * np.sqrt(252.0)
    assert facts["trend"]["best_sharpe"] == pytest.approx(ratios.max(), rel=1e-12)
    assert facts["trend"]["median_sharpe"] == pytest.approx(ratios.median(), rel=1e-12)
    assert (facts["trend"]["trials"], facts["trend"]["data_sets"]) == (4, 1)
    assert facts["cash"]["best_sharpe"] is None  # nothing moved: no ratio, and no crash
    ran = cli("trials", *POINT)
    (line,) = (line for line in ran.out.splitlines() if line.startswith("trend"))
    cells = f"{ratios.median():.2f} {ratios.max():.2f}".replace("-", "−").split()
    left = [_percent(facts["trend"][f"best_{name}"]) for name in PROBABILITIES]
    left.insert(2, f"{facts['trend']['effective_trials']:.0f}")
    assert line.split() == ["trend", "4", "1", *("2026-01-05", "16:00") * 2, *cells, *left]


def _plain_luck(column: "pd.Series[float]", trials: float, variance: float) -> float:
    """Return a deflated ratio from scipy and the papers' formulas; of one trial alone that of its own."""
    r = column.dropna()
    ratio, g3, g4 = r.mean() / r.std(), skew(r), kurtosis(r, fisher=False)
    ends = (1.0 - 1.0 / trials, 1.0 - 1.0 / (trials * np.e)) if trials > 1 else (0.5, 0.5)
    hurdle = np.sqrt(variance) * np.dot((1.0 - np.euler_gamma, np.euler_gamma), norm.ppf(ends))
    z = (ratio - hurdle) * np.sqrt(len(r) - 1) / np.sqrt(1.0 - g3 * ratio + (g4 - 1.0) / 4.0 * ratio**2)
    return float(norm.cdf(z))


def test_each_trial_has_its_probability_by_itself_and_after_all(cli: Cli, filled: TrialLedger) -> None:
    returns = pd.DataFrame(filled.returns("trend").matrix)
    variance = (returns.mean() / returns.std()).var()
    listed = json.loads(cli("trials", "trend", "--json", *POINT).out)
    for one, (_, column) in zip(listed, returns.items(), strict=True):
        assert one["probabilistic_sharpe"] == pytest.approx(_plain_luck(column, 1.0, variance), rel=1e-9)
        assert one["deflated_sharpe"] == pytest.approx(_plain_luck(column, 4.0, variance), rel=1e-9)
    family = next(one for one in json.loads(cli("trials", "--json", *POINT).out) if one["family"] == "trend")
    best = max(listed, key=lambda one: one["sharpe"])
    assert [family[f"best_{name}"] for name in PROBABILITIES] == [best[name] for name in PROBABILITIES]
    assert family["effective_trials"] == pytest.approx(4.0, abs=0.5)  # four streams of random numbers


def test_one_trial_and_equal_ones_have_nothing_to_deflate_by(cli: Cli, ledger: TrialLedger) -> None:
    ledger.record([make_trial(0, n=300)])
    (one,) = json.loads(cli("trials", "trend", "--json", *POINT).out)
    assert 0.0 < one["probabilistic_sharpe"] < 1.0
    assert one["deflated_sharpe"] is one["deflated_sharpe_effective"] is None
    ledger.record([make_trial(0, n=300, config_hash="a parameter without effect")])
    assert [row["deflated_sharpe"] for row in json.loads(cli("trials", "trend", "--json", *POINT).out)] == [None] * 2
    shown = cli("trials", *POINT).out
    assert "P(>0): probability that the true Sharpe of the best trial is above zero, had it been the only try" in shown
    assert "–: nothing to deflate by" in shown


def test_a_backtest_says_what_is_left_after_the_tries_of_its_family(cli: Cli) -> None:
    def luck(*arguments: str, point: tuple[str, ...] = POINT) -> str:
        ran = cli("backtest", "run.toml", "--out", "out", "--force", *point, *arguments)
        lines = [" ".join(line.split()) for line in ran.out.splitlines()]
        first = next(k for k, line in enumerate(lines) if line.startswith("Luck"))
        last = next(k for k, line in enumerate(lines) if line.startswith("Money"))
        return " ".join(lines[first:last])

    off = luck(point=("--trials", "off"))
    assert off.startswith("Luck Probability that the true Sharpe is above zero: ")
    assert off.endswith("by itself; how many were tried is not known: the trial ledger is off.")
    assert "by itself; there are no other tries of equal_weight in the ledger to deflate by." in luck()
    # the same again, without its costs: another configuration, another ratio, the same bets
    again = luck("--set", "costs.preset='none'")
    assert "had it been the only try; " in again
    assert " after 2 tries of equal_weight in the ledger, worth about 1.0 independent ones: " in again


def test_a_familys_trials_are_listed_with_their_figures(cli: Cli, filled: TrialLedger) -> None:
    found = json.loads(cli("trials", "trend", "--json", *POINT).out)
    assert [one["id"] for one in found] == [1, 2, 3, 4]
    for one, row in zip(found, filled.rows("trend"), strict=True):
        grown = np.cumprod(np.concatenate([[1.0], 1.0 + row.returns]))
        assert one["cagr"] == pytest.approx(grown[-1] ** (252 / len(row.returns)) - 1.0)
        assert one["max_drawdown"] == pytest.approx((grown / np.maximum.accumulate(grown) - 1.0).min())
        assert (one["sessions"], one["first_session"]) == (len(row.returns), str(row.sessions[0]))
    lines = cli("trials", "trend", *POINT).out.splitlines()
    assert lines[0].split() == [
        "id",
        "name",
        "kind",
        "sessions",
        "from",
        "to",
        "CAGR",
        "Sharpe",
        "P(>0)",
        "after",
        "all",
        "max",
        "drawdown",
        "recorded",
    ]
    assert [line.split()[:4] for line in lines[1:5]] == [
        [str(k + 1), f"run-{k}", "backtest", str(260 + k)] for k in range(4)
    ]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_exports_hold_a_row_a_trial_and_a_column_a_series(
    suffix: str, here: Path, cli: Cli, filled: TrialLedger
) -> None:
    ran = cli("trials", "trend", "--export", f"rows{suffix}", "--returns", f"matrix{suffix}", *POINT)
    sessions, matrix, ids = filled.returns("trend")
    assert ran.out == f"rows{suffix}: 4 trials\nmatrix{suffix}: 4 trials on {len(sessions)} sessions\n"
    if suffix == ".csv":
        rows, series = (pd.read_csv(here / f"{n}.csv") for n in ("rows", "matrix"))
    else:
        rows, series = (pd.read_parquet(here / f"{name}.parquet") for name in ("rows", "matrix"))
    assert rows.to_dict("records") == family_rows(filled.rows("trend"))
    assert list(series.columns) == ["session", *map(str, ids)]
    assert series["session"].astype(str).tolist() == [str(day) for day in sessions]
    np.testing.assert_array_equal(series.drop(columns="session").to_numpy(), matrix)
    assert {path.name for path in here.iterdir()} >= {f"rows{suffix}", f"matrix{suffix}"}
    assert not [path for path in here.iterdir() if path.name.startswith(".")]


def test_without_a_family_all_trials_are_exported(here: Path, cli: Cli, filled: TrialLedger) -> None:
    (here / "all.csv").write_text("old")
    listed = json.loads(cli("trials", "--export", "all.csv", "--json", *POINT).out)
    assert len(listed) == 3
    assert pd.read_csv(here / "all.csv")["family"].tolist() == [row.family for row in filled.rows()]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["trnd"], "no trial of a family 'trnd'; did you mean 'trend'?"),
        (["Trend", "--json"], "no trial of a family 'Trend'; did you mean 'trend'?"),
        (["trnd", "--export", "x.csv"], "no trial of a family 'trnd'; did you mean 'trend'?"),
        (["--returns", "x.csv"], "--returns: the returns of which family?; name one of: carry+pairs, cash, trend"),
        (["--export", "x.xlsx"], "x.xlsx: is no kind of table that can be written; end the name with .csv or .parquet"),
        (["trend", "--returns", "x"], "x: is no kind of table that can be written"),
        (["--export", "none/x.csv"], "none/x.csv: cannot be written: No such file or directory"),
        (["--export", "run.toml/x.csv"], "run.toml/x.csv: cannot be written: Not a directory"),
        (["trend", "--returns", "folder.csv"], "folder.csv: cannot be written: Is a directory"),
    ],
)
def test_what_cannot_be_shown_or_written_is_told_in_one_line(
    arguments: list[str], says: str, here: Path, refused: Refused, filled: TrialLedger
) -> None:
    (here / "folder.csv").mkdir()
    assert says in refused("trials", *arguments, *POINT)


def test_an_empty_ledger_says_so(cli: Cli, refused: Refused, here: Path) -> None:
    ran = cli("trials", *POINT)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"no trial is recorded yet in {Path('ledger/trials.sqlite')}")
    assert json.loads(cli("trials", "--json", *POINT).out) == []
    assert "no trial of a family 'trend'; none is known" in refused("trials", "trend", *POINT)
    assert "nothing to export (no trial is recorded yet)" in refused("trials", "--export", "x.csv", *POINT)
    assert not (here / "ledger").exists()


def test_a_ledger_that_is_switched_off_says_so(cli: Cli, refused: Refused) -> None:
    ran = cli("trials")
    assert (ran.code, ran.out, ran.err) == (0, "the trial ledger is switched off (PLIMSOLL_TRIALS=off)\n", "")
    assert cli("trials", "--trials", "off").out == "the trial ledger is switched off (--trials off)\n"
    ran = cli("trials", "--json")
    assert (json.loads(ran.out), ran.err.count("\n")) == ([], 1)
    says = "there is nothing to export (the trial ledger is switched off, PLIMSOLL_TRIALS=off)"
    assert refused("trials", "--export", "x.csv") == says
    assert refused("trials", "trend", "--returns", "x.csv") == says


def test_a_locked_ledger_is_still_listed(cli: Cli, filled: TrialLedger) -> None:
    other = sqlite3.connect(filled.path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        assert len(json.loads(cli("trials", "--json", *POINT).out)) == 3
    finally:
        other.close()


def test_rungs_are_listed_apart_and_not_exported(here: Path, cli: Cli, refused: Refused) -> None:
    ledger = TrialLedger(here / "ledger/trials.sqlite")
    ledger.record([make_trial()])
    assert "no ladder is recorded yet" in cli("trials", "--ladder", *POINT).out
    ledger.record([make_trial(kind="ladder", name="book/erc")])
    listed = cli("trials", "trend", "--ladder", *POINT)
    assert "book/erc" in listed.out
    assert "run-0" not in listed.out
    assert [row["kind"] for row in json.loads(cli("trials", "--ladder", "--json", *POINT).out)] == ["ladder"]
    assert "rungs are no trials" in refused("trials", "trend", "--ladder", "--export", "x.csv", *POINT)
