"""Uplift and capacity, against the table of the portfolio layer and arithmetic by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.research.validate.capacity import capacity_block
from plimsoll.engine.research.validate.path import Path
from plimsoll.engine.research.validate.uplift import predicted, uplift_block

# SR sqrt(K / (1 + (K - 1) rho)) with SR = 0.6, two decimals: ALGORITHMS 7.6, which corrects five cells of the source.
TABLE = {
    (3, 0.0): 1.04, (3, 0.2): 0.88, (3, 0.4): 0.77,
    (5, 0.0): 1.34, (5, 0.2): 1.00, (5, 0.4): 0.83,
    (8, 0.0): 1.70, (8, 0.2): 1.10, (8, 0.4): 0.87,
}  # fmt: skip


@pytest.mark.parametrize(("cell", "ratio"), TABLE.items())
def test_the_formula_gives_the_table(cell: tuple[int, float], ratio: float) -> None:
    assert round(predicted(0.6, *cell), 2) == ratio


def test_it_tends_to_the_ratio_over_the_root_of_the_correlation() -> None:
    assert predicted(0.6, 10**9, 0.25) == pytest.approx(1.2, rel=1e-6)
    assert np.isnan(predicted(0.6, 3, -0.6))


@given(st.integers(0, 1000), st.integers(2, 6))
def test_of_sleeves_that_are_alike_it_is_what_an_equal_mix_has(seed: int, k: int) -> None:
    """Equal risk, equal ratios and one correlation, made exactly so."""
    rng = np.random.default_rng(seed)
    n = 300
    basis = np.linalg.qr(np.column_stack((np.ones(n), rng.standard_normal((n, k + 1)))))[0][:, 1:] * np.sqrt(n - 1)
    own, common = basis[:, :k], basis[:, k:]
    series = 0.01 * (np.sqrt(0.3) * common + np.sqrt(0.7) * own) + 0.0005
    found = uplift_block({str(j): series[:, j] for j in range(k)}, series.mean(axis=1), np.zeros(n))
    assert found is not None
    assert found["mean_correlation"] == pytest.approx(0.3, abs=1e-9)
    assert found["predicted"] == pytest.approx(found["realised"], rel=1e-9)


def test_one_sleeve_or_ones_that_never_move_have_no_uplift() -> None:
    moving = np.random.default_rng(0).normal(0.0, 0.01, 50)
    assert uplift_block({"a": moving}, moving, np.zeros(50)) is None
    assert uplift_block({"a": moving, "b": np.zeros(50)}, moving, np.zeros(50)) is None


def account(n: int = 252, equity: float = 1e6, impact: float = 1e-5, spread: float = 2e-5) -> Path:
    rng = np.random.default_rng(1)
    returns = rng.normal(0.0, 0.001, n)
    flat = np.zeros(n)
    return Path(
        returns - returns.mean() + 0.0004, np.full(n, 0.1), np.full(n, impact + spread), np.full(n, impact),
        np.full(n, equity), np.full(n, equity), np.zeros((n, 1)), flat, flat, np.empty((n, 0)), {}, flat,
    )  # fmt: skip


def test_at_its_capacity_costs_eat_their_share() -> None:
    path = account()
    found = capacity_block(path, 0.25)
    # a year: earned .0004 * 252 + drag .00003 * 252; of a quarter of that, spread takes .00002 * 252
    earned = (0.0004 + 0.00003) * 252
    room = 0.25 * earned - 0.00002 * 252
    assert found["capacity_usd"] == pytest.approx(1e6 * (room / (0.00001 * 252)) ** 2, rel=1e-9)
    at = float(found["capacity_usd"])
    grown = 0.00002 * 252 + 0.00001 * 252 * np.sqrt(at / 1e6)
    assert grown == pytest.approx(0.25 * earned, rel=1e-9)


def test_it_does_not_depend_on_the_account_that_it_was_measured_in() -> None:
    small, large = account(equity=1e6, impact=1e-5), account(equity=4e6, impact=2e-5)
    share = 0.25
    # the same trades: four times the money pays twice the impact, so the return before costs is what is kept alike
    large = replace(large, returns=small.returns - 1e-5)
    assert capacity_block(large, share)["capacity_usd"] == pytest.approx(capacity_block(small, share)["capacity_usd"])


def test_without_impact_there_is_no_limit_and_without_room_no_capacity() -> None:
    assert capacity_block(account(impact=0.0), 0.25)["capacity_usd"] is None
    losing = replace(account(), returns=account().returns - 0.001)
    assert capacity_block(losing, 0.25)["capacity_usd"] == 0.0
    assert m.sharpe(losing.returns) < 0.0
