"""The numbers that the alarm of stage 1 is drawn from: the same for a seed and a session, whoever runs them."""

from typing import Final

import numpy as np

from plimsoll.engine.kernels.allocate.gap import normals_needed
from plimsoll.engine.market.panel import BarClock
from plimsoll.engine.types import Floats, Ints

# A session's numbers are a stretch of one table; stretches of different sessions may overlap.
LEAST: Final = 1 << 16
TIMES: Final = 4


def alarm_draws(seed: int, n_sleeves: int, clock: BarClock, *, drawn: bool) -> tuple[Floats, Ints]:
    """Return standard normal numbers (M,) and the place (T,) where those of each bar's session begin.

    No numbers, and every place 0, where nothing is `drawn`. The table follows from the seed, the place from the seed
    and the date alone: another beginning of the data changes neither.
    """
    if not drawn:
        return np.empty(0), np.zeros(len(clock), dtype=np.int64)
    needed = normals_needed(n_sleeves)
    normals = np.random.default_rng(seed).standard_normal(max(LEAST, TIMES * needed))
    days = clock.session.astype("datetime64[D]").astype(np.int64)
    places = mixed(seed, days.view(np.uint64)) % np.uint64(len(normals) - needed + 1)
    return normals, places.astype(np.int64)


def mixed(seed: int, numbers: np.ndarray) -> np.ndarray:
    """Return a hash (n,) uint64 of a seed and each number (n,) uint64: two that are close have nothing in common.

    Source: Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators, the mixing of SplitMix64.
    """
    z = numbers * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed & 0xFFFFFFFFFFFFFFFF)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(z ^ (z >> np.uint64(31)), dtype=np.uint64)
