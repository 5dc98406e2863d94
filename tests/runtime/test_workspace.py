"""A workspace used again leaves nothing of one setting in the next."""

from typing import Any

import numpy as np
import pytest

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.research.proof.trial_market import trial_panel
from plimsoll.engine.research.sweep.compiled_evaluator import CompiledEvaluator
from plimsoll.engine.research.sweep.evaluate import PythonEvaluator, SettingFailure, SettingOutcome
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Context, StrategyParams, Weights
from plimsoll.strategies.inverse_vol import InverseVol

SYMBOLS = ("AAA", "BBB", "CCC", "DDD")
PANEL = trial_panel((*SYMBOLS, "BIL"), n_bars=420, seed=4, lives={"BBB": "late", "DDD": "delisted"})


class Moody(InverseVol):
    """Inverse volatility that breaks on demand: `broken` answers NaN, `raising` raises in its scan and on a bar."""

    class Params(StrategyParams):
        symbols: tuple[str, ...] = SYMBOLS
        lookback_bars: int = 40
        rebalance: str = "7"
        broken: bool = False
        raising: bool = False

    def init(self, n_symbols: int) -> None:
        if self.params.lookback_bars == 13:
            raise ValueError("thirteen")

    def on_bar(self, ctx: Context) -> Weights | None:
        if self.params.raising and ctx.bar_index == 200:
            raise ValueError("on demand")
        answer = super().on_bar(ctx)
        return answer * np.nan if answer is not None and self.params.broken and ctx.bar_index > 100 else answer

    def scan(self, run: Scan) -> None:
        if self.params.raising or self.params.broken:
            raise ValueError("on demand")
        super().scan(run)


def settings(*params: dict[str, Any], strategy: str = "inverse_vol", **sections: Any) -> list[Config]:
    return [
        load_config({"sleeve": [{"name": "s", "strategy": strategy, "params": one}], "run": {"cash": 1e5}, **sections})
        for one in params
    ]


def assert_same(configs: list[Config]) -> list[SettingOutcome | SettingFailure]:
    """Every setting, run one after the other in one workspace, is what the ordinary loop makes of it alone."""
    found = CompiledEvaluator(PANEL).evaluate(configs)
    for config, one in zip(configs, found, strict=True):
        alone = PythonEvaluator(PANEL).evaluate([config])[0]
        if isinstance(alone, SettingFailure) or isinstance(one, SettingFailure):
            assert one == alone
            continue
        assert one.first_session == alone.first_session
        assert one.returns.tobytes() == alone.returns.tobytes()
        assert one.gross.tobytes() == alone.gross.tobytes()
        assert (one.orders, one.fills, one.decisions) == (alone.orders, alone.fills, alone.decisions)
        assert one.traded == pytest.approx(alone.traded, rel=1e-12)
        assert one.costs == pytest.approx(alone.costs, rel=1e-12)
        assert one.final_equity == alone.final_equity
    return found


def test_settings_with_other_warm_ups_begin_when_they_are_ready() -> None:
    found = assert_same(settings(*({"symbols": list(SYMBOLS), "lookback_bars": n} for n in (60, 20, 200, 20))))
    firsts = [one.first_session for one in found if isinstance(one, SettingOutcome)]
    assert firsts[1] == firsts[3] < firsts[0] < firsts[2]


def test_settings_with_other_universes_get_a_workspace_of_their_own() -> None:
    assert_same(settings({"symbols": ["AAA", "CCC"]}, {"symbols": ["CCC", "AAA"]}, {"symbols": ["AAA", "CCC", "DDD"]}))


def test_nothing_is_left_of_a_setting_that_failed() -> None:
    ran = assert_same(
        settings({}, {"broken": True}, {"lookback_bars": 50}, {"raising": True}, {}, strategy=f"{__name__}:Moody")
    )
    assert [isinstance(one, SettingFailure) for one in ran] == [False, True, False, True, False]
    assert isinstance(ran[0], SettingOutcome)
    assert isinstance(ran[4], SettingOutcome)
    assert ran[0].returns.tobytes() == ran[4].returns.tobytes()


def test_a_history_too_short_for_one_setting_is_its_own_failure() -> None:
    found = assert_same(settings({"symbols": list(SYMBOLS)}, {"symbols": list(SYMBOLS), "lookback_bars": 419}, {}))
    assert [isinstance(one, SettingFailure) for one in found] == [
        False,
        True,
        True,
    ]  # the last one's funds are not there


@pytest.mark.parametrize(
    "sections",
    [
        {"execution": {"max_participation": 1e-7, "unfilled": "carry"}},
        {"costs": {"preset": "flat"}, "financing": {"cash_rate": "BIL"}},
        {"execution": {"fill": "next_close", "fractional": False}, "integrator": {"turnover": {"band": 0.02}}},
    ],
    ids=["orders that work on", "a bill rate", "a band and whole shares"],
)
def test_orders_and_cash_of_one_setting_do_not_reach_the_next(sections: dict[str, Any]) -> None:
    params = [{"symbols": list(SYMBOLS), "lookback_bars": n, "rebalance": r} for n in (30, 45) for r in ("3", "D")]
    assert_same(settings(*params, **sections))


@pytest.mark.parametrize("lookbacks", [(13, 40), (40, 13, 40)], ids=["first", "later"])
def test_memory_that_cannot_be_made_is_a_failure_wherever_it_comes(lookbacks: tuple[int, ...]) -> None:
    found = assert_same(settings(*({"lookback_bars": n} for n in lookbacks), strategy=f"{__name__}:Moody"))
    assert [isinstance(one, SettingFailure) for one in found] == [n == 13 for n in lookbacks]


def test_a_benchmark_that_begins_late_has_its_own_span_although_it_is_the_bill_rate_of_others() -> None:
    panel = trial_panel(("AAA", "BIL"), n_bars=300, seed=2, lives={"BIL": "late"})
    base = {"financing": {"cash_rate": "BIL"}}
    configs = [
        *settings({"symbols": ["AAA"]}, **base),
        load_config(
            {
                "sleeve": [{"name": "s", "strategy": "inverse_vol", "params": {"symbols": ["AAA"]}}],
                "run": {"cash": 1e5, "benchmark": "BIL"},
                **base,
            }
        ),
    ]
    for order in (configs, configs[::-1]):
        found = CompiledEvaluator(panel).evaluate(order)
        outcomes = [one for one in found if not isinstance(one, SettingFailure)]
        assert len(outcomes) == len(order)
        spans = {config.run.benchmark: one.benchmark for config, one in zip(order, outcomes, strict=True)}
        assert spans[None] is None
        assert spans["BIL"] is not None
        assert spans["BIL"].starts[0] > 0
        assert spans["BIL"].ends[-1] == len(outcomes[0].returns) - 1
