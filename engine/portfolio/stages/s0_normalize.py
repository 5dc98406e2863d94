"""Stage 0: every sleeve on one scale of risk.

    mix_s = w_s / ||w_s||_1      r_s,t = sum_i mix_s,i,t-1 ret_i,t      v_s^2 = EWMA(r_s^2; half-life) * 252
    conviction   c_s = min(1, max(||w_s||_1 / full_gross_s, ||w_s||_1 v_s / full_vol_s)),   u_s = c_s mix_s
    unit_gross   u_s = mix_s
    g_s = min(sleeve_vol / max(v_s, vol_floor), max_scale_s)      z_s = g_s u_s

A sleeve is fully convinced at either of its limits. One that sizes itself to a volatility holds less in a storm
because the storm is one, not because it doubts: by its gross alone it would be cut twice. Cash equivalents are
stripped first: a sleeve in bills is a sleeve with less conviction. Volatility is that of the risky mix, so a sleeve
that goes to cash does not come back at full scale; a session without a position is no observation. g_s is 0 below
`min_obs` observations. Where sleeves keep their own volatility, g_s is 1 from there on: equal shares are then equal in
dollars, not in risk.
Source: portfolio integration layer, stage 0; conviction and mix are this project's reading.
"""

from typing import NamedTuple

import numpy as np

from plimsoll.engine.kernels.estimate import ewma
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Bools, Floats

# Weight below which a sleeve counts as idle: what rounding leaves of a closed position.
IDLE = 1e-12


class Params(NamedTuple):
    """Units per year where a rate; `unit_gross` is the seed's literal normalisation.

    sleeve_vol : infinite = each its own.
    """

    sleeve_vol: float
    vol_floor: float
    min_obs: int
    decay: float
    unit_gross: bool
    bars_per_year: float


class Limits(NamedTuple):
    """What S sleeves are fully convinced at, and how far they may be scaled up.

    full_gross (S,) sum of absolute weights; full_vol (S,) volatility per year, infinite for a sleeve that does not size
    itself to one; max_scale (S,) the most that g may be.
    """

    full_gross: Floats
    full_vol: Floats
    max_scale: Floats


class State(NamedTuple):
    """Memory of S sleeves over N symbols."""

    mix: Floats  # (S, N) risky weights of sum |w| = 1 at the last close, 0 = idle
    unit: Floats  # (S, N) u
    scale: Floats  # (S,) g
    vol: Floats  # (S,) v, per year, NaN before the first observation
    sums: Floats  # (6, S) of plimsoll.engine.kernels.estimate.ewma
    ret: Floats  # (S,) the last mix return, NaN = no observation
    scaled: Floats  # (S,) the same times the g in force when it was earned


def init(n_sleeves: int, n_symbols: int) -> State:
    """Return the state before the first bar."""
    return State(
        np.zeros((n_sleeves, n_symbols)),
        np.zeros((n_sleeves, n_symbols)),
        np.zeros(n_sleeves),
        np.full(n_sleeves, np.nan),
        np.zeros((ewma.ROWS, n_sleeves)),
        np.full(n_sleeves, np.nan),
        np.full(n_sleeves, np.nan),
    )


@kernel
def observe(weight: Floats, ret: Floats, is_cash: Bools, limits: Limits, p: Params, s: State, out: Floats) -> None:
    """Earn the bar's returns on yesterday's mix, update volatilities and scales, take over today's weights.

    weight (S, N) drifted weights at this close; ret (N,) returns of the bar, NaN = no row; is_cash (N,);
    out (3, S) scratch. Mutates s.
    """
    n_sleeves, n = weight.shape
    for k in range(n_sleeves):
        gross, earned = 0.0, 0.0
        for i in range(n):
            if s.mix[k, i] != 0.0:
                gross += abs(s.mix[k, i])
                if not np.isnan(ret[i]):
                    earned += s.mix[k, i] * ret[i]
        s.ret[k] = earned if gross > 0.0 else np.nan
        s.scaled[k] = s.ret[k] * s.scale[k] if s.scale[k] > 0.0 else np.nan
    ewma.step(ewma.State(s.sums), ewma.Params(p.decay), s.ret, out)
    for k in range(n_sleeves):
        s.vol[k] = np.sqrt(out[ewma.SECOND, k] * p.bars_per_year)
        full = limits.full_gross[k]
        if s.sums[ewma.COUNT, k] >= p.min_obs:
            s.scale[k] = min(p.sleeve_vol / max(s.vol[k], p.vol_floor), limits.max_scale[k])
            if p.sleeve_vol == np.inf:
                s.scale[k] = 1.0
            full = full_size(full, limits.full_vol[k], s.vol[k])
        else:
            s.scale[k] = 0.0
        normalize(weight[k], is_cash, full, p.unit_gross, s.mix[k], s.unit[k])


@kernel
def full_size(full_gross: float, full_vol: float, vol: float) -> float:
    """Return the sum of absolute weights at which a sleeve of that volatility per unit stands at one of its limits.

    min(full_gross, full_vol / v):   min(1, max(x / full_gross, x v / full_vol)) = x / max(x, this)
    """
    return min(full_gross, full_vol / vol) if vol > 0.0 else full_gross


@kernel
def normalize(w: Floats, is_cash: Bools, full: float, unit_gross: bool, mix: Floats, unit: Floats) -> None:
    """Write the risky mix and the normalised weights (N,) of one sleeve; both zero when it is idle.

    full : the sum of absolute weights from which on it is fully convinced.
    """
    gross = 0.0
    for i in range(w.shape[0]):
        if not is_cash[i]:
            gross += abs(w[i])
    idle = gross <= IDLE
    by = gross if unit_gross else max(gross, full)
    for i in range(w.shape[0]):
        risky = 0.0 if idle or is_cash[i] else w[i]
        mix[i] = risky / gross if not idle else 0.0
        unit[i] = risky / by if not idle else 0.0
