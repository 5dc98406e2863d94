"""Every registered strategy's scan is its bars, to the byte: answers, notional portfolio, diagnostics, memory."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.span import first_bars
from plimsoll.engine.research.proof.battery import refusal
from plimsoll.engine.research.proof.trial_market import FAULTS, NEVER, WHOLE, trial_panel
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.resolve import make_strategy, registered
from plimsoll.engine.sleeve.signals import scanned
from plimsoll.engine.sleeve.sleeve import Sleeve
from plimsoll.engine.sleeve.strategy import Strategy, scan_of

ALONE = load_config({"sleeve": [{"name": "s", "strategy": "x:X"}]})
# Pairs that are found and traded in a market of random walks.
LOOSE = {"most_half_life": 200.0, "enter": 1.0, "stop": 2.5, "retest": "5"}
# Settings that take another way through a scan than the defaults do.
OTHERWISE: list[tuple[str, dict[str, Any]]] = [
    ("buy_and_hold", {"symbols": ("SPY", "TLT"), "weights": (0.7, 0.2)}),
    ("carry", {"short": False, "rebalance": "D"}),
    ("carry", {"commodity": False, "vol_bars": 21}),
    ("convex_rate_hedge", {"rebalance": "D", "drift_band": 0.02, "guard_dwell_bars": 3}),
    ("crisis_alpha", {"core_floor": "budget", "rebalance": "W-FRI"}),
    ("crisis_alpha", {"cash_funds": (), "b_min": 0.02, "scalar_band": 0.0}),
    ("inflation_beta", {"rebalance": "D", "kappa_max": 1.0, "kappa": 2.0}),
    ("macro_regime", {"rebalance": "D", "credit_bars": 300}),
    ("pairs", {"noise": 1e-3, "retest": "5"}),
    ("pairs", LOOSE),
    ("sixty_forty", {"rebalance": "21"}),
    ("vol_barbell", {"vix3m_symbol": "VIX3M", "rebalance": "D"}),
    ("vol_barbell", {"min_obs": 20, "vol_bars": 5, "stress_bars": 7}),
    ("vol_premium", {"rebalance": "W-FRI", "hedge": 1.0 / 3.0, "average_bars": 5.0}),
]
ALL = [(name, {}) for name in registered()] + OTHERWISE


def market(strategy: Strategy, seed: int, n_bars: int) -> Panel:
    """A market of a strategy's symbols: about half of them with gaps, late, delisted or relisted; some VIX unknown."""
    rng = np.random.default_rng(seed)
    optional = set(strategy.optional)
    lives = {}
    for symbol in strategy.universe:
        ways = (WHOLE, WHOLE, *FAULTS, *((NEVER,) if symbol in optional else ()))
        lives[symbol] = ways[rng.integers(len(ways))]
    panel = trial_panel(strategy.universe, strategy.indicators, n_bars=n_bars, seed=seed, lives=lives)
    panel.indicator[rng.random(panel.indicator.shape) < 0.05] = np.nan
    return panel


def setup_of(name: str, params: dict[str, Any], panel: Panel) -> Setup:
    return build(ALONE, panel, {"s": make_strategy(name, params, where="s")})


def observed(setup: Setup, first: int = 0) -> tuple[Sleeve, np.ndarray, np.ndarray]:
    """Ask a sleeve bar by bar; return it, what it held (T, K) and where it answered (T,)."""
    sleeve, cursor, n_bars = setup.system.sleeves[0], setup.system.cursor, setup.panel.n_bars
    held, answered = np.zeros((n_bars, len(sleeve.columns))), np.zeros(n_bars, dtype=np.bool_)
    for t in range(first, n_bars):
        cursor.t = t
        sleeve.observe(t)
        held[t], answered[t] = sleeve.tracker.now(), sleeve.answered
    return sleeve, held, answered


def ran_through(setup: Setup) -> tuple[Sleeve, np.ndarray, np.ndarray]:
    """Let a sleeve's scan run; return the same."""
    sleeve, n_bars = setup.system.sleeves[0], setup.panel.n_bars
    signal = scanned(sleeve, sleeve.scan(), n_bars)
    assert not isinstance(signal, Exception)
    assert signal is not None
    assert signal.failure is None
    setup.system.cursor.t = n_bars - 1
    sleeve.answered = bool(signal.answered[-1])
    return sleeve, signal.held, signal.answered


def memory(sleeve: Sleeve) -> dict[str, bytes]:
    return {name: f"{array.dtype} {array.shape}".encode() + array.tobytes() for name, array in sleeve.save().items()}


@pytest.mark.parametrize("name", registered())
def test_every_registered_strategy_has_a_scan(name: str) -> None:
    assert scan_of(make_strategy(name, {}, where="s")) is not None


@pytest.mark.parametrize(
    ("name", "params"), ALL, ids=lambda value: value if isinstance(value, str) else "-".join(value)
)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=4, deadline=None)
def test_a_scan_leaves_what_the_bars_leave(name: str, params: dict[str, Any], seed: int) -> None:
    strategy = make_strategy(name, params, where="s")
    panel = market(strategy, seed, strategy.warmup_bars + 150)
    if refusal(strategy, panel):
        return
    ours, held, answered = observed(setup_of(name, params, panel))
    theirs, ahead, told = ran_through(setup_of(name, params, panel))
    assert told.tobytes() == answered.tobytes()
    assert ahead.tobytes() == held.tobytes()
    assert theirs.notes.tobytes() == ours.notes.tobytes()
    assert theirs.tracker.path.tobytes() == ours.tracker.path.tobytes()
    assert memory(theirs) == memory(ours)


@pytest.mark.parametrize("name", registered())
def test_bars_go_on_from_where_a_scan_of_the_past_has_ended(name: str) -> None:
    """As a paper account does: what is saved after a scan is what the next session's bar begins with."""
    params = {"pairs": LOOSE, "vol_premium": {"calm": 2.0}}.get(name, {})
    strategy = make_strategy(name, params, where="s")
    n_bars = strategy.warmup_bars + 150
    panels = (market(strategy, seed, n_bars) for seed in range(40))
    panel = next(p for p in panels if not refusal(strategy, p) and ran_through(setup_of(name, params, p))[2].any())
    whole, held, answered = ran_through(setup_of(name, params, panel))
    for at in (strategy.warmup_bars + 2, n_bars - 80, n_bars - 20):
        past, _, _ = ran_through(setup_of(name, params, first_bars(panel, at)))
        setup = setup_of(name, params, panel)
        setup.system.sleeves[0].restore(past.save())
        went_on, later, told = observed(setup, at)
        assert later[at:].tobytes() == held[at:].tobytes()
        assert told[at:].tobytes() == answered[at:].tobytes()
        assert went_on.notes[at:].tobytes() == whole.notes[at:].tobytes()
        assert memory(went_on) == memory(whole)
