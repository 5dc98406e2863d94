"""Everything a book remembers, as arrays that its kernels move."""

from typing import Any, NamedTuple

import numpy as np

from plimsoll.engine.kernels.estimate import moments, rank_ic
from plimsoll.engine.portfolio import idle
from plimsoll.engine.portfolio.stages import s0_normalize, s1_allocate, s5_governor, s6_regime, s8_ladder
from plimsoll.engine.types import Floats, Ints


class Memory(NamedTuple):
    """Memory of a book of S sleeves over N symbols; each part as its own file describes it.

    ceiling (S,) the most of the book that a sleeve may get; failed_at (S,) the bar a sleeve failed at, -1 = it has not;
    status (S,) of the last session; skill (S,) in [0, 1]; governor (GOVERNOR,).
    """

    s0: s0_normalize.State
    s1: s1_allocate.State
    idle: idle.State
    ic: rank_ic.State
    governor: Floats
    regime: s6_regime.State
    ladder: s8_ladder.State
    skill: Floats
    status: Floats
    sleeve_moments: moments.State
    asset_moments: moments.State
    ceiling: Floats
    failed_at: Ints


def init(n_sleeves: int, n_symbols: int, sigma_neutral: float, bars_per_session: int = 1) -> Memory:
    """Return the memory before the first bar."""
    return Memory(
        s0_normalize.init(n_sleeves, n_symbols),
        s1_allocate.init(n_sleeves),
        idle.init(n_sleeves),
        rank_ic.init(n_sleeves, rank_ic.WINDOW * bars_per_session),
        s5_governor.init(),
        s6_regime.init(sigma_neutral),
        s8_ladder.init(),
        np.full(n_sleeves, np.nan),
        np.zeros(n_sleeves),
        moments.init(n_sleeves),
        moments.init(n_symbols),
        np.ones(n_sleeves),
        np.full(n_sleeves, -1, dtype=np.int64),
    )


def arrays(memory: Any, prefix: str = "") -> dict[str, Floats]:
    """Return every array by its dotted name, scratch of kernels aside."""
    found: dict[str, Floats] = {}
    for name in memory._fields:
        value = getattr(memory, name)
        if hasattr(value, "_fields"):
            found |= arrays(value, f"{prefix}{name}.")
        elif name != "scratch":
            found[f"{prefix}{name}"] = value
    return found
