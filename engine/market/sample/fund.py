"""Total returns of the generated funds, from the economy's factors.

    q_i = (bill + alpha_i)/252 + sum_k loading_ik X_k + idio_i
    r_L = L q - (L-1) bill/252 - |L-1| s/252 - f/252        leveraged funds, from their underlying's q

Source of the second: Cheng & Madhavan (2009), Avellaneda & Zhang (2010); an inverse fund (L < 0) is paid the bill rate
on its collateral and pays a spread on it. s and f: measured on daily ETF closes 2010-2025, rounded.
"""

from typing import Final

import numpy as np

from plimsoll.engine.market.instruments import KNOWN
from plimsoll.engine.market.sample.factor import DURATIONS, Factors, draw_shocks
from plimsoll.engine.market.sample.regime import DOLLAR, DURATION, EQUITY, FOREIGN, GOLD, OIL, TECHNOLOGY
from plimsoll.engine.market.sample.stream import stream
from plimsoll.engine.market.sample.universe import COLUMNS, FUNDS, SYMBOLS
from plimsoll.engine.types import Floats

LONG_SPREAD: Final = 0.010
SHORT_SPREAD: Final = 0.003
LEVERAGED_FEE: Final = 0.0086
_WORST_DAY: Final = -0.9  # no fund goes to zero in a session


def fund_returns(factors: Factors, correlation: Floats, seed: int) -> tuple[Floats, Floats]:
    """Return (n, 35) total returns and (n, 35) bridge noise, columns in the order of `FUNDS`.

    The noise is a second draw of the same factors without drift: it splits each session's return into overnight and
    intraday parts that are as correlated across funds as the returns are.
    """
    log_vix = np.log(factors.vix)
    vix_change = np.expm1(np.diff(log_vix, prepend=log_vix[:1]))
    lent = _columns(factors.excess, factors.bond, vix_change)
    position = _trend_positions(lent)
    returns = _linear(lent, position, factors, seed, "return")
    alpha = np.array([fund.alpha for fund in FUNDS])
    returns += (factors.bill[:, None] + alpha) / 252.0

    rng = stream(seed, "bridge")
    shock = draw_shocks(correlation, rng, fat=False)
    noise = factors.sigma * shock / np.sqrt(252.0)
    rates = noise[:, DURATION, None] * DURATIONS * np.array([1.0, 0.95, 0.6])
    wiggle = _columns(noise, rates, -0.06 * shock[:, EQUITY])
    bridge = _linear(wiggle, position, factors, seed, "bridge")

    for j, fund in enumerate(FUNDS):
        known = KNOWN[fund.symbol]
        if known.underlying:
            under = SYMBOLS.index(known.underlying)
            gap = returns[:, j] - factors.bill / 252.0  # its own noise
            returns[:, j] = leveraged_return(returns[:, under], factors.bill, known.leverage) + gap
            bridge[:, j] += known.leverage * bridge[:, under]
    return np.maximum(returns, _WORST_DAY), bridge


def leveraged_return(underlying: Floats, bill: Floats, leverage: float) -> Floats:
    """Return the daily return of a fund that resets to `leverage` times its underlying every session."""
    borrowed = leverage - 1.0
    spread = LONG_SPREAD if leverage > 0.0 else SHORT_SPREAD
    return leverage * underlying - (borrowed * bill + abs(borrowed) * spread + LEVERAGED_FEE) / 252.0


def _columns(excess: Floats, bond: Floats, vix_change: Floats) -> Floats:
    """Return (n, 10) the columns of `COLUMNS` but the trend followers."""
    return np.column_stack([excess[:, [EQUITY, GOLD, OIL, DOLLAR, TECHNOLOGY, FOREIGN]], bond, vix_change])


def _linear(columns: Floats, position: Floats, factors: Factors, seed: int, purpose: str) -> Floats:
    """Return (n, 35) loadings times columns, plus each fund's own noise, of a stream named by symbol and purpose."""
    n = len(columns)
    trade = columns[:, [0, 6, 1, 2, 3]] * position
    full = np.column_stack([columns, trade.sum(axis=1), 1.25 * trade[:, 1:].sum(axis=1)])
    out = np.empty((n, len(FUNDS)))
    usual = np.sqrt(np.mean(factors.sigma**2, axis=0))
    for j, fund in enumerate(FUNDS):
        rng = stream(seed, f"{fund.symbol}/{purpose}")
        own = np.clip(rng.standard_t(6.0, n) * np.sqrt(4.0 / 6.0), -5.0, 5.0)
        out[:, j] = own * fund.idio / np.sqrt(252.0) * (factors.sigma[:, fund.driver] / usual[fund.driver]) ** 0.7
        for name, weight in fund.loading.items():
            out[:, j] += weight * full[:, COLUMNS.index(name)]
    return out


def _trend_positions(columns: Floats) -> Floats:
    """Return (n, 5) notional positions in equity, long bonds, gold, oil and dollar held through each session.

    The mean sign of the returns of 63, 126 and 252 sessions, at a yearly volatility of 6% each by the last 63, all
    known the evening before (Moskowitz, Ooi & Pedersen 2012).
    """
    traded = columns[:, [0, 6, 1, 2, 3]]
    n = len(traded)
    level = np.vstack([np.zeros((1, 5)), np.cumsum(traded, axis=0)])
    power = np.vstack([np.zeros((1, 5)), np.cumsum(traded * traded, axis=0)])
    position = np.zeros((n, 5))
    at = np.arange(63, n)
    sigma = np.sqrt((power[at] - power[at - 63]) / 63.0 * 252.0)
    sign = sum(np.sign(level[at] - level[np.maximum(at - span, 0)]) for span in (63, 126, 252)) / 3.0
    position[at] = sign * np.minimum(0.06 / sigma, 2.0)
    return position
