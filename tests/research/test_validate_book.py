"""A book's validation: its ladder with the path before, its sleeves on paper, its uplift, its stress."""

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from support.sampled import panel_of

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.span import first_bars
from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.result import record_of
from plimsoll.engine.research.sweep.compiled_evaluator import CompiledEvaluator
from plimsoll.engine.research.validate.path import path_of
from plimsoll.engine.research.validate.uplift import predicted
from plimsoll.engine.research.validate.validate import Validation
from plimsoll.engine.verbs.backtest import backtest
from plimsoll.engine.verbs.validate import validate, validation_plan

METHOD = "integrator.allocate.method"
VALUES: dict[str, Any] = {
    "run": {"name": "three", "cash": 250_000.0},
    "data": {"indicators": ["VIX"]},
    "sleeve": [
        {"name": "growth", "strategy": "equal_weight", "params": {"symbols": ["SPY", "QQQ"]}},
        {"name": "mixed", "strategy": "sixty_forty"},
        {"name": "paper", "strategy": "equal_weight", "params": {"symbols": ["GLD", "TLT"]}, "status": "incubating"},
        {"name": "safe", "strategy": "equal_weight", "params": {"symbols": ["GLD", "IEF"]}},
    ],
    "integrator": {"preset": "book"},
    "financing": {"cash_rate": 0.02},
    "validate": {
        "train_sessions": 252, "test_sessions": 126, "sensitivity": ["integrator.vol_target.target"],
        "grid": {METHOD: ["hrp", "equal"]},
    },
}  # fmt: skip


@lru_cache(maxsize=1)
def found() -> tuple[Panel, Validation]:
    panel = first_bars(panel_of(42), 700)
    return panel, validate(VALUES, data=panel, trials="off")


def test_the_ladder_has_every_rung_and_the_path_before_on_the_sessions_of_the_walk() -> None:
    panel, done = found()
    ladder = done.evidence["ladder"]
    names = [rung["name"] for rung in ladder["rungs"]]
    assert names == ["hrp", "erc", "inverse_vol", "equal_risk", "equal", "nco", "min_variance", "former"]
    assert all("why" not in rung for rung in ladder["rungs"])
    assert ladder["ships"] in ("hrp", "equal_risk")
    legacy = {**VALUES, "integrator": {"preset": "legacy"}}
    own = backtest({k: v for k, v in legacy.items() if k != "validate"}, data=panel, trials="off")
    held = done.walk["rolling"].notna().to_numpy()
    part = own.returns.to_numpy()[-int(held.sum()) :]
    assert ladder["rungs"][-1]["sharpe_excess"] == pytest.approx(m.sharpe(part, done.walk["bill"].to_numpy()[held]))


def test_sleeves_without_capital_are_followed_on_paper_and_add_nothing_to_the_uplift() -> None:
    _, done = found()
    assert {one["name"]: one["status"] for one in done.evidence["sleeves"]}["paper"] == "incubating"
    uplift = done.evidence["uplift"]
    assert set(uplift["sleeves"]) == {"growth", "mixed", "safe"}
    assert uplift["predicted"] == pytest.approx(predicted(uplift["mean_sharpe"], 3, uplift["mean_correlation"]))
    assert uplift["realised"] == pytest.approx(done.evidence["whole"]["sharpe_excess"])


def test_a_sleeves_returns_on_paper_are_those_of_its_tracker() -> None:
    panel, _ = found()
    plan = validation_plan(load_config(VALUES), panel)
    config = plan.sweep.settings[plan.configured].config
    path = path_of(CompiledEvaluator(plan.panel).replay(config, whole=True))
    run = backtest(config, data=plan.panel, trials="off")
    for name, returns in path.sleeves.items():
        equity = run.sleeves[f"{name}.equity"].to_numpy()
        np.testing.assert_allclose(returns[1:], equity[1:] / equity[:-1] - 1.0, atol=1e-12)


def test_a_replay_with_signals_that_are_kept_is_the_whole_run_to_the_bit() -> None:
    panel, _ = found()
    config = validation_plan(load_config(VALUES), panel).sweep.settings[0].config
    evaluator = CompiledEvaluator(panel)
    whole = path_of(evaluator.replay(config, whole=True))
    again = path_of(evaluator.replay(config))
    for name in ("returns", "traded", "costs", "held", "effective", "target", "shares"):
        assert getattr(whole, name).tobytes() == getattr(again, name).tobytes(), name
    run = backtest(config, data=panel, trials="off")
    assert whole.returns.tobytes() == run.returns.to_numpy().tobytes()
    np.testing.assert_array_equal(whole.held, record_of(run).held())


def test_the_book_aims_at_a_volatility_and_shares_itself_between_its_sleeves() -> None:
    _, done = found()
    stitched = done.evidence["walks"]["rolling"]["stitched"]
    assert 0.08 <= stitched["vol_target"] <= 0.12
    assert 1.0 <= stitched["effective_n"] <= 3.0


def test_it_is_stressed_as_it_stands_at_its_last_close() -> None:
    panel, done = found()
    stress = done.evidence["stress"]
    assert stress["why"] == ""
    assert stress["last"] == str(panel.clock.session[-1])
    assert len(stress["scenarios"]) > 5
