"""A sweep measures every setting over the same sessions, says what is equal, and is the same in any order."""

import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.leaky import Leaky
from support.panels import make_panel
from support.sweeping import EVERY, gated_plan, gated_values

from plimsoll import backtest, sweep
from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import ConfigError, OutputError, StrategyError
from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.sweep.figures import equal, ranking
from plimsoll.engine.research.sweep.grid import axes_of
from plimsoll.engine.research.sweep.plan import SweepPlan, plan_sweep
from plimsoll.engine.research.sweep.repeat import Repeat
from plimsoll.engine.research.sweep.sweep import Ranking, SweepResult, Workers, run_sweep
from plimsoll.engine.research.sweep.window import Windows
from plimsoll.engine.trials.ledger import TrialLedger

ALONE = Workers("threads", 1)
LOOKBACK = "sleeve.s.params.lookback_bars"
N = 500


def walk(n: int = N, seed: int = 1) -> Panel:
    rng = np.random.default_rng(seed)
    close = 100.0 * np.cumprod(1.0 + rng.normal(0.0004, 0.01, (n, 2)), axis=0)
    return make_panel(close, symbols=("AAA", "BBB"))


def base(**run: Any) -> dict[str, Any]:
    params = {"symbols": ["AAA", "BBB"], "lookback_bars": 10, "rebalance": "M"}
    return {"run": {"name": "t", **run}, "sleeve": [{"name": "s", "strategy": "inverse_vol", "params": params}]}


def swept(lookbacks: list[int], windows: Windows = "common", panel: Panel | None = None, **run: Any) -> SweepResult:
    panel = walk() if panel is None else panel
    return sweep(base(**run), {LOOKBACK: lookbacks}, data=panel, workers=ALONE, windows=windows, trials="off")


def test_all_settings_begin_at_the_latest_first_session_that_any_of_them_needs() -> None:
    found, own = swept([10, 20, 60]), swept([10, 20, 60], "own")
    session = walk().clock.session
    longest = own.table["sessions"].min()
    assert own.table["sessions"].to_list() == sorted(own.table["sessions"], reverse=True)
    assert found.table["sessions"].to_list() == [longest] * 3
    assert found.table["from"].to_list() == [str(session[N - longest])] * 3
    assert own.table["from"].nunique() == 3
    assert found.table["sharpe"][2] == own.table["sharpe"][2]  # the one that set the window
    assert found.table["sharpe"][0] != own.table["sharpe"][0]


def test_a_row_is_the_backtest_of_its_setting_over_the_window() -> None:
    panel = walk()
    found = swept([10, 60], panel=panel)
    start = found.table["from"][0]
    for row, lookback in zip(found.table.itertuples(), (10, 60), strict=True):
        alone = backtest(base(), data=panel, start=start, sets=[f"{LOOKBACK}={lookback}"], trials="off")
        assert found.returns is not None
        assert found.returns[str(row.setting)].to_list() == alone.returns.to_list()
    best = found.best[0]
    assert str(best.run.start) == start  # a best configuration says over what it was the best


def test_a_setting_that_costs_the_others_more_than_a_fifth_of_their_sessions_is_refused_and_named() -> None:
    # what `63, 126, 1260, 4800` is on twenty years: the last has 24 sessions against 494, and one of them would win
    with pytest.raises(ConfigError) as refused:
        swept([6, 12, 126, 475])
    text = str(refused.value)
    assert "sleeve.s.params.lookback_bars=475 (" in text
    assert "lookback_bars=126 (" in text
    assert "=6 (" not in text
    assert "=12 (" not in text
    assert "20% of their sessions" in text
    assert "--common-window" in text
    assert "--own-window" in text
    accepted = swept([6, 12, 126, 475], "accept")
    assert set(accepted.table["sessions"]) == {accepted.table["sessions"][0]}
    assert accepted.table["sessions"][0] == swept([6, 12, 126, 475], "own").table["sessions"].min()


def test_what_costs_exactly_a_fifth_is_allowed_and_one_session_more_is_not() -> None:
    left_over = int(swept([6], "own").table["sessions"][0]) % 5
    panel = walk(N - left_over)
    short = int(swept([6], "own", panel).table["sessions"][0])
    at = short // 5 + 6
    assert set(swept([6, at], panel=panel).table["sessions"]) == {0.8 * short}
    with pytest.raises(ConfigError, match=f"={at + 1} "):
        swept([6, at + 1], panel=panel)


def test_many_settings_that_need_long_histories_refuse_none_of_themselves() -> None:
    assert len(set(swept([6, 200, 201, 202, 203, 204, 205, 206]).table["sessions"])) == 1


def test_settings_that_need_the_same_history_run_as_their_configurations_say(tmp_path: Path) -> None:
    plan = gated_plan(tmp_path)
    assert plan.window.plain() == {"own": False, "from": None, "to": None}
    assert all(setting.config.run.start is None for setting in plan.settings)


def test_a_given_start_is_everybodys_and_who_is_not_ready_by_then_fails() -> None:
    start = str(walk().clock.session[40])
    found = swept([10, 20, 60], start=start)
    assert found.table["status"].to_list() == ["ok", "ok", "failed"]
    assert found.table["from"].to_list() == [start, start, ""]
    assert found.table["sessions"].to_list() == [N - 40, N - 40, 0]


def test_a_setting_without_enough_history_has_no_say_in_the_window() -> None:
    found = swept([10, 20, 5000])
    assert found.table["status"].to_list() == ["ok", "ok", "failed"]
    assert found.table["sessions"][0] == found.table["sessions"][1] > 400


def test_series_that_end_at_different_sessions_end_the_window_at_the_earliest(tmp_path: Path) -> None:
    values = gated_values(tmp_path)
    path = tmp_path / "data" / "GLD.csv"
    rows = path.read_text().splitlines()
    path.write_text("\n".join(rows[:-5]) + "\n")
    values["run"] = {"name": "t"}
    values["sleeve"] = [{"name": "s", "strategy": "equal_weight", "params": {"rebalance": "5"}}]
    plan = plan_sweep(load_config(values), axes_of({"sleeve.s.params.symbols": [["SPY"], ["GLD"]]}, random=False))
    result = run_sweep(plan, None, ALONE, Ranking())
    assert result.returns is not None
    assert result.returns.notna().all(axis=None)
    assert str(result.returns.index[-1].date()) == rows[-6].split(",")[0]


@pytest.mark.parametrize("key", ["run.start", "run.end"])
def test_the_window_itself_can_be_varied_only_by_who_asks_for_windows_of_their_own(key: str) -> None:
    days = [str(walk().clock.session[k]) for k in (100, 200)]
    with pytest.raises(ConfigError, match=f"{key} cannot vary within one common window.*--own-window"):
        sweep(base(), {key: days}, data=walk(), workers=ALONE, trials="off")
    found = sweep(base(), {key: days}, data=walk(), workers=ALONE, windows="own", trials="off")
    assert found.table["sessions"].nunique() == 2


@pytest.mark.parametrize("longest", [13, 14], ids=["ready at one bar of a session", "ready at the other"])
def test_the_window_begins_with_a_whole_session_on_intraday_bars(longest: int) -> None:
    clock = build_clock(date(2019, 1, 2), date(2019, 5, 31), "195min")
    rng = np.random.default_rng(0)
    close = 100.0 * np.cumprod(1.0 + rng.normal(0.0, 0.005, (len(clock), 2)), axis=0)
    panel = make_panel(close, symbols=("AAA", "BBB"), clock=clock, interval="195min")
    values = {**base(), "data": {"interval": "195min"}}
    found = sweep(values, {LOOKBACK: [10, 12, longest]}, data=panel, workers=ALONE, trials="off")
    assert found.table["status"].eq("ok").all()
    assert len(set(found.table["from"])) == 1


def planned(lookbacks: list[int], windows: Windows = "common") -> SweepPlan:
    return plan_sweep(
        load_config(base()), axes_of({LOOKBACK: lookbacks}, random=False), load=lambda *_: walk(), windows=windows
    )


def test_the_window_is_part_of_what_a_sweep_is(tmp_path: Path) -> None:
    narrow, wide, own = planned([10, 20]), planned([10, 60]), planned([10, 20], "own")
    assert len({plan.digest for plan in (narrow, wide, own)}) == 3
    assert narrow.definition()["window"]["from"] != wide.definition()["window"]["from"]
    run_sweep(narrow, tmp_path / "out", ALONE, Ranking())
    with pytest.raises(OutputError, match=r"another sweep \(its .*window"):
        run_sweep(own, tmp_path / "out", ALONE, Ranking())


def test_ledger_rows_of_a_sweep_carry_from_when_and_how_many_sessions(tmp_path: Path) -> None:
    found = sweep(base(), {LOOKBACK: [10, 60]}, data=walk(), workers=ALONE, trials=tmp_path)
    rows = TrialLedger(tmp_path / "trials.sqlite").rows()
    assert [str(row.sessions[0]) for row in rows] == found.table["from"].to_list()
    assert [len(row.sessions) for row in rows] == found.table["sessions"].to_list()
    sweep(base(), {LOOKBACK: [10, 90]}, data=walk(), workers=ALONE, trials=tmp_path)
    assert len(TrialLedger(tmp_path / "trials.sqlite").rows()) == 4  # another window is another trial


# What is equal.


def test_settings_equal_to_1e_9_rank_in_grid_order_and_are_said_to_be_equal(tmp_path: Path) -> None:
    grid = {LOOKBACK: [10, 20], "account.maintenance_long": [0.30, 0.25, 0.20]}  # which never binds
    found = sweep(base(), grid, data=walk(), workers=ALONE, trials="off", out=tmp_path / "out")
    sharpe = found.table["sharpe"]
    assert sharpe.nunique() == 2
    groups = [[0, 1, 2], [3, 4, 5]] if sharpe[0] > sharpe[3] else [[3, 4, 5], [0, 1, 2]]
    assert found.summary["equal"] == groups
    assert [row["setting"] for row in found.summary["top"]] == (groups[0] + groups[1])[:5]
    page = (tmp_path / "out/report.html").read_text()
    assert "3 settings share the best Sharpe to 1e-9" in page


@given(st.lists(st.sampled_from([1.0, 1.0 + 4e-10, 1.0 - 4e-10, 0.5, 0.5 + 1e-12, 2.0, math.nan]), max_size=12))
def test_a_ranking_is_a_sort_in_which_rounding_decides_nothing(values: list[float]) -> None:
    level = {k: round(v, 6) for k, v in enumerate(values) if math.isfinite(v)}
    wanted = sorted(level, key=lambda k: (-level[k], k))
    assert ranking(values, "sharpe") == wanted
    assert [at for group in equal(values, "sharpe") for at in group] == wanted
    for group in equal(values, "sharpe"):
        assert len({level[k] for k in group}) == 1


def test_a_figure_that_should_be_low_ranks_the_other_way_round() -> None:
    assert ranking([3.0, 1.0, 1.0 + 1e-12, 2.0], "turnover") == [1, 2, 3, 0]
    assert equal([3.0, 1.0 + 1e-12, 1.0], "turnover")[0] == [1, 2]


# What leaks.


@pytest.fixture
def leaky() -> type[Leaky]:
    Leaky.seen = 0
    return Leaky


def leaking(folder: Path, leaks: bool = True, share: tuple[float, ...] = (0.2, 0.4, 0.6)) -> SweepPlan:
    values = gated_values(folder)
    values["run"] = {"name": "t"}
    values["sleeve"] = [{"name": "s", "strategy": "support.leaky:Leaky", "params": {"leaks": leaks}}]
    return plan_sweep(load_config(values), axes_of({"sleeve.s.params.share": list(share)}, random=False))


@pytest.mark.parametrize("workers", [ALONE, Workers("processes", 1)], ids=["threads", "processes"])
def test_a_strategy_that_leaks_state_between_settings_is_caught(
    workers: Workers, tmp_path: Path, leaky: type[Leaky]
) -> None:
    with pytest.raises(
        StrategyError, match=r"setting 0, run again after the others, came to other returns.*ctx\.state"
    ):
        run_sweep(leaking(tmp_path), tmp_path / "out", workers, Ranking())
    assert not (tmp_path / "out").exists()  # nothing of it may be gone on from


def test_a_leak_is_caught_although_nothing_of_it_was_recorded(tmp_path: Path, leaky: type[Leaky]) -> None:
    recorded: list[Any] = []
    with pytest.raises(StrategyError):
        run_sweep(leaking(tmp_path), None, ALONE, Ranking(), record=recorded.extend)
    assert recorded == []


def test_a_strategy_that_keeps_to_itself_is_not_blamed(tmp_path: Path, leaky: type[Leaky]) -> None:
    result = run_sweep(leaking(tmp_path, leaks=False), tmp_path / "out", ALONE, Ranking())
    assert result.failed == 0


def test_the_first_setting_that_ran_is_the_one_that_is_run_again(tmp_path: Path) -> None:
    plan = gated_plan(tmp_path, every=(3, 1, 2), broken=3)
    result = run_sweep(plan, tmp_path / "out", ALONE, Ranking())
    assert result.table["status"].to_list() == ["failed", "ok", "ok"]
    assert json.loads((tmp_path / "out/summary.json").read_text())["failed"] == 1
    assert isinstance(result.table, pd.DataFrame)
    assert result.keys == (EVERY,)


@pytest.mark.parametrize("leaks", [True, False])
def test_a_sweep_cut_off_before_it_was_compared_is_compared_when_it_is_gone_on_with(
    leaks: bool, tmp_path: Path, leaky: type[Leaky], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(_: Repeat) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Repeat, "block", cut)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(leaking(tmp_path, leaks=leaks), tmp_path / "out", ALONE, Ranking())
    assert len(list((tmp_path / "out/parts").glob("*.npz"))) == 3
    monkeypatch.undo()
    leaky.seen = 0  # another process
    if not leaks:
        assert run_sweep(leaking(tmp_path, leaks=leaks), tmp_path / "out", ALONE, Ranking()).failed == 0
        return
    with pytest.raises(StrategyError, match="setting 0, run again after the others, came to other returns"):
        run_sweep(leaking(tmp_path, leaks=leaks), tmp_path / "out", ALONE, Ranking())
