"""Grids: what their words mean, which settings they make, and which are refused before anything runs."""

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.research.sweep.grid import axes_of, combinations, identity, parse_axes
from plimsoll.engine.research.sweep.settings import SettingMaker

ROOT = Path(__file__).resolve().parents[2]
P = "sleeve.kalman_overlay.params."
OF_P = "--grid sleeve 'kalman_overlay' params: "
OUTSIDE = f"{P}allow_outside_ranges=true"
LIMIT = 100_000

numbers = st.integers(-1000, 1000) | st.floats(-1e6, 1e6, allow_nan=False)
words = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True).filter(
    lambda word: word not in {"inf", "nan", "true", "false"}
)
values = st.lists(numbers | st.booleans() | words, min_size=1, max_size=4, unique_by=identity)
grids = st.dictionaries(st.from_regex(r"[a-z]{1,4}\.[a-z]{1,4}", fullmatch=True), values, min_size=1, max_size=4)


@pytest.fixture(scope="module")
def kalman() -> Config:
    return load_config(ROOT / "config/kalman_overlay.toml")


def plan(base: Config, *items: str, random: int | None = None, limit: int = LIMIT, skip: bool = False) -> Any:
    """Do all that happens before data are loaded."""
    axes = parse_axes(items, random=random is not None)
    maker = SettingMaker(base, axes)
    found = combinations(axes, random, base.run.seed, limit)
    maker.check_values()
    return maker.settings(found, skip_invalid=skip)


@given(grids)
def test_a_grid_is_the_product_of_its_lists(grid: dict[str, list[Any]]) -> None:
    def text(value: Any) -> str:
        return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else repr(value)

    axes = parse_axes([f"{key}={','.join(map(text, listed))}" for key, listed in grid.items()], random=False)
    made = combinations(axes, None, 0, LIMIT)
    assert made == list(itertools.product(*grid.values()))
    assert [[type(v) for v in one] for one in made] == [[type(v) for v in o] for o in itertools.product(*grid.values())]
    assert axes == axes_of(grid, random=False)


@given(st.integers(-50, 50), st.integers(1, 9), st.integers(2, 9))
def test_a_range_of_whole_numbers_stays_whole_where_its_step_is(low: int, step: int, count: int) -> None:
    high = low + step * (count - 1)
    (axis,) = parse_axes([f"a.b={low}:{high}:{count}"], random=False)
    assert axis.values == tuple(range(low, high + 1, step))
    assert all(isinstance(value, int) for value in axis.values)


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.integers(2, 40))
def test_a_range_is_equally_spaced_with_both_ends(low: float, width: float, count: int) -> None:
    (axis,) = parse_axes([f"a.b={low!r}:{low + width!r}:{count}"], random=False)
    np.testing.assert_allclose(axis.values, [low + width * k / (count - 1) for k in range(count)], rtol=1e-9, atol=1e-9)


def test_values_of_a_range_have_no_tail_of_digits() -> None:
    (axis,) = parse_axes(["a.b=0.1:0.5:5"], random=False)
    assert axis.values == (0.1, 0.2, 0.3, 0.4, 0.5)


def test_commas_within_quotes_and_brackets_do_not_part_values() -> None:
    (axis,) = parse_axes(["""a.b=["SPY","TLT"],["QQQ"],'x,y',next_open,2010-01-31"""], random=False)
    assert axis.values[:4] == (["SPY", "TLT"], ["QQQ"], "x,y", "next_open")
    assert str(axis.values[4]) == "2010-01-31"


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 9))
def test_random_settings_are_different_and_among_those_allowed(seed: int, count: int, n_listed: int) -> None:
    items = [f"a.b={','.join(map(str, range(n_listed)))}", "a.c=10:16", "a.d=0.25:0.75"]
    axes = parse_axes(items, random=True)
    drawn = combinations(axes, count, seed, LIMIT)
    assert len({identity(one) for one in drawn}) == count == len(drawn)
    for listed, whole, share in drawn:
        assert listed in range(n_listed)
        assert isinstance(whole, int)
        assert 10 <= whole <= 16
        assert 0.25 <= share <= 0.75
    assert drawn == combinations(axes, count, seed, LIMIT)
    assert drawn != combinations(axes, count, seed + 1, LIMIT)


@pytest.mark.parametrize("count", [1, 20, 41, 42])
def test_random_settings_of_lists_run_out_only_when_all_are_drawn(count: int) -> None:
    axes = parse_axes(["a.b=1,2,3,4,5,6", "a.c=0:6"], random=True)
    drawn = combinations(axes, count, 7, LIMIT)
    everything = set(itertools.product(range(1, 7), range(7)))
    assert len(set(drawn)) == count
    assert set(drawn) <= everything
    assert (set(drawn) == everything) == (count == 42)


def test_every_end_of_a_random_range_comes_up() -> None:
    axes = parse_axes(["a.b=1:3", "a.c=0.0:1.0"], random=True)
    drawn = combinations(axes, 300, 1, LIMIT)
    counts = np.bincount([whole for whole, _ in drawn], minlength=4)[1:]
    assert counts.min() > 60
    assert np.mean([share for _, share in drawn]) == pytest.approx(0.5, abs=4 / math.sqrt(12 * 300))


def test_each_setting_is_what_set_would_have_made_of_it(kalman: Config) -> None:
    grid = {
        f"{P}k_long": ["0.30", "0.45"], f"{P}mode": ["literal", "derisk"], "run.start": ["2012-01-03", "2013-01-02"],
        "integrator.turnover.band": ["0.0", "0.01"], "sleeve.0.on_error": ["raise", "quarantine"],
    }  # fmt: skip
    settings, skipped = plan(kalman, *(f"{key}={','.join(texts)}" for key, texts in grid.items()))
    assert skipped == 0
    wanted = [
        load_config(kalman.plain(), sets=[f"{key}={text}" for key, text in zip(grid, texts, strict=True)])
        for texts in itertools.product(*grid.values())
    ]
    assert [setting.config.digest for setting in settings] == [config.digest for config in wanted]
    assert [setting.config for setting in settings] == wanted
    assert [setting.number for setting in settings] == list(range(32))


def test_combinations_that_break_a_rule_across_keys_are_left_out_on_demand(kalman: Config) -> None:
    items = [f"{P}dd_soft=0.05,0.08,0.10", f"{P}dd_hard=0.06,0.09,0.22", OUTSIDE]
    settings, skipped = plan(kalman, *items, skip=True)
    assert [setting.chosen[:2] for setting in settings] == [
        (soft, hard) for soft in (0.05, 0.08, 0.10) for hard in (0.06, 0.09, 0.22) if soft < hard
    ]
    assert skipped == 3


REFUSED = {
    "nothing varied": ([], "--grid: nothing is varied"),
    "no equals sign": (["run.cash"], "--grid: 'run.cash' is not of the form a.b=1,2,3"),
    "empty list": (["run.cash="], "--grid: run.cash has no value"),
    "spare comma": (["run.cash=1,,2"], "--grid: run.cash has an empty value in '1,,2'; remove the spare comma"),
    "value twice": (["run.cash=1e4,10000"], "--grid: run.cash has the value 10000 twice"),
    "unknown section": (["rnu.cash=1,2"], "--grid: unknown key 'rnu'; did you mean 'run'?"),
    "unknown key": (["run.csh=1,2"], "--grid: unknown key 'run.csh'; did you mean 'cash'?"),
    "unknown parameter": ([f"{P}k_lnog=0.3,0.4"], OF_P + "unknown key 'k_lnog'; did you mean 'k_long'?"),
    "unknown sleeve": (
        ["sleeve.kalman.params.k_long=1,2"],
        "--grid: no sleeve 'kalman' in sleeve.kalman.params.k_long; did you mean",
    ),
    "whole sleeve": (["sleeve.kalman_overlay=1,2"], "--grid sleeve.kalman_overlay: 'sleeve.0' names a whole sleeve"),
    "through a value": (["run.cash.x=1,2"], "--grid run.cash.x: 'run.cash' is a value, not a section"),
    "wrong type": (["run.cash=1e4,much"], "--grid: run.cash: input should be a number, without quotes, got 'much'"),
    "out of bounds": (["run.cash=1e4,-1"], "--grid: run.cash: input should be greater than 0, got -1"),
    "parameter of the wrong type": (
        [f"{P}osc_smoothness=12,1.5"],
        OF_P + "osc_smoothness: input should be a valid integer",
    ),
    "one bad of several": (
        ["run.cash=1e4,2e4", f"{P}k_long=0.3,-1"],
        OF_P + "k_long: input should be greater than or equal to 0, got -1",
    ),
    "key twice": (["run.cash=1,2", "run.cash=3,4"], "--grid: run.cash comes twice; name all its values in one list"),
    "key twice by name and number": (
        [f"{P}k_long=0.3,0.4", "sleeve.0.params.k_long=0.5,0.6"],
        "--grid: sleeve.0.params.k_long comes twice",
    ),
    "key within key": (["costs.tier.SPY='1','2'", "costs.tier={}"], "--grid: costs.tier and costs.tier.SPY overlap"),
    "data": (
        ["data.path=a,b"],
        "--grid: data.path cannot be varied: it would be another experiment; run a sweep per data",
    ),
    "run.name": (["run.name=a,b"], "--grid: run.name cannot be varied"),
    "name of a sleeve": (["sleeve.0.name=a,b"], "--grid: sleeve.0.name cannot be varied"),
    "changes nothing": (
        [f"{P}k_long=0.45"],
        f"--grid: {P}k_long = 0.45 is what the configuration says; leave it out, or vary it",
    ),
    "the same in other words": (["run.benchmark=QQQ,'QQQ'"], "--grid: run.benchmark has the value 'QQQ' twice"),
    "the default and nothing": (
        ["execution.unfilled=carry"],
        "--grid: execution.unfilled = 'carry' is what the configuration says",
    ),
    "a bare range": (
        ["run.cash=1e4:2e4"],
        "--grid: run.cash: a range alone is for random settings; say how many values, 1e4:2e4:5",
    ),
    "a range downwards": (["run.cash=2:1:5"], "--grid: run.cash: 2 to 1 is not a range upwards"),
    "a range of one": (["run.cash=1:2:1"], "--grid: run.cash: a range takes at least 2 values, got 1; 1:2:5"),
    "a range of a million million": (
        ["run.cash=1:2:1000000000000"],
        "--grid: run.cash: 1,000,000,000,000 values are too many",
    ),
    "across keys": (
        [f"{P}dd_soft=0.06,0.10", f"{P}dd_hard=0.08,0.22", OUTSIDE],
        f"--grid: 1 of 4 combinations are not valid, the first is {P}dd_soft=0.1, {P}dd_hard=0.08, ",
    ),
    "across keys of the configuration": (
        ["run.start=2012-01-03,2015-01-02", "run.end=2013-01-02,2016-01-04"],
        "--grid: 1 of 4 combinations are not valid, the first is run.start=2015-01-02, run.end=2013-01-02",
    ),
}


@pytest.mark.parametrize(("items", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_a_grid_that_makes_no_sense_is_refused_in_one_line(items: list[str], says: str, kalman: Config) -> None:
    with pytest.raises(ConfigError) as refused:
        plan(kalman, *items)
    assert str(refused.value).startswith(says)
    assert "\n" not in str(refused.value)


def test_a_thousand_million_settings_are_counted_and_never_made(kalman: Config) -> None:
    names = ("t_max", "k_long", "k_short", "e_min", "e_max", "alpha_vix", "dd_soft", "dd_hard", "w_sqqq_max")
    with pytest.raises(ConfigError) as refused:
        plan(kalman, *(f"{P}{name}={','.join(str(0.5 + k / 100) for k in range(10))}" for name in names))
    assert str(refused.value).startswith("--grid: 1,000,000,000 settings, at most 100,000 are run; use fewer values")


@pytest.mark.parametrize(
    ("count", "limit", "says"),
    [
        (7, LIMIT, "--random: 7 settings are asked for, there are only 6"),
        (0, LIMIT, "--random: 0 settings are asked for; ask for at least one"),
        (5, 4, "--grid: 5 settings, at most 4 are run; ask for fewer"),
    ],
    ids=["more than there are", "none", "more than allowed"],
)
def test_a_number_of_random_settings_that_makes_no_sense_is_refused(
    count: int, limit: int, says: str, kalman: Config
) -> None:
    with pytest.raises(ConfigError) as refused:
        plan(kalman, f"{P}k_long=0.3,0.45", f"{P}osc_smoothness=10:12", random=count, limit=limit)
    assert str(refused.value).startswith(says)


def test_a_range_whose_end_is_out_of_bounds_is_refused_before_anything_is_drawn(kalman: Config) -> None:
    with pytest.raises(ConfigError, match=r"run\.cash: input should be greater than 0"):
        plan(kalman, "run.cash=0:1000", random=3)


@pytest.mark.parametrize(
    ("given", "says"), [({}, "nothing is varied"), ({"a.b": 5}, "a list of values is expected, got 5")]
)
def test_a_grid_in_python_that_is_none_is_refused(given: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        axes_of(given, random=False)


def test_none_is_refused_before_anything_runs() -> None:
    with pytest.raises(ConfigError, match="None cannot be written into a configuration"):
        axes_of({"run.benchmark": ["SPY", None]}, random=False)


def test_more_random_settings_than_a_narrow_range_has_numbers_are_refused() -> None:
    high = float(np.nextafter(np.nextafter(1.0, 2.0), 2.0))
    with pytest.raises(ConfigError, match=r"20 settings are asked for, \d different ones were found"):
        combinations(parse_axes([f"a.b=1.0:{high!r}"], random=True), 20, 1, 100)
