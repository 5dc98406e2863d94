"""The walk forward: in each window the best setting so far is chosen, and held where nobody has looked.

The sleeves and the book see nothing but the past, so a setting's path through the whole span, cut at a window's end,
is what a run to that end would have been, bit for bit. One run a setting therefore serves every window: what a window
chose from is a slice of it, and so is what it held.

Stitched is the account of somebody who at each window's first session puts the account into what the chosen setting
holds at the close before, pays for that, and earns its returns until the next window. The switch trades the difference
of the two holdings, at what the new setting's own trades have cost per dollar up to there; the first one buys from
cash. The paths have their own accounts: the tier of capital, the impact and the governor of each are of the money it
had itself, not of the stitched account's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.research.validate.path import Path
from plimsoll.engine.research.validate.windows import Walk, Window
from plimsoll.engine.types import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One window: what was chosen and how it did.

    chosen : position in the family. in_sample, out_of_sample : net Sharpe ratio over bills, a year, of the chosen one
    on the training and on the test; rank : of the chosen one out of sample among the family, 1 = best. switched :
    traded to get there over equity, both sides; cost : of that, over equity.
    """

    window: Window
    chosen: int
    in_sample: float
    out_of_sample: float
    rank: int
    switched: float
    cost: float


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """A walk: its steps, and the stitched sessions [first, last) they were held on.

    returns (h,) net of costs and switches; traded, effective, target (h,) of the setting held; the switches are in
    traded.
    """

    walk: Walk
    steps: tuple[Step, ...]
    first: int
    last: int
    returns: Floats
    traded: Floats
    effective: Floats
    target: Floats


def choices(windows: Sequence[Window], matrix: Floats, bill: Floats) -> Ints:
    """Return (k,) the setting with the best net Sharpe ratio over bills on each training, the first of equals.

    matrix (n, M) net returns of the family, NaN where a setting has none; bill (n,). A setting without a return, or
    without a ratio, on a training is not chosen there.
    """
    chosen = np.zeros(len(windows), dtype=np.int64)
    for k, window in enumerate(windows):
        ratios = sharpes(matrix, bill, slice(window.train_from, window.train_to))
        chosen[k] = 0 if np.isnan(ratios).all() else int(np.nanargmax(ratios))
    return chosen


def sharpes(matrix: Floats, bill: Floats, span: slice) -> Floats:
    """Return (M,) the Sharpe ratio over bills, a year, of each column over a span; NaN where it has none."""
    free = bill[span]
    found = np.full(matrix.shape[1], np.nan)
    for column in range(matrix.shape[1]):
        values = matrix[span, column]
        if np.isfinite(values).all():
            found[column] = m.sharpe(values, free)
    return found


def walked(
    walk: Walk, windows: Sequence[Window], chosen: Ints, matrix: Floats, bill: Floats, path: Callable[[int], Path]
) -> Walked:
    """Return the walk that holds the `chosen` settings (k,); path gives the whole path of one by its position."""
    steps: list[Step] = []
    parts: dict[str, list[Floats]] = {"returns": [], "traded": [], "effective": [], "target": []}
    before: Path | None = None
    for window, at in zip(windows, chosen.tolist(), strict=True):
        own = path(at)
        switched, cost = switch(before, own, window.test_from)
        held = slice(window.test_from, window.held_to)
        returns, traded = own.returns[held].copy(), own.traded[held].copy()
        if cost > 0.0:  # else the very bits of the path
            returns[0] = (1.0 - cost) * (1.0 + returns[0]) - 1.0
        traded[0] += switched
        for name, values in {"returns": returns, "traded": traded}.items():
            parts[name].append(values)
        parts["effective"].append(own.effective[held])
        parts["target"].append(own.target[held])
        steps.append(_step(window, at, matrix, bill, switched, cost))
        before = own
    joined: Mapping[str, Floats] = {name: np.concatenate(values) for name, values in parts.items()}
    return Walked(walk, tuple(steps), windows[0].test_from, windows[-1].held_to, **joined)


def switch(before: Path | None, after: Path, at: int) -> tuple[float, float]:
    """Return what has to be traded at session `at` to hold `after` instead of `before`, and its cost, over equity.

    Weights are those at the close before; before = None is cash.

        traded = sum_i |w_after,i - w_before,i|,   cost = traded * (costs so far / traded so far) of `after`
    """
    if before is after:
        return 0.0, 0.0
    then = after.held[at - 1]
    had = np.zeros(len(then)) if before is None else before.held[at - 1]
    traded = float(np.sum(np.abs(then - had)))
    return traded, traded * float(after.rate[at - 1])


def _step(window: Window, at: int, matrix: Floats, bill: Floats, switched: float, cost: float) -> Step:
    train = slice(window.train_from, window.train_to)
    tested = sharpes(matrix, bill, slice(window.test_from, window.test_to))
    rank = 1 + int(np.count_nonzero(tested > tested[at]))
    inside = float(sharpes(matrix[:, at : at + 1], bill, train)[0])
    return Step(window, at, inside, float(tested[at]), rank, switched, cost)
