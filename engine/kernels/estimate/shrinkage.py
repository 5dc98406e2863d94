"""Constant-correlation shrinkage of pairwise moments, recursive or batch, with histories of any length."""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.estimate.moments import COUNT, M20, WEIGHT, State
from plimsoll.engine.kernels.estimate.pair_rows import Rows, have_same_rows, intensity_of, mean_correlation, rows_of
from plimsoll.engine.kernels.estimate.psd import least_intensity
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats, Ints

# Places in `info`.
INTENSITY_LW: Final = 0  # Ledoit and Wolf's
INTENSITY: Final = 1  # the one used: more where the pairwise matrix is not positive definite
MEAN_CORRELATION: Final = 2
INFO_SIZE: Final = 3

# Smallest eigenvalue that is certain: a hundred times the floor, and rounding of a sum of 2,000 assets is below that.
SURE: Final = 1e-6


class Work(NamedTuple):
    """Room for one estimate of N assets."""

    corr: Floats  # (N, N) pairwise, on common rows
    trial: Floats  # (N, N)
    deviation: Floats  # (N,) on the own history
    room: Floats  # (4, N)


# Edge of the squares in which a matrix is mirrored: both sides of one stay in the fast memory.
TILE: Final = 32


def init(n_assets: int) -> Work:
    """Return room for n_assets."""
    square = (n_assets, n_assets)
    return Work(np.zeros(square), np.zeros(square), np.zeros(n_assets), np.zeros((4, n_assets)))


@kernel
def mirror(m: Floats) -> None:
    """Copy what is below the diagonal of m (N, N) above it."""
    n = m.shape[0]
    for top in range(0, n, TILE):
        for left in range(0, top + 1, TILE):
            for i in range(top, min(top + TILE, n)):
                for j in range(left, min(left + TILE, i)):
                    m[j, i] = m[i, j]


@kernel
def ascend(chosen: Ints) -> bool:
    """Say whether each of the chosen is greater than the one before it."""
    rising = True
    for a in range(1, chosen.shape[0]):
        rising = rising and chosen[a] > chosen[a - 1]
    return rising


@kernel
def fault_of(seen: State, chosen: Ints) -> int:
    """Return OK, or the code of what makes an estimate of the chosen assets (K,) impossible."""
    pair = seen.pair
    if not ascend(chosen):
        return code.WRONG_SHAPE
    fault = code.OK if chosen.shape[0] > 0 else code.EMPTY
    for i in chosen:
        variance = pair[M20, i, i] / pair[WEIGHT, i, i] if pair[WEIGHT, i, i] > 0.0 else 0.0
        if pair[COUNT, i, i] < 1.0:
            fault = code.TOO_FEW_OBSERVATIONS
        elif not variance < np.inf:
            fault = code.NOT_FINITE
    return fault


@kernel
def movers(seen: State, chosen: Ints) -> Ints:
    """Return those of the chosen assets that have moved at all: of the others a correlation would be 0/0."""
    pair = seen.pair
    count = 0
    for i in chosen:
        count += pair[M20, i, i] > 0.0
    found = np.empty(count, dtype=np.int64)
    at = 0
    for i in chosen:
        if pair[M20, i, i] > 0.0:
            found[at] = i
            at += 1
    return found


@kernel
def shrink_pairs(seen: State, min_overlap: int, towards: float, work: Work, info: Floats, out: Floats) -> int:
    """Write the shrunk covariance per bar to out (N, N) from the moments of N assets that `moments` has seen.

    Variances come from each asset's own history, correlations from common rows; a pair with fewer than min_overlap of
    them takes the target's correlation and has no say in the intensity. If the result is not positive definite the
    intensity is raised by the least amount that mends it. An asset that has never moved has variance and covariances
    0 and no say in those of the others. info (3,) gets Ledoit and Wolf's intensity, the one used and the
    target's correlation. Returns OK or a code; out is then NaN. towards : of the mean correlation, what the
    target F keeps: 1 is the constant correlation of Ledoit and Wolf, 0 no correlation beside the own variances.

        d = sum_{i!=j} (pi_ij - rho_ij) / n_ij / sum_{i!=j} (F_ij - S_ij)^2, clipped to [0, 1]
        Sigma = d F + (1 - d) S

    Source: Ledoit & Wolf (2004), Honey, I shrunk the sample covariance matrix; n_ij the effective size of Kish (1965);
    no correlation: Schaefer & Strimmer (2005), A shrinkage approach to large-scale covariance estimation, target D.
    """
    every = np.empty(seen.kin.shape[0], dtype=np.int64)
    for i in range(every.shape[0]):
        every[i] = i
    return shrink_chosen(seen, every, min_overlap, towards, work, info, out)


@kernel
def shrink_chosen(
    seen: State, chosen: Ints, min_overlap: int, towards: float, work: Work, info: Floats, out: Floats
) -> int:
    """Do what `shrink_pairs` says for the K chosen of N assets, which ascend: work, info, out are of K.

    The moments stay where they are: those of a thousand assets are 56 MB, and a copy costs more than the estimate.
    out may be `work.corr` itself.
    """
    pair = seen.pair
    n = out.shape[0]
    fault = fault_of(seen, chosen) if chosen.shape[0] == n and work.deviation.shape[0] == n else code.WRONG_SHAPE
    if fault != code.OK:
        for a in range(n):
            for b in range(n):
                out[a, b] = np.nan
        return fault
    moving = movers(seen, chosen)
    k = moving.shape[0]
    if k == n:
        return shrink_moving(seen, chosen, min_overlap, towards, work, info, out)
    info[INTENSITY_LW], info[INTENSITY], info[MEAN_CORRELATION] = 0.0, 0.0, 0.0
    some, place = np.empty((k, k)), np.empty(k, dtype=np.int64)
    if k > 0:
        room = Work(np.zeros((k, k)), np.zeros((k, k)), np.zeros(k), np.zeros((4, k)))
        fault = shrink_moving(seen, moving, min_overlap, towards, room, info, some)
    at = 0
    for a in range(n):
        if pair[M20, chosen[a], chosen[a]] > 0.0:
            place[at] = a
            at += 1
        for b in range(n):
            out[a, b] = 0.0 if fault == code.OK else np.nan
    for a in range(k):
        for b in range(k):
            out[place[a], place[b]] = some[a, b]
    return fault


@kernel
def is_surely_positive(seen: State, chosen: Ints, rows: Rows, common: float, intensity: float) -> bool:
    """Say whether the shrunk correlations of the K chosen assets are positive without a factorisation.

    Where all pairs have the same rows, their correlations are a Gram matrix with no eigenvalue below 0, and the shrunk
    ones have none below what the target's smallest, 1 - c or 1 + (K - 1) c, is times the intensity. Asked far above
    EIGENVALUE_FLOOR and rounding, it is never true where the test by factors would say no.
    """
    least = min(1.0 - common, 1.0 + (chosen.shape[0] - 1) * common)
    return intensity * least > SURE and have_same_rows(seen, chosen, rows)


@kernel
def deviations_of(seen: State, chosen: Ints, deviation: Floats) -> None:
    """Write the standard deviation per bar of each of the K chosen assets on its own history to deviation (K,)."""
    for a in range(chosen.shape[0]):
        i = chosen[a]
        deviation[a] = np.sqrt(seen.pair[M20, i, i] / seen.pair[WEIGHT, i, i])


@kernel
def mend(common: float, intensity: float, work: Work) -> float:
    """Return the least intensity that makes the matrix of work.corr, known up to the diagonal, positive; -1 if none."""
    corr = work.corr
    for a in range(corr.shape[0]):
        row = corr[a]
        for b in range(a):
            row[b] = common if np.isnan(row[b]) else row[b]
    mirror(corr)
    return least_intensity(corr, common, intensity, work.trial, work.room)


@kernel
def shrink_moving(
    seen: State, chosen: Ints, min_overlap: int, towards: float, work: Work, info: Floats, out: Floats
) -> int:
    """Do what `shrink_chosen` says, for assets that all move."""
    n, deviation, rows = out.shape[0], work.deviation, rows_of(seen, chosen)
    deviations_of(seen, chosen, deviation)
    common = towards * mean_correlation(seen, chosen, rows, min_overlap, work.corr)
    none = np.zeros(n)
    intensity = intensity_of(seen, chosen, rows, min_overlap, deviation, common, work.corr, none, work.room[0])
    used = intensity
    if not is_surely_positive(seen, chosen, rows, common, intensity):
        used = mend(common, intensity, work)
    info[INTENSITY_LW], info[INTENSITY], info[MEAN_CORRELATION] = intensity, used, common
    fault = code.OK if used >= 0.0 else code.NOT_POSITIVE_DEFINITE
    for i in range(n):
        row, made = work.corr[i], out[i]
        for j in range(i):
            shrunk = used * common + (1.0 - used) * (common if np.isnan(row[j]) else row[j])
            made[j] = shrunk * (deviation[i] * deviation[j]) if fault == code.OK else np.nan
        made[i] = deviation[i] * deviation[i] if fault == code.OK else np.nan
    mirror(out)
    return fault


@kernel
def shrunk_variance(seen: State, chosen: Ints, w: Floats, min_overlap: int, work: Work, info: Floats) -> float:
    """Return w' Sigma w per bar for weights w (K,) of the chosen and Sigma as `shrink_pairs` has it, towards = 1.

    NaN where there is no Sigma. It is not written anywhere: of a thousand assets it is 8 MB. work is of K, info (3,).
    """
    if fault_of(seen, chosen) != code.OK:
        return np.nan
    moving = movers(seen, chosen)  # the others have variance and covariances 0
    k = moving.shape[0]
    info[INTENSITY_LW], info[INTENSITY], info[MEAN_CORRELATION] = 0.0, 0.0, 0.0
    if k == 0:
        return 0.0
    rows, row, deviation = rows_of(seen, moving), np.empty((1, k)), np.empty(k)
    risk, beside = np.empty(k), np.empty(k)
    deviations_of(seen, moving, deviation)
    at = 0
    alone, total = 0.0, 0.0
    for a in range(chosen.shape[0]):
        if at < k and chosen[a] == moving[at]:
            risk[at] = w[a] * deviation[at]
            alone += risk[at] * risk[at]
            total += risk[at]
            at += 1
    common = mean_correlation(seen, moving, rows, min_overlap, row)
    intensity = intensity_of(seen, moving, rows, min_overlap, deviation, common, row, risk, beside)
    used = intensity
    if not is_surely_positive(seen, moving, rows, common, intensity):
        some = work
        if k < chosen.shape[0]:
            some = Work(np.empty((k, k)), np.empty((k, k)), np.empty(k), np.empty((4, k)))
        mean_correlation(seen, moving, rows, min_overlap, some.corr)
        used = mend(common, intensity, some)
    info[INTENSITY_LW], info[INTENSITY], info[MEAN_CORRELATION] = intensity, used, common
    between = 0.0
    for b in range(k):
        between += risk[b] * beside[b]
    variance = alone + used * common * (total * total - alone) + (1.0 - used) * 2.0 * between
    return variance if used >= 0.0 else np.nan
