"""What the probability of overfitting comes to where there is nothing to find: its mean and spread over pure noise.

A single probability below a half proves little: of noise it is a half on average, but scatters by a sixth around it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from plimsoll.engine.kernels import check
from plimsoll.engine.kernels.overfit.cscv import WHERE, checked_blocks, of_sums
from plimsoll.engine.types import Floats

MATRICES: Final = 30


@dataclass(frozen=True, slots=True, eq=False)
class Null:
    """The probability of overfitting of so many matrices of noise, pbo (K,)."""

    pbo: Floats

    @property
    def mean(self) -> float:
        """Their mean."""
        return float(np.mean(self.pbo))

    @property
    def sd(self) -> float:
        """Their standard deviation, ddof = 1; NaN of one matrix."""
        return float(np.std(self.pbo, ddof=1)) if len(self.pbo) > 1 else float("nan")

    def share_at_or_below(self, pbo: float) -> float:
        """Return the share of the matrices of noise that look no more overfitted than `pbo`."""
        return float(np.mean(self.pbo <= pbo))

    def sds_below(self, pbo: float) -> float:
        """Return how many standard deviations `pbo` lies below the mean of noise; NaN where noise has none."""
        return (self.mean - pbo) / self.sd if self.sd > 0.0 else float("nan")


def noise_sums(rng: np.random.Generator, n_columns: int, blocks: int, length: int) -> tuple[Floats, Floats]:
    """Return the sums and the sums of squares, both (S, N), of blocks of independent standard normal numbers.

    Drawn as what they are, not by adding: a sum of L is normal with variance L, and the squares around the mean sum to
    a chi-square of L - 1 degrees, independent of it.
    Source: Cochran (1934), The distribution of quadratic forms in a normal system.
    """
    first: Floats = np.sqrt(length) * rng.standard_normal((blocks, n_columns))
    around = rng.chisquare(length - 1, (blocks, n_columns)) if length > 1 else np.zeros((blocks, n_columns))
    return first, around + first * first / length


def null_pbo(n_rows: int, n_columns: int, blocks: int, seed: int, matrices: int = MATRICES) -> Null:
    """Return the probabilities of overfitting of matrices of noise of a shape, each drawn from a seed of its own.

    Raises
    ------
    InputError
        A shape that `cscv` would refuse, or no matrix.
    """
    check.whole(matrices, "matrices", 1, WHERE)
    check.whole(n_columns, "columns", 2, WHERE)
    length = checked_blocks(n_rows, blocks)
    found = np.empty(matrices)
    for k in range(matrices):
        first, second = noise_sums(np.random.default_rng([seed, k]), n_columns, blocks, length)
        found[k] = of_sums(np.zeros(n_columns), first, second, length).pbo
    return Null(found)
