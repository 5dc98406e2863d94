"""Preset `legacy`: the path the nine stages replace, kept to compare with.

    signals    w = mean over sleeves of w_s (1/N of nominal weights, correlated sleeves counted twice)
    optimise   minimum variance over the symbols held, from 60 rows cut to the shortest common history; signs of w kept
    first      scaled to 15% volatility, leverage within [0.25, 3]
    drawdown   a stepped multiplier 1 / 0.5 / 0 on the mean signal, which is reported and never executed
    second     each name times vol_target / its own realised volatility, times one half; name cap 40%, gross cap 3
    kill tiers 1 / 0.5 / 0 on the executed weights: a cliff

No netting of wrappers, no band, no ladder. Source: the audit of the current path in the portfolio integration layer,
section 1; each of its weaknesses W1 to W10 is a test that fails here.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from plimsoll.engine.execution.broker import Account
from plimsoll.engine.kernels.allocate.min_variance import min_variance
from plimsoll.engine.kernels.derive import own_rows
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.portfolio.integrator import Mark, Target
from plimsoll.engine.sleeve.sleeve import Sleeve
from plimsoll.engine.state import Saved, check_saved, put_back
from plimsoll.engine.types import Floats

WINDOW = 60
BOOK_VOL = 0.15
ORDER_VOL = 0.15
KELLY = 0.5
LEVERAGE = (0.25, 3.0)
NAME_CAP = 0.40
GROSS_CAP = 3.0


class Legacy:
    """The old path. Its only memory is the high-water mark; a loss of the day has no say."""

    stages: tuple[str, ...] = ("raw", "min_variance", "first_vol_target", "second_vol_target", "kill_tier")
    facts: tuple[str, ...] = ("leverage", "sigma_ex", "multiplier", "drawdown", "rows", "telemetry_gross")
    needs_mark = True
    skippable: tuple[str, ...] = ("min_variance", "first_vol_target", "second_vol_target", "kill_tier")
    kept: Mapping[str, str] = {
        "raw": "the mean of the sleeves' weights is what all the rest works on",
        "drawdown": "the stepped multiplier scales the mean signal, which is reported and never executed",
    }

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._memory = np.array([-1.0, 1.0, 0.0])  # bar, high-water mark, drawdown

    def observe(self, t: int, sleeves: Sequence[Sleeve], mark: Mark | None) -> None:
        """Track the drawdown."""
        self._memory[0] = t
        if mark is not None:
            self._memory[1] = max(self._memory[1], mark.nav)
            self._memory[2] = 1.0 - mark.nav / self._memory[1]

    def due(self, sleeves: Sequence[Sleeve]) -> bool:
        """Return that the old path solves anew at every close."""
        return True

    def decide(
        self, sleeves: Sequence[Sleeve], account: Account, *, adopt: bool, day_return: float, skip: frozenset[str]
    ) -> Target:
        """Return what the old path would execute."""
        t, drawdown = int(self._memory[0]), float(self._memory[2])
        n = len(account.shares)
        trace = np.zeros((len(self.stages), n))
        parts = np.zeros((len(sleeves), n))
        for row, sleeve in enumerate(sleeves):
            parts[row, sleeve.columns] = sleeve.tracker.weights / len(sleeves)
            trace[0] += parts[row]
        rows, leverage, vol = self._optimise(t, trace, skip)
        stepped = 1.0 if drawdown < 0.05 else (0.5 if drawdown < 0.12 else 0.0)
        telemetry = trace[0] * stepped  # what the governor scales: nobody executes it
        self._size(t, trace, skip)
        throttle = 1.0 if drawdown < 0.10 or "kill_tier" in skip else (0.5 if drawdown < 0.15 else 0.0)
        trace[4] = trace[3] * throttle
        held = account.value / account.equity
        facts = np.array([leverage, vol, throttle, drawdown, rows, np.abs(telemetry).sum()])
        target = trace[4].copy()
        trade = np.abs(target - held) > 0.0
        return Target(target, target, trade, trace.T, facts, 0.0, account.margin_call, parts)

    def _optimise(self, t: int, trace: Floats, skip: frozenset[str]) -> tuple[float, float, float]:
        """Replace magnitudes by minimum variance and scale to the first target; return (rows, leverage, volatility)."""
        if "min_variance" in skip:
            trace[1] = trace[0]
        if "first_vol_target" in skip:
            trace[2] = trace[1]
        chosen = np.flatnonzero(trace[0])
        window = self._returns(t, WINDOW)[:, chosen]
        window = window[~np.isnan(window).any(axis=1)]  # the shortest history decides for all
        if not len(chosen) or len(window) < 2:
            return float(len(window)), 0.0, 0.0
        cov = np.atleast_2d(np.cov(window, rowvar=False)) + 1e-10 * np.eye(len(chosen))
        if "min_variance" not in skip:
            trace[1, chosen] = min_variance(cov) * np.sign(trace[0, chosen])
        w = trace[1, chosen]
        vol = float(np.sqrt(w @ cov @ w * 252.0))
        leverage = float(np.clip(BOOK_VOL / vol, *LEVERAGE)) if vol > 0.0 else 0.0
        if "first_vol_target" in skip:
            leverage = 1.0
        trace[2] = trace[1] * leverage
        return float(len(window)), leverage, vol

    def _size(self, t: int, trace: Floats, skip: frozenset[str]) -> None:
        """Scale every name by its own volatility once more; an unknown one drops the trade."""
        if "second_vol_target" in skip:
            trace[3] = trace[2]
            return
        window = self._returns(t, 21)
        with np.errstate(invalid="ignore", divide="ignore"):
            realised = (
                window.std(axis=0, ddof=1) * np.sqrt(252.0) if len(window) > 1 else np.full(len(trace[2]), np.nan)
            )
            scaled = trace[2] * ORDER_VOL / realised * KELLY
        trace[3] = np.clip(np.where(np.isfinite(scaled), scaled, 0.0), -NAME_CAP, NAME_CAP)
        gross = np.abs(trace[3]).sum()
        if gross > GROSS_CAP:
            trace[3] *= GROSS_CAP / gross

    def _returns(self, t: int, n: int) -> Floats:
        """Return the last n returns (n, N) through bar t, fewer at the start: of the listings in force, NaN on top."""
        feed = self._feed
        rows = np.empty((min(n, t + 1), feed.ret.shape[1]))
        own_rows(t, feed.ret, feed.ret, feed.status, rows)
        return rows

    def save(self) -> Saved:
        """Return a copy of the memory."""
        return {"memory": self._memory.copy()}

    def check(self, saved: Saved) -> None:
        """Refuse what could not be restored; see `engine.state.check_saved`."""
        check_saved(saved, {"memory": self._memory}, "preset 'legacy'")

    def restore(self, saved: Saved) -> None:
        """Put back what `save` returned; nothing is touched if `check` refuses it."""
        put_back(saved, {"memory": self._memory}, "preset 'legacy'")
