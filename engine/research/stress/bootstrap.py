"""Paths made of a market's own sessions, in blocks."""

from typing import Final

import numpy as np

from plimsoll.engine.research.stress.tail import Tail, hold, tail_of
from plimsoll.engine.types import Floats, Ints

PATHS: Final = 5_000
SESSIONS: Final = 63
HORIZONS: Final = (1, 10, SESSIONS)
MEAN_BLOCK: Final = 20.0  # sessions; ours
# Fewer sessions on which everything held has a return are no sample.
LEAST_SESSIONS: Final = 252
_BLOCK: Final = 1_000  # paths at a time: bounds memory


def stationary_draws(n_rows: int, n: int, sessions: int, rng: np.random.Generator, mean: float = MEAN_BLOCK) -> Ints:
    """Return (n, sessions) rows of a series of n_rows: blocks of geometric length from anywhere on a circle.

    Each session is the row after the one before with probability 1 - 1 / mean, else any row.

    Source: Politis & Romano (1994), The stationary bootstrap, JASA 89.
    """
    fresh = rng.integers(0, n_rows, (n, sessions))
    again = rng.random((n, sessions)) < 1.0 / mean
    out = np.empty((n, sessions), dtype=np.int64)
    out[:, 0] = fresh[:, 0]
    for s in range(1, sessions):
        out[:, s] = np.where(again[:, s], fresh[:, s], (out[:, s - 1] + 1) % n_rows)
    return out


def bootstrap_tail(book: str, weights: Floats, returns: Floats, cap: float, seed: int, paths: int = PATHS) -> Tail:
    """Return the tail of a book (k,) held over paths of sessions drawn from returns (R, k), all of them known."""
    rng = np.random.default_rng(seed)
    parts = [
        hold(weights, returns[stationary_draws(len(returns), min(_BLOCK, paths - at), SESSIONS, rng)])
        for at in range(0, paths, _BLOCK)
    ]
    return tail_of(book, np.concatenate(parts), HORIZONS, cap)
