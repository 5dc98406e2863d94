"""How the choice of a setting holds up on every part of the past: combinatorial purged cross-validation.

A walk forward is one path. Here the sessions are cut into groups, every choice of some of them is a test, and the best
setting of what is left after purge and embargo is held there; the tests join to several paths through all sessions. A
choice is made on sessions after its test too: nobody could have had such a path, it says how far the walk's result
hangs on which sessions came first. Switches between settings cost nothing here; those of the walk do.

Source: Lopez de Prado (2018), Advances in financial machine learning, chapter 12.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.config.validate import ValidateSection
from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels.overfit.cpcv import Cpcv, cpcv
from plimsoll.engine.kernels.overfit.cscv import matrix_of
from plimsoll.engine.kernels.overfit.split_sums import CANCELLED, SAME, ZERO_VOL
from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.labels import share_text, shown
from plimsoll.engine.types import Bools, Floats, Ints

WHERE: Final = "combinatorial purged cross-validation"
FEWEST: Final = 21  # sessions of a group and of a training: no annual figure is made of fewer


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidation:
    """What choosing the best setting comes to on all paths.

    chosen (splits,) column chosen in each split, in lexicographic order of the tested groups. times (M,) in how many
    splits each was. returns (paths, T) net of the bill rate; sharpe (paths,) of them, a year, NaN where a path does not
    move: left out of mean, spread, worst and share.
    """

    chosen: Ints
    times: Ints
    returns: Floats
    sharpe: Floats

    @property
    def known(self) -> Floats:
        """The ratios of the paths that have one."""
        found: Floats = self.sharpe[np.isfinite(self.sharpe)]
        return found

    @property
    def mean(self) -> float:
        """Their mean; NaN if there is none."""
        return float(np.mean(self.known)) if len(self.known) else m.NAN

    @property
    def sd(self) -> float:
        """Their sample standard deviation; NaN below two. Paths share sessions, so it is no standard error."""
        return float(np.std(self.known, ddof=1)) if len(self.known) > 1 else m.NAN

    @property
    def worst(self) -> float:
        """The least of them; NaN if there is none."""
        return float(np.min(self.known)) if len(self.known) else m.NAN

    @property
    def below_zero(self) -> float:
        """The share of them below 0; NaN if there is none."""
        return float(np.mean(self.known < 0.0)) if len(self.known) else m.NAN


def cross_validation(
    excess: ArrayLike, groups: int, tested: int, *, purge: int = 0, embargo: int = 0
) -> CrossValidation:
    """Return how the best setting of each training does on its tests, along all paths.

    Parameters
    ----------
    excess : array (T, M)
        Session returns, net of costs and of the bill rate, a column per setting, no gaps.
    groups, tested : int
        Into how many groups the sessions are cut, and how many of them each split tests.
    purge : int
        Sessions left out of the training before and after each test: as long as a decision's outcome is open.
    embargo : int
        Sessions left out after that.

    Raises
    ------
    InputError
        The matrix has gaps or fewer than two columns, or a group or a training has too few sessions.
    """
    table = matrix_of(excess, WHERE)
    n = len(table)
    if groups > 0 and n // groups < FEWEST:
        raise InputError(
            f"{n:,} sessions in {groups} groups leave {n // groups} to a group, at least {FEWEST} are needed",
            where=WHERE,
            fix="start earlier, or fewer cpcv_groups",
        )
    splits = cpcv(n, groups, tested, horizon=purge, embargo=embargo)
    least = min(len(split.train) for split in splits.splits)
    if least < FEWEST:
        raise InputError(
            f"purge and embargo leave {least} sessions of a training, at least {FEWEST} are needed",
            where=WHERE,
            fix="fewer cpcv_test_groups, or a shorter purge_sessions",
        )
    chosen = _chosen(table, splits, _cuts(splits.edges, purge, purge + embargo))
    held = [table[split.test, at] for split, at in zip(splits.splits, chosen.tolist(), strict=True)]
    returns = splits.along(held)
    sharpe = np.array([m.sharpe(path) for path in returns])
    return CrossValidation(chosen, np.bincount(chosen, minlength=table.shape[1]), returns, sharpe)


def _cuts(edges: Ints, before: int, after: int) -> Ints:
    """Return where stretches begin that are in a training whole or not at all, the first at 0."""
    n = int(edges[-1])
    ends = np.concatenate([edges, edges - before, edges + after])
    return np.unique(ends[(ends >= 0) & (ends < n)])


def _chosen(table: Floats, splits: Cpcv, cuts: Ints) -> Ints:
    """Return (splits,) the column of the best Sharpe ratio on each training, the first of equals.

    A column that does not move there has no ratio and is not chosen; where none moves it is the first, as in the walk.
    The sums are added up stretch by stretch, of deviations from each column's mean so that no digits are lost.
    """
    centre = table.mean(axis=0)
    gap = table - centre
    first, second = np.add.reduceat(gap, cuts, axis=0), np.add.reduceat(gap * gap, cuts, axis=0)
    chosen = np.zeros(len(splits.splits), dtype=np.int64)
    for s, split in enumerate(splits.splits):
        inside = np.isin(cuts, split.train)
        total, squares, n = first[inside].sum(axis=0), second[inside].sum(axis=0), len(split.train)
        left = np.maximum(squares - total * total / n, 0.0)
        sd = np.sqrt(left / (n - 1))
        moves: Bools = np.asarray((sd > ZERO_VOL) & (left > CANCELLED * squares))
        ratios = np.full(table.shape[1], -np.inf)
        ratios[moves] = (centre + total / n)[moves] / sd[moves]
        chosen[s] = int(np.argmax(ratios >= ratios.max() - SAME))
    return chosen


def cpcv_block(family: Floats, bill: Floats, labels: Sequence[str], section: ValidateSection) -> dict[str, Any]:
    """Return the paths of a family in plain values.

    family (n, M) net returns, NaN where a setting has none: one that lacks a session is left out; labels : of the M.
    `why` : there are no paths, "" = there are; `chosen` : the settings that were, the most often first.
    """
    whole: Bools = np.asarray(np.isfinite(family).all(axis=0))
    asked = {"groups": section.cpcv_groups, "test_groups": section.cpcv_test_groups,
             "purge": section.purge_sessions, "embargo": section.embargo_sessions,
             "columns": int(whole.sum())}  # fmt: skip
    nothing = {**asked, "splits": 0, "sharpe": [], "mean": m.NAN, "sd": m.NAN, "worst": m.NAN, "below_zero": m.NAN,
               "chosen": [], "said": ""}  # fmt: skip
    if whole.sum() < 2:
        return {**nothing, "why": "a family of fewer than two settings: [validate.grid] names nothing to choose from"}
    excess = np.ascontiguousarray(family[:, whole] - bill[:, None])
    try:
        found = cross_validation(
            excess,
            section.cpcv_groups,
            section.cpcv_test_groups,
            purge=section.purge_sessions,
            embargo=section.embargo_sessions,
        )
    except InputError as error:
        return {**nothing, "why": str(error)}
    if not len(found.known):
        return {**nothing, "why": "no path moves: nothing was traded"}
    names = [label for label, own in zip(labels, whole.tolist(), strict=True) if own]
    often = sorted(zip(names, found.times.tolist(), strict=True), key=lambda one: -one[1])
    chosen = [{"setting": name, "splits": times} for name, times in often if times]
    return {
        **asked,
        "splits": len(found.chosen),
        "sharpe": found.sharpe.tolist(),
        "mean": found.mean,
        "sd": found.sd,
        "worst": found.worst,
        "below_zero": found.below_zero,
        "chosen": chosen,
        "said": _said(found, section, chosen),
        "why": "",
    }


def _said(found: CrossValidation, section: ValidateSection, chosen: Sequence[dict[str, Any]]) -> str:
    paths, splits, most = len(found.sharpe), len(found.chosen), chosen[0]
    groups, tested = section.cpcv_groups, section.cpcv_test_groups
    spread = "" if np.isnan(found.sd) else f" with a spread of {shown(found.sd, 'ratio')}"
    return (
        f"Combinatorial purged cross-validation: the setting that is best on {groups - tested} of {groups} parts of "
        f"the history is held on the other {tested}, in all {splits:,} ways; that makes {paths:,} "
        f"{'path' if paths == 1 else 'paths'} through all sessions, with a Sharpe ratio over bills of "
        f"{shown(found.mean, 'ratio')} on average{spread}, {shown(found.worst, 'ratio')} at worst and "
        f"{share_text(found.below_zero)} of them below zero. Of {len(found.times)} settings {len(chosen)} "
        f"{'was' if len(chosen) == 1 else 'were'} chosen, most often ({most['splits']:,} of {splits:,}) "
        f"{most['setting']}."
    )
