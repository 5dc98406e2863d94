"""The probability of overfitting: figures from elsewhere, an oracle in fractions, noise, and a planted edge."""

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels.overfit.cscv import cscv
from plimsoll.engine.kernels.overfit.null import noise_sums, null_pbo
from plimsoll.engine.types import Floats

Golden = Callable[[str], dict[str, Any]]
Table = list[list[int]]


def signed_square(values: list[int]) -> Fraction:
    """Return mean / sd squared with the sign of the mean: what orders ratios, exactly; 0 where nothing moves."""
    mean = Fraction(sum(values), len(values))
    squares = sum((x - mean) ** 2 for x in values)
    if squares == 0:
        return Fraction(0)
    return (1 if mean > 0 else -1) * mean * mean * (len(values) - 1) / squares


def plain_splits(table: Table, blocks: int) -> list[tuple[int, Fraction, Fraction, Fraction]]:
    """Return (chosen, in sample, out of sample, rank) of each split, from the definition."""
    length = len(table) // blocks
    rows = table[len(table) - blocks * length :]
    out = []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = [row for k, row in enumerate(rows) if k // length in chosen]
        outside = [row for k, row in enumerate(rows) if k // length not in chosen]
        first = [signed_square([row[j] for row in inside]) for j in range(len(table[0]))]
        second = [signed_square([row[j] for row in outside]) for j in range(len(table[0]))]
        best = first.index(max(first))
        ordered = sorted(second)
        places = [place for place, value in enumerate(ordered, start=1) if value == second[best]]
        out.append((best, first[best], second[best], Fraction(sum(places), len(places))))
    return out


def root(value: Fraction) -> float:
    return math.copysign(math.sqrt(abs(value)), value)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Table, int]:
    """Return small whole numbers, full of ties, copies, multiples and idle columns, and a number of blocks."""
    blocks = draw(st.sampled_from([2, 4, 6]))
    n_rows = draw(st.integers(max(blocks, 4), 5 * blocks + 1))
    n = draw(st.integers(1, 3))
    columns = [draw(st.lists(st.integers(-3, 3), min_size=n_rows, max_size=n_rows)) for _ in range(n)]
    for _ in range(draw(st.integers(1, 2))):
        times = draw(st.sampled_from([0, 1, 2, 3]))
        columns.append([times * x for x in columns[draw(st.integers(0, n - 1))]])
    order = draw(st.permutations(range(len(columns))))
    return [[columns[j][t] for j in order] for t in range(n_rows)], blocks


@given(tables())
def test_every_split_is_that_of_exact_arithmetic_ties_and_odd_lengths_included(given: tuple[Table, int]) -> None:
    table, blocks = given
    found = cscv(np.array(table) / 100.0, blocks)
    wanted = plain_splits(table, blocks)
    assert found.chosen.tolist() == [best for best, *_ in wanted]
    assert found.rank.tolist() == [float(rank) for *_, rank in wanted]
    np.testing.assert_allclose(found.in_sample, [root(one[1]) for one in wanted], atol=1e-12)
    np.testing.assert_allclose(found.out_of_sample, [root(one[2]) for one in wanted], atol=1e-12)
    middle = Fraction(len(table[0]) + 1, 2)
    assert found.pbo == sum(rank <= middle for *_, rank in wanted) / len(wanted)
    assert found.dropped == len(table) % blocks


@pytest.mark.parametrize(("name", "lift"), [("noise", 0.0), ("edge", 0.004)])
def test_recomputed_splits_are_met(name: str, lift: float, golden: Golden) -> None:
    file = golden("overfit")["pbo"]
    want = file[f"result_{name}"]
    table = np.array(file["matrix_noise"])
    table[:, 3] = np.round(table[:, 3] + lift, 5)
    found = cscv(table, file["S"])
    assert len(found.logit) == want["n_comb"]
    assert found.pbo == pytest.approx(want["pbo_le0"], abs=1e-15)
    assert float(np.mean(found.logit < 0.0)) == pytest.approx(want["pbo_lt0"], abs=1e-15)
    assert found.loss == pytest.approx(want["prob_oos_loss"], abs=1e-15)
    assert found.slope == pytest.approx(want["slope"], rel=1e-12)
    assert found.intercept == pytest.approx(want["intercept"], rel=1e-12)
    np.testing.assert_allclose(found.logit[:10], want["logits_first10"], rtol=1e-12)
    assert found.chosen[:10].tolist() == want["selected_first10"]
    assert float(found.logit.mean()) == pytest.approx(want["mean_logit"], rel=1e-12)


def test_thirty_matrices_of_noise_scatter_around_a_half_as_measured_elsewhere(golden: Golden) -> None:
    want = golden("overfit")["pbo"]["null_montecarlo"]
    shape = (want["T"], want["N"])
    found = [cscv(np.random.default_rng(k).standard_normal(shape), want["S"]).pbo for k in range(want["n_runs"])]
    assert np.mean(found) == pytest.approx(want["mean_pbo"], abs=1e-12)
    assert np.std(found) == pytest.approx(want["std_pbo"], abs=1e-12)


def test_noise_drawn_as_its_blocks_sums_is_noise_added_up() -> None:
    """The null never makes its matrices: moments of the sums, and of what comes out, are those of real ones."""
    length, shape = 50, (10, 2000)
    first, second = noise_sums(np.random.default_rng(3), shape[1], shape[0], length)
    assert first.shape == second.shape == shape
    n = first.size
    assert float(first.mean()) == pytest.approx(0.0, abs=4.0 * math.sqrt(length / n))
    assert float(first.var()) == pytest.approx(length, rel=4.0 * math.sqrt(2.0 / n))
    assert float(second.mean()) == pytest.approx(length, rel=4.0 * math.sqrt(2.0 / (length * n)))
    assert float(second.var()) == pytest.approx(2.0 * length, rel=4.0 * math.sqrt((2.0 + 12.0 / length) / n))
    assert abs(float(np.corrcoef(first.ravel(), second.ravel())[0, 1])) < 4.0 / math.sqrt(n)
    null = null_pbo(800, 50, 10, seed=1, matrices=60)
    assert null.mean == pytest.approx(0.5, abs=4.0 * null.sd / math.sqrt(60.0))
    assert 0.1 < null.sd < 0.22  # .158 of thirty


def test_the_null_is_the_same_for_the_same_seed_and_each_matrix_is_its_own() -> None:
    ours = null_pbo(320, 12, 8, seed=5)
    assert ours.pbo.tobytes() == null_pbo(320, 12, 8, seed=5).pbo.tobytes()
    assert ours.pbo.tobytes() != null_pbo(320, 12, 8, seed=6).pbo.tobytes()
    assert ours.pbo[:10].tobytes() == null_pbo(320, 12, 8, seed=5, matrices=10).pbo.tobytes()
    assert ours.share_at_or_below(1.0) == 1.0
    assert ours.share_at_or_below(-0.1) == 0.0
    assert ours.sds_below(ours.mean - ours.sd) == pytest.approx(1.0)


def test_a_planted_edge_is_not_overfitted() -> None:
    returns = np.random.default_rng(2).normal(0.0, 0.01, (1600, 40))
    returns[:, 17] += 0.002  # an annual ratio of 3.2
    found = cscv(returns, 16)
    assert len(found.logit) == 12_870
    assert found.pbo < 0.01
    assert float(np.mean(found.chosen == 17)) > 0.99
    assert found.loss < 0.01


def mirrored(blocks: int, length: int) -> Floats:
    """Return two strategies that earn in turn, block by block, what the other loses."""
    sign = np.repeat([1.0, -1.0] * (blocks // 2), length)
    wobble = np.tile([0.004, -0.004], blocks * length // 2)
    return np.column_stack([0.002 * sign + wobble, -0.002 * sign + wobble])


def test_what_is_best_by_turns_alone_is_overfitted() -> None:
    found = cscv(mirrored(8, 10), 8)
    # four blocks of eight in sample: two of each sign draw, any other deal has its best fall behind in the other half
    draws = sum(1 for deal in combinations(range(8), 4) if sum(k % 2 for k in deal) == 2)
    assert float(np.mean(found.logit == 0.0)) == draws / 70
    assert found.pbo == 1.0
    assert found.slope < -0.9


@given(st.integers(0, 10_000), st.floats(0.1, 10.0))
def test_leverage_and_the_order_of_the_settings_change_nothing(seed: int, leverage: float) -> None:
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.0003, 0.01, (60, 5))
    order = rng.permutation(5)
    ours, theirs = cscv(returns, 6), cscv(returns[:, order] * leverage, 6)
    assert order[theirs.chosen].tolist() == ours.chosen.tolist()
    assert theirs.rank.tolist() == ours.rank.tolist()


def test_the_oldest_rows_are_dropped() -> None:
    returns = np.random.default_rng(4).normal(size=(83, 3))
    found = cscv(returns, 8)
    assert (found.dropped, found.rows_per_block) == (3, 10)
    assert found.in_sample.tobytes() == cscv(returns[3:], 8).in_sample.tobytes()


@pytest.mark.parametrize(
    ("returns", "blocks", "says"),
    [
        (np.zeros((50, 1)), 4, "one column of returns (nothing to choose from)"),
        (np.zeros(50), 4, "one column of returns"),
        (np.zeros((50, 3)), 5, "5 blocks; an even number up to 20 is needed"),
        (np.zeros((50, 3)), 22, "22 blocks"),
        (np.zeros((50, 3)), 0, "blocks = 0; a whole number >= 2"),
        (np.zeros((3, 3)), 4, "3 returns for 4 blocks; pass a longer history"),
        (np.zeros((2, 3)), 2, "2 returns for 2 blocks"),
        (np.array([[0.0, 1.0], [np.nan, 0.0], [1.0, 1.0], [0.0, 0.0]]), 2, "return [1, 0] is nan (the columns do not"),
    ],
)
def test_what_cannot_be_split_is_refused_in_one_line(returns: Floats, blocks: int, says: str) -> None:
    with pytest.raises(InputError) as caught:
        cscv(returns, blocks)
    assert str(caught.value).startswith("probability of backtest overfitting: ")
    assert says in str(caught.value)
