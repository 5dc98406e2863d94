"""The shipped book's sleeves on real prices: one scale of risk, conviction that a storm does not cut, idle capital."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from plimsoll.engine.portfolio.stages import s0_normalize as s0
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.compiled.engine import Run, through
from plimsoll.engine.runtime.load import load_run
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.sleeve.signals import signal_of, stacked
from plimsoll.engine.types import Bools, Floats

CONFIG = Path(__file__).parents[2] / "config" / "book.toml"
# every sleeve in the book, those too that wait for their promotion, and nobody's slot kept for ever
EVERYBODY = (
    "sleeve.pairs.status=promoted",
    "sleeve.pairs.release_idle_sessions=20",
    "sleeve.vol_premium.status=promoted",
)
TARGET = 0.10
DECLARING = ("level61", "crisis_alpha", "convex_rate_hedge", "inflation_beta", "vol_barbell")


@dataclass(frozen=True)
class Sleeves:
    """Stage 0 over every bar, and the figures of every decision. T bars, S sleeves, N symbols, D decisions.

    weight, z (T, S, N); gross (T, S) of the risky weights; scale (T, S) g; facts (D, F) by the bar of the decision.
    """

    setup: Setup
    weight: Floats
    z: Floats
    gross: Floats
    scale: Floats
    facts: pd.DataFrame

    @property
    def names(self) -> list[str]:
        return [sleeve.name for sleeve in self.setup.system.sleeves]

    def traded(self) -> Bools:
        return np.arange(len(self.z)) >= self.setup.first

    def volatility(self, k: int) -> Floats:
        """(T,) v of sleeve k from its weights and returns, by pandas; the last known one while it is idle."""
        share = np.where(self.gross[:, [k]] > 0.0, self.weight[:, k] / np.maximum(self.gross[:, [k]], 1e-300), 0.0)
        earned = pd.Series(
            (share[:-1] * np.nan_to_num(self.setup.feed.ret[1:])).sum(axis=1), index=range(1, len(share))
        )
        live = earned[self.gross[:-1, k] > 0.0]
        known = np.sqrt((live**2).ewm(halflife=42.0, adjust=True).mean() * 252.0)
        return known.reindex(range(len(share))).ffill().to_numpy()


@pytest.fixture(scope="module")
def sleeves(real_daily: Path) -> Sleeves:
    """The shipped configuration on real prices, compiled; its strategies are asked once."""
    config, panel, objects = load_run(CONFIG, data=real_daily, sets=EVERYBODY)
    setup = build(config, panel, make_strategies(config, objects))
    signals = [signal_of(sleeve, setup.system.cursor, panel.n_bars) for sleeve in setup.system.sleeves]
    run = Run.of(setup, full=True)
    through(run, signals)
    made = run.decisions()
    facts = pd.DataFrame(
        [decision.target.facts for decision in made],
        index=[decision.t for decision in made], columns=list(setup.system.integrator.facts),
    )  # fmt: skip
    return Sleeves(setup, *stage_zero(setup, stacked(signals, panel.n_symbols)), facts)


def stage_zero(setup: Setup, weight: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    watch = setup.system.integrator.settings.watch
    n_bars, n_sleeves, n = weight.shape
    state, out = s0.init(n_sleeves, n), np.zeros((3, n_sleeves))
    z, scale = np.empty_like(weight), np.empty((n_bars, n_sleeves))
    for t in range(n_bars):
        s0.observe(weight[t], setup.feed.ret[t], watch.is_cash, watch.limits, watch.normalize, state, out)
        z[t], scale[t] = state.scale[:, None] * state.unit, state.scale
    risky = np.where(watch.is_cash, 0.0, weight)
    return risky, z, np.abs(risky).sum(axis=2), scale


def free(found: Sleeves, k: int, vol: Floats) -> Bools:
    """(T,) closes at which sleeve k is fully convinced and neither floor nor largest scale binds."""
    most = found.setup.system.integrator.settings.watch.limits.max_scale[k]
    size = np.abs(found.z[:, k]).sum(axis=1)
    convinced = np.isclose(size, found.scale[:, k], rtol=1e-9) & (found.scale[:, k] > 0.0)
    return found.traded() & convinced & (vol > 0.02) & (found.scale[:, k] < most)


def test_a_fully_convinced_sleeve_has_the_volatility_of_its_target_before_and_after(sleeves: Sleeves) -> None:
    checked = []
    for k, name in enumerate(sleeves.names):
        vol = sleeves.volatility(k)
        at = np.flatnonzero(free(sleeves, k, vol)[:-1])
        if len(at) < 300:
            continue
        checked.append(name)
        size = np.abs(sleeves.z[:, k]).sum(axis=1)
        assert (np.abs(size[at] * vol[at] / TARGET - 1.0) < 0.05).all(), name
        earned = (sleeves.z[at, k] * np.nan_to_num(sleeves.setup.feed.ret[at + 1])).sum(axis=1)
        # what came of it the session after: 1.00 if the past told the future's volatility, some 3% of sampling error
        assert earned.std() * np.sqrt(252.0) / TARGET == pytest.approx(1.0, abs=0.10), name
    assert set(checked) >= {*DECLARING, "trend", "macro_regime", "kalman_overlay"}


@pytest.mark.parametrize("name", DECLARING)
def test_a_storm_does_not_cut_who_sizes_itself_to_a_volatility_a_second_time(sleeves: Sleeves, name: str) -> None:
    k = sleeves.names.index(name)
    vol, gross = sleeves.volatility(k), sleeves.gross[:, k]
    at = sleeves.traded() & (gross > 0.0) & (sleeves.scale[:, k] > 0.0)
    convinced = np.abs(sleeves.z[at, k]).sum(axis=1) / sleeves.scale[at, k]
    assert abs(np.polyfit(np.log(vol[at]), np.log(convinced), 1)[0]) < 0.2
    full = sleeves.setup.system.integrator.settings.watch.limits.full_gross[k]
    by_gross = np.minimum(1.0, gross[at] / full)
    assert np.polyfit(np.log(vol[at]), np.log(by_gross), 1)[0] < -0.3  # weakness W1 within a sleeve


def test_little_capital_lies_idle_where_much_would(sleeves: Sleeves) -> None:
    facts, names = sleeves.facts, sleeves.names
    slot, share = (facts[[f"{kind}.{name}" for name in names]].to_numpy() for kind in ("slot", "share"))
    holds = sleeves.gross[facts.index] > 1e-12
    assert facts["idle_capital"].mean() < 0.05
    assert np.where(holds, 0.0, slot).sum(axis=1).mean() > 0.10  # what would lie idle if nobody's slot was lent
    np.testing.assert_allclose(facts["idle_capital"], 1.0 - np.where(holds, share, 0.0).sum(axis=1), atol=1e-12)
    assert (share.sum(axis=1) <= 1.0 + 1e-12).all()
    assert (share <= 0.35 + 1e-12).all()
