"""The generated economy's factors: shocks, volatilities, yields and the volatility index.

    shock_k,t = L_t z_t, z fat-tailed;   r_k,t = drift_k/252 + sigma_k,t shock_k,t / sqrt(252)
    ln sigma_t+1 = phi ln sigma_t + (1-phi) ln(the regime's) - kappa shock_t + eta e_t

kappa > 0 is the leverage effect (Nelson 1991 writes the same asymmetry into the log variance); each shock is Student-t
with five degrees of freedom, half of them drawn in common, so that extremes come together.
"""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.market.sample.regime import CRISIS, DURATION, EQUITY, INFLATION, STRESS, Conditions
from plimsoll.engine.types import Floats, Ints

_PHI: Final = 0.965
_KAPPA: Final = np.array([0.060, 0.0, -0.010, 0.020, 0.0, 0.020, 0.020])  # gold's volatility rises with its price
_ETA: Final = np.array([0.045, 0.050, 0.050, 0.050, 0.045, 0.050, 0.050])
_DEGREES: Final = 5.0
_LARGEST_SHOCK: Final = 6.0  # in standard deviations
# Trouble is worst at its beginning, before a signal could know: extra equity shock a session, for so many sessions.
_ENTRY: Final = {STRESS: (2.2, 1), CRISIS: (0.7, 8)}
_ENTRY_JUMP: Final = {STRESS: 0.20, CRISIS: 0.40}  # of the log volatility of equity

_HALT: Final = 0.13  # the second market-wide circuit breaker stops the day at -13%

# Prices return to a trend over years (Poterba & Summers 1988 for equities): log growth a year and speed a year.
_TREND: Final = np.array([0.076, 0.0, 0.060, 0.010, 0.0, 0.030, 0.0])
_PULL: Final = np.array([0.25, 0.0, 0.12, 0.25, 0.30, 0.15, 0.20])
_LARGEST_PULL: Final = 0.12  # a year

# Constant-maturity yields of a 25-year, an 8.5-year and a 2-year note: policy loading, spread, speed a year,
# sensitivity to the duration shock, own yearly noise, floor. Durations and convexities: of TLT, IEF and SHY, rounded.
_YIELDS: Final = np.array(
    [
        [0.40, 0.0215, 0.25, 1.00, 0.0000, 0.0090],
        [0.55, 0.0140, 0.40, 0.97, 0.0034, 0.0040],
        [0.90, 0.0030, 2.50, 0.62, 0.0050, 0.0008],
    ]
)
DURATIONS: Final = np.array([17.0, 7.6, 1.9])
_CONVEXITIES: Final = np.array([400.0, 66.0, 4.6])


class Factors(NamedTuple):
    """The economy per session; n sessions.

    excess (n, 7) : factor returns over bills; `duration` holds minus the change of the long yield.
    sigma (n, 7) : yearly volatility in force that session.
    bond (n, 3) : returns over bills of the 25-, 8.5- and 2-year note.
    yields (n, 3) : their yields at the close.
    bill (n,) : bill rate a year.
    vix (n,) : volatility index at the close, in points.
    """

    excess: Floats
    sigma: Floats
    bond: Floats
    yields: Floats
    bill: Floats
    vix: Floats


def draw_shocks(correlation: Floats, rng: np.random.Generator, *, fat: bool = True) -> Floats:
    """Return (n, 7) shocks of unit variance, the first five correlated as given, Student-t unless `fat` is false."""
    n = len(correlation)
    z: Floats = rng.standard_normal((n, 7))
    root = np.linalg.cholesky(correlation)
    z[:, :5] = np.einsum("tij,tj->ti", root, z[:, :5])
    if not fat:
        return z
    # a sum of independent chi-squares is one whose degrees add up: half of them shared
    chi = rng.chisquare(_DEGREES / 2.0, (n, 1)) + rng.chisquare(_DEGREES / 2.0, (n, 7))
    z *= np.sqrt((_DEGREES - 2.0) / chi)
    return np.clip(z, -_LARGEST_SHOCK, _LARGEST_SHOCK)


def draw_factors(regimes: Ints, given: Conditions, policy: Floats, rng: np.random.Generator) -> Factors:
    """Return the economy along a path of regimes and policy rates."""
    n = len(regimes)
    shock = draw_shocks(given.correlation, rng)
    jump = np.zeros(n)
    for at in np.flatnonzero(np.diff(regimes)) + 1:
        extra, span = _ENTRY.get(int(regimes[at]), (0.0, 0))
        shock[at : at + span, EQUITY] -= extra
        jump[at] = _ENTRY_JUMP.get(int(regimes[at]), 0.0)
    log_sigma = _log_volatility(np.log(given.volatility), shock, jump, rng)
    sigma = np.exp(log_sigma[:-1])
    noise = sigma * shock / np.sqrt(252.0)
    noise[:, EQUITY] = np.clip(noise[:, EQUITY], -_HALT, _HALT)
    excess = _anchored(given.drift / 252.0, noise)
    yields, change = _yield_paths(regimes, policy, sigma[:, DURATION] * shock[:, DURATION] / np.sqrt(252.0), rng)
    bill = np.maximum(policy + 0.0004 * _mean_reverting(n, 0.97, rng), 0.0002)
    before = np.vstack([yields[:1], yields[:-1]])
    bond = (before - bill[:, None]) / 252.0 - DURATIONS * change + 0.5 * _CONVEXITIES * change * change
    excess[:, DURATION] = -change[:, 0]
    vix = _volatility_index(log_sigma[1:, EQUITY], given.volatility[:, EQUITY], shock[:, EQUITY], rng)
    return Factors(excess, sigma, bond, yields, bill, vix)


def _anchored(drift: Floats, noise: Floats) -> Floats:
    """Return (n, 7) daily returns whose drift is pulled towards each factor's own trend."""
    out: Floats = drift + noise
    gap, pull, trend = np.zeros(7), np.empty(7), _TREND / 252.0  # gap: log distance above the trend
    for at in range(len(out)):
        row = out[at]
        np.multiply(_PULL, gap, out=pull)
        np.minimum(np.maximum(pull, -_LARGEST_PULL, out=pull), _LARGEST_PULL, out=pull)
        row -= np.divide(pull, 252.0, out=pull)
        np.subtract(np.log1p(row, out=pull), trend, out=pull)
        gap += pull
    return out


def _mean_reverting(n: int, phi: float, rng: np.random.Generator) -> Floats:
    """Return (n,) a first-order autoregression of unit variance."""
    out = np.empty(n)
    level, scale = 0.0, float(np.sqrt(1.0 - phi * phi))
    for at, noise in enumerate(rng.standard_normal(n).tolist()):
        level = phi * level + scale * noise
        out[at] = level
    return out


def _log_volatility(anchor: Floats, shock: Floats, jump: Floats, rng: np.random.Generator) -> Floats:
    """Return (n + 1, 7) log volatilities; row t is known before session t begins."""
    n = len(anchor)
    push = (1.0 - _PHI) * anchor - _KAPPA * shock + _ETA * rng.standard_normal((n, 7))
    push[:, EQUITY] += jump
    out = np.empty((n + 1, 7))
    level = anchor[0].copy()
    out[0] = level
    for at in range(n):
        level = _PHI * level + push[at]
        out[at + 1] = level
    return out


def _yield_paths(regimes: Ints, policy: Floats, shock: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return (n, 3) yields and their changes: pulled to an anchor above the expected policy rate, pushed by shocks."""
    n = len(policy)
    noise = rng.standard_normal((n, 3)) / np.sqrt(252.0)
    yields, before = np.empty((n, 3)), np.empty((n, 3))
    mood = np.zeros(5)
    mood[INFLATION], mood[CRISIS] = 0.020, -0.008
    tilt = mood[regimes]
    for j in range(3):
        loading, spread, speed, sensitivity, own, floor = _YIELDS[j].tolist()
        anchors = loading * policy + spread + tilt
        pushes = own * noise[:, j] - sensitivity * shock
        level = loading * float(policy[0]) + spread
        path = [level]
        for anchor, push in zip(anchors.tolist(), pushes.tolist(), strict=True):
            calm = min(1.0, max(0.25, (level / 0.02) ** 0.5))  # yields move less near zero
            level = max(level + speed / 252.0 * (anchor - level) + calm * push, floor)
            path.append(level)
        before[:, j], yields[:, j] = path[:-1], path[1:]
    return yields, yields - before


def _volatility_index(log_next: Floats, regime_level: Floats, shock: Floats, rng: np.random.Generator) -> Floats:
    """Return (n,) the volatility index: a premium over the volatility expected for the coming 21 sessions.

    The mean of phi^k over 21 sessions, 0.72, is the weight of the present level, the rest that of the level it
    reverts to. The floor in quadrature keeps quiet markets near 10; the last term is the day's fear, gone in days.
    """
    expected = np.exp(0.72 * log_next + 0.28 * np.log(0.5 * regime_level + 0.5 * 0.16))
    panic = 0.012 * np.maximum(-shock - 1.5, 0.0) ** 2
    fear = np.empty(len(shock))
    level = 0.0
    for at, push in enumerate((-0.020 * shock + panic + 0.035 * rng.standard_normal(len(shock))).tolist()):
        level = 0.85 * level + push
        fear[at] = level
    raw = np.sqrt(8.0**2 + (110.0 * expected) ** 2) * np.exp(fear)
    return np.maximum(raw / (1.0 + (raw / 95.0) ** 4) ** 0.25, 9.0)
