"""Combinatorial purged cross-validation of a family: against plain Python, and where the answer is known."""

from itertools import combinations
from math import sqrt
from typing import Any

import numpy as np
import pytest

from plimsoll.engine.config.validate import ValidateSection
from plimsoll.engine.errors import InputError
from plimsoll.engine.report.metrics.table import plain
from plimsoll.engine.report.validate.figures import paths_figure
from plimsoll.engine.report.validate.tables import cpcv_table
from plimsoll.engine.research.validate.cross_validation import cpcv_block, cross_validation
from plimsoll.engine.types import Floats

WALK = {"walk": "rolling", "stitched": {"sharpe_excess": 0.4}}


def noise(n: int, columns: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(0.0002, 0.01, (n, columns))


def ratio(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return mean / sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def by_hand(rows: list[list[float]], groups: int, tested: int, purge: int, embargo: int) -> tuple[list[int], Any]:
    """Return the column chosen in each split and each path's returns, session by session.

    A position of session s is open through s + purge. It may not be trained on if it is open on a session on which
    one of a test is, nor in the `embargo` sessions after the last on which that could be.
    """
    n = len(rows)
    size, longer = divmod(n, groups)
    group_of = [g for g in range(groups) for _ in range(size + (g < longer))]
    chosen, seen = [], [0] * groups
    paths: dict[int, list[float | None]] = {}
    for test in combinations(range(groups), tested):
        trained = [
            s for s in range(n)
            if not any(group_of[t] in test and t - purge <= s <= t + purge + embargo
                       for t in range(max(0, s - purge - embargo), min(n, s + purge + 1)))
        ]  # fmt: skip
        ratios = [ratio([rows[s][j] for s in trained]) for j in range(len(rows[0]))]
        chosen.append(ratios.index(max(ratios)))
        for g in test:  # the first path that has nothing in this group yet
            path = paths.setdefault(seen[g], [None] * n)
            seen[g] += 1
            for s in range(n):
                if group_of[s] == g:
                    assert path[s] is None
                    path[s] = rows[s][chosen[-1]]
    return chosen, [paths[k] for k in sorted(paths)]


@pytest.mark.parametrize(
    ("groups", "tested", "purge", "embargo"), [(6, 2, 0, 0), (6, 2, 4, 3), (5, 3, 2, 0), (5, 1, 0, 7)]
)
def test_plain_python_chooses_the_same_and_holds_the_same(groups: int, tested: int, purge: int, embargo: int) -> None:
    table = noise(163, 5, seed=groups + purge)
    found = cross_validation(table, groups, tested, purge=purge, embargo=embargo)
    chosen, paths = by_hand(table.tolist(), groups, tested, purge, embargo)
    assert found.chosen.tolist() == chosen
    assert len(set(chosen)) > 1  # else nothing was compared
    assert found.returns.tolist() == paths
    wanted = [ratio(path) * sqrt(252.0) for path in paths]
    np.testing.assert_allclose(found.sharpe, wanted, rtol=1e-12)
    mean = sum(wanted) / len(wanted)
    assert found.mean == pytest.approx(mean, rel=1e-12)
    assert found.worst == pytest.approx(min(wanted), rel=1e-12)
    assert found.below_zero == sum(one < 0.0 for one in wanted) / len(wanted)
    if len(wanted) > 1:
        assert found.sd == pytest.approx(sqrt(sum((w - mean) ** 2 for w in wanted) / (len(wanted) - 1)), rel=1e-9)
    else:
        assert np.isnan(found.sd)  # of one path there is no spread


@pytest.mark.parametrize(("groups", "tested", "splits", "paths"), [(6, 2, 15, 5), (10, 2, 45, 9), (8, 4, 70, 35)])
def test_the_published_numbers_of_splits_and_paths(groups: int, tested: int, splits: int, paths: int) -> None:
    found = cross_validation(noise(240, 3), groups, tested)
    assert len(found.chosen) == splits == found.times.sum()
    assert found.returns.shape == (paths, 240)


def test_an_edge_that_is_chosen_everywhere_is_every_path() -> None:
    table = noise(600, 8)
    table[:, 5] += 0.02
    found = cross_validation(table, 10, 2, purge=3, embargo=5)
    assert found.times.tolist() == [0, 0, 0, 0, 0, 45, 0, 0]
    np.testing.assert_allclose(found.sharpe, ratio(table[:, 5].tolist()) * sqrt(252.0), rtol=0.0, atol=1e-12)
    assert found.sd == pytest.approx(0.0, abs=1e-12)


def test_every_path_has_every_session_once() -> None:
    """Each return carries its session's number from its seventh decimal on."""
    table = np.round(noise(250, 6, seed=2), 6) + np.arange(1, 251)[:, None] * 1e-10
    found = cross_validation(table, 10, 2, embargo=5)
    assert np.count_nonzero(found.times) > 1
    tail = np.rint((found.returns - np.round(found.returns, 6)) * 1e10).astype(int)
    assert (np.sort(tail, axis=1) == np.arange(1, 251)).all()
    assert (tail == np.arange(1, 251)).all()


def test_an_edge_of_what_is_purged_is_not_seen() -> None:
    """All of a column's gain is on sessions around one test: the split that tests there does not train on it."""
    table = noise(300, 2, seed=4)
    table[:, 0] -= table[:, 0].mean() - 0.001
    table[:, 1] -= table[:, 1].mean()
    table[95:165, 1] += 0.5  # the groups are of 50; tested are 100 to 149, purged 5 before, 10 after, embargo 5
    assert cross_validation(table, 6, 1, purge=5, embargo=10).chosen.tolist() == [1, 1, 0, 1, 1, 1]
    assert cross_validation(table, 6, 1).chosen.tolist() == [1] * 6


def test_a_setting_that_stands_still_is_not_chosen_and_equal_ones_are_the_first() -> None:
    table = np.column_stack([np.full(240, 0.01), -np.abs(noise(240, 1)), np.zeros(240)])
    table = np.column_stack([table, table[:, 1]])
    found = cross_validation(table, 6, 2)
    assert found.times.tolist() == [0, 15, 0, 0]
    assert found.below_zero == 1.0


def block_of(family: Floats, **keys: Any) -> dict[str, Any]:
    bill = np.full(len(family), 0.0001)
    labels = [f"s{k}" for k in range(family.shape[1])]
    return dict(plain(cpcv_block(family, bill, labels, ValidateSection(**keys))))


def test_a_setting_that_lacks_a_session_is_left_out_of_the_family() -> None:
    family = noise(400, 4)
    family[:, 1] += 1.0
    family[7, 1] = np.nan
    found = block_of(family)
    assert found["columns"] == 3
    assert "s1" not in {one["setting"] for one in found["chosen"]}
    without = block_of(np.delete(family, 1, axis=1))
    assert found["sharpe"] == without["sharpe"]
    names = {"s0": "s0", "s1": "s2", "s2": "s3"}  # of those that are left, in the family that lacks one
    assert found["chosen"] == [{**one, "setting": names[one["setting"]]} for one in without["chosen"]]


def test_the_bill_is_taken_off_and_the_same_matrix_gives_the_same_bytes() -> None:
    family = noise(400, 4)
    family[:, 2] += 0.02
    found = block_of(family)
    assert found["chosen"] == [{"setting": "s2", "splits": 45}]
    assert found["mean"] == pytest.approx(ratio([value - 0.0001 for value in family[:, 2].tolist()]) * sqrt(252.0))
    assert found == block_of(family.copy())
    one, two = (cross_validation(np.asfortranarray(noise(400, 6)), 10, 2, embargo=5) for _ in range(2))
    assert one.returns.tobytes() == two.returns.tobytes()
    assert one.sharpe.tobytes() == two.sharpe.tobytes()


@pytest.mark.parametrize(
    ("family", "keys", "why"),
    [
        (noise(400, 1), {}, "names nothing to choose from"),
        (noise(205, 3), {}, "205 sessions in 10 groups leave 20 to a group, at least 21 are needed"),
        (noise(100, 3), {"cpcv_groups": 4, "purge_sessions": 40}, "nothing is left to train on"),
        (noise(100, 3), {"cpcv_groups": 4, "purge_sessions": 15}, "of a training, at least 21 are needed"),
        (np.zeros((400, 3)), {}, "no path moves"),
    ],
)
def test_what_cannot_be_measured_says_why_and_is_on_the_page(family: Floats, keys: dict[str, Any], why: str) -> None:
    found = block_of(family, **keys)
    assert why in found["why"]
    assert found["mean"] is None
    assert paths_figure(found, WALK).empty == found["why"]
    assert cpcv_table(found).note == found["why"]


def test_the_page_draws_the_paths_in_order_beside_the_walk() -> None:
    found = block_of(noise(400, 8))
    drawn = paths_figure(found, WALK)
    paths, walk = drawn.data
    assert paths["y"] == sorted(float(f"{one:.6g}") for one in found["sharpe"])
    assert len(paths["y"]) == 9
    assert (walk["x"], walk["y"]) == (["rolling walk"], [0.4])
    assert "on the other 2, in all 45 ways; that makes 9 paths" in found["said"]
    assert sum(one["splits"] for one in found["chosen"]) == 45


@pytest.mark.parametrize(
    ("groups", "tested", "line"),
    [(4, 4, "leave nothing to train on"), (20, 10, "are 184,756 splits, at most 1,000"), (1, 1, "greater than or")],
)
def test_keys_that_make_no_splits_are_refused(groups: int, tested: int, line: str) -> None:
    with pytest.raises(ValueError, match=line):
        ValidateSection(cpcv_groups=groups, cpcv_test_groups=tested)


def test_a_gap_in_the_matrix_is_refused() -> None:
    table = noise(240, 3)
    table[5, 1] = np.nan
    with pytest.raises(InputError, match="do not cover the same sessions"):
        cross_validation(table, 6, 2)
