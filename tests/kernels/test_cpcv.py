"""Combinatorial purged cross-validation: published counts, a brute-force oracle of the purge, paths put together."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels.overfit.cpcv import cpcv


@pytest.mark.parametrize(("groups", "tested", "splits", "paths"), [(6, 2, 15, 5), (10, 2, 45, 9), (8, 4, 70, 35)])
def test_there_are_as_many_splits_and_paths_as_the_book_counts(
    groups: int, tested: int, splits: int, paths: int
) -> None:
    found = cpcv(120, groups, tested)
    assert (len(found.splits), found.paths.shape) == (splits, (paths, groups))


def trained(n: int, test: set[int], horizon: int, embargo: int) -> list[int]:
    """Return the sessions that may be trained on, by comparing each outcome with each tested one."""

    def spans(t: int) -> set[int]:
        return set(range(t, t + horizon + 1))

    def free(t: int) -> bool:
        late = (u + horizon < t <= u + horizon + embargo for u in test)
        return not any(spans(t) & spans(u) for u in test) and not any(late)

    return [t for t in range(n) if free(t)]


@given(st.integers(2, 6), st.integers(0, 3), st.integers(0, 3), st.data())
def test_purge_and_embargo_leave_what_brute_force_leaves(
    groups: int, horizon: int, embargo: int, data: st.DataObject
) -> None:
    tested = data.draw(st.integers(1, groups - 1))
    n = data.draw(st.integers(groups, 40))
    edges = [round(part[0]) for part in np.array_split(np.arange(n), groups)] + [n]
    wanted = []
    for split in cpcv(n, groups, tested).splits:
        test = {t for g in split.groups for t in range(edges[g], edges[g + 1])}
        wanted.append((sorted(test), trained(n, test, horizon, embargo)))
    if any(not train for _, train in wanted):
        with pytest.raises(InputError, match="nothing is left to train on"):
            cpcv(n, groups, tested, horizon=horizon, embargo=embargo)
        return
    found = cpcv(n, groups, tested, horizon=horizon, embargo=embargo)
    assert [(s.test.tolist(), s.train.tolist()) for s in found.splits] == wanted
    assert found.edges.tolist() == edges


@given(st.integers(2, 7), st.data())
def test_each_path_covers_every_session_once_and_each_test_is_on_one_path(groups: int, data: st.DataObject) -> None:
    tested = data.draw(st.integers(1, groups - 1))
    n = data.draw(st.integers(groups, 30))
    found = cpcv(n, groups, tested)
    assert len(found.paths) == tested * comb(groups, tested) // groups
    told = found.along([1000.0 * s + split.test for s, split in enumerate(found.splits)])
    assert (told % 1000 == np.arange(n)).all()  # whatever the split, a session holds what was said of it
    used = {(int(value) // 1000, int(value) % 1000) for value in told.ravel()}
    assert len(used) == told.size == sum(len(split.test) for split in found.splits)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((100, 4, 4, 0, 0), "groups = 4; a whole number >= 5"),
        ((100, 4, 0, 0, 0), "tested groups = 0"),
        ((3, 4, 2, 0, 0), "sessions = 3; a whole number >= 4"),
        ((100, 4, 2, -1, 0), "horizon = -1"),
        ((100, 4, 2, 0, 1.5), "embargo = 1.5"),
        ((1000, 40, 20, 0, 0), "137,846,528,820 splits; at most 100,000"),
        ((100, 4, 2, 60, 0), "nothing is left to train on where groups 0, 1 are tested"),
    ],
)
def test_what_cannot_be_split_is_refused_in_one_line(arguments: tuple[int, int, int, int, int], says: str) -> None:
    n, groups, tested, horizon, embargo = arguments
    with pytest.raises(InputError) as caught:
        cpcv(n, groups, tested, horizon=horizon, embargo=embargo)
    assert str(caught.value).startswith("combinatorial purged cross-validation: ")
    assert says in str(caught.value)


def test_series_that_do_not_fit_the_splits_are_refused() -> None:
    found = cpcv(20, 4, 2)
    with pytest.raises(InputError, match="do not fit the splits"):
        found.along([np.zeros(3)] * 6)
