"""What the page says of a grid: positions of values, neighbours, plateaus, shares of variance."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sweep_maker import DIMENSIONS, sweep_table, with_failures

from plimsoll.engine.report.sweep.effect import effects, explained
from plimsoll.engine.report.sweep.levels import MAX_STEPS, grid_keys, short_names
from plimsoll.engine.report.sweep.plateau import best_plateau, neighbours, plateau, plateaus
from plimsoll.engine.report.sweep.table import Sweep, read_sweep

KEYS = list(DIMENSIONS)


def sweep_of(table: pd.DataFrame, keys: list[str], metric: str = "sharpe") -> Sweep:
    return read_sweep("demo", table, keys, metric)


def is_neighbour(a: tuple[Any, ...], b: tuple[Any, ...], levels: list[list[Any]]) -> bool:
    """Say from the values themselves whether two settings are one step in one key apart."""
    apart = [k for k in range(len(a)) if a[k] != b[k]]
    if len(apart) != 1:
        return False
    k = apart[0]
    if isinstance(a[k], (bool, str)):
        return True
    return not any(min(a[k], b[k]) < other < max(a[k], b[k]) for other in levels[k])


@given(
    st.lists(st.integers(-5, 50), min_size=1, max_size=5, unique=True),
    st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=4, unique=True),
    st.lists(st.text(max_size=3), min_size=1, max_size=4, unique=True),
    st.randoms(use_true_random=False),
)
def test_neighbours_are_those_found_by_comparing_every_pair(
    whole: list[int], real: list[float], words: list[str], random: Any
) -> None:
    rows = list(itertools.product(whole, real, words, [True, False]))
    rows = random.sample(rows, random.randint(1, len(rows)))
    keys = ["whole", "real", "word", "switch"]
    table = pd.DataFrame(rows, columns=keys).assign(setting=range(len(rows)), sharpe=1.0, status="ok", reason="")
    sweep = sweep_of(table, keys)
    levels = [sorted({row[k] for row in rows}, key=str) for k in range(4)]
    for k, row in enumerate(rows[:12]):
        expected = [j for j, other in enumerate(rows) if is_neighbour(row, other, levels)]
        assert neighbours(sweep, k).tolist() == expected


def test_a_lonely_peak_is_told_from_a_plateau() -> None:
    table = pd.DataFrame({"x": range(9), "setting": range(9), "status": "ok", "reason": ""})
    table["sharpe"] = [0.0, 3.0, 0.1, 0.2, 0.9, 1.0, 0.95, 0.3, 0.2]
    sweep = sweep_of(table, ["x"])
    peak = plateau(sweep, 1)
    assert (peak.own, peak.median, peak.worst, peak.known) == (3.0, pytest.approx(0.05), 0.0, 2)
    firm = best_plateau(sweep, plateaus(sweep))
    assert firm is not None
    assert (firm.row, firm.level) == (5, pytest.approx(0.95))


def test_the_worst_neighbour_is_the_highest_where_lower_is_better() -> None:
    table = pd.DataFrame({"x": range(3), "setting": range(3), "status": "ok", "reason": ""})
    table["vol_ann"] = [0.3, 0.1, 0.2]
    assert plateau(sweep_of(table, ["x"], "vol_ann"), 1).worst == 0.3


def test_failed_neighbours_are_counted_and_left_out_of_the_values() -> None:
    table = pd.DataFrame({"x": range(3), "setting": range(3), "status": "ok", "reason": "", "sharpe": [0.3, 1.0, 0.2]})
    table.loc[2, ["status", "sharpe"]] = ["failed", 9.0]  # a figure beside a failure is not to be believed
    found = plateau(sweep_of(table, ["x"]), 1)
    assert (found.median, found.worst, found.known, found.failed) == (0.3, 0.3, 1, 1)


def test_without_neighbours_there_is_no_plateau() -> None:
    table = pd.DataFrame({"x": [1, 2, 3], "y": [1, 2, 3], "setting": range(3), "sharpe": [1.0, 2.0, 3.0]})
    sweep = sweep_of(table.assign(status="ok", reason=""), ["x", "y"])
    assert best_plateau(sweep, plateaus(sweep)) is None
    assert np.isnan(plateau(sweep, 2).median)


def test_ranks_are_those_of_a_stable_sort() -> None:
    table = with_failures(sweep_table(), [5, 6])
    table["sharpe"] = table["sharpe"].round(1)
    sweep = sweep_of(table, KEYS)
    expected = table.dropna(subset="sharpe").sort_values(["sharpe", "setting"], ascending=[False, True])
    assert sweep.rank.tolist() == expected.index.tolist()


def test_the_share_of_variance_is_one_for_a_cause_and_about_none_for_chance() -> None:
    rng = np.random.default_rng(8)
    cause, chance = np.repeat(np.arange(5), 40), rng.integers(0, 5, 200)
    table = pd.DataFrame({"setting": range(200), "cause": cause, "chance": chance, "status": "ok", "reason": ""})
    table["sharpe"] = cause * 1.0
    found = effects(sweep_of(table, ["chance", "cause"]))
    assert [effect.key.key for effect in found] == ["cause", "chance"]
    assert found[0].share == pytest.approx(1.0)
    assert found[1].share < 0.05


def test_the_share_of_variance_is_kelleys() -> None:
    groups = [np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0]), np.array([5.0])]
    # grand mean 17/6; total 1+4+9+4+16+25 - 17^2/6 = 65/6; within 2 + 2 + 0 = 4, over 3 degrees of freedom
    assert explained(groups) == pytest.approx(1.0 - (4.0 / 3.0) / (65.0 / 6.0 / 5.0))


@pytest.mark.parametrize("groups", [[], [[1.0, 2.0]], [[1.0], [2.0]], [[1.0, 1.0], [1.0]]])
def test_the_share_of_variance_is_unknown_where_nothing_can_be_told(groups: list[list[float]]) -> None:
    assert np.isnan(explained([np.array(group) for group in groups]))


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (["sleeve.a.params.k", "execution.band"], ["k", "band"]),
        (["sleeve.a.params.k", "sleeve.b.params.k"], ["a.params.k", "b.params.k"]),
        (["k", "a.k"], ["k", "a.k"]),
        (["run.seed"], ["seed"]),
    ],
)
def test_a_key_is_called_by_its_shortest_end_of_its_own(keys: list[str], names: list[str]) -> None:
    assert short_names(keys) == names


def test_many_numbers_are_shown_in_groups_of_neighbours() -> None:
    values = np.random.default_rng(4).permutation(500) / 10.0
    (key,) = grid_keys(pd.DataFrame({"x": values}), ["x"])
    assert key.grouped
    assert len(key.step_labels) <= MAX_STEPS
    for step in range(len(key.step_labels)):
        inside = values[key.steps == step]
        assert key.step_labels[step] == f"{inside.min():.3g} to {inside.max():.3g}"
    order = np.argsort(values)
    assert (np.diff(key.steps[order]) >= 0).all()


def test_many_texts_keep_the_first_and_group_the_rest() -> None:
    (key,) = grid_keys(pd.DataFrame({"x": [f"t{k}" for k in range(100)]}), ["x"])
    assert key.step_labels[:2] == ("t0", "t1")
    assert key.step_labels[-1] == f"{100 - MAX_STEPS + 1} others"
    assert np.bincount(key.steps).tolist() == [1] * (MAX_STEPS - 1) + [100 - MAX_STEPS + 1]


def test_a_missing_value_is_a_step_of_its_own_at_the_end() -> None:
    (key,) = grid_keys(pd.DataFrame({"x": [2.0, np.nan, 1.0]}), ["x"])
    assert key.labels == ("1", "2", "–")
    assert key.codes.tolist() == [1, 2, 0]
