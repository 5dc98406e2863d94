"""What a peer is given: prices and a rule, read from an .npz file, so that it needs no part of the engine."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from signals import Floats, Ints, slopes, weights

CASH = 1e6
FEE = 0.0005  # 5 bps of traded notional
SETTINGS = (0.01, 0.0001, 50.0)  # W2's variances: level, slope, observation


@dataclass(frozen=True)
class Job:
    """Prices and the rule to trade them by: decided at a close, sized there, filled at the next open.

    open, close : (T, N) prices. ts : (T,) time of the bars, datetime64[ns].
    due : (T,) where weights are decided anew, or None: then one asset is held while its Kalman slope is positive.
    lookback, n_risky : of the weights, see `signals.weights`. grid : (S, 3) variances of the filter.
    reference : final equities to compare with: (T,) a path, (S,) one per setting of a grid, None if there is none.
    """

    open: Floats
    close: Floats
    ts: NDArray[np.datetime64]
    due: NDArray[np.bool_] | None
    lookback: int
    n_risky: int
    grid: Floats
    reference: Floats | None

    @property
    def n_settings(self) -> int:
        """Backtests to run: 1, or the size of a grid."""
        return self.grid.shape[0]

    @property
    def n_bars(self) -> int:
        """Bars of all backtests together."""
        return self.close.shape[0] * self.n_settings

    def part(self, cells: int) -> "Job":
        """Return about `cells` bars times assets of it: the first bars, or of a grid evenly spaced settings."""
        n_bars, n_assets = self.close.shape
        if self.n_settings > 1:
            take = max(min(cells // (n_bars * n_assets), self.n_settings), 1)
            chosen = np.arange(take) * self.n_settings // take
            reference = None if self.reference is None else self.reference[chosen]
            return replace(self, grid=self.grid[chosen], reference=reference)
        end = min(max(cells // n_assets, self.lookback + 3), n_bars)
        due = None if self.due is None else self.due[:end]
        reference = None if self.reference is None else self.reference[:end]
        cut = {"open": self.open[:end], "close": self.close[:end], "ts": self.ts[:end]}
        return replace(self, due=due, reference=reference, **cut)

    def gap(self, equity: Floats) -> float | None:
        """Return the largest relative distance of final equities (S,) from the reference."""
        if self.reference is None:
            return None
        wanted = self.reference if self.n_settings > 1 else self.reference[-1:]
        return float(np.abs(equity / wanted - 1.0).max())

    def rebalances(self) -> tuple[Ints, Floats]:
        """Return the bars (K,) at whose close weights are decided, and the weights (K, N)."""
        assert self.due is not None
        bars = np.flatnonzero(self.due)
        return bars, weights(self.close, bars, self.lookback, self.n_risky)

    def wishes(self) -> NDArray[np.bool_]:
        """Return (T, S) whether to be long after each close, per setting."""
        return slopes(np.ascontiguousarray(self.close[:, 0]), self.grid) > 0.0

    def plans(self) -> list[dict[int, Floats]]:
        """Return for each setting the bars that decide something and the weights (N,) decided there."""
        if self.due is not None:
            bars, targets = self.rebalances()
            return [dict(zip(bars.tolist(), targets, strict=True))]
        wish = self.wishes().astype(np.float64)
        changed = np.diff(wish, axis=0, prepend=0.0) != 0.0
        return [{int(t): wish[t, s : s + 1] for t in np.flatnonzero(changed[:, s])} for s in range(self.n_settings)]


class Way(NamedTuple):
    """One way of running a job with a library.

    cells : bars times assets it gets through in the time of a bench, None = all, or a function of the job that says so;
    what is left is scaled.
    prepare : puts a job into the library's own containers, untimed; returns the call to time, which gives the final
    equity (S,) of each setting, or None where the library cannot run such a job. note : says how, for either kind.
    """

    cells: int | Callable[["Job"], int | None] | None
    prepare: Callable[["Job"], Callable[[], Floats] | None]
    note: Callable[["Job"], str]


def read(path: Path) -> Job:
    """Read a job; only `open` and `close`, (T,) or (T, N), must be there."""
    with np.load(path) as given:
        found = {name: given[name] for name in given.files}
    open_, close = (np.ascontiguousarray(found[name].reshape(len(found[name]), -1)) for name in ("open", "close"))
    minutes = np.datetime64("2000-01-03", "ns") + np.arange(len(close)) * np.timedelta64(60, "s")
    lookback = int(found.get("lookback", 60))
    due = found.get("due")
    return Job(
        open_, close, found.get("ts", minutes).astype("datetime64[ns]"),
        None if due is None else due & (np.arange(len(close)) >= lookback),
        lookback, int(found.get("n_risky", 0)),
        np.atleast_2d(found.get("grid", np.array([SETTINGS]))), found.get("reference"),
    )  # fmt: skip
