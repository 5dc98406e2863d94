"""Settings taken through the market together, and one symbol by the short way, are what each comes to by itself."""

import importlib
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.any_settings import ACCOUNT, BAND, COSTS, EXECUTION, FINANCING, within_day
from support.blocks import Leaning
from support.panels import make_panel, random_panel
from support.scripted import plain_config

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.kernels.account.track import Answers, follow_block
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.sweep.compiled_evaluator import CompiledEvaluator
from plimsoll.engine.research.sweep.evaluate import PythonEvaluator, SettingFailure, SettingOutcome
from plimsoll.engine.runtime.assemble import assemble
from plimsoll.engine.runtime.compiled import workspace
from plimsoll.engine.runtime.compiled.alone import Alone
from plimsoll.engine.runtime.compiled.direct_loop import direct_loop
from plimsoll.engine.runtime.compiled.engine import Run
from plimsoll.engine.runtime.compiled.one_symbol import one_symbol
from plimsoll.engine.runtime.prepare import prepare
from plimsoll.engine.runtime.resolve import registered
from plimsoll.engine.sleeve.scan import BlockScan
from plimsoll.engine.sleeve.signals import signal_of
from plimsoll.engine.sleeve.strategy import Strategy, block_scan_of

with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(Path(__file__).resolve().parents[2] / "scripts")
    KALMAN = importlib.import_module("workloads").KalmanLongFlat
POSITIVE = st.floats(1e-6, 1e3)
LEAN = st.fixed_dictionaries(
    {
        "q_slope": POSITIVE,
        "noise": POSITIVE,
        "every": st.sampled_from([1, 2, 5, 20]),
        "lean": st.sampled_from([5.0, 40.0, 400.0]),
        "most": st.sampled_from([0.4, 1.0, 3.0]),
        "short": st.booleans(),
        "wait": st.sampled_from([1, 1, 7, 30]),
        "bad": st.sampled_from([1_000_000, 1_000_000, 1_000_000, 40]),
    }
)
# Parameters of every strategy with a `scan_block`.
OFFERED: dict[type[Strategy], Any] = {
    Leaning: LEAN,
    KALMAN: st.fixed_dictionaries({"q_level": POSITIVE, "q_slope": POSITIVE, "noise": POSITIVE}),
}


def test_whatever_offers_a_block_scan_is_tested_here() -> None:
    classes = [point.load() for point in registered().values()]
    assert {cls for cls in classes if hasattr(cls, "scan_block")} <= set(OFFERED)


@pytest.mark.parametrize("cls", OFFERED)
@given(data=st.data(), seed=st.integers(0, 10_000), n_symbols=st.integers(1, 3), n_settings=st.integers(1, 9))
@settings(max_examples=12)
def test_a_block_answers_as_the_scan_of_each_setting(
    cls: Any, data: st.DataObject, seed: int, n_symbols: int, n_settings: int
) -> None:
    symbols = ("AAA",) if cls is KALMAN else tuple(f"S{i}" for i in range(n_symbols))
    panel = random_panel(seed, n_symbols=len(symbols), symbols=symbols)
    given_params = data.draw(st.lists(OFFERED[cls], min_size=n_settings, max_size=n_settings))
    extra = {} if cls is KALMAN else {"symbols": symbols}
    made = [cls(cls.Params(**one, **extra)) for one in given_params]
    config = load_config(plain_config(f"{cls.__module__}:{cls.__name__}", extra, financing={"cash_rate": 0.03}))
    setups = [assemble(config, prepare(config, panel, {"s": one})) for one in made]
    n, scan = setups[0].system.sleeves[0].tracker.notional(), block_scan_of(made[0])
    assert scan is not None
    shape = (n_settings, *n.ret.shape)
    answers = Answers(
        n.status, np.full(shape, 9.0), np.zeros(shape[:2], dtype=np.bool_), np.zeros(n_settings, np.bool_)
    )
    columns = tuple(setups[0].system.sleeves[0].columns.tolist())
    scan(made, BlockScan(setups[0].feed, columns, symbols, n.ret, answers))
    first = np.array([setup.first for setup in setups])
    follow_block(first, n.ret, n.bill, answers, n.weight, n.scal, n.path)
    for b, setup in enumerate(setups):
        signal = signal_of(setup.system.sleeves[0], setup.system.cursor, panel.n_bars, setup.first)
        assert bool(answers.fault[b]) == (signal.failure is not None)
        if signal.failure is None:
            assert answers.answered[b].tobytes() == signal.answered.tobytes()
            told = signal.answered | (np.arange(panel.n_bars) < setup.first)
            assert answers.held[b][told].tobytes() == signal.held[told].tobytes()


def assert_same(found: SettingOutcome | SettingFailure, wanted: SettingOutcome | SettingFailure) -> None:
    assert type(found) is type(wanted)
    for field in fields(wanted):
        a, b = getattr(found, field.name), getattr(wanted, field.name)
        if isinstance(b, np.ndarray):
            assert a.tobytes() == b.tobytes(), field.name
        elif field.name in ("traded", "costs"):  # added up in another order
            assert a == pytest.approx(b, rel=1e-12, abs=1e-18)
        else:
            assert a == b, field.name


def assert_evaluates(panel: Panel, configs: list[Config]) -> None:
    """Settings together are what each is alone in the compiled loop, and in the ordinary one."""
    together = CompiledEvaluator(panel).evaluate(configs)
    for config, found in zip(configs, together, strict=True):
        assert_same(found, PythonEvaluator(panel).evaluate([config])[0])
        assert_same(found, CompiledEvaluator(panel).evaluate([config])[0])


@given(
    seed=st.integers(0, 10_000), params=st.lists(LEAN, min_size=2, max_size=6), execution=EXECUTION, costs=COSTS,
    financing=FINANCING, account=ACCOUNT, band=BAND, plain=st.tuples(*[st.booleans()] * 3),
    kind=st.sampled_from(["one", "one", "one", "three", "minutes"]),
)  # fmt: skip
@settings(max_examples=80)
def test_settings_together_are_what_each_is_alone(
    seed: int, params: list[dict[str, Any]], execution: dict[str, Any], costs: dict[str, Any],
    financing: dict[str, Any], account: dict[str, Any], band: float, plain: tuple[bool, bool, bool], kind: str,
) -> None:  # fmt: skip
    actions, holes, quiet = plain
    n_symbols = 3 if kind == "three" else 1
    symbols = ("S001", "S000", "S002")[:n_symbols]
    panel = random_panel(
        seed, n_symbols=n_symbols, symbols=symbols, actions=actions, holes=holes, quiet=quiet, volatility=0.05
    )
    if kind == "minutes":
        panel, symbols = within_day(seed, 60), ("S001",)
    sections = {
        "execution": execution, "costs": costs, "financing": financing, "account": account,
        "integrator": {"turnover": {"band": band}}, "data": {"interval": "60min" if kind == "minutes" else "1d"},
    }  # fmt: skip
    strategy = f"{Leaning.__module__}:Leaning"
    assert_evaluates(
        panel, [load_config(plain_config(strategy, {**one, "symbols": symbols}, **sections)) for one in params]
    )


@pytest.mark.parametrize("costs", [{"preset": "none"}, {"preset": "us_etf"}], ids=["free", "us_etf"])
@pytest.mark.parametrize("kind", ["cash", "reg_t"])
def test_a_plain_market_of_one_symbol_is_gone_through_by_the_short_way_alone(kind: str, costs: dict[str, Any]) -> None:
    panel = random_panel(5, n_symbols=1, n_bars=300, actions=False, holes=False, quiet=False)
    values = plain_config(
        f"{Leaning.__module__}:Leaning", {"symbols": panel.symbols}, costs=costs, account={"type": kind},
        financing={"cash_rate": 0.03},
    )  # fmt: skip
    config = load_config(values)
    setup = assemble(config, prepare(config, panel, {"s": Leaning(Leaning.Params(symbols=panel.symbols))}))
    signal = signal_of(setup.system.sleeves[0], setup.system.cursor, panel.n_bars, setup.first)
    run = Run.of(setup, full=False)
    alone = Alone.of(run)
    assert alone is not None
    first, market, ledger = setup.first, run.market, run.ledger
    direct_loop(
        first + 1, first, signal.held, signal.answered, alone.terms, market, ledger, run.planning, run.table,
        run.orders, run.cursor,
    )  # fmt: skip
    reached = one_symbol(
        first + 1, panel.n_bars, signal.held, signal.answered, market.block, market.status, market.event, market.daily,
        ledger.rules, ledger.acct, ledger.scal, ledger.brief, ledger.sums, run.cursor, alone.terms.band, 0.0,
        run.planning.tape, run.planning.work,
    )  # fmt: skip
    assert reached == panel.n_bars


@pytest.mark.parametrize("seed", range(4))
def test_orders_that_work_on_are_no_matter_for_the_short_way(seed: int) -> None:
    panel = random_panel(seed, n_symbols=1, symbols=("AAA",), n_bars=250, actions=False, holes=False)
    params = [{"symbols": ("AAA",), "every": 20, "lean": 400.0, "noise": 1.0 + k} for k in range(3)]
    sections: dict[str, Any] = {"execution": {"max_participation": 0.003, "unfilled": "carry"}}
    assert_evaluates(
        panel, [load_config(plain_config(f"{Leaning.__module__}:Leaning", one, **sections)) for one in params]
    )


def test_a_long_span_is_taken_by_few_settings_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = random_panel(8, n_symbols=1, symbols=("AAA",), holes=False)
    params = [{"symbols": ("AAA",), "noise": 1.0 + k} for k in range(7)]
    configs = [load_config(plain_config(f"{Leaning.__module__}:Leaning", one)) for one in params]
    monkeypatch.setattr(workspace, "BLOCK_BYTES", 8 * panel.n_bars * 3 * 2)
    assert_evaluates(panel, configs)
    monkeypatch.setattr(workspace, "BLOCK_BYTES", 1)
    assert_evaluates(panel, configs)


def test_a_scan_that_breaks_for_a_block_is_asked_setting_by_setting() -> None:
    panel = make_panel(100.0 + np.arange(60.0) % 7, symbols=("AAA",))
    values = [plain_config(f"{__name__}:Breaking", {"symbols": ("AAA",), "every": k}) for k in (1, 2, 3)]
    assert_evaluates(panel, [load_config(one) for one in values])


class Breaking(Leaning):
    """Has all three forms, of which the one for blocks raises."""

    on_bar = Leaning.on_bar
    scan = Leaning.scan

    @classmethod
    def scan_block(cls, settings: Any, run: BlockScan) -> None:
        raise ValueError(f"{len(settings)} settings on {run.symbols}")


class Changed(Leaning):
    """Changes the scan alone."""

    def scan(self, run: Any) -> None:
        super().scan(run)


def test_a_subclass_that_changes_one_form_has_no_block_scan_any_more() -> None:
    params = Leaning.Params(symbols=("AAA",))
    assert block_scan_of(Leaning(params)) is not None
    assert block_scan_of(Breaking(params)) is not None
    assert block_scan_of(Changed(params)) is None
