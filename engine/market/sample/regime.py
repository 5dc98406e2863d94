"""The generated economy's regimes, policy rate and correlations.

Five regimes follow one another in a semi-Markov chain: which one comes next depends on the present one alone, how long
it stays is a gamma draw of shape 3, so that crises persist and none lasts a day. All tables are ours; what they are
meant to reproduce, and how closely, is in `plimsoll.engine.market.sample.calibration`.
"""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.types import Floats, Ints

CALM, STRESS, CRISIS, RECOVERY, INFLATION = range(5)
REGIMES: Final = ("calm", "stress", "crisis", "recovery", "inflation")

# The first five move together: US equity, long yields (up = bonds up), gold, oil, dollar. Two are independent of the
# rest: technology against the market, foreign equity against the market.
FACTORS: Final = ("equity", "duration", "gold", "oil", "dollar", "technology", "foreign")
EQUITY, DURATION, GOLD, OIL, DOLLAR, TECHNOLOGY, FOREIGN = range(7)

_MEAN_SESSIONS: Final = np.array([230.0, 45.0, 70.0, 130.0, 190.0])
_NEXT: Final = np.array(
    [  # to:  calm  stress crisis recov. inflation
        [0.00, 0.86, 0.00, 0.00, 0.14],
        [0.66, 0.00, 0.27, 0.00, 0.07],
        [0.00, 0.00, 0.00, 1.00, 0.00],
        [0.88, 0.12, 0.00, 0.00, 0.00],
        [0.45, 0.40, 0.15, 0.00, 0.00],
    ]
)

# Arithmetic excess drift a year, by regime (rows) and factor; duration has none: yields drift to their anchors.
DRIFT: Final = np.array(
    [
        [0.130, 0.0, 0.050, 0.050, -0.002, 0.050, 0.000],
        [0.070, 0.0, 0.080, -0.100, 0.015, 0.010, -0.030],
        [-0.060, 0.0, 0.060, -0.750, 0.080, 0.020, -0.080],
        [0.290, 0.0, 0.160, 0.320, -0.050, 0.050, 0.060],
        [-0.130, 0.0, 0.020, 0.350, 0.035, -0.080, 0.010],
    ]
)

# Yearly volatility about which each factor's log volatility reverts. Duration: of the long yield, so 0.9% a year.
VOLATILITY: Final = np.array(
    [
        [0.120, 0.0074, 0.135, 0.28, 0.062, 0.070, 0.065],
        [0.190, 0.0092, 0.185, 0.37, 0.082, 0.090, 0.095],
        [0.380, 0.0125, 0.270, 0.66, 0.125, 0.130, 0.190],
        [0.200, 0.0090, 0.190, 0.42, 0.085, 0.090, 0.110],
        [0.190, 0.0112, 0.165, 0.38, 0.085, 0.125, 0.090],
    ]
)

# Correlations of the first five factors in the order (ED EG EO EU DG DO DU GO GU OU): E equity, D duration (bond
# price), G gold, O oil, U dollar. Bonds hedge equity in every regime but inflation.
_PAIRS: Final = ((0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4))
_CORRELATION: Final = np.array(
    [
        [-0.48, 0.05, 0.32, -0.22, 0.20, -0.20, -0.05, 0.18, -0.42, -0.25],
        [-0.52, 0.00, 0.42, -0.25, 0.25, -0.28, 0.00, 0.18, -0.42, -0.28],
        [-0.52, 0.00, 0.45, -0.30, 0.22, -0.28, 0.05, 0.22, -0.38, -0.32],
        [-0.42, 0.10, 0.42, -0.35, 0.18, -0.25, 0.00, 0.22, -0.42, -0.32],
        [0.42, 0.18, 0.05, -0.35, 0.35, -0.12, -0.28, 0.22, -0.45, -0.18],
    ]
)

_SESSIONS_BETWEEN_MEETINGS: Final = 32  # eight policy meetings a year
_FLOOR: Final = 0.00125
_CEILING: Final = 0.05375


def draw_regimes(n: int, rng: np.random.Generator) -> Ints:
    """Return (n,) regime numbers, beginning in a calm one."""
    path = np.empty(n, dtype=np.int64)
    state, at = CALM, 0
    while at < n:
        stay = max(10, round(rng.gamma(3.0, _MEAN_SESSIONS[state] / 3.0)))
        path[at : at + stay] = state
        at += stay
        state = int(np.searchsorted(np.cumsum(_NEXT[state]), rng.random(), side="right"))
    return path


def policy_rate(regimes: Ints, rng: np.random.Generator) -> Floats:
    """Return (n,) the policy rate a year, moved in quarter points at meetings.

    A crisis cuts it to the floor, where it is held for years; an inflation shock raises it to a little over 5%; calm
    brings it back towards 2.5% from either side.
    """
    out = np.empty(len(regimes))
    rate, hold = 0.0425, 0
    for at in range(0, len(regimes), _SESSIONS_BETWEEN_MEETINGS):
        state, luck = int(regimes[at]), float(rng.random())
        hold = max(0, hold - _SESSIONS_BETWEEN_MEETINGS)
        if state == CRISIS and rate > _FLOOR:
            rate = max(_FLOOR, rate - 0.0125)
            hold = round(rng.gamma(3.0, 600.0)) if rate == _FLOOR else hold
        elif state == INFLATION:
            rate, hold = min(_CEILING, rate + 0.0075), 0
        elif state == STRESS and luck < 0.4:
            rate = max(_FLOOR, rate - 0.0025)
        elif state in (CALM, RECOVERY) and hold == 0:
            if rate < 0.0250 and luck < 0.35:
                rate += 0.0025
            elif rate > 0.0300 and luck > 0.65:
                rate -= 0.0025
        out[at : at + _SESSIONS_BETWEEN_MEETINGS] = rate
    return out


class Conditions(NamedTuple):
    """What the regimes impose, per session: drift (n, 7) and volatility (n, 7) a year, correlation (n, 5, 5)."""

    drift: Floats
    volatility: Floats
    correlation: Floats


def conditions(regimes: Ints) -> Conditions:
    """Return drifts, volatilities and correlations along a path of regimes.

    Correlations pass from one regime's to the next's with a half-life of 10 sessions, and leave an inflation regime's
    behind with one of 150: markets went on fearing inflation long after 2022. Each is a convex combination of
    correlation matrices, hence one itself.
    """
    weight = np.empty((len(regimes), len(REGIMES)))
    now = np.eye(len(REGIMES))[regimes[0]]
    worry, quick, slow = 0.0, 1.0 - 0.5 ** (1 / 10), 1.0 - 0.5 ** (1 / 150)
    for at, state in enumerate(regimes.tolist()):
        now *= 1.0 - quick
        now[state] += quick
        fear = float(now[INFLATION])
        worry += (quick if fear > worry else slow) * (fear - worry)
        weight[at] = now * ((1.0 - worry) / max(1.0 - fear, 1e-9))
        weight[at, INFLATION] = worry
    flat = (weight / weight.sum(axis=1, keepdims=True)) @ _CORRELATION
    correlation = np.empty((len(regimes), 5, 5))
    correlation[:] = np.eye(5)
    for k, (i, j) in enumerate(_PAIRS):
        correlation[:, i, j] = correlation[:, j, i] = flat[:, k]
    return Conditions(DRIFT[regimes], VOLATILITY[regimes], correlation)
