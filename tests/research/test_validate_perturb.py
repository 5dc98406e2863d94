"""What is moved, by how much, and what is left out."""

from typing import Any

import numpy as np
import pytest

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.research.sweep.maker import Maker
from plimsoll.engine.research.validate.perturb import OF_A_BOOK, default_keys, number_at, perturbations
from plimsoll.engine.research.validate.sensitivity import sensitivity_block
from plimsoll.engine.research.validate.trials import former_config, rung_configs

BOOK = {
    "sleeve": [{"name": name, "strategy": "sixty_forty"} for name in ("a", "b")],
    "integrator": {"preset": "book"},
}
OVERLAY = {"sleeve": [{"name": "k", "strategy": "kalman_overlay"}]}
K_LONG, LOOKBACK = "sleeve.k.params.k_long", "sleeve.k.params.sigma_lookback"


def made(values: dict[str, Any], **section: object) -> tuple[list[tuple[Any, ...]], tuple[str, ...]]:
    base = load_config({**values, "validate": section})
    assert base.validation is not None
    found, left_out = perturbations(base.of_run(), Maker().all(base), base.validation)
    return [one.moves for one in found], left_out


def test_a_book_moves_its_four_numbers_one_at_a_time_and_in_pairs() -> None:
    moves, left_out = made(BOOK)
    singles = {(key, to) for ((key, _, to),) in [one for one in moves if len(one) == 1]}
    half_life, shrinkage, target, smoothing = OF_A_BOOK
    assert singles == {
        (half_life, 31.5), (half_life, 94.5),
        (target, 0.05), (target, 0.15),
        # neither has a half more: what is left to 1 has
        (shrinkage, 0.85), (shrinkage, 0.95),
        (smoothing, 0.7), (smoothing, 0.9),
    }  # fmt: skip
    assert len([one for one in moves if len(one) == 2]) == 6 * 4
    assert left_out == ()


def test_each_perturbation_is_the_configuration_with_those_numbers_and_nothing_else() -> None:
    base = load_config({**BOOK, "validate": {"sensitivity": OF_A_BOOK[2:]}})
    assert base.validation is not None
    found, _ = perturbations(base.of_run(), Maker().all(base), base.validation)
    for one in found:
        undone = load_config({**one.config.plain()}, sets=[f"{key}={was!r}" for key, was, _ in one.moves])
        assert undone.digest == base.digest
        assert one.config.digest != base.digest


def test_a_range_that_a_strategy_keeps_by_itself_is_let_go_of_and_whole_numbers_stay_whole() -> None:
    moves, left_out = made(OVERLAY, sensitivity=[K_LONG, LOOKBACK])
    assert (((K_LONG, 0.45, 0.675),)) in moves  # beyond the published 0.6
    assert (((LOOKBACK, 20, 10),)) in moves
    assert left_out == ()


def test_what_is_not_valid_is_left_out_and_named() -> None:
    moves, left_out = made(OVERLAY, sensitivity=["sleeve.k.params.e_max"])
    assert [to for ((_, _, to),) in moves] == [2.7]
    assert len(left_out) == 1
    assert "e_max = 0.9" in left_out[0]


def test_more_keys_than_six_are_moved_one_at_a_time_only() -> None:
    moves, _ = made(OVERLAY)
    assert len(moves) > 12
    assert all(len(one) == 1 for one in moves)


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("sleeve.k.params.mode", "'literal', no number"),
        ("sleeve.k.params.k_lang", "did you mean"),
        ("integrator.allocate.cup", "did you mean"),
        ("sleeve.other.params.k_long", "no sleeve 'other'"),
    ],
)
def test_a_key_without_a_number_is_refused_in_one_line(key: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        made(OVERLAY, sensitivity=[key])
    assert line in str(caught.value)


def test_numbers_are_those_in_force_defaults_of_the_strategy_among_them() -> None:
    base = load_config({**OVERLAY, "sleeve": [{**OVERLAY["sleeve"][0], "params": {"k_long": 0.5}}]})
    strategies = Maker().all(base)
    assert number_at(base, strategies, K_LONG) == 0.5
    assert number_at(base, strategies, "sleeve.k.params.k_short") == 0.3
    assert number_at(base, strategies, "run.cash") == 100_000.0
    assert K_LONG in default_keys(base, strategies)


def test_a_book_has_a_ladder_of_seven_and_the_path_before() -> None:
    base = load_config(BOOK)
    rungs = rung_configs(base)
    assert set(rungs) == {"hrp", "erc", "inverse_vol", "equal_risk", "equal", "nco", "min_variance"}
    assert rungs["hrp"].digest == base.digest
    assert former_config(base).integrator.preset == "legacy"
    assert rung_configs(load_config(OVERLAY)) == {}


# ------------------------------------------------------------------------------------------------------- the verdict
def block_of(ratios: list[float], threshold: float = 0.25) -> dict[str, Any]:
    base = load_config({**BOOK, "validate": {"sensitivity": OF_A_BOOK[2:3]}})
    assert base.validation is not None
    found, left_out = perturbations(base.of_run(), Maker().all(base), base.validation)
    return sensitivity_block(1.0, found, np.array(ratios), threshold, left_out)


@pytest.mark.parametrize(
    ("ratios", "verdict", "worst"),
    [
        ([0.8, 1.1], "flat", 0.2),
        ([0.7, 1.1], "fragile", 0.3),
        ([1.4, 1.1], "flat", 0.0),
        ([0.9, np.nan], "fragile", 0.1),
    ],
)
def test_flat_is_what_loses_no_more_than_the_threshold_whatever_is_moved(
    ratios: list[float], verdict: str, worst: float
) -> None:
    found = block_of(ratios)
    assert found["verdict"] == verdict
    assert found["worst"] == pytest.approx(worst)


def test_the_plateau_is_the_median_of_the_configuration_and_its_neighbours() -> None:
    assert block_of([0.4, 1.3])["level"] == pytest.approx(1.0)
    assert block_of([0.4, 0.6])["level"] == pytest.approx(0.6)


def test_the_widest_bar_of_the_tornado_comes_first() -> None:
    base = load_config({**BOOK, "validate": {"sensitivity": OF_A_BOOK[2:]}})
    assert base.validation is not None
    found, _ = perturbations(base.of_run(), Maker().all(base), base.validation)
    singles = np.array([{0.05: 0.9, 0.15: 1.05, 0.7: 0.6, 0.9: 1.0}.get(one.moves[0][2], 1.0) for one in found])
    bars = sensitivity_block(1.0, found, singles, 0.25, ())["tornado"]
    assert [bar["key"] for bar in bars] == [OF_A_BOOK[3], OF_A_BOOK[2]]
    assert bars[1]["low"]["difference"] == pytest.approx(-0.1)
    assert bars[1]["span"] == pytest.approx(0.15)
