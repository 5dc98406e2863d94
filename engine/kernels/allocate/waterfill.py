"""Water-filling: scale weights to a sum of 1 without crossing their bounds."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import check, code
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats, Weights

# Weights smaller than this fraction of the largest one are zero.
NEGLIGIBLE: Final = 1e-200


@kernel
def cap_project(cap: float, out: Floats) -> int:
    """Scale the weights in out (N,) >= 0 in place to a sum of 1 with none above max(cap, 1 / N).

    Capped weights stay at the cap and the rest is scaled up to fill 1, again while that pushes another one over.
    Where nothing uncapped is left but zeros, they share the remainder equally. NaN and a code for a weight that is
    negative or not finite, or for a cap that is not positive.
    Source: multiplicative projection on the capped simplex; ties and order do not matter.
    """
    n = out.shape[0]
    if n == 0:
        return code.EMPTY
    total = 0.0
    fault = code.OK if cap > 0.0 else code.BAD_BOUNDS
    for i in range(n):
        if not (out[i] >= 0.0 and out[i] < np.inf):
            fault = code.NOT_FINITE
        total += out[i]
    if fault != code.OK or not total < np.inf:
        for i in range(n):
            out[i] = np.nan
        return fault if fault != code.OK else code.NOT_FINITE
    top = max(cap, 1.0 / n)
    for i in range(n):
        out[i] = out[i] / total if total > 0.0 else 0.0
    for _ in range(n):
        capped = 0
        free = 0.0
        for i in range(n):
            if out[i] >= top:
                out[i] = top
                capped += 1
            else:
                free += out[i]
        room = 1.0 - capped * top
        if capped == n or (free > 0.0 and abs(room - free) <= 1e-15 * n):
            break
        over = False
        for i in range(n):
            if out[i] < top:
                # divided first: the quotient of room and a tiny rest would overflow
                out[i] = out[i] / free * room if free > 0.0 else room / (n - capped)
                over = over or out[i] > top
        if not over:
            break
    return code.OK


@kernel
def fill_up(cap: float, total: float, out: Floats) -> None:
    """Scale the weights in out (N,) >= 0 in place by one factor to a sum of `total`, none above max(cap, itself).

        out_i = min(c out_i, max(cap, out_i))

    What the bounds leave over is nobody's, zeros stay 0. A total below the sum scales all of them down. Each round
    fixes those that the factor lifts to their bound, and the factor only grows, so it ends after at most N + 1.
    Source: as `cap_project`, with bounds that may leave room.
    """
    factor = 0.0
    for _ in range(out.shape[0] + 1):
        room, free = total, 0.0
        for i in range(out.shape[0]):
            if out[i] * factor >= max(cap, out[i]):
                room -= max(cap, out[i])
            else:
                free += out[i]
        if not (free > 0.0 and room / free > factor):
            break
        factor = room / free
    for i in range(out.shape[0]):
        if out[i] > 0.0:
            out[i] = min(factor * out[i], max(cap, out[i]))


@kernel
def bound_project(low: Floats, high: Floats, out: Floats) -> int:
    """Scale the weights in out (N,) >= 0 in place by one factor, within their bounds, to a sum of 1.

        out_i = clip(c out_i, low_i, high_i),   c such that they sum to 1

    low, high (N,). Each round fixes the side that is violated more, which no later round can undo, so it ends after at
    most N. NaN and BAD_BOUNDS where no such weights exist; a zero stays at its lower bound.
    Source: Bitran & Hax (1981), Disaggregation and resource allocation using convex knapsack problems.
    """
    n = out.shape[0]
    if n == 0:
        return code.EMPTY
    least = 0.0
    most = 0.0
    fault = code.OK
    largest = 0.0
    for i in range(n):
        largest = max(largest, out[i])
    for i in range(n):
        if not (out[i] >= 0.0 and out[i] < np.inf):
            fault = code.NOT_FINITE
        elif largest > 0.0:  # relative to the largest, and what is negligible counts as zero: no factor overflows
            out[i] = out[i] / largest if out[i] / largest > NEGLIGIBLE else 0.0
        if not 0.0 <= low[i] <= high[i]:
            fault = code.BAD_BOUNDS
        least += low[i]
        most += high[i] if out[i] > 0.0 else low[i]
    # the slack is rounding of the sums: n bounds of 1 / n may miss 1 by a few units in the last place
    if fault == code.OK and not (least <= 1.0 + 1e-15 * n and most >= 1.0 - 1e-15 * n):
        fault = code.BAD_BOUNDS
    if fault != code.OK:
        for i in range(n):
            out[i] = np.nan
        return fault
    upto = 0.0  # weights that reach their upper bound by this factor are fixed there
    downto = np.inf  # weights that stay below their lower bound at this factor are fixed there
    factor = 0.0
    for _ in range(n + 1):
        room = 1.0
        free = 0.0
        for i in range(n):
            if out[i] == 0.0 or out[i] * downto <= low[i]:
                room -= low[i]
            elif out[i] * upto >= high[i]:
                room -= high[i]
            else:
                free += out[i]
        if free <= 0.0:
            break
        factor = room / free
        above = 0.0
        below = 0.0
        for i in range(n):
            if out[i] > 0.0 and out[i] * downto > low[i] and out[i] * upto < high[i]:
                above += max(out[i] * factor - high[i], 0.0)
                below += max(low[i] - out[i] * factor, 0.0)
        if above == 0.0 and below == 0.0:
            break
        if above >= below:
            upto = factor
        if below >= above:
            downto = factor
    for i in range(n):
        if out[i] == 0.0 or out[i] * downto <= low[i]:
            out[i] = low[i]
        elif out[i] * upto >= high[i]:
            out[i] = high[i]
        else:
            out[i] *= factor
    return code.OK


def cap_weights(weights: ArrayLike, cap: float) -> Weights:
    """Return weights (N,) >= 0 scaled to a sum of 1 with none above max(cap, 1 / N).

    Raises
    ------
    InputError
        A weight is negative or not finite, there is none, or the cap is not positive.
    """
    out = check.series(weights, "cap").copy()
    if not cap > 0.0:
        raise InputError(f"cap = {cap!r}", where="cap", fix="pass a fraction > 0")
    code.require(cap_project(float(cap), out), "cap")
    return out
