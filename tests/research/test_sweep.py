"""A sweep's table says of every setting what its own backtest says, whatever happened on the way."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.named_index import unnamed
from support.panels import make_panel
from support.sweeping import EVERY, SHARE, gated_config, gated_plan, gated_values, same_bytes

from plimsoll import sweep
from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import ConfigError, OutputError
from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.research.sweep.figures import FIGURES, check_metric, in_metrics
from plimsoll.engine.research.sweep.folder import files_aside
from plimsoll.engine.research.sweep.grid import axes_of
from plimsoll.engine.research.sweep.plan import SweepPlan, plan_sweep
from plimsoll.engine.research.sweep.sweep import Ranking, SettingTrial, SweepResult, Workers, run_sweep
from plimsoll.engine.research.sweep.window import Windows
from plimsoll.engine.verbs.backtest import backtest

ROOT = Path(__file__).resolve().parents[2]
ALONE = Workers("threads", 1)


def planned(base: Any, grid: dict[str, Any], windows: Windows = "common") -> SweepPlan:
    return plan_sweep(load_config(base), axes_of(grid, random=False), windows=windows)


def assert_rows_are_backtests(plan: SweepPlan, result: SweepResult) -> None:
    """Every figure and every return of every setting, against a backtest of it alone."""
    assert result.returns is not None
    assert len(result.table) == len(plan.settings)
    for setting in plan.settings:
        alone = backtest(setting.config)
        row = result.table.iloc[setting.number]
        for name in FIGURES:
            wanted = in_metrics(alone.metrics, name)
            wanted = np.nan if wanted is None else float(wanted)
            np.testing.assert_allclose(float(row[name]), wanted, rtol=1e-12, atol=1e-15, err_msg=name)
        own = result.returns[str(setting.number)].dropna()
        pd.testing.assert_series_equal(own, alone.returns, check_names=False, check_freq=False, check_exact=True)


def test_every_row_is_the_backtest_of_its_setting(tmp_path: Path) -> None:
    base = {**gated_values(tmp_path), "financing": {"cash_rate": 0.03}, "integrator": {"turnover": {"band": 0.01}}}
    grid = {
        EVERY: [1, 7],
        SHARE: [0.0, 0.8],
        "run.start": ["2015-01-12", "2015-02-02"],
        "costs.preset": ["flat", "us_etf"],
    }
    plan = planned(base, grid, "own")
    result = run_sweep(plan, tmp_path / "out", ALONE, Ranking())
    assert_rows_are_backtests(plan, result)
    traded = result.table[SHARE] > 0
    assert result.table.loc[traded, "sharpe"].nunique() == 8
    assert result.table.loc[~traded, "time_in_market"].eq(0).all()


def test_what_changes_the_data_changes_them_for_its_settings_alone(tmp_path: Path) -> None:
    """Other symbols, another end, another cash rate: each setting sees what its own backtest would load."""
    base = gated_values(tmp_path)
    base["sleeve"] = [{"name": "s", "strategy": "equal_weight", "params": {"rebalance": "5"}}]
    grid = {"sleeve.s.params.symbols": [["SPY"], ["GLD", "TLT"]], "run.end": ["2015-04-01", "2015-03-02"],
            "financing.cash_rate": [0.02, "GLD"]}  # fmt: skip
    plan = planned(base, grid, "own")
    assert len(plan.panels) == 6  # GLD as cash is in ("GLD", "TLT") already
    assert_rows_are_backtests(plan, run_sweep(plan, None, ALONE, Ranking()))


@pytest.mark.slow
def test_rows_on_the_sample_are_backtests_whatever_its_seed(tmp_path: Path) -> None:
    base = load_config(ROOT / "config/demo.toml", sets=["run.end=2008-03-31"]).plain()
    plan = planned(base, {"run.seed": [1, 2], "sleeve.level61.params.lookback_bars": [40, 80]})
    assert_rows_are_backtests(plan, run_sweep(plan, None, ALONE, Ranking()))


@pytest.mark.realdata
def test_rows_on_real_data_are_backtests(real_daily: Path) -> None:
    sets = ["data.source=csv", f"data.path={real_daily}", "run.start=2018-01-02", "run.end=2020-12-31"]
    base = load_config(ROOT / "config/kalman_overlay.toml", sets=sets).plain()
    plan = planned(base, {"sleeve.kalman_overlay.params.k_long": [0.3, 0.6], "account.type": ["reg_t", "cash"]})
    assert_rows_are_backtests(plan, run_sweep(plan, None, ALONE, Ranking()))


def test_intraday_bars_are_compounded_to_sessions_as_in_a_backtest() -> None:
    rng = np.random.default_rng(5)
    clock = build_clock(date(2019, 11, 1), date(2019, 12, 6), "30min")  # two half days among them
    close = 100 * np.cumprod(1 + 0.003 * rng.standard_normal((len(clock), 3)), axis=0)
    panel = make_panel(close, symbols=("GLD", "SPY", "TLT"), interval="30min", clock=clock)
    base = {"run": {"benchmark": "SPY"}, "sleeve": [{"name": "s", "strategy": "support.gated:Gated"}]}
    found = sweep(base, {EVERY: [3, 20]}, data=panel, workers=ALONE)
    for number, every in enumerate((3, 20)):
        alone = backtest(base, data=panel, sets=[f"{EVERY}={every}"])
        assert found.returns is not None
        assert found.returns[str(number)].to_list() == alone.returns.to_list()
        for name in ("sharpe", "turnover", "gross_max", "beta", "max_drawdown"):
            assert found.table[name][number] == pytest.approx(in_metrics(alone.metrics, name), rel=1e-12)


def test_a_setting_that_fails_is_a_row_with_its_reason(tmp_path: Path) -> None:
    result = run_sweep(gated_plan(tmp_path, every=(1, 2, 3, 4), broken=3), tmp_path / "out", ALONE, Ranking())
    assert result.failed == 1
    assert result.table["status"].to_list() == ["ok", "ok", "failed", "ok"]
    assert "this one is broken" in result.table["reason"][2]
    assert result.table.loc[2, list(FIGURES)].drop("ruined").isna().all()
    assert result.returns is not None
    assert result.returns["2"].isna().all()
    whole = run_sweep(gated_plan(tmp_path, every=(1, 2, 4), broken=3), None, ALONE, Ranking())
    for name in FIGURES:
        assert result.table[name].drop(2).to_list() == whole.table[name].to_list()


def test_a_start_before_the_data_allow_one_fails_that_setting_alone(tmp_path: Path) -> None:
    plan = planned(gated_values(tmp_path), {"run.start": ["2015-02-02", "2016-02-02"]}, "own")
    result = run_sweep(plan, None, ALONE, Ranking())
    assert result.table["status"].to_list() == ["ok", "failed"]
    assert "start 2016-02-02 is after the last session" in result.table["reason"][1]


def test_the_best_are_those_of_a_plain_sort_and_run_as_they_are(tmp_path: Path) -> None:
    plan = gated_plan(tmp_path, broken=4)
    for metric, ascending in (("calmar", False), ("turnover", True), ("max_drawdown", False)):
        result = run_sweep(plan, tmp_path / metric, ALONE, Ranking(metric, 3))
        wanted = result.table.dropna(subset=[metric]).sort_values(metric, ascending=ascending, kind="stable")
        files = sorted((tmp_path / metric / "best").iterdir())
        assert [row["setting"] for row in result.summary["top"]] == wanted["setting"].head(3).to_list()
        assert result.summary["worst"]["setting"] == wanted["setting"].iloc[-1]
        assert len(files) == 3
        for place, path in enumerate(files):
            alone = backtest(path)
            assert in_metrics(alone.metrics, metric) == pytest.approx(wanted[metric].iloc[place], rel=1e-12)
            assert alone.config_hash[:8] in path.name
            assert result.best[place].digest == alone.config_hash


def test_files_and_result_hold_the_same_table(tmp_path: Path) -> None:
    result = run_sweep(gated_plan(tmp_path), tmp_path / "out", ALONE, Ranking(), created="2020-01-01")
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "out/sweep.parquet"), result.table, check_dtype=False, check_names=False
    )
    read = pd.read_csv(tmp_path / "out/sweep.csv", keep_default_na=False, na_values=dict.fromkeys(FIGURES, ""))
    pd.testing.assert_frame_equal(read, result.table, check_dtype=False, check_exact=True, check_names=False)
    assert unnamed(result) == []
    returns = pd.read_parquet(tmp_path / "out/returns.parquet").set_index("session")
    assert result.returns is not None
    assert np.array_equal(returns.to_numpy(), result.returns.to_numpy(), equal_nan=True)
    assert json.loads((tmp_path / "out/summary.json").read_text()) == result.summary
    assert json.loads((tmp_path / "out/env.json").read_text())["created"] == "2020-01-01"
    assert load_config(tmp_path / "out/config.toml").digest == gated_config(tmp_path).digest
    assert not (tmp_path / "out/parts").exists()


def test_what_ran_can_be_recorded_with_what_it_ran_on(tmp_path: Path) -> None:
    plan, taken = gated_plan(tmp_path, every=(2, 3, 5), broken=3), []

    def record(trials: Iterator[SettingTrial]) -> None:
        taken.extend(trials)

    run_sweep(plan, None, ALONE, Ranking(), record=record)
    assert [trial.config.sleeve[0].params["every"] for trial in taken] == [2, 5]
    for trial in taken:
        alone = backtest(trial.config)
        assert trial.returns.tolist() == alone.returns.to_list()
        assert trial.sessions.tolist() == [stamp.date() for stamp in alone.returns.index]
        assert trial.data_hash == alone.data_hash


def test_a_damaged_part_is_run_again(tmp_path: Path) -> None:
    plan, folder = gated_plan(tmp_path), tmp_path / "out"
    run_sweep(plan, tmp_path / "whole", ALONE, Ranking())

    def stop(done: int, total: int) -> None:
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(plan, folder, ALONE, Ranking(), progress=stop)
    parts = sorted((folder / "parts").glob("*.npz"))
    assert len(parts) >= 6
    parts[1].write_bytes(parts[1].read_bytes()[:200])
    parts[2].write_bytes(b"")
    parts[3].replace(parts[4])  # another block's content
    run_sweep(plan, folder, ALONE, Ranking())
    assert same_bytes(folder) == same_bytes(tmp_path / "whole")


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    folder, plan = tmp_path / "out", gated_plan(tmp_path)
    run_sweep(plan, folder, ALONE, Ranking())
    before = same_bytes(folder)
    other = gated_plan(tmp_path, every=range(1, 5))
    with pytest.raises(OutputError, match="this sweep is finished"):
        run_sweep(plan, folder, ALONE, Ranking())
    with pytest.raises(OutputError, match=r"holds another sweep \(its grid, settings differs\)"):
        run_sweep(other, folder, ALONE, Ranking())
    assert same_bytes(folder) == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="the folder is not empty"):
        run_sweep(plan, tmp_path / "mine", ALONE, Ranking())
    run_sweep(other, folder, ALONE, Ranking(top=1), force=True)
    run_sweep(other, tmp_path / "fresh", ALONE, Ranking(top=1))
    assert same_bytes(folder) == same_bytes(tmp_path / "fresh")


def test_other_data_under_the_same_name_are_another_sweep(tmp_path: Path) -> None:
    run_sweep(gated_plan(tmp_path), tmp_path / "out", ALONE, Ranking())
    path = tmp_path / "data/SPY.csv"
    rows = path.read_text().splitlines()
    path.write_text("\n".join(rows[:-1]) + "\n")
    with pytest.raises(OutputError, match=r"another sweep \(its data_hashes differs\)"):
        run_sweep(gated_plan(tmp_path), tmp_path / "out", ALONE, Ranking())


def test_a_ranking_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="--metric: unknown metric 'sharp'; did you mean 'sharpe'"):
        sweep({"sleeve": []}, {"run.cash": [1, 2]}, by=Ranking("sharp"))
    with pytest.raises(ConfigError, match="--metric: nothing can be ranked by 'ruined'"):
        sweep({"sleeve": []}, {"run.cash": [1, 2]}, by=Ranking("ruined"))


def test_every_figure_that_can_be_ranked_by_is_a_column_of_numbers(tmp_path: Path) -> None:
    ranked = [name for name in FIGURES if name != "ruined"]
    assert [check_metric(name) for name in ranked] == ranked
    table = run_sweep(gated_plan(tmp_path, every=(2, 5)), None, ALONE, Ranking()).table
    assert {str(table[name].dtype.kind) for name in ranked} <= {"f", "i", "u"}


def test_the_best_of_a_sweep_that_is_gone_on_with_are_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was cut off when it had chosen its best, by another figure and more of them."""
    plan, folder = gated_plan(tmp_path), tmp_path / "out"

    def cut(*_: Any, **__: Any) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("plimsoll.engine.report.sweep.page.sweep_html", cut)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(plan, folder, ALONE, Ranking("vol_ann", top=4))
    monkeypatch.undo()
    assert len(list((folder / "best").iterdir())) == 4
    run_sweep(plan, folder, ALONE, Ranking(top=2))
    run_sweep(plan, tmp_path / "whole", ALONE, Ranking(top=2))
    assert same_bytes(folder) == same_bytes(tmp_path / "whole")


@pytest.mark.parametrize(
    ("rate", "said"), [(0.0, "a rate of 0: financing.cash_rate names no bill fund"), ("SPY", "SPY")]
)
def test_what_returns_over_bills_are_over_is_said(tmp_path: Path, rate: float | str, said: str) -> None:
    values = gated_values(tmp_path) | {"financing": {"cash_rate": rate}}
    plan = plan_sweep(load_config(values), axes_of({EVERY: [5, 6]}, random=False))
    result = run_sweep(plan, tmp_path / "out", ALONE, Ranking())
    assert result.summary["over_bills"] == said
    assert f">{said}<" in (tmp_path / "out" / "report.html").read_text()


def test_files_that_could_not_be_written_whole_leave_what_was_there(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "best" / "other"
    with files_aside(one, other) as (first, second):
        first.write(b"1")
        second.write(b"2")
    assert (one.read_bytes(), other.read_bytes()) == (b"1", b"2")

    def fail() -> None:
        with files_aside(one, other) as (first, _):
            first.write(b"3")
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert (one.read_bytes(), other.read_bytes()) == (b"1", b"2")
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["one", "other"]
