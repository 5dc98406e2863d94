"""Constant-correlation shrinkage of pairwise moments, recursive or batch, with histories of any length."""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.estimate.moments import (
    COUNT,
    M02,
    M11,
    M13,
    M20,
    M22,
    M31,
    OWN_COUNT,
    OWN_M20,
    OWN_WEIGHT,
    OWN_WEIGHT2,
    WEIGHT,
    WEIGHT2,
    State,
    first_other,
    own,
)
from plimsoll.engine.kernels.estimate.psd import least_intensity
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats, Ints

# Places in `info`.
INTENSITY_LW: Final = 0  # Ledoit and Wolf's
INTENSITY: Final = 1  # the one used: more where the pairwise matrix is not positive definite
MEAN_CORRELATION: Final = 2
INFO_SIZE: Final = 3

# The mean correlation stays above -1 / (N - 1), where the target becomes singular, by this fraction of it.
TARGET_MARGIN: Final = 1e-6
# Square of the relative distance between sample and target below which they are the same but for rounding (two assets
# always are): there is nothing to shrink, and the ratio of two rounding errors must not pass for an intensity.
SAME: Final = 1e-24
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
def sums_of(row: Floats, chosen: Ints, a: int, room: Floats) -> Floats:
    """Return what a plane's row of the a-th chosen holds of those before it: the row, or picked into room (K,)."""
    if chosen[a] == a:
        return row
    for b in range(a):
        room[b] = row[chosen[b]]
    return room


@kernel
def pair_correlation(seen: State, chosen: Ints, min_overlap: int, corr: Floats) -> float:
    """Fill corr (K, K) up to the diagonal on common rows, NaN where a pair has fewer than min_overlap.

    Returns the mean of the others. chosen (K,) ascend. Here and in `pair_intensity` rows are made as if all were kin,
    several columns at a time, then where they are not, and sums are kept by column.
    """
    k, pair, kin = chosen.shape[0], seen.pair, seen.kin
    alone, room = own(seen, chosen), np.empty(k)
    count, scale = alone[OWN_COUNT], 1.0 / np.sqrt(alone[OWN_M20])  # infinite without a move: 0 times it is NaN
    totals, pairs = np.zeros(k), np.zeros(k)
    other, stop = first_other(kin, chosen), 0
    for a in range(k):
        i, row, mine = chosen[a], corr[a], scale[a]
        stop = a if a > 0 and kin[i] != kin[chosen[a - 1]] else stop
        m11 = sums_of(pair[M11, i], chosen, a, room)
        for b in range(a):
            row[b] = m11[b] * (mine * scale[b])
        if not count[a] >= min_overlap:
            row[:a] = np.nan
        for b in range(other if kin[i] == kin[chosen[0]] else 0, stop):
            j = chosen[b]
            if kin[i] != kin[j]:
                m20, m02 = pair[M20, i, j], pair[M02, i, j]
                known = pair[COUNT, i, j] >= min_overlap and m20 > 0.0 and m02 > 0.0
                row[b] = m11[b] * ((1.0 / np.sqrt(m20)) * (1.0 / np.sqrt(m02))) if known else np.nan
        for b in range(a):
            has = not np.isnan(row[b])
            totals[b] += row[b] if has else 0.0
            pairs[b] += 1.0 if has else 0.0
        row[a] = 1.0
    total, known_pairs = 0.0, 0.0
    for b in range(k):
        total += totals[b]
        known_pairs += pairs[b]
    mean = total / known_pairs if known_pairs > 0.0 else 0.0
    floor = -(1.0 - TARGET_MARGIN) / (k - 1) if k > 1 else 0.0
    return max(mean, floor)


@kernel
def pair_noise(m11: float, m22: float, m31: float, weight: float, m20: float, ratio: float, common: float) -> float:
    """Return an entry's sampling variance of one row, less what it shares with the first's variance."""
    per_mass = 1.0 / weight
    cov = m11 * per_mass
    return m22 * per_mass - cov * cov - 0.5 * common * (ratio * ((m31 - m20 * cov) * per_mass))


@kernel
def pair_error(
    noise: float, m11: float, m13: float, weight: float, weight2: float, m02: float, ratio: float, common: float
) -> float:
    """Return how much of an entry's sampling error shrinking takes away: noise as `pair_noise` has it.

    ratio: the first's deviation to the second's; there it is the other way round.
    """
    per_mass = 1.0 / weight
    drift = (m13 - m02 * (m11 * per_mass)) * per_mass
    return (noise - 0.5 * common * (ratio * drift)) * (weight2 * (per_mass * per_mass))


@kernel
def pair_intensity(seen: State, chosen: Ints, corr: Floats, deviation: Floats, common: float) -> float:
    """Return Ledoit and Wolf's intensity in [0, 1], each pair's sampling error divided by its own sample size.

    Each pair is counted once in all three sums; only their ratios matter. chosen (K,) ascend; corr is read up to the
    diagonal.
    """
    k, pair, kin = chosen.shape[0], seen.pair, seen.kin
    alone, room, errors = own(seen, chosen), np.empty((4, k)), np.empty(k)
    mass, mass2, square = alone[OWN_WEIGHT], alone[OWN_WEIGHT2], alone[OWN_M20]
    inverse = 1.0 / deviation
    error, distance, size = np.zeros(k), np.zeros(k), np.zeros(k)
    other, stop = first_other(kin, chosen), 0
    for a in range(k):
        i, row, mine, per_mine = chosen[a], corr[a], deviation[a], inverse[a]
        stop = a if a > 0 and kin[i] != kin[chosen[a - 1]] else stop
        weight, weight2, m20 = mass[a], mass2[a], square[a]
        m11, m22 = sums_of(pair[M11, i], chosen, a, room[0]), sums_of(pair[M22, i], chosen, a, room[1])
        m31, m13 = sums_of(pair[M31, i], chosen, a, room[2]), sums_of(pair[M13, i], chosen, a, room[3])
        for b in range(a):
            errors[b] = pair_noise(m11[b], m22[b], m31[b], weight, m20, deviation[b] * per_mine, common)
        for b in range(a):
            errors[b] = pair_error(errors[b], m11[b], m13[b], weight, weight2, square[b], mine * inverse[b], common)
        for b in range(other if kin[i] == kin[chosen[0]] else 0, stop):
            j = chosen[b]
            if kin[i] != kin[j]:
                mass_ij, ratio = pair[WEIGHT, i, j], deviation[b] * per_mine
                noise = pair_noise(m11[b], m22[b], m31[b], mass_ij, pair[M20, i, j], ratio, common)
                ratio = mine * inverse[b]
                errors[b] = pair_error(
                    noise, m11[b], m13[b], mass_ij, pair[WEIGHT2, i, j], pair[M02, i, j], ratio, common
                )
        for b in range(a):
            error[b] += 0.0 if np.isnan(row[b]) else errors[b]
        for b in range(a):
            both = 0.0 if np.isnan(row[b]) else mine * deviation[b]
            gap = 0.0 if np.isnan(row[b]) else (common - row[b]) * both
            distance[b] += gap * gap
            size[b] += both * both
    wrong, apart, whole = 0.0, 0.0, 0.0
    for b in range(k):
        wrong += error[b]
        apart += distance[b]
        whole += size[b]
    if not apart > SAME * whole:
        return 0.0
    return min(max(wrong / apart, 0.0), 1.0)


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
    for a in range(n):
        for b in range(n):
            out[a, b] = 0.0
    info[INTENSITY_LW], info[INTENSITY], info[MEAN_CORRELATION] = 0.0, 0.0, 0.0
    if k > 0:
        some = np.empty((k, k))
        room = Work(np.zeros((k, k)), np.zeros((k, k)), np.zeros(k), np.zeros((4, k)))
        fault = shrink_moving(seen, moving, min_overlap, towards, room, info, some)
        place = np.empty(k, dtype=np.int64)
        at = 0
        for a in range(n):
            if pair[M20, chosen[a], chosen[a]] > 0.0:
                place[at] = a
                at += 1
        for a in range(k):
            for b in range(k):
                out[place[a], place[b]] = some[a, b]
    return fault


@kernel
def is_surely_positive(seen: State, chosen: Ints, common: float, intensity: float) -> bool:
    """Say whether the shrunk correlations of the K chosen assets are positive without a factorisation.

    Where all pairs have the same rows, their correlations are a Gram matrix with no eigenvalue below 0, and the shrunk
    ones have none below what the target's smallest, 1 - c or 1 + (K - 1) c, is times the intensity. Asked far above
    EIGENVALUE_FLOOR and rounding, it is never true where the test by factors would say no. Pairs with as many rows in
    common as each of the two has itself have the same ones.
    """
    k = chosen.shape[0]
    if not intensity * min(1.0 - common, 1.0 + (k - 1) * common) > SURE:
        return False
    pair, kin = seen.pair, seen.kin
    rows = pair[COUNT, chosen[0], chosen[0]]
    other, stop = first_other(kin, chosen), 0
    for a in range(k):
        i = chosen[a]
        stop = a if a > 0 and kin[i] != kin[chosen[a - 1]] else stop
        if pair[COUNT, i, i] != rows:
            return False
        for b in range(other if kin[i] == kin[chosen[0]] else 0, stop):
            j = chosen[b]
            if kin[i] != kin[j] and pair[COUNT, i, j] != rows:
                return False
    return True


@kernel
def fit_pairs(seen: State, chosen: Ints, min_overlap: int, towards: float, work: Work, info: Floats) -> int:
    """Write to work and info what the shrunk covariance of K assets that all move is made of; return OK or a code.

    work.corr (K, K) gets the correlations up to the diagonal, NaN where the target's stands in; work.deviation (K,).
    """
    k = chosen.shape[0]
    corr, deviation = work.corr, work.deviation
    for a in range(k):
        deviation[a] = np.sqrt(seen.pair[M20, chosen[a], chosen[a]] / seen.pair[WEIGHT, chosen[a], chosen[a]])
    common = towards * pair_correlation(seen, chosen, min_overlap, corr)
    intensity = pair_intensity(seen, chosen, corr, deviation, common)
    used = intensity
    if not is_surely_positive(seen, chosen, common, intensity):
        for a in range(k):
            row = corr[a]
            for b in range(a):
                row[b] = common if np.isnan(row[b]) else row[b]
        mirror(corr)
        used = least_intensity(corr, common, intensity, work.trial, work.room)
    info[INTENSITY_LW] = intensity
    info[INTENSITY] = used
    info[MEAN_CORRELATION] = common
    return code.OK if used >= 0.0 else code.NOT_POSITIVE_DEFINITE


@kernel
def shrink_moving(
    seen: State, chosen: Ints, min_overlap: int, towards: float, work: Work, info: Floats, out: Floats
) -> int:
    """Do what `shrink_chosen` says, for assets that all move."""
    fault = fit_pairs(seen, chosen, min_overlap, towards, work, info)
    used, common, deviation = info[INTENSITY], info[MEAN_CORRELATION], work.deviation
    for i in range(out.shape[0]):
        row, made = work.corr[i], out[i]
        for j in range(i):
            own_part = common if np.isnan(row[j]) else row[j]
            shrunk = used * common + (1.0 - used) * own_part
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
    if k == 0:
        info[INTENSITY_LW], info[INTENSITY], info[MEAN_CORRELATION] = 0.0, 0.0, 0.0
        return 0.0
    some = work
    if k < chosen.shape[0]:
        some = Work(np.empty((k, k)), np.empty((k, k)), np.empty(k), np.empty((4, k)))
    if fit_pairs(seen, moving, min_overlap, 1.0, some, info) != code.OK:
        return np.nan
    used, common = info[INTENSITY], info[MEAN_CORRELATION]
    risk, beside = np.empty(k), np.zeros(k)
    at = 0
    own_part, total = 0.0, 0.0
    for a in range(chosen.shape[0]):
        if at < k and chosen[a] == moving[at]:
            risk[at] = w[a] * some.deviation[at]
            own_part += risk[at] * risk[at]
            total += risk[at]
            at += 1
    for a in range(k):
        row, mine = some.corr[a], risk[a]
        for b in range(a):
            beside[b] += mine * (common if np.isnan(row[b]) else row[b])
    between = 0.0
    for b in range(k):
        between += risk[b] * beside[b]
    return own_part + used * common * (total * total - own_part) + (1.0 - used) * 2.0 * between
