"""Skill as a rank information coefficient: did what a sleeve held most do best?"""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Bools, Floats, Ints

WINDOW: Final = 21  # sessions of the mean
MIN_SYMBOLS: Final = 5
MANY: Final = 500  # from here on sorting takes less time than comparing all with all


class State(NamedTuple):
    """ring (S, window) the last coefficients; seen (S,) their number; mean (2, S) EWMA weight and value of means."""

    ring: Floats
    seen: Floats
    mean: Floats


def init(n_sleeves: int, window: int = WINDOW) -> State:
    """Return the state before the first observation; window : bars of the mean, those of 21 sessions."""
    return State(np.zeros((n_sleeves, window)), np.zeros(n_sleeves), np.zeros((2, n_sleeves)))


@kernel
def merge_sort(values: Floats, order: Ints, room: Ints) -> Ints:
    """Return where the values (n,), none of them NaN, stand from the least to the greatest: order or room, both (n,).

    Runs of one, two, four ... are merged; which side the next one comes from is added up, not branched on.
    """
    n = values.shape[0]
    for i in range(n):
        order[i] = i
    width = 1
    while width < n:
        for start in range(0, n, 2 * width):
            left, middle, stop = start, min(start + width, n), min(start + 2 * width, n)
            right, at = middle, start
            while left < middle and right < stop:
                takes_right = values[order[right]] < values[order[left]]
                room[at] = order[right] if takes_right else order[left]
                right += takes_right
                left += not takes_right
                at += 1
            while left < middle:
                room[at] = order[left]
                left, at = left + 1, at + 1
            while right < stop:
                room[at] = order[right]
                right, at = right + 1, at + 1
        order, room = room, order
        width *= 2
    return order


@kernel
def ranks(x: Floats, known: Bools, out: Floats) -> int:
    """Write mid-ranks 1..n of the known entries of x (N,), none of them NaN, to out (N,); return n.

    A few are counted, each against all side by side: every pair twice, and yet in a fraction of the time of each once,
    for there is no branch. Many are sorted.
    """
    values, place = np.empty(x.shape[0]), np.empty(x.shape[0], dtype=np.int64)
    n = 0
    for i in range(x.shape[0]):
        if known[i]:
            values[n], place[n] = x[i], i
            n += 1
    if n < MANY:
        for at in range(n):
            below, same = 0, 0
            for j in range(n):
                below += values[j] < values[at]
                same += values[j] == values[at]
            out[place[at]] = below + 0.5 * (same + 1)  # equals share the ranks they take up
        return n
    order = merge_sort(values[:n], np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64))
    start = 0
    while start < n:
        stop = start + 1
        while stop < n and values[order[stop]] == values[order[start]]:
            stop += 1
        for k in range(start, stop):
            out[place[order[k]]] = start + 0.5 * (stop - start + 1)
        start = stop
    return n


@kernel
def spearman(x: Floats, y: Floats, known: Bools, work: Floats) -> float:
    """Return Spearman's rank correlation over the known entries; NaN below 5, or where one side is all equal.

    work (2, N) is overwritten. Source: Spearman (1904), ties by mid-ranks.
    """
    return correlate(ranks(x, known, work[0]), ranks(y, known, work[1]), known, work)


@kernel
def correlate(n: int, m: int, known: Bools, work: Floats) -> float:
    """Return the correlation of two rows of mid-ranks work (2, N) of n = m known entries."""
    if n < MIN_SYMBOLS or n != m:
        return np.nan
    middle = 0.5 * (n + 1)
    xx, yy, xy = 0.0, 0.0, 0.0
    for i in range(known.shape[0]):
        if known[i]:
            a, b = work[0, i] - middle, work[1, i] - middle
            xx += a * a
            yy += b * b
            xy += a * b
    return xy / np.sqrt(xx * yy) if xx > 0.0 and yy > 0.0 else np.nan


@kernel
def step(state: State, held: Floats, member: Bools, ret: Floats, decay: float, work: Floats, skill: Floats) -> None:
    """Take in one bar and write each sleeve's skill (S,) in [0, 1], NaN before the first full window.

    held (S, N) weights at the previous close; member (S, N) whose ranks count for each; ret (N,) returns of the bar;
    decay of the EWMA of the means over the ring; work (2, N). Mutates state.

        IC_t = Spearman(w_{s,t-1}, ret_t);   skill = clip(0.5 + EWMA(mean of the last 21 sessions' IC) / 0.2, 0, 1)
    """
    window = state.ring.shape[1]
    known = np.zeros(ret.shape[0], dtype=np.bool_)
    ranked = -1  # how many entries the ranks of the returns are of; sleeves with one universe share them
    for s in range(held.shape[0]):
        live = False
        for i in range(ret.shape[0]):
            has = member[s, i] and not np.isnan(ret[i])
            if has != known[i]:
                known[i] = has
                ranked = -1
            live = live or held[s, i] != 0.0
        ic = np.nan
        if live:
            if ranked < 0:
                ranked = ranks(ret, known, work[1])
            ic = correlate(ranks(held[s], known, work[0]), ranked, known, work)
        if not np.isnan(ic):
            slot = int(state.seen[s]) % window
            state.ring[s, slot] = ic
            state.seen[s] += 1.0
            if state.seen[s] >= window:
                total = 0.0
                for k in range(window):
                    total += state.ring[s, k]
                state.mean[0, s] = decay * state.mean[0, s] + 1.0
                state.mean[1, s] += (total / window - state.mean[1, s]) / state.mean[0, s]
        skill[s] = min(max(0.5 + state.mean[1, s] / 0.2, 0.0), 1.0) if state.mean[0, s] > 0.0 else np.nan
