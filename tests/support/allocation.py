"""Markets of sleeves and single allocations, for tests of stage 1."""

from typing import Any

import numpy as np

from plimsoll.engine.config.stages import AllocateSection, NormalizeSection
from plimsoll.engine.kernels.estimate import moments, shrinkage
from plimsoll.engine.portfolio.settings import allocate_params
from plimsoll.engine.portfolio.stages import s1_allocate as s1
from plimsoll.engine.types import Bools, Floats

NOT_DRAWN = np.empty(0)


def params(alarm: float = 0.2, **given: Any) -> s1.Params:
    """Parameters as a configuration gives them; the alarm at a threshold of its own."""
    return allocate_params(AllocateSection(**given), NormalizeSection().min_obs, alarm=alarm)


NEUTRAL = params(cap=1.0, smoothing=0.0, apply_threshold=0.0, ramp_start=1.0)


def moments_of(ret: Floats, half_life: float = 63.0) -> moments.State:
    state = moments.init(ret.shape[1])
    moments.scan(state, moments.params(half_life), np.ascontiguousarray(ret))
    return state


def market(seed: int, k: int, n_bars: int = 250, common: float = 1.0) -> Floats:
    """Returns of k sleeves that hang on two factors, each in its own way: correlations that are far from alike."""
    rng = np.random.default_rng(seed)
    loading = common * np.where(np.arange(k) % 2 == 0, [[1.6], [0.1]], [[-0.2], [1.2]]) * rng.uniform(0.6, 1.4, (2, k))
    ret: Floats = (rng.standard_normal((n_bars, 2)) @ loading + rng.standard_normal((n_bars, k))) * rng.uniform(
        0.003, 0.02, k
    )
    return ret


def covariance(seen: moments.State) -> Floats:
    k = seen.kin.shape[0]
    cov, info = np.empty((k, k)), np.zeros(shrinkage.INFO_SIZE)
    assert shrinkage.shrink_pairs(seen, 20, 1.0, shrinkage.init(k), info, cov) == 0
    return cov


def step(s: s1.State, seen: moments.State, p: s1.Params, **given: Floats | Bools) -> Floats:
    """Let a session pass and allocate at its close; return what was applied."""
    k = seen.kin.shape[0]
    n_obs = np.asarray(given.get("n_obs", np.full(k, 250.0)), dtype=np.float64)
    active = np.asarray(given.get("active", np.ones(k)), dtype=np.bool_)
    s1.pass_session(s.counts, s.age)
    s1.allocate(
        seen,
        n_obs,
        active,
        np.asarray(given.get("skill", np.full(k, np.nan)), dtype=np.float64),
        np.asarray(given.get("tilt", np.ones(k)), dtype=np.float64),
        p,
        1.0,
        s,
        given.get("normals", NOT_DRAWN),
    )
    return s.applied.copy()


def first(seen: moments.State, p: s1.Params = NEUTRAL, **given: Floats | Bools) -> Floats:
    return step(s1.init(seen.kin.shape[0]), seen, p, **given)


def demote(gone: Bools, p: s1.Params, s: s1.State, runoff_sessions: int = 1) -> None:
    s1.demote(np.asarray(gone), p.cap, float(runoff_sessions), s.applied.copy(), s)


def in_force(s: s1.State, runoff_sessions: int = 1) -> Floats:
    out = np.empty(len(s.applied))
    s1.weights_in_force(float(runoff_sessions), s.applied, s, out)
    return out


def plain_cap(x: Floats, cap: float) -> Floats:
    """Cap and give the rest to the others in proportion, again and again, on fractions of a sum of 1."""
    x = np.asarray(x, dtype=np.float64) / np.sum(x)
    top = max(cap, 1.0 / len(x))
    fixed = np.zeros(len(x), dtype=bool)
    while (x > top * (1 + 1e-14)).any():
        fixed |= x >= top * (1 - 1e-14)
        x = np.where(fixed, top, x)
        rest = ~fixed
        if x[rest].sum() > 0:
            x[rest] *= (1.0 - top * fixed.sum()) / x[rest].sum()
    return x


def by_inverse_vol(raw: Floats) -> moments.State:
    ret = np.random.default_rng(0).choice([-1.0, 1.0], (250, len(raw))) * (0.01 / np.asarray(raw))
    return moments_of(ret)
