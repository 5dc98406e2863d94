"""From total returns to bars as an exchange prints them: dividends, splits, open, high, low, close, volume.

The close is raw: C_t = C_t-1 (1 + q_t) / split_t - D_t, so that (C_t + D_t) split_t / C_t-1 - 1 is the model's return
up to the cent it is rounded to (never accumulated: the path itself is not rounded).
"""

from itertools import accumulate
from typing import Final

import numpy as np

from plimsoll.engine.market.bars import Bars
from plimsoll.engine.market.instruments import KNOWN
from plimsoll.engine.market.sample.factor import Factors
from plimsoll.engine.market.sample.stream import stream
from plimsoll.engine.market.sample.universe import Fund
from plimsoll.engine.types import Dates, Floats, Ints

_LAST_MONTHS: Final = {0: (), 1: (12,), 2: (6, 12), 4: (3, 6, 9, 12)}  # of a period, by payouts a year
_SPLIT_UP: Final = {"TQQQ": 160.0}  # price above which it splits 2:1
_REVERSE_BELOW: Final = 5.0  # price below which any fund reverse-splits 1:5
_NOTICE_SESSIONS: Final = 15  # between the close that calls for a split and the session it is in force


def fund_bars(
    fund: Fund, returns: Floats, bridge: Floats, factors: Factors, *, first: int, sessions: Dates, seed: int
) -> Bars:
    """Return the bars of `fund` from session number `first` on.

    returns, bridge (n,) as of `fund_returns`; sessions (n,) exchange dates.
    """
    rng = stream(seed, f"{fund.symbol}/bar")
    usual = float(np.sqrt(np.mean(factors.sigma[:, fund.driver] ** 2)))
    activity = factors.sigma[first:, fund.driver] / usual
    paid = _paid_fraction(fund, factors, first, sessions)
    growth = np.log1p(returns[first:]) - np.log1p(paid)
    log_close = np.log(fund.price) + np.cumsum(growth) - growth[0]
    split = _splits(fund.symbol, np.exp(log_close))
    log_close -= np.cumsum(np.log(split))
    close = np.exp(log_close)
    dividend = np.round(paid * close, 4)

    share = fund.overnight
    spread = float(np.sqrt(share * (1.0 - share)))
    total = np.log1p(returns[first:])
    night = share * total + spread * bridge[first:]
    log_open = log_close - (total - night)
    daily = max(float(np.std(total)), 1e-6) * activity * np.sqrt(1.0 - share)
    high, low = _extremes(log_open, log_close, daily, rng)
    usd = _traded_usd(fund, total / max(float(np.std(total)), 1e-6), activity, rng)
    if first > 0:  # a new fund takes two years to be traded as it will be
        usd *= np.minimum(0.08 + 0.92 * np.arange(len(usd)) / 504.0, 1.0)
    volume = np.maximum(np.round(usd / close), 100.0)
    opened, top, bottom, closed = (np.round(np.exp(column), 2) for column in (log_open, high, low, log_close))
    stamp = sessions[first:].astype("datetime64[s]")
    return Bars(fund.symbol, stamp, opened, top, bottom, closed, volume, dividend, split)


def _extremes(log_open: Floats, log_close: Floats, sigma: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return log high and log low: extremes of a Brownian bridge from open to close.

        max = (o + c + sqrt((c - o)^2 - 2 sigma^2 ln U)) / 2,  U uniform; the minimum by symmetry, drawn on its own

    Source: Glasserman, Monte Carlo Methods in Financial Engineering (2004), section 6.4.
    """
    middle, reach = log_open + log_close, (log_close - log_open) ** 2
    above, below = -2.0 * sigma**2 * np.log(1.0 - rng.random((2, len(sigma))))
    return 0.5 * (middle + np.sqrt(reach + above)), 0.5 * (middle - np.sqrt(reach + below))


def _traded_usd(fund: Fund, z: Floats, activity: Floats, rng: np.random.Generator) -> Floats:
    """Return dollars traded: the usual, more in stress and on large moves (z, in standard deviations)."""
    pushes = (0.12 * rng.standard_normal(len(z))).tolist()
    mood = np.array(list(accumulate(pushes, lambda level, push: 0.9 * level + push)))
    day = 0.16 * rng.standard_normal(len(z)) + 0.10 * np.minimum(np.abs(z), 4.0) - 0.08
    return fund.volume_musd * 1e6 * activity**0.8 * np.exp(mood + day)


def _splits(symbol: str, unsplit: Floats) -> Floats:
    """Return new shares per old share per session, 1 = none, for a path of closes without splits."""
    out = np.ones(len(unsplit))
    factor, at = 1.0, 0
    while True:
        price = unsplit[at:] / factor
        due = (price < _REVERSE_BELOW) | (price > _SPLIT_UP.get(symbol, np.inf))
        if not due.any():
            return out
        hit = at + int(np.argmax(due))
        at = hit + _NOTICE_SESSIONS
        if at >= len(unsplit):
            return out
        out[at] = 0.2 if unsplit[hit] / factor < _REVERSE_BELOW else 2.0
        factor *= out[at]


def _paid_fraction(fund: Fund, factors: Factors, first: int, sessions: Dates) -> Floats:
    """Return what is paid on each session as a fraction of the price after it, from session `first` on."""
    n = len(sessions) - first
    out = np.zeros(n)
    if isinstance(fund.income, str):
        source = {
            "bill": factors.bill,
            "long": factors.yields[:, 0],
            "middle": factors.yields[:, 1],
            "short": factors.yields[:, 2],
        }
        rate = np.maximum(source[fund.income] - KNOWN[fund.symbol].expense_ratio, 0.0)[first:]
    else:
        rate = np.full(n, fund.income)
    earned = np.concatenate([[0.0], np.cumsum(rate) / 252.0])
    last = 0
    for at in ex_sessions(fund.payouts, sessions[first:]).tolist():
        out[at] = earned[at] - earned[last]
        last = at
    return out


def ex_sessions(payouts: int, sessions: Dates) -> Ints:
    """Return the positions of the ex-dates among `sessions`.

    Monthly funds go ex on the first session of a month, but for January's, which is paid from 18 December; the others
    on the first session from the 19th of the last month of their period.
    """
    month = sessions.astype("datetime64[M]")
    number = month.astype(np.int64) % 12 + 1
    day = (sessions - month.astype("datetime64[D]")).astype(np.int64) + 1
    new = np.concatenate([[False], month[1:] != month[:-1]])
    if payouts == 12:
        due = new & (number != 1)
        late = (number == 12) & (day >= 18)
    else:
        due = np.zeros(len(sessions), dtype=bool)
        late = np.isin(number, _LAST_MONTHS[payouts]) & (day >= 19)
    first_late = late & ~np.concatenate([[False], late[:-1]])
    first_late[0] = False  # nothing has been earned yet
    return np.flatnonzero(due | first_late)
