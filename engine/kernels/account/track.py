"""The notional portfolio of one sleeve: drifts with returns until the next answer."""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.derive import DELISTED, OUTSIDE, UNBORN, rows_until
from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.types import Bools, Codes, Floats, Ints

# Scalars of a tracker, `scal` (3,).
EQUITY: Final = 0
PEAK: Final = 1
TRACK_RUINED: Final = 2
TRACK_SCALARS: Final = 3


@inline_kernel
def track_step(t: int, ret: Floats, status: Codes, bill: Floats, weight: Floats, scal: Floats, out: Floats) -> None:
    """Carry a notional portfolio from the close of bar t-1 to the close of bar t.

    ret (T, K), status (T, K) int8, bill (T,) return on cash; weight (K,) fractions of its equity, mutated;
    scal (3,) mutated; out (T, 2) gets equity and drawdown (<= 0) of bar t.

        R = sum_i w_i ret_i + (1 - sum_i w_i) bill,   w_i <- w_i (1 + ret_i) / (1 + R),   E <- E (1 + R)

    An unknown return (no row) adds nothing: the next return spans the gap. A delisted symbol's weight becomes cash, and
    at this close that of one that is outside the universe.
    Gross of costs. A sleeve that loses everything stays in cash at equity 0.
    Source: buy-and-hold arithmetic of a self-financing portfolio.
    """
    invested = 0.0
    gain = 0.0
    for i in range(weight.shape[0]):
        if weight[i] != 0.0:
            if status[t, i] == DELISTED:
                weight[i] = 0.0
                continue
            invested += weight[i]
            if not np.isnan(ret[t, i]):
                gain += weight[i] * ret[t, i]
    growth = 1.0 + gain + (1.0 - invested) * bill[t]
    if scal[TRACK_RUINED] == 1.0 or growth <= 0.0:
        scal[TRACK_RUINED] = 1.0
        scal[EQUITY] = 0.0
        for i in range(weight.shape[0]):
            weight[i] = 0.0
    else:
        for i in range(weight.shape[0]):
            if weight[i] != 0.0 and not np.isnan(ret[t, i]):
                weight[i] *= (1.0 + ret[t, i]) / growth
            else:
                weight[i] /= growth
            if status[t, i] == OUTSIDE:
                weight[i] = 0.0
        scal[EQUITY] *= growth
    scal[PEAK] = max(scal[PEAK], scal[EQUITY])
    out[t, 0] = scal[EQUITY]
    out[t, 1] = scal[EQUITY] / scal[PEAK] - 1.0


@kernel
def track_scan(
    first: int, stop: int, ret: Floats, status: Codes, bill: Floats, weight: Floats, scal: Floats, out: Floats
) -> None:
    """Run `track_step` over bars [first, stop)."""
    for t in range(first, stop):
        track_step(t, ret, status, bill, weight, scal, out)


# Verdicts of `check_answer`.
ANSWER_OK: Final = 0
ANSWER_NOT_FINITE: Final = 1
ANSWER_UNLISTED: Final = 2


@kernel
def check_answer(t: int, answer: Floats, status: Codes) -> tuple[int, int]:
    """Return (verdict, first offending column) for a strategy's answer (K,) at bar t.

    A weight on a symbol that has no row yet, or that is delisted, is a mistake; a halted one may keep its weight. To a
    strategy one outside the universe looks the same: its weight is held as cash, see `held_of`.
    """
    for i in range(answer.shape[0]):
        if not np.isfinite(answer[i]):
            return ANSWER_NOT_FINITE, i
        if answer[i] != 0.0 and (status[t, i] == UNBORN or status[t, i] == DELISTED):
            return ANSWER_UNLISTED, i
    return ANSWER_OK, -1


@inline_kernel
def held_of(weight: float, status: int) -> float:
    """Return what an answered weight holds: nothing of a symbol outside the universe."""
    return 0.0 if status == OUTSIDE else weight


@kernel
def answer_step(
    first: int, t: int, answer: Floats, ret: Floats, status: Codes, bill: Floats, weight: Floats, scal: Floats,
    out: Floats,
) -> tuple[int, int]:  # fmt: skip
    """Check an answer (K,) given at the close of bar t; if it can stand, drift over bars [first, t] and take it over.

    Returns what `check_answer` says; nothing is changed unless that is ANSWER_OK.
    """
    verdict, column = check_answer(t, answer, status)
    if verdict == ANSWER_OK:
        track_scan(first, t + 1, ret, status, bill, weight, scal, out)
        for i in range(answer.shape[0]):
            weight[i] = held_of(answer[i], status[t, i])
    return verdict, column


# Places in `Notional.fault`.
FAULT_BAR: Final = 0  # -1 = every answer could stand
FAULT_VERDICT: Final = 1
FAULT_COLUMN: Final = 2


class Notional(NamedTuple):
    """A sleeve's notional portfolio over a whole span of T bars and K symbols: what a strategy's `scan` moves.

    ret, status (T, K), bill (T,) read; weight (K,), scal (3,) as in `track_step`. Written per bar: path (T, 2) equity
    and drawdown; held (T, K) weights at the close, answers included; answered (T,). at (1,) counts the bars drifted
    over, fault (3,) says which answer could not stand.
    """

    ret: Floats
    status: Codes
    bill: Floats
    weight: Floats
    scal: Floats
    path: Floats
    held: Floats
    answered: Bools
    at: Ints
    fault: Ints


@inline_kernel
def drift(t: int, n: Notional) -> None:
    """Carry the notional portfolio to the close of bar t: what a scan that looks at it begins every bar with."""
    weight, held = n.weight, n.held
    track_step(t, n.ret, n.status, n.bill, weight, n.scal, n.path)
    for i in range(weight.shape[0]):
        held[t, i] = weight[i]
    n.at[0] = t + 1


@inline_kernel
def answer(t: int, w: Floats, n: Notional) -> bool:
    """Note an answer (K,) given at the close of bar t; False if it cannot stand: the scan then ends.

    For scans that do not look at their notional portfolio; it is carried along afterwards, by `follow`.
    """
    verdict, column = check_answer(t, w, n.status)
    stands = verdict == ANSWER_OK
    if not stands:
        n.fault[FAULT_BAR] = t
        n.fault[FAULT_VERDICT] = verdict
        n.fault[FAULT_COLUMN] = column
    n.answered[t] = stands
    held, status = n.held, n.status
    for i in range(w.shape[0]):
        held[t, i] = held_of(w[i], status[t, i])  # a refused one too: the message shows it
    return stands


@inline_kernel
def take(t: int, w: Floats, n: Notional) -> bool:
    """Hold the answer (K,) from the close of bar t on, after `drift`; False if it cannot stand: the scan then ends."""
    stands = answer(t, w, n)
    weight, held = n.weight, n.held
    if stands:
        for i in range(w.shape[0]):
            weight[i] = held[t, i]
    return stands


@kernel
def follow(stop: int, n: Notional) -> None:
    """Carry the notional portfolio on to bar `stop` (exclusive), over the answers that were noted."""
    ret, status, bill, weight, scal, path, held = n.ret, n.status, n.bill, n.weight, n.scal, n.path, n.held
    for t in range(n.at[0], stop):
        track_step(t, ret, status, bill, weight, scal, path)
        for i in range(weight.shape[0]):
            if n.answered[t]:
                weight[i] = held[t, i]
            else:
                held[t, i] = weight[i]
    n.at[0] = max(stop, n.at[0])


class Answers(NamedTuple):
    """The answers of B settings of one strategy over T bars and K symbols: what a `scan_block` writes.

    status (T, K) read. Written where a setting answers: held (B, T, K) the weights held from that close on, answered
    (B, T), fault (B,) whether an answer of it could not stand.
    """

    status: Codes
    held: Floats
    answered: Bools
    fault: Bools


@inline_kernel
def answer_of(b: int, t: int, w: Floats, a: Answers) -> None:
    """Note the answer (K,) of setting b at the close of bar t, as `answer` does; a scan goes on if it cannot stand."""
    verdict, _ = check_answer(t, w, a.status)
    stands = verdict == ANSWER_OK
    a.answered[b, t] = stands
    a.fault[b] = a.fault[b] or not stands
    held, status = a.held, a.status
    for i in range(w.shape[0]):
        held[b, t, i] = held_of(w[i], status[t, i])


@kernel
def follow_block(
    first: Ints, ret: Floats, bill: Floats, a: Answers, weight: Floats, scal: Floats, path: Floats
) -> None:  # fmt: skip
    """Carry the notional portfolio of each setting b over bars [0, first[b]), as `follow` does.

    first (B,); ret (T, K), bill (T,) as in `Notional`; weight (K,), scal (3,), path (T, 2) are scratch.
    """
    for b in range(first.shape[0]):
        for i in range(weight.shape[0]):
            weight[i] = 0.0
        scal[EQUITY], scal[PEAK], scal[TRACK_RUINED] = 1.0, 1.0, 0.0
        for t in range(first[b]):
            track_step(t, ret, a.status, bill, weight, scal, path)
            for i in range(weight.shape[0]):
                if a.answered[b, t]:
                    weight[i] = a.held[b, t, i]
                else:
                    a.held[b, t, i] = weight[i]


@kernel
def last_rows(array: Floats, t: int, n: int, of: Notional) -> Floats:
    """Return rows t - n + 1 .. t of array (T, K) of a scan, as a window shows them.

    Always n, NaN on top before the history and before the listing in force; of is the scan's notional portfolio.
    """
    return rows_until(array, t, n, of.ret, of.status)
