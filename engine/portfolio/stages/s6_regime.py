"""Stage 6: the regime tilts the volatility target and the sleeves, within bounds and in proportion to confidence.

    x = mean of clip((VIX/EMA50 - 1)/0.2, -1, 1), clip(-(S/SMA200 - 1)/0.1, -1, 1), clip(rho/0.3, 0, 1)
    rho the EWMA correlation (half-life 63) of the session returns of stocks and bonds
    x <= -0.25 risk_on;  0.25..0.5 transition;  >= 0.5 crisis;  else neutral
    c = max(0, -x) in risk_on, max(0, x) in transition and crisis, 0 in neutral
    sigma_P = clip((1 - c) sigma_neutral + c sigma_regime, band);   tilt_s = 1 + c (t_s,regime - 1)

The label in force is the worst of the last `dwell` sessions (risk_on < neutral < transition < crisis): a worse one
comes at once, a better one once it or a still better one was there for as many sessions in a row.

Three readings of the requirement's letter can be had instead, each by itself: `signed`, rho counts with its sign, so
that a flight from stocks into bonds speaks against a crisis; `by_signal`, c = |x| whatever the label, so that a label
that holds on is the more certain the more the signal contradicts it; `all_dwell`, a label of any kind holds `dwell`
sessions before the next one.

Never a switch of method. Before all three inputs exist the regime is neutral with confidence 0.
Source: portfolio integration layer, stage 6; the detector and its numbers are ours.
"""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats

NEUTRAL: Final = 0
RISK_ON: Final = 1
TRANSITION: Final = 2
CRISIS: Final = 3
REGIMES: Final = ("neutral", "risk_on", "transition", "crisis")

SMA_SESSIONS: Final = 200
EMA_ALPHA: Final = 2.0 / 51.0

# Memory (REGIME,) beside the ring of closes.
EMA: Final = 0  # of VIX, NaN before the first
FILLED: Final = 1  # closes in the ring
LABEL: Final = 2
AGE: Final = 3  # sessions the label has held
SIGNAL: Final = 4  # x
CONFIDENCE: Final = 5  # c
SIGMA_P: Final = 6
SIGMA_BEFORE: Final = 7  # of the decision before
W0: Final = 8  # EWMA sums of bond and stock products: weight, ss, bb, sb
SS: Final = 9
BB: Final = 10
SB: Final = 11
STOCK: Final = 12  # returns of the session so far, NaN before its first
BOND: Final = 13
SINCE: Final = 14  # and the two places after it: sessions since the signal was neutral, transition, crisis or worse
REGIME: Final = 17

BY_SEVERITY: Final = (RISK_ON, NEUTRAL, TRANSITION, CRISIS)


class Params(NamedTuple):
    """Volatility targets per year by regime, the band they stay in, dwell in sessions, decay of the correlation.

    signed, by_signal, all_dwell : the three readings to the letter.
    """

    neutral: float
    risk_on: float
    transition: float
    crisis: float
    low: float
    high: float
    dwell_sessions: int
    decay: float
    signed: bool = False
    by_signal: bool = False
    all_dwell: bool = False


class State(NamedTuple):
    """ring (200,) of stock closes; memory (REGIME,)."""

    ring: Floats
    memory: Floats


def init(sigma_neutral: float) -> State:
    """Return the state before the first bar."""
    memory = np.zeros(REGIME)
    memory[[EMA, STOCK, BOND]] = np.nan
    memory[[SIGMA_P, SIGMA_BEFORE]] = sigma_neutral
    memory[SINCE:REGIME] = np.inf
    return State(np.zeros(SMA_SESSIONS), memory)


@kernel
def clip1(x: float) -> float:
    """Return x clipped to [-1, 1]."""
    return min(max(x, -1.0), 1.0)


@kernel
def forget(stock: bool, s: State) -> None:
    """Forget the correlation, and the stock index too where that is what comes back as a new one. Mutates s."""
    m = s.memory
    for k in (W0, SS, BB, SB, SIGNAL):
        m[k] = 0.0
    if stock:
        m[FILLED] = 0.0


@kernel
def gather(stock_ret: float, bond_ret: float, s: State) -> None:
    """Take in the returns of one bar, NaN = not known; they compound to those of its session. Mutates s."""
    m = s.memory
    if not np.isnan(stock_ret):
        m[STOCK] = stock_ret if np.isnan(m[STOCK]) else (1.0 + m[STOCK]) * (1.0 + stock_ret) - 1.0
    if not np.isnan(bond_ret):
        m[BOND] = bond_ret if np.isnan(m[BOND]) else (1.0 + m[BOND]) * (1.0 + bond_ret) - 1.0


@kernel
def observe(vix: float, stock: float, p: Params, s: State) -> None:
    """Take in the close of a session whose bars were gathered: VIX and stock index, NaN = not known. Mutates s.

    stock in units that a split does not change.
    """
    m = s.memory
    stock_ret, bond_ret = m[STOCK], m[BOND]
    m[STOCK], m[BOND] = np.nan, np.nan
    m[SIGMA_BEFORE] = m[SIGMA_P]
    if vix > 0.0:
        m[EMA] = vix if np.isnan(m[EMA]) else m[EMA] + EMA_ALPHA * (vix - m[EMA])
    if stock > 0.0:
        s.ring[int(m[FILLED]) % SMA_SESSIONS] = stock
        m[FILLED] += 1.0
    if not np.isnan(stock_ret) and not np.isnan(bond_ret):
        m[W0] = p.decay * m[W0] + 1.0
        m[SS] = p.decay * m[SS] + stock_ret * stock_ret
        m[BB] = p.decay * m[BB] + bond_ret * bond_ret
        m[SB] = p.decay * m[SB] + stock_ret * bond_ret
    ready = vix > 0.0 and stock > 0.0 and m[FILLED] >= SMA_SESSIONS and m[SS] > 0.0 and m[BB] > 0.0
    if ready:
        total = 0.0
        for k in range(SMA_SESSIONS):
            total += s.ring[k]
        fear = clip1((vix / m[EMA] - 1.0) / 0.2)
        trend = clip1(-(stock / (total / SMA_SESSIONS) - 1.0) / 0.1)
        joint = clip1(m[SB] / np.sqrt(m[SS] * m[BB]) / 0.3)
        m[SIGNAL] = (fear + trend + (joint if p.signed else max(joint, 0.0))) / 3.0
    put_in_force(label_of(m[SIGNAL]), p, m)
    m[CONFIDENCE] = abs(m[SIGNAL]) if p.by_signal else on_own_side(int(m[LABEL]), m[SIGNAL])
    regime = p.neutral
    if m[LABEL] == RISK_ON:
        regime = p.risk_on
    elif m[LABEL] == TRANSITION:
        regime = p.transition
    elif m[LABEL] == CRISIS:
        regime = p.crisis
    c = m[CONFIDENCE]
    m[SIGMA_P] = min(max((1.0 - c) * p.neutral + c * regime, p.low), p.high)


@kernel
def label_of(x: float) -> int:
    """Return the label that a signal calls for."""
    if x <= -0.25:
        return RISK_ON
    if x >= 0.5:
        return CRISIS
    return TRANSITION if x >= 0.25 else NEUTRAL


@kernel
def put_in_force(label: int, p: Params, m: Floats) -> None:
    """Move memory m (REGIME,) on by a session whose signal calls for a label."""
    for k in range(1, len(BY_SEVERITY)):
        severe = False
        for worse in range(k, len(BY_SEVERITY)):
            severe = severe or label == BY_SEVERITY[worse]
        m[SINCE + k - 1] = 0.0 if severe else m[SINCE + k - 1] + 1.0
    now = label
    if p.all_dwell:
        now = label if m[AGE] + 1.0 >= p.dwell_sessions else int(m[LABEL])
    else:
        now = RISK_ON
        for k in range(1, len(BY_SEVERITY)):
            if m[SINCE + k - 1] < p.dwell_sessions:
                now = BY_SEVERITY[k]
    m[AGE] += 1.0
    if now != m[LABEL]:
        m[LABEL] = now
        m[AGE] = 0.0


@kernel
def on_own_side(label: int, x: float) -> float:
    """Return the part of the signal that speaks for a label."""
    if label == NEUTRAL:
        return 0.0
    return max(0.0, -x if label == RISK_ON else x)


@kernel
def crisis(s: State) -> float:
    """Return how certain a crisis is: the confidence while one is called, else 0."""
    return float(s.memory[CONFIDENCE]) if s.memory[LABEL] == CRISIS else 0.0


@kernel
def tilts(role: Floats, tilt_max: float, s: State) -> Floats:
    """Return the factors (S,) on sleeve weights: in a crisis defensive 1 + c tilt_max, cyclical 1 - c tilt_max.

    role (S,) +1 defensive, -1 cyclical, 0 other.
    """
    certain, factors = crisis(s), np.empty(role.shape[0])
    for k in range(role.shape[0]):
        factors[k] = 1.0 + certain * tilt_max * role[k]
    return factors
