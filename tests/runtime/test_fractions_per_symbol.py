"""Which symbol takes fractions is its own affair, in both loops."""

from typing import Any

import numpy as np
import pytest
from support.panels import make_panel
from support.scripted import Scripted, plain_config
from support.twins import TABLES

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import EngineError
from plimsoll.engine.execution.planner import Planner
from plimsoll.engine.execution.sim.book import open_book
from plimsoll.engine.execution.sim.broker import SimBroker
from plimsoll.engine.execution.terms import Terms, terms_of
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.report.result import Result, result_of
from plimsoll.engine.report.table_files import table_bytes
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.runtime.collect import collect
from plimsoll.engine.runtime.compiled.engine import run_compiled

MIXED = np.array([True, False, True])


def mixed(panel: Panel, answers: Any, **execution: Any) -> Setup:
    """Return a run of scripted answers in which the second of three symbols trades in whole shares alone."""
    sections = {"run": {"start": str(panel.clock.session[2])}, "execution": execution}
    setup = build(load_config(plain_config(**sections)), panel, {"s": Scripted(panel.symbols, answers)})
    terms = terms_of(setup.config, panel.symbols)
    per_symbol = {name: getattr(terms, name) for name in terms.__dataclass_fields__} | {"fractional": MIXED}
    terms = Terms(**per_symbol)
    old = setup.broker
    setup.system.planner = Planner(
        setup.feed, old.daily, terms,
        min_notional=setup.config.execution.min_notional, at_close=False, symbols=panel.symbols,
    )  # fmt: skip
    broker = SimBroker(setup.feed, old.daily, open_book(setup.config.run.cash, terms), id_prefix=old.prefix)
    return Setup(**{name: getattr(setup, name) for name in setup.__dataclass_fields__} | {"broker": broker})


def tables(setup: Setup, loop: Any) -> Result:
    return result_of(collect(setup, loop(setup)))


def test_whole_shares_of_one_symbol_and_fractions_of_the_others() -> None:
    panel = make_panel(np.tile([70.0, 130.0, 11.0], (6, 1)))
    answers = {3: dict.fromkeys(panel.symbols, 0.3)}
    for loop in (run_loop, run_compiled):
        orders = tables(mixed(panel, answers), loop).orders
        # 30,000 dollars of each
        assert orders["qty"].tolist() == pytest.approx([428.571428571, 230.0, 2_727.272727272], abs=1e-9)


@pytest.mark.parametrize("sizing", ["decision", "fill"])
def test_both_loops_leave_the_same_to_the_byte(sizing: str) -> None:
    rng = np.random.default_rng(5)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, (60, 3)), axis=0))
    panel = make_panel(close, volume=3_333.0)
    answers = {t: dict(zip(panel.symbols, rng.uniform(0.0, 0.9, 3), strict=True)) for t in range(3, 58, 2)}
    execution = {"max_participation": 0.1, "unfilled": "carry", "sizing": sizing}
    ours, theirs = (tables(mixed(panel, answers, **execution), loop) for loop in (run_loop, run_compiled))
    for name in TABLES:
        one, other = (table_bytes(getattr(result, name), always_parquet=True)[1] for result in (ours, theirs))
        assert one == other, name
    fills = ours.fills
    whole = fills["symbol"] == panel.symbols[1]
    assert (fills["qty"][whole] % 1.0 == 0.0).all()
    assert (fills["qty"][~whole] % 1.0 != 0.0).mean() > 0.9
    assert whole.sum() > 10
    assert ours.counts["partial_fills"] > 10


def test_terms_for_different_numbers_of_symbols_are_refused() -> None:
    with pytest.raises(EngineError, match="not of one length"):
        Terms(np.zeros(3), np.zeros(3), np.zeros(3), np.ones(1, dtype=np.bool_))
