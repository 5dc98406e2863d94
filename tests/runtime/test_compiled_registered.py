"""Both loops leave the same bytes: every registered strategy, books of them, the shipped configurations."""

from datetime import timedelta
from pathlib import Path

import pytest
from battery.witness import witness_book, witness_panel
from support.book_run import book_config
from support.twins import both

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.research.proof.battery import refusal
from plimsoll.engine.research.proof.trial_market import FAULTS, trial_markets, trial_panel
from plimsoll.engine.runtime.load import load_run
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.runtime.resolve import make_strategy, registered

ALONE = {"sleeve": [{"name": "s", "strategy": "x:X"}]}
CONFIGS = Path(__file__).resolve().parents[2] / "config"
# Presets, stages and venues that have no compiled form.
ORDINARY = {"book_legacy", "paper"}
SHIPPED = sorted(path.stem for path in CONFIGS.glob("*.toml") if path.stem not in ORDINARY)


@pytest.mark.parametrize("name", registered())
def test_every_registered_strategy_leaves_the_same_on_every_market(name: str) -> None:
    strategy = make_strategy(name, {}, where="s")
    markets = trial_markets(strategy, strategy.warmup_bars + 130, seed=7)[1:5]  # the rotations of every fault
    ran = 0
    for number, panel in enumerate(markets):
        if not refusal(strategy, panel):
            ran += both(ALONE, panel, {"s": strategy}, pages=number == 0).error is None
    assert ran >= min(3, len(markets))


def test_a_book_of_witnesses_leaves_the_same_run_folder() -> None:
    """Witnesses answer with a hash of all they see: one bit of a window, flag or notional figure would show."""
    config, strategies = witness_book("book")
    left = both(config, witness_panel(200), strategies, pages=True)
    assert left.track is not None
    assert len(left.track.decisions) > 150


def test_a_book_of_every_registered_strategy_leaves_the_same() -> None:
    strategies = {name: make_strategy(name, {}, where=name) for name in registered()}
    symbols = sorted({symbol for one in strategies.values() for symbol in one.universe} | {"SPY", "TLT", "SGOV"})
    indicators = sorted({name for one in strategies.values() for name in one.indicators} | {"VIX"})
    lives = {symbol: FAULTS[k // 3 % 4] for k, symbol in enumerate(symbols) if k % 3 == 0}
    panel = trial_panel(symbols, indicators, n_bars=420, seed=3, lives=lives)
    values = book_config(tuple(strategies), costs={"preset": "us_etf"}, financing={"cash_rate": 0.03},
                         integrator={"allocate": {"every": "week"}, "turnover": {"park_cash": True}})  # fmt: skip
    left = both(values, panel, strategies)
    assert left.error is None
    assert left.track is not None
    assert len(left.track.decisions) > 100


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_configuration_leaves_the_same(name: str) -> None:
    start = load_config(CONFIGS / f"{name}.toml").run.start
    assert start is not None
    config, panel, _ = load_run(CONFIGS / f"{name}.toml", end=str(start + timedelta(days=120)))
    left = both(config, panel, make_strategies(config))
    assert left.error is None
    assert left.track is not None
    assert left.track.decisions
