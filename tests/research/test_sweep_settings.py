"""Settings of a sweep keep what was chosen, not what is made of it, and are the same however often they are made."""

import pickle
import traceback
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.research.sweep import settings as sweep_settings
from plimsoll.engine.research.sweep.grid import axes_of, combinations
from plimsoll.engine.research.sweep.plan import plan_sweep
from plimsoll.engine.research.sweep.settings import Setting, SettingMaker, loads_of
from plimsoll.engine.runtime.prepare import make_strategies

ROOT = Path(__file__).resolve().parents[2]
TREND = {"run": {"name": "t", "end": "2012-12-31"}, "sleeve": [{"name": "t", "strategy": "trend"}]}
LOOKBACK = "sleeve.t.params.lookbacks_bars"
LOOKBACKS = [[63], [126, 252], [300]]
CASH = "run.cash"


@pytest.fixture(scope="module")
def base() -> Config:
    return load_config(TREND)


def settings_of(base: Config, grid: dict[str, Any]) -> list[Setting]:
    axes = axes_of(grid, random=False)
    maker = SettingMaker(base, axes)
    made, _ = maker.settings(combinations(axes, None, 0, 100_000), skip_invalid=False)
    return made


def test_a_setting_in_another_process_is_its_configuration_without_who_makes_it(base: Config) -> None:
    one, other = settings_of(base, {CASH: [1e4, 2e4]})
    sent = pickle.dumps(one)
    there = pickle.loads(sent)
    assert (there.number, there.chosen, there.loads, there.config) == (one.number, one.chosen, one.loads, one.config)
    assert there.config != other.config
    assert len(sent) < 2 * len(pickle.dumps(one.config))


def test_a_thousand_settings_take_the_place_of_their_values(base: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    grid = {CASH: [1e4 + k for k in range(40)], "costs.flat_bps": [float(k) for k in range(50)]}
    axes = axes_of(grid, random=False)
    found = combinations(axes, None, 0, 100_000)
    maker = SettingMaker(base, axes)
    maker.settings(found[:10], skip_invalid=False)
    monkeypatch.setattr(sweep_settings, "FRAMES", 4)
    monkeypatch.setattr(sweep_settings, "LATEST", 4)
    try:
        tracemalloc.start()
        made, _ = maker.settings(found, skip_invalid=False)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(made) == 2_000
    assert held < 2_000 * 250  # a configuration alone is ten times that


def test_frames_are_validated_once_a_pass_and_the_first_ones_once(
    base: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    validated = SettingMaker._validated

    def counted(maker: SettingMaker, changes: Any) -> Any:
        asked.append(changes)
        return validated(maker, changes)

    monkeypatch.setattr(SettingMaker, "_validated", counted)
    monkeypatch.setattr(sweep_settings, "FRAMES", 6)
    monkeypatch.setattr(sweep_settings, "LATEST", 2)
    made = settings_of(base, {CASH: [1e4 + k for k in range(10)], LOOKBACK: LOOKBACKS})
    assert len(asked) == 10
    for again in (1, 2):
        assert len({one.config.digest for one in made}) == 30
        assert len(asked) == 10 + 4 * again


def test_a_list_of_sleeves_may_vary_in_length_and_in_names() -> None:
    book: dict[str, Any] = {**TREND, "integrator": {"preset": "book"}}
    lists: list[list[dict[str, Any]]] = [
        [{"name": "t", "strategy": "trend"}],
        [{"name": "a", "strategy": "equal_weight", "params": {"symbols": ["IEF", "SPY"]}}],
        [{"name": "t", "strategy": "trend"}, {"name": "b", "strategy": "sixty_forty"}],
    ]
    for one, sleeves in zip(settings_of(load_config(book), {"sleeve": lists}), lists, strict=True):
        config, strategies = one.made()
        alone = load_config({**book, "sleeve": sleeves})
        assert (config, list(strategies)) == (alone, [sleeve["name"] for sleeve in sleeves])
        assert one.loads == loads_of(alone, make_strategies(alone))
        assert {name: type(made) for name, made in strategies.items()} == {
            name: type(made) for name, made in make_strategies(alone).items()
        }


def test_a_run_as_a_whole_is_none_of_the_keys(base: Config) -> None:
    with pytest.raises(ConfigError, match="run cannot be varied as a whole; name its keys"):
        settings_of(base, {"run": [{"name": "a", "end": "2011-12-30"}, {"name": "b", "end": "2012-06-29"}]})


def test_a_combination_that_is_refused_again_and_again_holds_on_to_nothing(base: Config) -> None:
    grid = {"run.start": ["2013-06-03"], "run.end": ["2012-12-31", "2013-12-31"], LOOKBACK: LOOKBACKS}
    axes = axes_of(grid, random=False)
    maker = SettingMaker(base, axes)
    for _ in range(50):
        maker.settings(combinations(axes, None, 0, 100), skip_invalid=True)
    (refused,) = [one for one in maker._frames.values() if isinstance(one, ConfigError)]
    assert len(traceback.extract_tb(refused.__traceback__)) < 10


def test_settings_are_the_same_when_their_frames_had_to_be_forgotten(
    base: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = {CASH: [1e4, 2e4, 3e4], "costs.flat_bps": [0.0, 5.0], LOOKBACK: LOOKBACKS}
    monkeypatch.setattr(sweep_settings, "FRAMES", 1)
    monkeypatch.setattr(sweep_settings, "LATEST", 1)
    made = settings_of(base, grid)
    whole = [load_config(TREND, sets=sets_of(one, grid)) for one in made]
    for _ in range(2):  # forwards and backwards, so that none is the one kept
        assert [one.config for one in made] == whole
        assert [one.config for one in reversed(made)] == whole[::-1]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda one: one.config, made * 20)) == whole * 20


def sets_of(one: Setting, grid: dict[str, Any]) -> list[str]:
    return [f"{key}={value}" for key, value in zip(grid, one.chosen, strict=True)]


@pytest.mark.parametrize(
    ("grid", "expected"),
    [
        ({CASH: [5e4, 1e5, 2e5]}, 1),
        ({CASH: [5e4, 100_000]}, 1),  # 100,000 as a whole number is the same
        ({CASH: [5e4, 2e5]}, None),
        ({CASH: [5e4, 1e5], "execution.fill": ["next_close", "next_open"]}, 3),
        ({"run.end": ["2011-12-30", "2012-12-31"]}, 1),
    ],
)
def test_the_setting_that_is_the_base_is_found(base: Config, grid: dict[str, Any], expected: int | None) -> None:
    axes = axes_of(grid, random=False)
    maker = SettingMaker(base, axes)
    made, _ = maker.settings(combinations(axes, None, 0, 100), skip_invalid=False)
    assert maker.number_of_base(made) == expected
    assert expected == next((one.number for one in made if one.config == base), None)


def test_over_a_common_window_the_base_is_still_found_and_every_setting_runs_over_it(base: Config) -> None:
    found = plan_sweep(base, axes_of({CASH: [5e4, 1e5], LOOKBACK: LOOKBACKS}, random=False), windows="accept")
    assert found.window.start is not None
    assert {str(one.config.run.start) for one in found.settings} == {found.window.start}
    assert {str(one.made()[0].run.start) for one in found.settings} == {found.window.start}
    assert found.as_base is None  # no setting leaves the look-back to its default
    plain = plan_sweep(base, axes_of({CASH: [5e4, 1e5]}, random=False))
    assert plain.as_base == 1
