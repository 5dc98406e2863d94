"""A run without its tables, and sweeps made of such runs, say what whole runs say."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.any_settings import SECTIONS, Sections, within_day
from support.flows import Flows
from support.panels import random_panel
from support.restless import Kernelled, Restless
from support.scripted import plain_config
from support.sweeping import gated_values

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.errors import PlimsollError
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account.ledger import bar_costs
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.sweep import compiled_evaluator
from plimsoll.engine.research.sweep.compiled_evaluator import CompiledEvaluator, fits_threads
from plimsoll.engine.research.sweep.evaluate import PythonEvaluator, SettingFailure, SettingOutcome, over
from plimsoll.engine.research.sweep.maker import Maker
from plimsoll.engine.runtime.assemble import build
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.runtime.beside import Beside
from plimsoll.engine.runtime.compiled.brief import run_brief
from plimsoll.engine.sleeve.signals import signal_of
from plimsoll.engine.sleeve.strategy import Strategy

SYMBOLS = ("S000", "S001", "S002", "S003")
RESTLESS = {"name": "r", "strategy": "support.restless:Restless", "params": {"symbols": SYMBOLS}}
KERNEL = {"name": "k", "strategy": "support.restless:Kernelled", "params": {"symbols": SYMBOLS[:3]}}
US = {"preset": "us_etf"}


def assert_brief(panel: Panel, values: dict[str, Any], strategy: Strategy) -> None:
    """Hold the brief run of a strategy against the record of the ordinary loop."""
    config = load_config(values)
    setups = [build(config, panel, {name.name: strategy for name in config.sleeve}) for _ in range(2)]
    error = None
    try:
        track = run_loop(setups[0])
    except PlimsollError as raised:
        error = raised
    setup, broker = setups[1], setups[0].broker
    cursor, n_bars = setup.system.cursor, setup.panel.n_bars
    through = setup.first if config.integrator.preset == "direct" else n_bars  # as a sweep asks for them
    signals = [signal_of(sleeve, cursor, n_bars, through) for sleeve in setup.system.sleeves]
    if error is not None:
        with pytest.raises(type(error)) as caught:
            run_brief(setup, signals)
        assert str(caught.value) == str(error)
        return
    brief, rec = run_brief(setup, signals), broker.rec[setups[0].first : track.last + 1]
    equity = rec[:, layout.R_EQUITY]
    gross = (rec[:, layout.R_LONG] + rec[:, layout.R_SHORT]) / np.where(equity > 0.0, equity, np.inf)
    assert brief.ret.tobytes() == rec[:, layout.R_RET].tobytes()
    assert brief.gross.tobytes() == gross.tobytes()
    base = np.concatenate(([config.run.cash], equity[:-1])) + rec[:, layout.R_FLOW]
    assert brief.traded == pytest.approx(over(rec[:, layout.R_TRADED], base), rel=1e-12)
    costs = bar_costs(rec)
    assert brief.costs == pytest.approx(over(costs, base), rel=1e-12, abs=1e-18)
    assert brief.final_equity == equity[-1]
    counted = (brief.orders, brief.fills, brief.decisions, brief.margin_calls, brief.ruined)
    assert counted == (
        sum(len(decision.plan.orders) for decision in track.decisions), len(broker.fills), len(track.decisions),
        int(broker.book.scal[layout.MARGIN_CALLS]), track.ruined,
    )  # fmt: skip


@given(seed=st.integers(0, 10_000), sections=SECTIONS, often=st.sampled_from([0.05, 0.6]), short=st.booleans(),
       minutes=st.sampled_from([0, 60]), bad=st.sampled_from([20, 10_000]))  # fmt: skip
@settings(max_examples=30)
def test_a_brief_run_is_the_record_of_the_whole_one(
    flows: Flows, seed: int, sections: Sections, often: float, short: bool, minutes: int, bad: int
) -> None:
    panel = within_day(seed, minutes) if minutes else random_panel(seed, volatility=0.08)
    data = {"data": {"interval": f"{minutes}min"}} if minutes else {}
    account = {**sections["account"], "flows": flows(panel, [(30, 4_000.0), (45, -3_000.0)])}
    params = Restless.Params(symbols=panel.symbols, seed=seed, often=often, most=0.9, short=short, bad=bad)
    assert_brief(panel, plain_config(**{**sections, **data, "account": account}), Restless(params))
    book = {
        "integrator": {"preset": "book", "net": {"min_obs": 1}, "normalize": {"min_obs": 2}},
        **sections,
        **data,
        "account": account,
    }
    kernel = Kernelled(Kernelled.Params(symbols=panel.symbols, looks=seed % 2 == 0, bad=bad))
    assert_brief(panel, plain_config(**book), kernel)


def setting(*sleeves: dict[str, Any], **sections: Any) -> Config:
    preset = {} if len(sleeves) == 1 else {"integrator": {"preset": "book", "net": {"min_obs": 5}}}
    values = {"sleeve": list(sleeves), "run": {"benchmark": "S003"}, **preset}
    for name, given_values in sections.items():
        values[name] = {**values.get(name, {}), **given_values}
    return load_config(values)


def told(sleeve: dict[str, Any], name: str = "", **params: Any) -> dict[str, Any]:
    return {**sleeve, "name": name or sleeve["name"], "params": {**sleeve["params"], **params}}


DIRECT = [
    setting(told(sleeve, **params), costs=costs, **more, financing={"cash_rate": rate})
    for sleeve, params in ((KERNEL, {"every": 3}), (KERNEL, {"looks": True}), (RESTLESS, {"seed": 1}),
                           (RESTLESS, {"seed": 2, "bad": 60}), (RESTLESS, {"most": 3.0, "short": True}))
    for costs in ({"preset": "none"}, US)
    for more in ({}, {"integrator": {"turnover": {"band": 0.1}}}, {"execution": {"fill": "next_close"}})
    for rate in (0.02, "S002")
]  # fmt: skip
BOOK = [
    setting(told(KERNEL, every=every), told(RESTLESS, seed=seed, bad=bad), told(RESTLESS, "s"), costs=US,
            integrator={"allocate": {"every": cadence}})
    for every in (2, 9)
    for seed, bad in ((1, 10_000), (5, 10_000), (1, 70))
    for cadence in (1, "week")
]  # fmt: skip
PANEL = random_panel(11, n_bars=120, holes=False)


def assert_same(found: SettingOutcome | SettingFailure, wanted: SettingOutcome | SettingFailure) -> None:
    """Same failure, or returns and series to the bit and sums to rounding."""
    assert type(found) is type(wanted)
    for field in fields(wanted):
        a, b = getattr(found, field.name), getattr(wanted, field.name)
        if isinstance(b, np.ndarray):
            assert a.tobytes() == b.tobytes(), field.name
        elif isinstance(b, Beside):
            assert [part.tobytes() for part in (a.starts, a.ends, a.theirs)] == [
                part.tobytes() for part in (b.starts, b.ends, b.theirs)
            ]
        elif isinstance(b, float):
            assert a == pytest.approx(b, rel=1e-12, abs=1e-18), field.name
        else:
            assert a == b, field.name


def assert_evaluates(configs: list[Config], panel: Panel = PANEL) -> list[SettingOutcome | SettingFailure]:
    """Evaluate settings sharing signals, each with an evaluator of its own, and in threads; hold all to the loop."""
    wanted = [PythonEvaluator(panel).evaluate([config])[0] for config in configs]
    shared = CompiledEvaluator(panel)
    ordinary = PythonEvaluator(panel).evaluate(configs)
    for found in (ordinary, shared.evaluate(configs), shared.evaluate(configs[::-1])[::-1]):
        for one, other in zip(found, wanted, strict=True):
            assert_same(one, other)
    for config, other in zip(configs[::5], wanted[::5], strict=True):
        assert_same(CompiledEvaluator(panel).evaluate([config])[0], other)
    in_threads = CompiledEvaluator(panel)
    with ThreadPoolExecutor(4) as pool:
        for one, other in zip(pool.map(lambda c: in_threads.evaluate([c])[0], configs), wanted, strict=True):
            assert_same(one, other)
    return wanted


@pytest.mark.parametrize("configs", [DIRECT, BOOK], ids=["direct", "book"])
def test_compiled_and_ordinary_evaluators_agree(configs: list[Config]) -> None:
    kinds = {type(outcome) for outcome in assert_evaluates(configs)}
    assert kinds == {SettingOutcome, SettingFailure}


def test_signals_that_no_longer_fit_are_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_evaluator, "SIGNAL_BYTES", 1)
    assert_evaluates(BOOK)


def test_a_failure_names_the_sleeve_of_its_own_setting() -> None:
    bad, good = {"bad": 50}, {"bad": 10_000}
    pairs = [
        setting(told(RESTLESS, "a", **one), told(RESTLESS, "b", **two)) for one in (good, bad) for two in (bad, good)
    ]
    reasons = [outcome.reason for outcome in assert_evaluates(pairs) if isinstance(outcome, SettingFailure)]
    assert [("sleeve 'a'" in reason, "sleeve 'b'" in reason) for reason in reasons] == [
        (False, True), (True, False), (True, False)
    ]  # fmt: skip


def test_settings_that_add_columns_or_prolong_a_fund_share_nothing_they_should_not() -> None:
    """What a setting parks its cash in, or what it prolongs, moves columns and prices under the same sleeves."""
    panel = random_panel(3, n_bars=120, symbols=("QQQ", "SPY", "TLT", "TQQQ"), holes=False)
    block = panel.block.copy()
    block[:3, :70, 3] = np.nan
    panel = Panel(panel.clock, panel.symbols, block, panel.high, panel.low)
    sleeves = [told(KERNEL, symbols=("TLT", "TQQQ")), told(RESTLESS, symbols=("SPY", "QQQ"))]
    parked = [("AGG",), ("SGOV", "BIL"), ("TLT",), ("ZZZ",)]
    configs = [
        setting(*sleeves, run={"benchmark": "SPY"}, data={"extend_leveraged": funds},
                integrator={"turnover": {"park_cash": True}, "normalize": {"cash_equivalents": names}})
        for names in parked
        for funds in ((), ("TQQQ",), ())
    ]  # fmt: skip
    assert all(isinstance(outcome, SettingOutcome) for outcome in assert_evaluates(configs, panel))


def test_settings_without_a_compiled_form_fall_back_to_the_ordinary_loop() -> None:
    sections: list[dict[str, Any]] = [
        {"integrator": {"preset": "legacy"}},
        {"integrator": {"vol_target": {"covariance": "factor", "window_sessions": 40}}},
        {},
    ]
    configs = [setting(KERNEL, told(RESTLESS, seed=4), **more) for more in sections]
    configs[0] = load_config({"sleeve": [KERNEL, RESTLESS], "integrator": {"preset": "legacy"}})
    outcomes = assert_evaluates(configs)
    assert all(isinstance(outcome, SettingOutcome) for outcome in outcomes)
    assert len({outcome.final_equity for outcome in outcomes if isinstance(outcome, SettingOutcome)}) == 3


def test_every_way_of_sharing_the_book_has_a_compiled_form() -> None:
    methods = ("hrp", "erc", "inverse_vol", "equal", "min_variance", "nco")
    given = [{"integrator": {"allocate": {"method": method, "min_obs": 10}}} for method in methods]
    configs = [setting(KERNEL, told(RESTLESS, seed=4), **more) for more in given]
    assert all(isinstance(outcome, SettingOutcome) for outcome in assert_evaluates(configs))


def test_threads_are_for_settings_whose_varied_sleeves_have_a_scan(tmp_path: Any) -> None:
    gated = [load_config(gated_values(tmp_path, every=every)) for every in (2, 3)]
    assert fits_threads(DIRECT[:3], Maker())
    assert fits_threads([setting(told(KERNEL, every=every), RESTLESS) for every in (2, 3)], Maker())
    assert not fits_threads(gated, Maker())
