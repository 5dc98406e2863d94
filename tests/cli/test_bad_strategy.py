"""A strategy that fails is told with sleeve, class and session; quarantined, its sleeve holds what it had."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plimsoll.engine.verbs.backtest import backtest

BAR = 30
SESSION = "2015-02-17"  # the 31st session from 2015-01-02
UNLISTED = "2015-01-23"

# What `on_bar` does at bar 30, and what the line says behind "sleeve 's' (Mine) on 2015-02-17: ".
FAULTS: dict[str, tuple[str, str]] = {
    "raises": ("raise ZeroDivisionError('by nought')", "raised ZeroDivisionError: by nought"),
    "raises in many lines": ("raise ValueError('one\\ntwo')", "raised ValueError: one two"),
    "NaN": ("return np.array([0.5, np.nan])", "answered nan for TLT (a window reaches beyond the history"),
    "infinite": ("return np.array([np.inf, 0.0])", "answered inf for SPY"),
    "a mapping with an unknown symbol": (
        "return ctx.weights({'SPYY': 1.0})",
        "'SPYY' is not in the universe; did you mean 'SPY'?",
    ),
    "wrong length": ("return np.zeros(3)", "answered shape (3,) of float64; return (2,) float64 weights"),
    "wrong shape for weights": ("return ctx.weights(np.zeros(3))", "weights have shape (3,); return (2,)"),
    "two dimensions": ("return np.zeros((2, 1))", "answered shape (2, 1) of float64"),
    "whole numbers": ("return np.array([1, 0])", "answered shape (2,) of int64; return (2,) float64 weights"),
    "half precision": ("return np.zeros(2, dtype=np.float32)", "answered shape (2,) of float32"),
    "a list": (
        "return [0.5, 0.5]",
        "answered list; return (2,) float64 weights, e.g. ctx.weights({'SPY': 1.0}), or None",
    ),
    "a bare mapping": ("return {'SPY': 1.0}", "answered dict; return"),
    "a number": ("return 1.0", "answered float; return"),
    "a window of nothing": ("return ctx.past.ret(0)[0]", "a window of 0 bars was asked for; ask for at least 1"),
    "an indicator nobody loaded": ("return ctx.past.indicator('VIXX')", "indicator 'VIXX' is not loaded"),
    "an undeclared note": ("ctx.note('spread', 1.0)", "diagnostic 'spread' is not declared"),
    "a note that is no number": (
        "ctx.note('vol', 'high')",
        "raised ValueError: could not convert string to float: 'high'",
    ),
    "a word unlisted does not know": (
        "return ctx.weights({'SPY': 1.0}, unlisted='renormalize')",
        "unlisted='renormalize'; did you mean 'renormalise'?",
    ),
}

SOURCE = """\
import numpy as np
from plimsoll import Strategy


class {name}(Strategy):
    universe = ("SPY", "TLT")
    diagnostics = ("vol",)

    def on_bar(self, ctx):
        if ctx.bar_index == 10:
            return ctx.weights({{"SPY": 0.6, "TLT": 0.2}})
        if ctx.bar_index == {bar}:
            {body}
        return None
"""


def _write(here: Path, module: str, body: str, *, name: str = "Mine", bar: int = BAR) -> str:
    """Write a module with a strategy and a configuration that runs it; return the latter's name."""
    (here / f"{module}.py").write_text(SOURCE.format(name=name, bar=bar, body=body))
    (here / f"{module}.toml").write_text(
        f'[data]\nsource = "csv"\npath = "data"\n[[sleeve]]\nname = "s"\nstrategy = "{module}:{name}"\n'
    )
    return f"{module}.toml"


@pytest.mark.parametrize("name", FAULTS)
def test_a_strategy_that_fails_is_told_with_sleeve_class_and_session(
    name: str, here: Path, refused: Callable[..., str]
) -> None:
    body, says = FAULTS[name]
    config = _write(here, "fault_" + name.replace(" ", "_").lower(), body)
    line = refused("backtest", config, "--out", "out")
    assert line.startswith(f"sleeve 's' (Mine) on {SESSION}: ")
    assert says in line


def test_weight_on_a_symbol_without_a_row_is_told(here: Path, refused: Callable[..., str]) -> None:
    lines = (here / "data/TLT.csv").read_text().splitlines()
    (here / "data/TLT.csv").write_text("\n".join([lines[0], *lines[40:], ""]))
    config = _write(here, "unborn", "return np.array([0.5, 0.5])", bar=5)
    (here / "unborn.py").write_text((here / "unborn.py").read_text().replace("ctx.bar_index == 10", "False"))
    line = refused("backtest", config)
    assert "answered 0.5 for TLT, which is not listed (no row yet, or delisted)" in line
    assert "use ctx.weights(..., unlisted='cash')" in line


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (
            "nomodule:Mine",
            "sleeve 's': cannot import 'nomodule': No module named 'nomodule'; put it beside the configuration file",
        ),
        ("present:Mien", "sleeve 's': 'present' has no 'Mien'; did you mean 'Mine'?"),
        ("present:", "sleeve 's': 'present' has no ''"),
        ("present:np", "sleeve 's': 'present:np' is not a Strategy; subclass plimsoll.Strategy"),
        ("broken:Mine", "sleeve 's': importing 'broken' raised ZeroDivisionError: division by zero"),
        ("syntax:Mine", "sleeve 's': importing 'syntax' raised SyntaxError: "),
        (
            "sixty_fourty",
            "sleeve 's': unknown strategy 'sixty_fourty'; did you mean 'sixty_forty'? (or use 'package.module:Class')",
        ),
        ("present:Abstract", "sleeve 's': making Abstract raised TypeError: Can't instantiate abstract class Abstract"),
        ("present:Bare", "sleeve 's': the universe is empty; set the class attribute `universe`"),
        ("present:Text", "sleeve 's': Text.universe is 'SPY'; write a tuple of names"),
        ("present:Twice", "sleeve 's': Twice.universe names 'SPY' twice"),
        (
            "present:Watches",
            "sleeve 's': Watches.watched names 'SPX', which is not in its universe; did you mean 'SPY'?",
        ),
        ("present:Endless", "sleeve 's': Endless.full_gross is None; give a number above 0"),
        ("present:Still", "sleeve 's': Still.full_vol is 0.0; give a number above 0"),
        ("present:Raises", "sleeve 's': asking Raises raised KeyError: 'universe'"),
        ("present:LongAgo", "sleeve 's': LongAgo.warmup_bars is 2.5; return a whole number of bars"),
        ("present:Listed", "sleeve 's' (Listed): init returned list; return a NamedTuple of arrays, or None"),
    ],
)
def test_a_strategy_that_cannot_be_made_is_told(
    spec: str, says: str, here: Path, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _write(here, "present", "pass")
    (here / "present.py").write_text((here / "present.py").read_text() + CLASSES)
    (here / "broken.py").write_text("1 / 0\n")
    (here / "syntax.py").write_text("def on_bar(:\n")
    monkeypatch.delitem(sys.modules, "present", raising=False)
    assert refused("backtest", config, "--set", f"sleeve.s.strategy='{spec}'").startswith(says)


CLASSES = """

class Abstract(Strategy):
    universe = ("SPY",)


class Bare(Mine):
    universe = ()


class Text(Mine):
    universe = "SPY"


class Twice(Mine):
    universe = ("SPY", "TLT", "SPY")


class Watches(Mine):
    watched = ("SPX",)


class Endless(Mine):
    full_gross = None


class Still(Mine):
    full_vol = 0.0


class Raises(Mine):
    @property
    def universe(self):
        return {}["universe"]


class LongAgo(Mine):
    warmup_bars = 2.5


class Listed(Mine):
    def init(self, n_symbols):
        return [0.0]
"""


def test_a_quarantined_sleeve_holds_its_drifted_weights_counted_and_warned(here: Path, cli: Callable[..., Any]) -> None:
    body = "raise RuntimeError('gave up')\n        if ctx.bar_index > 30:\n            return ctx.weights({'TLT': 1.0})"
    config = _write(here, "quarantined", body)
    quarantine = ("--set", "sleeve.s.on_error=quarantine")
    ran = cli("backtest", config, "--out", "out", "--json", *quarantine)
    assert ran.code == 0
    lines = (here / "quarantined.py").read_text().splitlines()
    at = next(number for number, line in enumerate(lines, start=1) if "gave up" in line)
    said = f"sleeve 's' (Mine) on {SESSION}: raised RuntimeError: gave up (at quarantined.py:{at})"
    assert said in (here / "out/log.jsonl").read_text()
    result = backtest(here / config, sets=["sleeve.s.on_error=quarantine"])
    assert result.counts["sleeves_quarantined"] == 1
    assert [w.text for w in result.warnings if w.kind == "quarantined"] == [said]
    assert list(result.targets.index.astype(str)) == ["2015-01-02", "2015-01-16"]
    shares = result.fills.groupby("symbol")["qty"].sum()
    assert set(shares.index) == {"SPY", "TLT"}
    assert len(result.fills) == 2
    assert (result.weights.iloc[-1] > 0.1).all()


def test_without_quarantine_no_folder_is_left(here: Path, refused: Callable[..., str]) -> None:
    config = _write(here, "no_folder", "raise RuntimeError('gave up')")
    refused("backtest", config)
    assert not (here / "runs").exists()


def test_an_interrupted_run_exits_with_130_and_leaves_nothing(here: Path, cli: Callable[..., Any]) -> None:
    config = _write(here, "interrupted", "raise KeyboardInterrupt")
    ran = cli("backtest", config, "--out", "out")
    assert (ran.code, ran.err) == (130, "interrupted\n")
    assert not (here / "out").exists()


def test_verbose_shows_the_traceback_down_to_the_strategy(here: Path, cli: Callable[..., Any]) -> None:
    config = _write(here, "verbose", "raise RuntimeError('gave up')")
    for arguments in (("-v", "backtest", config), ("backtest", config, "--verbose")):
        ran = cli(*arguments)
        assert ran.code == 2
        assert "Traceback (most recent call last)" in ran.err
        assert "verbose.py" in ran.err
        assert ran.err.splitlines()[-1].startswith("error: sleeve 's' (Mine)")


def test_json_stays_clean_of_everything_else(here: Path, cli: Callable[..., Any]) -> None:
    config = _write(here, "clean", "pass")
    ran = cli("backtest", config, "--out", "out", "--json")
    assert json.loads(ran.out) == json.loads((here / "out/metrics.json").read_text())
