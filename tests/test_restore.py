"""What was saved is put back whole or not at all: anything else than what this system saves is refused."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pytest
from battery.witness import Witness, witness_book, witness_panel

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.errors import EngineError
from plimsoll.engine.kernels.estimate import moments
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.sleeve.strategy import Strategy
from plimsoll.engine.state import Saved

PRESETS = ("direct", "book", "legacy")


def made(preset: str) -> tuple[Config, dict[str, Strategy]]:
    if preset != "direct":
        return witness_book(preset)
    return load_config({"sleeve": [{"name": "s", "strategy": "battery.witness:Witness"}]}), {"s": Witness()}


def setup_at(preset: str, bar: int) -> Setup:
    config, strategies = made(preset)
    setup = build(config, witness_panel(80), strategies)
    run_loop(setup, stop_at=bar)
    return setup


@lru_cache(maxsize=3)
def later(preset: str) -> Saved:
    """What a system of the same kind has saved 20 bars on."""
    return setup_at(preset, 60).system.save()


def bytes_of(setup: Setup) -> dict[str, bytes]:
    kept = {**setup.system.save(), **setup.broker.book.save()}
    for sleeve in setup.system.sleeves:
        kept |= {f"{sleeve.name} path": sleeve.tracker.path, f"{sleeve.name} notes": sleeve.notes}
    return {name: array.tobytes() for name, array in kept.items()}


def missing(saved: Saved, name: str) -> None:
    del saved[name]


def one_longer(saved: Saved, name: str) -> None:
    array = saved[name]
    saved[name] = np.zeros((*array.shape[:-1], array.shape[-1] + 1), dtype=array.dtype)


def broadcastable(saved: Saved, name: str) -> None:
    saved[name] = np.zeros(1, dtype=saved[name].dtype) if saved[name].shape != (1,) else np.zeros((), saved[name].dtype)


def of_another_type(saved: Saved, name: str) -> None:
    saved[name] = saved[name].astype(np.float32)


def no_array(saved: Any, name: str) -> None:
    saved[name] = saved[name].tolist()


def under_another_name(saved: Saved, name: str) -> None:
    saved[name + "x"] = saved[name].copy()


SPOILT = (missing, one_longer, broadcastable, of_another_type, no_array, under_another_name)


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
@pytest.mark.parametrize("preset", PRESETS)
def test_each_array_of_a_system_is_missed_and_told_from_others_and_nothing_is_half_restored(
    preset: str, spoil: Callable[[Saved, str], None]
) -> None:
    setup = setup_at(preset, 40)
    before = bytes_of(setup)
    for name in later(preset):
        saved = dict(later(preset))
        spoil(saved, name)
        if name.endswith(".failure") and spoil in (one_longer, broadcastable):
            continue  # text is of any length
        with pytest.raises(EngineError) as told:
            setup.system.restore(saved)
        assert name.rpartition(".")[2] in str(told.value), name
        assert bytes_of(setup) == before, name
    setup.system.restore(later(preset))
    assert {k: v.tobytes() for k, v in setup.system.save().items()} == {
        k: v.tobytes() for k, v in later(preset).items()
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("t", -2), ("t", 80), ("sleeve.a.tracker.next", -1), ("sleeve.a.tracker.next", 81), ("integrator.t", 80),
        ("integrator.t", -2),
    ],
)  # fmt: skip
def test_a_place_in_time_outside_the_panel_is_refused(name: str, value: int) -> None:
    setup = setup_at("book", 40)
    first = next(iter(setup.system.sleeves)).name
    name = name.replace("sleeve.a.", f"sleeve.{first}.")
    before, saved = bytes_of(setup), dict(later("book"))
    saved[name] = np.array([value], dtype=np.int64)
    with pytest.raises(EngineError, match=rf"is {value}, not one of"):
        setup.system.restore(saved)
    assert bytes_of(setup) == before


@pytest.mark.parametrize("name", ["integrator.asset_moments.kin", "integrator.sleeve_moments.kin"])
@pytest.mark.parametrize("labels", [(-1,), (1,), (10**9,), (0, 0, 1)])
def test_labels_that_point_beyond_or_at_a_follower_are_refused(name: str, labels: tuple[int, ...]) -> None:
    """Kernels take them for places in arrays and check nothing."""
    setup = setup_at("book", 40)
    before, saved = bytes_of(setup), dict(later("book"))
    kin = saved[name].copy()
    kin[: len(labels)] = labels[: len(kin)]
    saved[name] = kin
    with pytest.raises(EngineError, match="the saved 'kin' of asset"):
        setup.system.restore(saved)
    assert bytes_of(setup) == before


@pytest.mark.parametrize("nested", [False, True])
def test_labels_in_a_strategys_own_memory_are_asked_too(nested: bool) -> None:
    class Kept(NamedTuple):
        count: Any
        seen: moments.State

    class Own(Witness):
        def init(self, n_symbols: int) -> Any:
            return Kept(np.zeros(1), moments.init(n_symbols)) if nested else moments.init(n_symbols)

        def on_bar(self, ctx: Any, state: Any) -> Any:
            return None

    config = load_config({"sleeve": [{"name": "s", "strategy": "battery.witness:Witness"}]})
    setup = build(config, witness_panel(80), {"s": Own()})
    saved = setup.system.save()
    setup.system.restore(saved)
    saved["sleeve.s.state.seen.kin" if nested else "sleeve.s.state.kin"][1] = 7
    with pytest.raises(EngineError, match="the saved 'kin' of asset 1 is 7"):
        setup.system.restore(saved)


def test_text_that_is_no_text_is_refused() -> None:
    setup, saved = setup_at("direct", 40), dict(later("direct"))
    saved["sleeve.s.failure"] = np.array([255, 254], dtype=np.uint8)
    with pytest.raises(EngineError, match="'failure'"):
        setup.system.restore(saved)
    saved["sleeve.s.failure"] = np.frombuffer("sleeve 's' hat Ärger".encode(), dtype=np.uint8)
    setup.system.restore(saved)
    assert setup.system.sleeves[0].failure == "sleeve 's' hat Ärger"


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
@pytest.mark.parametrize("name", ["acct", "scal"])
def test_the_account_of_the_simulator_is_as_strict(name: str, spoil: Callable[[Saved, str], None]) -> None:
    setup = setup_at("direct", 40)
    before, saved = bytes_of(setup), {key: np.zeros_like(array) for key, array in setup.broker.book.save().items()}
    spoil(saved, name)
    with pytest.raises(EngineError, match=f"the account's book: the saved state has .*{name}"):
        setup.broker.book.restore(saved)
    assert bytes_of(setup) == before


def test_the_state_of_one_preset_does_not_fit_another() -> None:
    for own in PRESETS:
        setup = setup_at(own, 40)
        for other in set(PRESETS) - {own}:
            with pytest.raises(EngineError, match="the saved state has"):
                setup.system.restore(later(other))
