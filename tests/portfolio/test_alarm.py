"""The alarm of stage 1: when its threshold is drawn, from which numbers, and where it is given instead."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from support.allocation import NEUTRAL, covariance, market, moments_of, step
from support.planes import planes

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.kernels.allocate import gap
from plimsoll.engine.kernels.allocate.erc import risk_budget_weights
from plimsoll.engine.kernels.allocate.hrp import hrp_weights
from plimsoll.engine.kernels.estimate import moments, shrinkage
from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.portfolio.alarm_draws import alarm_draws, mixed
from plimsoll.engine.portfolio.stages import s1_allocate as s1
from plimsoll.engine.types import Floats

NORMALS = np.random.default_rng(3).standard_normal(gap.normals_needed(5))
OTHERS = np.random.default_rng(4).standard_normal(gap.normals_needed(5))


def expected(seen: moments.State, normals: Floats) -> float:
    """The threshold of moments (9, K, K) whose pairs have all rows in common, with n_eff by its definition."""
    k = seen.kin.shape[0]
    info, cov = np.zeros(shrinkage.INFO_SIZE), np.empty((k, k))
    shrinkage.shrink_pairs(seen, 20, 1.0, shrinkage.init(k), info, cov)
    size = seen.pair[moments.WEIGHT, 0, 0] ** 2 / seen.pair[moments.WEIGHT2, 0, 0]
    return float(gap.threshold(cov, size, info[shrinkage.INTENSITY], 1.0, normals, gap.init(k)))


def test_the_threshold_is_drawn_at_the_first_allocation_and_again_after_63_sessions() -> None:
    first, later, s = moments_of(market(1, 5)), moments_of(market(2, 5)), s1.init(5)
    assert np.isnan(s.counts[s1.THRESHOLD])
    seen = []
    for session in range(130):
        step(s, first if session == 0 else later, NEUTRAL, normals=NORMALS if session == 0 else OTHERS)
        seen.append(s.counts[s1.THRESHOLD])
    at_first, at_63 = expected(first, NORMALS), expected(later, OTHERS)
    assert at_first != pytest.approx(at_63, rel=1e-3)
    np.testing.assert_allclose(seen, [at_first] * 63 + [at_63] * 67, rtol=1e-9)


def test_the_alarm_rings_where_the_gap_is_beyond_what_was_drawn() -> None:
    calm, s, rung = moments_of(market(1, 5, common=0.6)), s1.init(5), set()
    for seed in range(40):
        seen = calm if seed == 0 else moments_of(market(seed, 5, common=3.0))
        step(s, seen, NEUTRAL, normals=NORMALS)
        distance = 0.5 * np.abs(hrp_weights(covariance(seen)) - risk_budget_weights(covariance(seen))).sum()
        assert s.counts[s1.ALARM] == float(distance > expected(calm, NORMALS))
        rung.add(s.counts[s1.ALARM])
    assert rung == {0.0, 1.0}


def test_nothing_is_drawn_for_one_sleeve_nor_where_the_covariance_is_not_trusted() -> None:
    s = s1.init(5)
    step(s, moments_of(market(1, 5)), NEUTRAL, normals=NORMALS, active=np.arange(5) == 2)
    step(s, moments.init(5), NEUTRAL, normals=NORMALS)
    assert np.isnan(s.counts[s1.THRESHOLD])
    assert s.counts[s1.ALARM] == 0.0
    step(s, moments_of(market(1, 5)), NEUTRAL, normals=NORMALS)
    assert s.counts[s1.THRESHOLD] == pytest.approx(expected(moments_of(market(1, 5)), NORMALS), rel=1e-9)


def test_pairs_without_common_rows_have_no_say_in_the_number_of_observations() -> None:
    ret = market(5, 4, 300)
    whole = moments.effective_size(moments_of(ret), 20)
    ret[:150, 0] = np.nan
    ret[150:, 1] = np.nan
    seen = moments_of(ret)
    known = [(2, 1), (3, 1), (2, 0), (3, 0), (3, 2)]  # all but the first two sleeves' own pair
    shares = [planes(seen)[moments.WEIGHT2, i, j] / planes(seen)[moments.WEIGHT, i, j] ** 2 for i, j in known]
    assert moments.effective_size(seen, 20) == pytest.approx(5.0 / sum(shares))
    assert moments.effective_size(seen, 20) < whole
    assert moments.effective_size(seen, 1000) == 0.0


# ------------------------------------------------------------------------------------------------------- the numbers
def test_a_sessions_numbers_follow_from_seed_and_date_wherever_the_data_begin() -> None:
    early, late = (build_clock(date(2020, month, 1), date(2021, 12, 31)) for month in (1, 9))
    normals, places = alarm_draws(42, 8, early, drawn=True)
    again, later = alarm_draws(42, 8, late, drawn=True)
    assert normals.tobytes() == again.tobytes()
    assert places[-len(later) :].tobytes() == later.tobytes()
    assert places.min() >= 0
    assert places.max() + gap.normals_needed(8) <= len(normals)
    assert len(set(places.tolist())) > 0.95 * len(places)
    other, elsewhere = alarm_draws(43, 8, early, drawn=True)
    assert not np.array_equal(other, normals)
    assert not np.array_equal(elsewhere, places)


def test_bars_of_a_session_share_its_numbers_and_many_sleeves_have_enough() -> None:
    clock = build_clock(date(2025, 6, 2), date(2025, 6, 18), "60min")
    normals, places = alarm_draws(1, 40, clock, drawn=True)
    for index in np.unique(clock.session_index):
        assert len(set(places[clock.session_index == index].tolist())) == 1
    assert places.max() + gap.normals_needed(40) <= len(normals)


def test_no_number_is_made_where_nothing_is_drawn() -> None:
    normals, places = alarm_draws(1, 8, build_clock(date(2025, 1, 2), date(2025, 3, 31)), drawn=False)
    assert (len(normals), places.any()) == (0, False)


def test_the_hash_gives_the_published_numbers_of_splitmix64() -> None:
    published = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]  # seed 0
    assert mixed(0, np.arange(1, 4, dtype=np.uint64)).tolist() == published


# --------------------------------------------------------------------------------------------------- what is in force
def config(**integrator: Any) -> Config:
    sleeves = [{"name": "a", "strategy": "trend"}, {"name": "b", "strategy": "carry"}]
    return load_config({"sleeve": sleeves, "integrator": {"preset": "book", **integrator}})


@pytest.mark.parametrize(
    ("integrator", "threshold"),
    [
        ({}, None),
        ({"allocate": {"alarm": 0.3}}, 0.3),
        ({"readings": "literal"}, 0.2),
        ({"readings": "literal", "allocate": {"alarm": 0.0}}, 0.0),
        ({"normalize": {"mode": "unit_gross"}}, 0.2),
        ({"normalize": {"mode": "unit_gross"}, "readings": "ruled"}, None),
        ({"preset": "legacy"}, 0.2),
    ],
)
def test_the_threshold_is_the_given_one_else_drawn_else_the_literal_fifth(
    integrator: dict[str, Any], threshold: float | None
) -> None:
    assert config(**integrator).integrator.alarm == threshold


def test_a_run_is_the_same_whether_the_threshold_in_force_is_written_or_not() -> None:
    literal = config(readings="literal")
    assert config(readings="literal", allocate={"alarm": 0.2}).digest == literal.digest
    assert config(allocate={"alarm": 0.2}).digest != config().digest
    with pytest.raises(ConfigError, match="less than or equal to 1"):
        config(allocate={"alarm": 1.5})
