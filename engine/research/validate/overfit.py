"""Whether the best of a family is skill or luck: every statistic of overfitting for one matrix of returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels.overfit.cscv import BLOCKS, Cscv, cscv, matrix_of
from plimsoll.engine.kernels.overfit.effective import EffectiveTrials, effective_trials
from plimsoll.engine.kernels.overfit.null import MATRICES, Null, null_pbo
from plimsoll.engine.kernels.overfit.sharpe import (
    lucky_ratio,
    min_backtest_years,
    min_track_record,
)
from plimsoll.engine.kernels.overfit.split_sums import SAME
from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.labels import share_text
from plimsoll.engine.report.metrics.luck import PER_YEAR, Luck, Moments, Tries, luck_of, luck_text, moments, tries_of
from plimsoll.engine.report.metrics.table import plain
from plimsoll.engine.types import Floats

WHERE = "overfitting"
# The seed's limits: a family above the first is not to be chosen from, the second is what to aim at.
PBO_LIMIT = 0.5
PBO_TARGET = 0.2
# A mean correlation beyond which choosing among the settings changes little; ours.
ALIKE = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Needed:
    """How much data the best needs, after all tries and after the independent ones that they are worth.

    record : sessions until PSR against 0 is 95%, infinity where the ratio is not above 0; record_after_all : against
    what luck would show, the same level, NaN where there is nothing to deflate by. years : MinBTL of the tries counted
    for an annual ratio of 1; years_effective : of those they are worth.
    """

    record: float
    record_after_all: float
    years: float
    years_effective: float


@dataclass(frozen=True, slots=True, eq=False)
class Overfit:
    """What is left of the best of N settings over T sessions.

    labels (N,) and sharpe_ann (N,) of the settings, annualised; best : the position of the best, record : its moments
    per session. tries : what was tried, in all or here; effective : what the settings here are worth. lucky_ann and
    lucky_effective_ann : the annualised ratios that the best of the tries would show by luck, NaN where there is
    nothing to deflate by. splits : every split of the matrix; null : the probability of overfitting of noise of the
    same shape.
    """

    labels: tuple[str, ...]
    sessions: int
    sharpe_ann: Floats
    best: int
    record: Moments
    tries: Tries
    effective: EffectiveTrials
    luck: Luck
    lucky_ann: float
    lucky_effective_ann: float
    needed: Needed
    splits: Cscv
    null: Null

    @property
    def pbo(self) -> float:
        """The probability of overfitting."""
        return self.splits.pbo

    def figures(self) -> dict[str, Any]:
        """Return the figures as plain values, what is not defined or not finite as None; splits are left out."""
        found: dict[str, Any] = plain(
            {
                "settings": len(self.labels),
                "sessions": self.sessions,
                "best": self.labels[self.best],
                "best_sharpe_ann": float(self.sharpe_ann[self.best]),
                "median_sharpe_ann": float(np.median(self.sharpe_ann)),
                "skew": self.record.g3,
                "kurtosis": self.record.g4,
                "tries": self.tries.counted,
                "effective_tries": self.tries.effective,
                "clusters": self.effective.clusters,
                "silhouette": self.effective.silhouette,
                "mean_correlation": self.effective.mean_correlation,
                "effective_by_correlation": self.effective.by_correlation,
                "sharpe_variance_ann": self.tries.variance * m.SESSIONS_PER_YEAR,
                "lucky_sharpe_ann": self.lucky_ann,
                "lucky_sharpe_effective_ann": self.lucky_effective_ann,
                **self.luck.figures(),
                "min_track_record_sessions": self.needed.record,
                "min_track_record_after_all_sessions": self.needed.record_after_all,
                "min_backtest_years": self.needed.years,
                "min_backtest_years_effective": self.needed.years_effective,
                "years": self.sessions / m.SESSIONS_PER_YEAR,
                "pbo": self.pbo,
                "pbo_splits": len(self.splits.logit),
                "pbo_blocks": self.splits.blocks,
                "pbo_rows_dropped": self.splits.dropped,
                "out_of_sample_loss": self.splits.loss,
                "slope": self.splits.slope,
                "intercept_ann": self.splits.intercept * PER_YEAR,
                "null_matrices": len(self.null.pbo),
                "null_mean": self.null.mean,
                "null_sd": self.null.sd,
                "null_share_at_or_below": self.null.share_at_or_below(self.pbo),
                "null_sds_below": self.null.sds_below(self.pbo),
            }
        )
        return found

    def sentences(self) -> list[str]:
        """Return what the figures say, for a reader who knows markets rather than statistics."""
        name = self.labels[self.best]
        luck = luck_text(f"the true Sharpe of {name}, the best,", self.luck, self.tries, "tries")
        return [luck, *self._length(), self._splits(), self._noise(), *self._alike()]

    def _length(self) -> list[str]:
        lines = []
        if np.isfinite(self.needed.record):
            years = self.needed.record / m.SESSIONS_PER_YEAR
            lines.append(
                f"A record of this kind needs {years:z.1f} years before its Sharpe is above zero with 95% confidence; "
                f"this one has {self.sessions / m.SESSIONS_PER_YEAR:z.1f}."
            )
        lines.append(
            f"Of {self.tries.counted:,} tries without any skill the best would show a Sharpe of 1 over "
            f"{self.needed.years:z.1f} years."
        )
        return lines

    def _splits(self) -> str:
        return (
            f"Probability of overfitting: in {share_text(self.pbo)} of {len(self.splits.logit):,} ways to deal the "
            f"past into two halves, the best of one was at or below the middle of all settings in the other; in "
            f"{share_text(self.splits.loss)} it lost money there. Above {PBO_LIMIT:z.0%} choosing does harm, below "
            f"{PBO_TARGET:z.0%} is the aim."
        )

    def _alike(self) -> list[str]:
        if not self.effective.mean_correlation > ALIKE:
            return []
        rho = self.effective.mean_correlation
        bet = "they are one bet, and no figure here says whether that bet was chosen after the fact"
        return [f"The settings move together, {rho:z.3f} on average: {bet}."]

    def _noise(self) -> str:
        return (
            f"Pure noise of this shape gives {share_text(self.null.mean)} on average, give or take "
            f"{share_text(self.null.sd)}; {share_text(self.null.share_at_or_below(self.pbo))} of {len(self.null.pbo)} "
            f"such matrices look no more overfitted than this."
        )


def overfit(
    returns: ArrayLike,
    labels: Sequence[str],
    *,
    seed: int,
    tries: Tries | None = None,
    blocks: int = BLOCKS,
    noise: int = MATRICES,
) -> Overfit:
    """Return every statistic of overfitting of a family of settings.

    Parameters
    ----------
    returns : array (T, N)
        Session returns, net of costs and of the bill rate, a column per setting, no gaps.
    labels : sequence of N texts
        What the settings are called; each its own.
    seed : int
        Of the noise; the same gives the same bytes.
    tries : Tries, optional
        What was tried of the family in all, where the ledger knows of more than is in the matrix (`tries_in`); its
        count is never taken to be less than N. By default the N settings are what was tried.
    blocks : int
        Into which the past is cut, even; the T mod blocks oldest sessions take no part in the splits.
    noise : int
        Matrices of noise of the same shape.

    Raises
    ------
    InputError
        The matrix has gaps, fewer than two columns or too few rows, no setting moves, or the labels do not fit.
    """
    table = matrix_of(returns, WHERE)
    sessions, n = int(table.shape[0]), int(table.shape[1])
    if len(labels) != n or len(set(labels)) != n:
        raise InputError(f"{len(set(labels))} different labels for {n} columns", where=WHERE, fix="name each column")
    records = [moments(np.ascontiguousarray(table[:, j])) for j in range(n)]
    ratios = np.array([record.ratio for record in records])
    if not np.isfinite(ratios).any():
        raise InputError("no setting moves", where=WHERE, cause="nothing was traded", fix="look at the settings' runs")
    effective = effective_trials(table)
    here = tries_of(ratios, np.full(n, sessions, dtype=np.int64), effective)
    counted = here if tries is None or tries.counted <= n else tries
    best = int(np.argmax(ratios >= np.nanmax(ratios) - SAME))  # the first of equals, as in the splits
    return Overfit(
        labels=tuple(labels),
        sessions=sessions,
        sharpe_ann=ratios * PER_YEAR,
        best=best,
        record=records[best],
        tries=counted,
        effective=effective,
        luck=luck_of(records[best], counted),
        lucky_ann=_lucky(counted, float(counted.counted)),
        lucky_effective_ann=_lucky(counted, counted.effective),
        needed=_needed(records[best], counted),
        splits=cscv(table, blocks),
        null=null_pbo(sessions, n, blocks, seed, noise),
    )


def _lucky(tries: Tries, number: float) -> float:
    if not tries.deflates or not np.isfinite(number):
        return m.NAN
    return lucky_ratio(tries.variance, number) * PER_YEAR


def _needed(best: Moments, tries: Tries) -> Needed:
    lucky = lucky_ratio(tries.variance, tries.counted) if tries.deflates else m.NAN
    effective = min_backtest_years(tries.effective) if np.isfinite(tries.effective) else m.NAN
    return Needed(
        record=min_track_record(best.ratio, best.g3, best.g4),
        record_after_all=min_track_record(best.ratio, best.g3, best.g4, lucky),
        years=min_backtest_years(tries.counted),
        years_effective=effective,
    )
