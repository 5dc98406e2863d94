"""What paths of a book that is held, not traded, say of its tail."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from plimsoll.engine.report.metrics.returns import expected_shortfall, value_at_risk
from plimsoll.engine.types import Floats

LEVELS: Final = (0.05, 0.01)


@dataclass(frozen=True, slots=True)
class Horizon:
    """Losses after so many sessions, fractions of equity, > 0 is a loss.

    var, shortfall : of `LEVELS` in order: value at risk is the quantile of end returns, expected shortfall the mean
    beyond it. beyond : the share of paths that some close, up to there, has below the start by more than the cap.
    """

    sessions: int
    var: tuple[float, ...]
    shortfall: tuple[float, ...]
    beyond: float


@dataclass(frozen=True, slots=True)
class Tail:
    """The tail of one book. drawdown : median, 95% and 99% point of the worst fall from a high within all sessions."""

    book: str
    paths: int
    horizons: tuple[Horizon, ...]
    drawdown: tuple[float, float, float]


def hold(weights: Floats, returns: Floats) -> Floats:
    """Return (n, S) what a book is worth, 1 at the start, where its shares are left alone.

    weights (k,) : of equity, signed; what is missing to 1 is cash, which earns nothing. returns (n, S, k) : simple; an
    asset loses at most everything, and stays there.

        V_s = 1 - sum_i w_i + sum_i w_i prod_{u <= s} (1 + r_iu)
    """
    grown = np.cumprod(1.0 + np.maximum(returns, -1.0), axis=1)
    worth: Floats = 1.0 + np.einsum("nsk,k->ns", grown - 1.0, weights)
    return worth


def tail_of(book: str, worth: Floats, horizons: Sequence[int], cap: float) -> Tail:
    """Return the tail of paths (n, S) of a book's worth, at some numbers of sessions."""
    found = []
    for h in horizons:
        end, low = worth[:, h - 1] - 1.0, worth[:, :h].min(axis=1)
        var = tuple(0.0 - value_at_risk(end, level) for level in LEVELS)
        shortfall = tuple(0.0 - expected_shortfall(end, level) for level in LEVELS)
        found.append(Horizon(h, var, shortfall, float((low < 1.0 - cap).mean())))
    high = np.maximum(np.maximum.accumulate(worth, axis=1), 1.0)
    fall = np.quantile((1.0 - worth / high).max(axis=1), (0.5, 0.95, 0.99))
    return Tail(book, len(worth), tuple(found), (float(fall[0]), float(fall[1]), float(fall[2])))
