"""Correlations of pairs and what they are worth, row by row from pairwise moments, with histories of any length.

Rows are made as if all assets were kin, several columns at a time, then where they are not; sums are kept by column.
The moments of a thousand assets are 32 MB, to be waited for: a row of correlations is made twice rather than kept.
"""

from typing import Final, NamedTuple

import numpy as np

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
    own,
)
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats, Ints

# The mean correlation stays above -1 / (N - 1), where the target becomes singular, by this fraction of it.
TARGET_MARGIN: Final = 1e-6
# Square of the relative distance between sample and target below which they are the same but for rounding (two assets
# always are): there is nothing to shrink, and the ratio of two rounding errors must not pass for an intensity.
SAME: Final = 1e-24


class Rows(NamedTuple):
    """What each row of K chosen assets, which ascend, is made with."""

    alone: Floats  # (4, K) of their own history, as `own` has it
    scale: Floats  # (K,) 1 / sqrt(sum of squares), infinite without a move: 0 times it is NaN
    apart: Ints  # (2, K) from where and up to where there are assets before each that are no kin of it
    room: Floats  # (4, K)


@kernel
def rows_of(seen: State, chosen: Ints) -> Rows:
    """Return what the rows of the K chosen assets are made with."""
    k, kin = chosen.shape[0], seen.kin
    apart = np.zeros((2, k), dtype=np.int64)
    other = 0
    while other < k and kin[chosen[other]] == kin[chosen[0]]:
        other += 1
    for a in range(1, k):
        apart[0, a] = other if kin[chosen[a]] == kin[chosen[0]] else 0
        apart[1, a] = a if kin[chosen[a]] != kin[chosen[a - 1]] else apart[1, a - 1]
    alone = own(seen, chosen)
    return Rows(alone, 1.0 / np.sqrt(alone[OWN_M20]), apart, np.empty((4, k)))


@kernel
def sums_of(row: Floats, chosen: Ints, a: int, room: Floats) -> Floats:
    """Return what a plane's row of the a-th chosen holds of those before it: the row, or picked into room (K,)."""
    if chosen[a] == a:
        return row
    for b in range(a):
        room[b] = row[chosen[b]]
    return room


@kernel
def correlate_row(seen: State, chosen: Ints, rows: Rows, a: int, min_overlap: int, row: Floats) -> None:
    """Fill row[:a + 1] with the a-th chosen's correlations on common rows, NaN below min_overlap of them."""
    i, pair, kin, scale, mine = chosen[a], seen.pair, seen.kin, rows.scale, rows.scale[a]
    m11 = sums_of(pair[M11, i], chosen, a, rows.room[0])
    for b in range(a):
        row[b] = m11[b] * (mine * scale[b])
    if not rows.alone[OWN_COUNT, a] >= min_overlap:
        row[:a] = np.nan
    for b in range(rows.apart[0, a], rows.apart[1, a]):
        j = chosen[b]
        if kin[i] != kin[j]:
            m20, m02 = pair[M20, i, j], pair[M02, i, j]
            known = pair[COUNT, i, j] >= min_overlap and m20 > 0.0 and m02 > 0.0
            row[b] = m11[b] * ((1.0 / np.sqrt(m20)) * (1.0 / np.sqrt(m02))) if known else np.nan
    row[a] = 1.0


@kernel
def mean_correlation(seen: State, chosen: Ints, rows: Rows, min_overlap: int, corr: Floats) -> float:
    """Fill corr (K, K) up to the diagonal as `correlate_row` does; return the mean of what is known.

    With corr (1, K) each row takes the place of the one before.
    """
    k = chosen.shape[0]
    totals, pairs = np.zeros(k), np.zeros(k)
    for a in range(k):
        row = corr[a if corr.shape[0] == k else 0]
        correlate_row(seen, chosen, rows, a, min_overlap, row)
        for b in range(a):
            has = not np.isnan(row[b])
            totals[b] += row[b] if has else 0.0
            pairs[b] += 1.0 if has else 0.0
    total, known = 0.0, 0.0
    for b in range(k):
        total += totals[b]
        known += pairs[b]
    mean = total / known if known > 0.0 else 0.0
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
def error_row(seen: State, chosen: Ints, rows: Rows, a: int, spread: Floats, common: float, errors: Floats) -> None:
    """Fill errors[:a] with `pair_error` of the a-th chosen and those before it; spread (2, K) deviations, 1 / them."""
    i, pair, kin = chosen[a], seen.pair, seen.kin
    deviation, inverse, mine, per_mine = spread[0], spread[1], spread[0, a], spread[1, a]
    square, room = rows.alone[OWN_M20], rows.room
    weight, weight2, m20 = rows.alone[OWN_WEIGHT, a], rows.alone[OWN_WEIGHT2, a], square[a]
    m11, m22 = sums_of(pair[M11, i], chosen, a, room[0]), sums_of(pair[M22, i], chosen, a, room[1])
    m31, m13 = sums_of(pair[M31, i], chosen, a, room[2]), sums_of(pair[M13, i], chosen, a, room[3])
    for b in range(a):
        errors[b] = pair_noise(m11[b], m22[b], m31[b], weight, m20, deviation[b] * per_mine, common)
    for b in range(a):
        errors[b] = pair_error(errors[b], m11[b], m13[b], weight, weight2, square[b], mine * inverse[b], common)
    for b in range(rows.apart[0, a], rows.apart[1, a]):
        j = chosen[b]
        if kin[i] != kin[j]:
            mass, ratio = pair[WEIGHT, i, j], deviation[b] * per_mine
            noise = pair_noise(m11[b], m22[b], m31[b], mass, pair[M20, i, j], ratio, common)
            mass2, m02, ratio = pair[WEIGHT2, i, j], pair[M02, i, j], mine * inverse[b]
            errors[b] = pair_error(noise, m11[b], m13[b], mass, mass2, m02, ratio, common)


@kernel
def intensity_of(
    seen: State, chosen: Ints, rows: Rows, min_overlap: int, deviation: Floats, common: float, corr: Floats,
    risk: Floats, beside: Floats,
) -> float:  # fmt: skip
    """Return Ledoit and Wolf's intensity in [0, 1], each pair's sampling error divided by its own sample size.

    Each pair is counted once in all three sums; only their ratios matter. corr (K, K) is read up to the diagonal; with
    (1, K) each row is made anew. risk (K,) : of a book's weights times deviations; beside (K,) gets, of each asset, the
    sum over those after it of risk times correlation, the common one where it is not known.
    """
    k = chosen.shape[0]
    errors, error, distance, size = np.empty(k), np.zeros(k), np.zeros(k), np.zeros(k)
    spread = np.empty((2, k))
    for b in range(k):
        beside[b] = 0.0
        spread[0, b], spread[1, b] = deviation[b], 1.0 / deviation[b]
    for a in range(k):
        row, mine, held = corr[a if corr.shape[0] == k else 0], deviation[a], risk[a]
        if corr.shape[0] < k:
            correlate_row(seen, chosen, rows, a, min_overlap, row)
        error_row(seen, chosen, rows, a, spread, common, errors)
        for b in range(a):
            error[b] += 0.0 if np.isnan(row[b]) else errors[b]
        for b in range(a):
            both = 0.0 if np.isnan(row[b]) else mine * deviation[b]
            gap = 0.0 if np.isnan(row[b]) else (common - row[b]) * both
            distance[b] += gap * gap
            size[b] += both * both
        for b in range(a):
            beside[b] += held * (common if np.isnan(row[b]) else row[b])
    wrong, far, whole = 0.0, 0.0, 0.0
    for b in range(k):
        wrong += error[b]
        far += distance[b]
        whole += size[b]
    if not far > SAME * whole:
        return 0.0
    return min(max(wrong / far, 0.0), 1.0)


@kernel
def have_same_rows(seen: State, chosen: Ints, rows: Rows) -> bool:
    """Say whether all pairs of the K chosen assets have been known on the same rows.

    Pairs with as many rows in common as each of the two has itself have the same ones.
    """
    pair, kin = seen.pair, seen.kin
    count = rows.alone[OWN_COUNT]
    for a in range(chosen.shape[0]):
        if count[a] != count[0]:
            return False
        for b in range(rows.apart[0, a], rows.apart[1, a]):
            i, j = chosen[a], chosen[b]
            if kin[i] != kin[j] and pair[COUNT, i, j] != count[0]:
                return False
    return True
