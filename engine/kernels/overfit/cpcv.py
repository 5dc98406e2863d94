"""Combinatorial purged cross-validation: many paths through the past for what is fitted, none of them seen in fitting.

The sessions are cut into groups; every choice of some of them is a test, the rest the training. A group is tested in
many splits, and one of its tests from each makes up a path over all sessions. Of use where something is learned; for
a family of configurations `cscv` is enough.

Source: Lopez de Prado (2018), Advances in financial machine learning, chapters 7.4 and 12.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Final

import numpy as np

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import check
from plimsoll.engine.types import Bools, Floats, Ints

WHERE: Final = "combinatorial purged cross-validation"
MOST_SPLITS: Final = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """One split: `groups` are tested; train and test hold the numbers of their sessions, ascending."""

    groups: tuple[int, ...]
    train: Ints
    test: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Cpcv:
    """All splits of n sessions into N groups, k of them tested, in lexicographic order of the tested groups.

    edges (N + 1,) where the groups begin; paths (k C(N, k) / N, N) the split that each path takes each group from.
    """

    edges: Ints
    splits: tuple[Split, ...]
    paths: Ints

    def along(self, tested: Sequence[Floats]) -> Floats:
        """Return (paths, n) what each path holds of each session, from what each split holds of its test sessions.

        Raises
        ------
        InputError
            Not one series to a split, or one that does not fit its test sessions.
        """
        if [len(values) for values in tested] != [len(split.test) for split in self.splits]:
            raise InputError("the series do not fit the splits", where=WHERE, fix="pass one value per test session")
        whole = np.full((len(self.splits), int(self.edges[-1])), np.nan)
        for row, split, values in zip(whole, self.splits, tested, strict=True):
            row[split.test] = values
        out = np.empty((len(self.paths), whole.shape[1]))
        for g in range(len(self.edges) - 1):
            span = slice(int(self.edges[g]), int(self.edges[g + 1]))
            out[:, span] = whole[self.paths[:, g], span]
        return out


def cpcv(n_sessions: int, groups: int, tested: int, *, horizon: int = 0, embargo: int = 0) -> Cpcv:
    """Return the splits of so many sessions and how their tests join to paths.

    groups : contiguous, as even as they come, the first ones longer by one where they are not. tested : of them.
    horizon : sessions for which a position taken on a session is held, so that its outcome spans that session and these
    after it. Purged from the training is every session whose outcome shares one with the outcome of a tested one:
    `horizon` before and after each stretch of tested groups. embargo : sessions after that left out as well, since what
    follows a test is correlated with it (Lopez de Prado takes 1% of all).

    Raises
    ------
    InputError
        A number out of range, too many splits, or a split left without training.
    """
    k = check.whole(tested, "tested groups", 1, WHERE)
    n_groups = check.whole(groups, "groups", k + 1, WHERE)
    n = check.whole(n_sessions, "sessions", n_groups, WHERE)
    before = check.whole(horizon, "horizon", 0, WHERE)
    after = before + check.whole(embargo, "embargo", 0, WHERE)
    n_splits = comb(n_groups, k)
    if n_splits > MOST_SPLITS:
        raise InputError(f"{n_splits:,} splits", where=WHERE, fix=f"at most {MOST_SPLITS:,}: fewer groups")
    size, longer = divmod(n, n_groups)
    edges = np.concatenate([[0], np.cumsum([size + (g < longer) for g in range(n_groups)])]).astype(np.int64)
    splits = tuple(_split(edges, chosen, before, after) for chosen in combinations(range(n_groups), k))
    return Cpcv(edges, splits, _paths(splits, n_groups))


def _split(edges: Ints, chosen: tuple[int, ...], before: int, after: int) -> Split:
    n = int(edges[-1])
    test: Bools = np.zeros(n, dtype=np.bool_)
    barred: Bools = np.zeros(n, dtype=np.bool_)
    for g in chosen:
        first, last = int(edges[g]), int(edges[g + 1])
        test[first:last] = True
        barred[max(0, first - before) : last + after] = True
    train = np.flatnonzero(~barred).astype(np.int64)
    if len(train) == 0:
        raise InputError(
            f"nothing is left to train on where groups {', '.join(map(str, chosen))} are tested",
            where=WHERE,
            cause="horizon and embargo reach across the groups between",
            fix="fewer tested groups, or a shorter horizon",
        )
    return Split(chosen, train, np.flatnonzero(test).astype(np.int64))


def _paths(splits: Sequence[Split], n_groups: int) -> Ints:
    """Return (paths, N): path p takes each group from the p-th split that tests it."""
    return np.array([[s for s, split in enumerate(splits) if g in split.groups] for g in range(n_groups)]).T.copy()
