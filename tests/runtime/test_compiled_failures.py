"""Both loops end in the same words, or quarantine the same sleeve at the same bar, whatever breaks and when."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.book_run import Replay, Steady, book_config, walk_panel
from support.panels import make_panel, random_panel
from support.restless import FAULTS, Kernelled, Restless
from support.scripted import Scripted, plain_config
from support.twins import Left, both

from plimsoll.engine.market.panel import Panel
from plimsoll.engine.sleeve.strategy import Context, Strategy
from plimsoll.engine.types import Weights

NAMES = ("AAA", "BBB", "CCC")
PANEL = walk_panel(1, NAMES, (0.10, 0.14, 0.18), 120)
START = {"start": str(PANEL.clock.session[60])}
ERRORS = ("raise", "quarantine")


def alone(strategy: Strategy, panel: Panel, on_error: str = "raise", **sections: Any) -> Left:
    values = plain_config(**sections)
    values["sleeve"][0]["on_error"] = on_error
    return both(values, panel, {"s": strategy})


def book(sleeves: dict[str, Strategy], *, quarantine: str = "", **sections: Any) -> Left:
    sections = {"run": START, **sections}
    more = {name: {"on_error": "quarantine"} for name in quarantine}
    return both(book_config(tuple(sleeves), sleeve=more, **sections), PANEL, sleeves)


def restless(bad: int, fault: str = "raise", **more: Any) -> Restless:
    return Restless(Restless.Params(symbols=NAMES, bad=bad, fault=fault, **more))


@pytest.mark.parametrize("on_error", ERRORS)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("bad", [0, 1, 30, 119])
def test_a_strategy_that_breaks_alone(bad: int, fault: str, on_error: str) -> None:
    panel = random_panel(4, n_bars=120, symbols=(*NAMES[::-1], "DDD"))
    broken = Restless(Restless.Params(symbols=("DDD", "AAA", "CCC"), bad=bad, fault=fault))
    left = alone(broken, panel, on_error)
    if on_error == "raise" and fault != "unlisted":
        assert left.error is not None
        assert f"sleeve 's' (Restless) on {panel.clock.session[bad]}" in left.error[1]


def test_the_first_bar_traded_and_the_one_before_it_are_no_exceptions() -> None:
    for bad in (58, 59, 60, 61):
        for on_error in ERRORS:
            alone(restless(bad, "nan"), PANEL, on_error, run=START)


@pytest.mark.parametrize("looks", [False, True])
@pytest.mark.parametrize("fault", ["nan", "unlisted", "raise"])
@pytest.mark.parametrize("on_error", ERRORS)
def test_a_kernel_strategy_that_breaks_mid_way(on_error: str, fault: str, looks: bool) -> None:
    close = np.array(PANEL.close)
    close[60:, 2] = np.nan  # delisted after six sessions
    panel = make_panel(close, symbols=NAMES)
    for bad in (0, 3, 64, 73, 119):
        broken = Kernelled(Kernelled.Params(symbols=NAMES[::-1], looks=looks, bad=bad, fault=fault))
        left = alone(broken, panel, on_error)
        breaks = fault != "unlisted" or bad > 66
        if on_error == "raise":
            assert (left.error is not None) == breaks
        else:
            assert (str(panel.clock.session[bad]) in left.files["failures"].decode()) == breaks


def test_several_sleeves_break_on_different_bars() -> None:
    sleeves = {"a": restless(90, "nan", seed=1), "b": restless(70, seed=2), "c": restless(80, "shape", seed=3),
               "k": Kernelled(Kernelled.Params(symbols=NAMES, bad=75))}  # fmt: skip
    for quarantine in ("", "b", "bc", "bk", "abck"):
        left = book(sleeves, quarantine=quarantine)
        assert (left.error is None) == (len(quarantine) == 4)
        first = min((s for s in "abck" if s not in quarantine), key="bkca".index, default="")
        assert left.error is None or f"sleeve '{first}'" in left.error[1]


def test_of_two_sleeves_that_break_at_the_same_bar_the_first_is_named() -> None:
    for quarantine in ("", "a", "b"):
        left = book({"a": restless(70, seed=1), "b": restless(70, "nan", seed=2)}, quarantine=quarantine)
        assert left.error is not None
        assert f"sleeve '{'b' if quarantine == 'a' else 'a'}'" in left.error[1]


@pytest.mark.parametrize("bad", [79, 80, 81])
def test_a_sleeve_that_breaks_comes_before_a_short_in_a_cash_account(bad: int) -> None:
    path = np.where(np.arange(120)[:, None] < 80, 1.0, -1.0)
    left = book({"a": Steady({"AAA": 1.0}), "b": Replay(("BBB",), path), "c": restless(bad)}, account={"type": "cash"})
    assert left.error is not None
    assert ("broken at" in left.error[1]) == (bad <= 80)


def test_a_short_in_a_cash_account_is_named_with_its_symbol() -> None:
    for t in (30, 59, 60, 90):
        left = alone(Scripted(NAMES, {10: {"AAA": 0.5}, t: {"BBB": -0.25}}), PANEL, account={"type": "cash"}, run=START)
        assert left.error is not None
        assert "in BBB is short" in left.error[1]
        assert "-0.2" in left.error[1] or t == 30  # drifted by the time it is taken over


def test_ruin_comes_before_whatever_would_have_broken_from_then_on() -> None:
    close = np.full(40, 100.0)
    close[20:] = 40.0
    panel = make_panel(close, close, symbols=("AAA",))
    for bad in (19, 20, 21, 30):
        for on_error in ERRORS:
            broken = Restless(Restless.Params(symbols=("AAA",), often=0.0, bad=bad))

            class Levered(Restless):
                def on_bar(self, ctx: Context) -> Weights | None:
                    return np.array([2.0]) if ctx.bar_index == 5 else super().on_bar(ctx)

            left = alone(Levered(broken.params), panel, on_error)
            assert (left.error is not None) == (on_error == "raise" and bad < 20)
            if left.track is not None:
                assert left.track.ruined
                assert (b"broken" in left.files["failures"]) == (bad < 20)


@pytest.mark.parametrize("bad", [69, 70, 71, 1_000])
def test_a_withdrawal_of_more_than_there_is(bad: int, tmp_path: Path) -> None:
    file = tmp_path / "flows.csv"
    file.write_text(f"date,amount\n{PANEL.clock.session[65]},5000\n{PANEL.clock.session[70]},-9000000\n")
    for one in (alone(restless(bad), PANEL, run=START, account={"flows": str(file)}),
                book({"a": restless(bad), "b": Steady({"BBB": 1.0})}, account={"flows": str(file)})):  # fmt: skip
        assert one.error is not None
        assert one.error[0] == ("StrategyError" if bad == 69 else "DataError")


class Changed(Kernelled):
    """A subclass whose own `on_bar` the inherited scan knows nothing of."""

    def on_bar(self, ctx: Context) -> Weights | None:
        answer = super().on_bar(ctx)
        return None if answer is None else 0.5 * answer


class Tuned(Kernelled):
    """A subclass that changes only what both forms read."""

    @property
    def code(self) -> int:
        return 1


def test_a_scan_is_left_alone_where_a_subclass_has_changed_the_rule() -> None:
    for made in (Changed, Tuned):
        assert alone(made(made.Params(symbols=NAMES)), PANEL).error is None


class Unready(Kernelled):
    """Its scan spoils memory, diagnostics and notional portfolio before it gives up; its bars are sound."""

    def scan(self, run: Any) -> None:
        super().scan(run)
        run.notes[:] = 7.0
        raise RuntimeError("not today")


@pytest.mark.parametrize("looks", [False, True])
def test_where_a_scan_gives_up_the_bars_are_run_from_the_first(looks: bool) -> None:
    with pytest.warns(RuntimeWarning, match="its scan raises RuntimeError: not today; asked bar by bar instead"):
        assert alone(Unready(Unready.Params(symbols=NAMES, looks=looks)), PANEL).error is None
    with pytest.warns(RuntimeWarning, match="sleeve 'a': its scan raises RuntimeError: not today"):
        assert book({"a": Unready(Unready.Params(symbols=NAMES, looks=looks)), "b": restless(1_000)}).error is None


def test_a_scan_that_raises_as_the_bars_do_is_not_told_beside_their_error(recwarn: pytest.WarningsRecorder) -> None:
    class Broken(Unready):
        def on_bar(self, ctx: Context) -> Weights | None:
            if ctx.bar_index == 50:
                raise RuntimeError("not today")
            return super().on_bar(ctx)

        scan = Unready.scan

    assert "not today" in str(alone(Broken(Broken.Params(symbols=NAMES)), PANEL).error)
    assert not recwarn.list


@given(
    bads=st.lists(st.tuples(st.integers(0, 119), st.sampled_from(FAULTS), st.booleans()), min_size=2, max_size=4),
    cash=st.booleans(),
)
@settings(max_examples=15)
def test_any_mixture_of_sleeves_that_break(bads: list[tuple[int, str, bool]], cash: bool) -> None:
    sleeves: dict[str, Strategy] = {"k": Kernelled(Kernelled.Params(symbols=NAMES, looks=True))}
    for k, (bad, fault, _) in enumerate(bads):
        sleeves[f"{k}"] = restless(bad, fault, seed=k, short=cash and k == 0)
    quarantine = "".join(f"{k}" for k, (_, _, kept) in enumerate(bads) if kept)
    book(sleeves, quarantine=quarantine, account={"type": "cash" if cash else "reg_t"})
