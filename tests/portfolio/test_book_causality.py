"""A whole book, governor and ladder included: its past does not move with its future, and all its memory is saved."""

from collections.abc import Mapping
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from battery.witness import LIVES, SYMBOLS, Witness
from support.future import assert_causal

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.portfolio.book_decide import SKIPPABLE
from plimsoll.engine.research.proof.future import How, replace_future
from plimsoll.engine.research.proof.handover import Relay, lost_keys
from plimsoll.engine.research.proof.trail import Trail, difference, run_trail
from plimsoll.engine.research.proof.trial_market import trial_panel
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.load import load_panel
from plimsoll.engine.runtime.needs import needs_of
from plimsoll.engine.runtime.prepare import make_strategies

CONFIG = Path(__file__).resolve().parents[2] / "config"
FIRST, N_BARS = 210, 330


@lru_cache(maxsize=1)
def panel() -> Panel:
    return trial_panel(SYMBOLS, ("VIX",), n_bars=N_BARS, seed=5, lives=LIVES)


def config() -> Config:
    """Every stage on, every number such that it comes into play."""
    session = panel().clock.session
    sleeves: list[dict[str, Any]] = [
        {"name": "always", "strategy": "x:X", "role": "defensive"},
        {"name": "gone", "strategy": "x:X", "status": "quarantined", "since": str(session[270])},
        {"name": "late", "strategy": "x:X", "since": str(session[250]), "role": "cyclical"},
    ]
    return load_config(
        {
            "run": {"name": "t", "cash": 93_500.0, "start": str(session[FIRST])},
            "sleeve": sleeves,
            "integrator": {
                "preset": "book",
                "net": {"wrappers": [["CCC", "AAA"]]},
                "caps": {"clusters": {"one": ["AAA", "BBB"], "two": ["CCC", "DDD"]}},
                "governor": {"d0": 0.01, "d_hard": 0.02, "flat": 0.025, "warn": 0.005, "throttle": 0.01,
                             "no_new": 0.015, "cooloff_sessions": 3, "day_loss": 0.01},
                "ladder": {"hysteresis": 0.001},
                "regime": {"stocks": "AAA", "bonds": "BBB"},
                "turnover": {"edge_ratio": 0.5, "park_cash": True},
                "normalize": {"cash_equivalents": ["EEE"]},
                "allocate": {"every": 3, "erc_blend_max": 0.5, "skill_warmup_sessions": 5},
            },
            "restricted": {"BBB": {"rule": "no_new", "start": str(session[280])}},
        }
    )  # fmt: skip


def strategies() -> dict[str, Witness]:
    return {name: Witness(Witness.Params(window=3 + k)) for k, name in enumerate(("always", "gone", "late"))}


@lru_cache(maxsize=1)
def whole() -> Trail:
    return run_trail(config(), panel(), strategies())


def fact(trail: Trail, name: str) -> Any:
    rows = trail.rows["figure"]
    return rows.values[:, rows.columns.index(name)]


def test_the_book_looked_at_makes_use_of_every_stage() -> None:
    trail = whole()
    assert len(set(fact(trail, "tier"))) >= 4
    assert len(set(fact(trail, "ladder_tier"))) == 2
    assert len(set(fact(trail, "regime"))) >= 2
    assert fact(trail, "cost_gated").sum() > 0
    assert {0.0, 1.0} <= set((fact(trail, "binding").astype(int) & 16) // 16)
    assert len(trail.rows["fill"].bar) > 100
    assert "always" in trail.setup.system.integrator.facts[-3]  # skills have a column


def test_nothing_a_book_puts_out_depends_on_what_comes_later() -> None:
    assert difference(whole(), assert_causal(config(), panel(), strategies()), N_BARS) == ""


def test_a_book_handed_over_at_every_bar_ends_with_the_same_bytes() -> None:
    relays: list[Relay] = []

    def hand_over(setup: Setup) -> Relay:
        relays.append(Relay(setup, strategies()))
        return relays[0]

    relayed = run_trail(config(), panel(), deepcopy(strategies()), hand_over)
    ends: list[Mapping[str, Any]] = [
        whole().setup.system.save() | whole().setup.broker.book.save(),
        relays[0].save() | relayed.setup.broker.book.save(),
    ]
    assert difference(whole(), relayed, N_BARS) == ""
    assert relays[0].lost | lost_keys(*ends) == set()


def test_what_is_saved_is_a_copy_and_names_every_stage_with_memory() -> None:
    integrator = whole().setup.system.integrator
    saved = integrator.save()
    stages = {key.split(".")[0] for key in saved}
    assert stages == {
        "s0", "s1", "idle", "ic", "governor", "regime", "ladder", "skill", "status", "sleeve_moments", "asset_moments",
        "ceiling", "failed_at", "weight", "t",
    }  # fmt: skip
    before = {key: value.tobytes() for key, value in integrator.save().items()}
    for value in saved.values():
        value.fill(7.0)
    assert {key: value.tobytes() for key, value in integrator.save().items()} == before


def own_book(*sets: str) -> tuple[Config, Panel]:
    # a bill series that ends is refused unless something is said of the time after: here the future is taken away
    chosen = load_config(CONFIG / "book.toml", sets=[*sets, "financing.cash_rate_after=0.0"])
    return chosen, load_panel(chosen, needs_of(chosen, make_strategies(chosen)))


@pytest.mark.slow
def test_the_projects_own_book_does_not_depend_on_what_comes_later() -> None:
    chosen, loaded = own_book("run.end=2010-06-30")
    assert_causal(chosen, loaded, make_strategies(chosen))


@pytest.mark.realdata
@pytest.mark.slow
def test_on_real_prices_the_projects_own_book_does_not_depend_on_what_comes_later(real_daily: Path) -> None:
    chosen, loaded = own_book("data.source=csv", f'data.path="{real_daily}"', "run.end=2010-12-31")
    trail = run_trail(chosen, loaded, make_strategies(chosen))
    futures: tuple[tuple[str, How], ...] = (("2010-05-06", "noise"), ("2010-08-31", "cut off"))
    for day, how in futures:
        t = int(np.searchsorted(loaded.clock.session, np.datetime64(day)))
        other = replace_future(loaded, t, how)
        assert difference(trail, run_trail(chosen, other, make_strategies(chosen)), t) == ""


def test_what_can_be_passed_over_is_every_stage() -> None:
    assert [name[:2] for name in SKIPPABLE] == [f"s{k}" for k in range(9)]
