"""The battery catches what it is for, and every registered strategy passes it."""

import random
from typing import Any, NamedTuple

import numpy as np
import pytest
from battery.witness import Witness
from pydantic import ConfigDict

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.research.proof.battery import CHECKS, BatteryFailure, check_strategy
from plimsoll.engine.research.proof.trial_market import trial_panel
from plimsoll.engine.runtime.resolve import make_strategy, registered, strategy_class
from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Floats, Weights

NAMES = tuple(registered())


class Weekly(Strategy):
    """Half in each symbol, every Friday; the sound base of the faulty ones below."""

    universe = ("AAA", "BBB")

    def on_bar(self, ctx: Context) -> Weights | None:
        return ctx.weights({"AAA": 0.5, "BBB": 0.5}, unlisted="cash") if ctx.last_session_of_week else None


class SeesTomorrow(Weekly):
    def on_bar(self, ctx: Context) -> Weights | None:
        whole = ctx.past.ret(1).base  # the array behind the window
        ahead = whole[min(ctx.bar_index + 1, len(whole) - 1)]
        return ctx.weights({"AAA": 0.5 * float(ahead[0] > 0.0)}, unlisted="cash") if ctx.last_session_of_week else None


class SeesTheEnd(Weekly):
    def on_bar(self, ctx: Context) -> Weights | None:
        n_bars = len(ctx.past.ret(1).base)
        return ctx.weights({"AAA": 1.0 / n_bars}, unlisted="cash") if ctx.last_session_of_week else None


class Counts(Weekly):
    seen = 0

    def on_bar(self, ctx: Context) -> Weights | None:
        self.seen += 1
        return super().on_bar(ctx)


class CountsInItsClass(Weekly):
    seen = 0

    def on_bar(self, ctx: Context) -> Weights | None:
        type(self).seen += 1
        return super().on_bar(ctx)


class ReplacesTheContext(Weekly):
    def on_bar(self, ctx: Context) -> Weights | None:
        answer = super().on_bar(ctx)
        ctx.past = None  # type: ignore[assignment]  # what the test is about
        return answer


class Dice(Weekly):
    def on_bar(self, ctx: Context) -> Weights | None:
        return ctx.weights({"AAA": random.random()}, unlisted="cash") if ctx.last_session_of_week else None


_hidden: list[float] = []


class HidesMemory(Weekly):
    def on_bar(self, ctx: Context) -> Weights | None:
        if ctx.bar_index == 0:
            _hidden.clear()
        _hidden.append(1.0)
        return ctx.weights({"AAA": 1.0 / len(_hidden)}, unlisted="cash") if ctx.last_session_of_week else None


class Total(NamedTuple):
    total: Floats


_shared = Total(np.zeros(1))


class SharesMemory(Weekly):
    def init(self, n_symbols: int) -> Total:
        return _shared


class KeepsAList(Weekly):
    def init(self, n_symbols: int) -> Any:
        return Total([])  # type: ignore[arg-type]  # what the test is about


class LikesCheapShares(Weekly):
    def on_bar(self, ctx: Context) -> Weights | None:
        price = ctx.past.close(1)[0]
        return ctx.weights(np.where(ctx.listed, 1.0 / (1.0 + price), 0.0)) if ctx.last_session_of_week else None


class NeedsEveryRow(Weekly):
    def on_bar(self, ctx: Context) -> Weights | None:
        return 0.1 + ctx.past.ret(1)[0]


class WritesIntoTheWindow(Weekly):
    def on_bar(self, ctx: Context) -> Weights | None:
        ctx.past.ret(1)[0] = 0.0
        return None


class HoldsWhatItWatches(Weekly):
    watched = ("BBB",)


class LooseParams(Weekly):
    class Params(StrategyParams):
        model_config = ConfigDict(extra="allow", frozen=True)


class OpenParams(Weekly):
    class Params(StrategyParams):
        model_config = ConfigDict(extra="forbid", frozen=False)


@pytest.mark.parametrize(
    ("faulty", "evidence"),
    [
        (
            SeesTomorrow,
            r"is not causal: with what has not come yet hidden \((nothing|noise)\), tried answer on .*, AAA: ",
        ),
        (SeesTheEnd, r"is not causal: with what has not come yet hidden \(nothing\), tried answer on .*, AAA: "),
        (Counts, "is not untouched: on_bar changes self.seen"),
        (CountsInItsClass, "is not untouched: on_bar changes CountsInItsClass.seen"),
        (ReplacesTheContext, "is not untouched: on_bar replaces ctx.past"),
        (Dice, "is not deterministic: the same run twice: tried answer on"),
        (HidesMemory, "is not restorable: saved and restored at every bar: tried answer on"),
        (SharesMemory, "is not fresh: init.. hands out the same array 'total' twice"),
        (KeepsAList, "is not tolerant.*init returned total as list; return a NamedTuple of arrays"),
        (LikesCheapShares, "is not scale-free: with every price times 8, the weight of AAA"),
        (NeedsEveryRow, r"is not tolerant of missing rows: .*answered nan for .*\(market: "),
        (WritesIntoTheWindow, "is not tolerant.*raised ValueError: assignment destination is read-only"),
        (HoldsWhatItWatches, "is not true to its word: it holds BBB, which it names in `watched`"),
        (LooseParams, "is not parameterised: a misspelt parameter would pass"),
        (OpenParams, "is not parameterised: a parameter can be overwritten"),
    ],
)
def test_a_faulty_strategy_fails_with_its_fault_named(faulty: type[Strategy], evidence: str) -> None:
    with pytest.raises(BatteryFailure, match=f"^{faulty.__name__} {evidence}"):
        check_strategy(faulty)


def test_a_sound_strategy_passes_and_the_checks_are_named() -> None:
    assert check_strategy(Weekly) == tuple(CHECKS)


def test_a_failure_is_an_assertion_in_one_line() -> None:
    with pytest.raises(AssertionError) as caught:
        check_strategy(Counts())
    assert "\n" not in str(caught.value)


def test_the_level_of_prices_may_matter_to_those_who_say_so() -> None:
    assert check_strategy(LikesCheapShares, scale_free=False) == tuple(CHECKS)


def test_the_witness_of_everything_passes() -> None:
    assert check_strategy(Witness, scale_free=False) == tuple(CHECKS)


def test_a_market_of_ones_own_is_tried_too() -> None:
    class AfraidOfVix(Weekly):
        indicators = ("VIX",)

        def on_bar(self, ctx: Context) -> Weights | None:
            return np.array([ctx.past.indicator("VIX")[0] * np.inf if ctx.session_index == 3 else 0.0, 0.0])

    class Fine(AfraidOfVix):
        def on_bar(self, ctx: Context) -> Weights | None:
            return super().on_bar(ctx) if len(ctx.past.ret(1).base) == 77 else None

    check_strategy(Fine)
    with pytest.raises(BatteryFailure, match="tolerant"):
        check_strategy(Fine, panel=trial_panel(("AAA", "BBB"), ("VIX",), n_bars=77))


def test_an_unknown_name_is_bad_input_not_a_failure() -> None:
    with pytest.raises(ConfigError, match="did you mean 'sixty_forty'"):
        check_strategy("sixty_fourty")


@pytest.mark.parametrize("name", NAMES)
def test_registered_strategies_pass_the_battery(name: str) -> None:
    assert check_strategy(name) == tuple(CHECKS)


@pytest.mark.parametrize("name", NAMES)
def test_registered_strategies_say_where_they_come_from_and_when_they_fail(name: str) -> None:
    doc = strategy_class(name).__doc__ or ""
    assert "Source:" in doc
    assert "Fails" in doc


@pytest.mark.parametrize("name", NAMES)
def test_registered_strategies_suggest_the_parameter_that_was_meant(name: str) -> None:
    fields = list(strategy_class(name).Params.model_fields)
    meant = max(fields, key=len)
    with pytest.raises(ConfigError, match=f"unknown key '{meant}x'; did you mean '{meant}'"):
        make_strategy(name, {f"{meant}x": 1}, where="sleeve 's'")


@pytest.mark.parametrize("name", NAMES)
def test_registered_strategies_are_whole_with_their_defaults(name: str) -> None:
    strategy = make_strategy(name, {}, where="sleeve 's'")
    assert strategy.warmup_bars >= 0
    assert strategy.full_gross > 0.0
    assert strategy.full_vol is None or strategy.full_vol > 0.0
    assert set(strategy.watched) < set(strategy.universe)
    assert strategy.role in {"defensive", "cyclical", "other"}
    assert len(set(strategy.diagnostics)) == len(strategy.diagnostics)
