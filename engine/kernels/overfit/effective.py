"""How many independent trials a number of trials is worth: settings that move together are variations of one."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import check
from plimsoll.engine.kernels.overfit.average_linkage import cut
from plimsoll.engine.kernels.overfit.trial_correlation import LEAST_COMMON, centre_and_scale, correlate, row_sums
from plimsoll.engine.types import Bools, Floats, Ints

# Clustering goes with the cube of their number: beyond this the mean correlation, which goes with the number, decides.
MOST_CLUSTERED: Final = 500
# Mean silhouettes up to this say that "no substantial structure has been found": Kaufman & Rousseeuw (1990), Finding
# groups in data, table 4.
NO_STRUCTURE: Final = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class EffectiveTrials:
    """What M trials are worth.

    mean_correlation : rho, of their pairs; by_correlation : rho + (1 - rho) M.
    clusters : how many groups their returns form, None where they form none that are told apart, or were too many to
    group; label (M,) the group of each, empty then. silhouette : the mean of the cut, NaN where none was made.
    """

    counted: int
    mean_correlation: float
    by_correlation: float
    clusters: int | None
    silhouette: float
    label: Ints

    @property
    def number(self) -> float:
        """The clusters where there are any, else the number that the mean correlation gives."""
        return self.by_correlation if self.clusters is None else float(self.clusters)


def effective_trials(returns: ArrayLike) -> EffectiveTrials:
    """Return how many independent trials the columns of returns (T, M) are worth; NaN = no session of that trial.

    Two counts: rho + (1 - rho) M with the mean correlation rho of all pairs, 0 where it is negative, and the number of
    clusters: average linkage on the distance sqrt((1 - rho_ij) / 2), cut where the mean silhouette is largest. Where
    that is no more than `NO_STRUCTURE` there are no clusters to count. Trials with fewer than 21 common sessions count
    as unrelated: what is not known to be a variation of another is a trial of its own.

    Silhouettes compare distances with one another, so groups are told apart even where all trials are nearly the same:
    more of them than the mean correlation says. That errs towards more trials; what the trials have in common is not in
    the variance of their ratios either, which is all that the number is multiplied with.

    Raises
    ------
    InputError
        Not a matrix of numbers, or an infinite return.

    Sources: Bailey & Lopez de Prado (2014), The deflated Sharpe ratio, appendix 3, for the mean correlation; Lopez de
    Prado & Lewis (2019), Detection of false investment strategies using unsupervised learning methods, for clusters
    chosen by silhouettes, there of k-means from random starts, here of a tree, which knows no chance; Mantegna (1999),
    Hierarchical structure in financial markets, for the distance.
    """
    table = check.matrix(returns, "effective number of trials")
    if np.isinf(table).any():
        raise InputError("a return is infinite", where="effective number of trials", cause="a price of zero")
    m = int(table.shape[1])
    mean, scale = np.empty(m), np.empty(m)
    centre_and_scale(table, mean, scale)
    axis, common = _axes(np.isfinite(table))
    if not 3 <= m <= MOST_CLUSTERED:
        rho = _mean_correlation(table, mean, scale, axis, common)
        return _of(m, rho, None, np.nan, np.zeros(0, dtype=np.int64))
    corr = np.empty((m, m))
    correlate(table, mean, scale, common, axis, corr)
    rho = (float(np.sum(corr)) - m) / (m * (m - 1))
    label = np.zeros(m, dtype=np.int64)
    fit = cut(np.sqrt(0.5 * (1.0 - corr)), label)
    if fit <= NO_STRUCTURE:
        return _of(m, rho, None, fit, np.zeros(0, dtype=np.int64))
    groups, numbered = np.unique(label, return_inverse=True)
    return _of(m, rho, len(groups), fit, numbered.astype(np.int64))


def _of(m: int, rho: float, clusters: int | None, fit: float, label: Ints) -> EffectiveTrials:
    kept = min(max(rho, 0.0), 1.0)
    return EffectiveTrials(m, rho, kept + (1.0 - kept) * m, clusters, fit, label)


def _axes(known: Bools) -> tuple[Ints, Ints]:
    """Return (M,) which of A different sets of sessions each column has, and (A, A) how many two sets share."""
    n_rows, m = known.shape
    if known.all():
        return np.zeros(m, dtype=np.int64), np.array([[n_rows]], dtype=np.int64)
    numbers: dict[bytes, int] = {}
    columns = np.packbits(known, axis=0).T
    axis = np.array([numbers.setdefault(column.tobytes(), len(numbers)) for column in columns], dtype=np.int64)
    masks = known[:, [int(np.argmax(axis == a)) for a in range(len(numbers))]]
    shared = [
        [int(np.count_nonzero(masks[:, a] & masks[:, b])) for b in range(len(numbers))] for a in range(len(numbers))
    ]
    return axis, np.array(shared, dtype=np.int64)


def _mean_correlation(returns: Floats, mean: Floats, scale: Floats, axis: Ints, common: Ints) -> float:
    """Return the mean correlation of all pairs without their matrix: a sum over pairs is one of sums squared.

    Of two sets of sessions with n in common, the correlations of all pairs sum to the product of their sums, over n.
    """
    m = len(axis)
    if m < 2:
        return 0.0
    sums = np.empty((len(returns), len(common)))
    row_sums(returns, mean, scale, axis, sums)
    pairs = common >= LEAST_COMMON
    total = float(np.sum(np.where(pairs, np.einsum("ta,tb->ab", sums, sums), 0.0) / np.where(pairs, common, 1)))
    with_itself = (scale > 0.0) & np.diag(pairs)[axis]
    return (total - int(np.count_nonzero(with_itself))) / (m * (m - 1))
