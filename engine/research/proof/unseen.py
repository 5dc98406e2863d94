"""What stands where the future will be: nothing at all, or noise that looks like a market."""

from dataclasses import fields, replace
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from plimsoll.engine.market.panel import CLOSE, DIVIDEND, OPEN, SPLIT, VOLUME, BarClock, Panel
from plimsoll.engine.types import Bools, Codes, Floats

Veil: TypeAlias = Literal["nothing", "noise"]
VEILS: Final[tuple[Veil, ...]] = ("nothing", "noise")

NO_CODE: Final = -1  # the status of a symbol at a bar that has not come yet
_FLAGS: Final = ("first_bar", "last_bar", "month_first", "month_last", "week_last")


class VeiledPanel(Panel):
    """A panel that fills bar by bar; it has no hash, which would tell one future from another."""

    @cached_property
    def data_hash(self) -> str:
        """Nothing."""
        return ""


def veiled_panel(truth: Panel, n_bars: int, veil: Veil, seed: int) -> VeiledPanel:
    """Return a panel of `n_bars` bars with the columns of `truth` and none of its numbers.

    nothing : NaN, NaT, flags that are all false. noise : prices, actions, dates and flags drawn at random.
    Whatever tells the future by other means is blank: warnings, source, which symbols were read how.
    """
    rng = np.random.default_rng([seed, 1]) if veil == "noise" else None
    shape = (n_bars, truth.n_symbols)
    block = np.empty((5, *shape))
    for row in range(5):
        block[row] = _blank(shape) if rng is None else _noisy_row(row, shape, rng)
    hidden: dict[str, Any] = {
        "clock": _clock(truth.clock, n_bars, rng),
        "block": block,
        "high": prices(shape, rng),
        "low": prices(shape, rng),
        "indicator": prices((n_bars, len(truth.indicators)), rng),
        "adjusted_only": (),
        "outside": _members(truth, n_bars, rng),
        "source": "",
        "warnings": (),
    }
    return VeiledPanel(**{field.name: getattr(truth, field.name) for field in fields(Panel)} | hidden)


def _members(truth: Panel, n_bars: int, rng: np.random.Generator | None) -> Bools:
    """Return who is outside the universe: nobody, or anybody; nothing where nothing is said of it."""
    shape = (n_bars, truth.n_symbols) if truth.outside.size else (0, 0)
    return np.zeros(shape, dtype=np.bool_) if rng is None else rng.random(shape) < 0.5


def prices(shape: tuple[int, ...], rng: np.random.Generator | None) -> Floats:
    """Return levels above zero, NaN without a generator."""
    return _blank(shape) if rng is None else np.exp(rng.normal(4.0, 1.0, shape))


def returns(shape: tuple[int, ...], rng: np.random.Generator | None) -> Floats:
    """Return small numbers of either sign, NaN without a generator."""
    return _blank(shape) if rng is None else rng.normal(0.0, 0.02, shape)


def codes(shape: tuple[int, ...], rng: np.random.Generator | None) -> Codes:
    """Return statuses drawn at random, `NO_CODE` without a generator."""
    if rng is None:
        return np.full(shape, NO_CODE, dtype=np.int8)
    return rng.integers(0, 4, shape).astype(np.int8)


def _blank(shape: tuple[int, ...]) -> Floats:
    return np.full(shape, np.nan)


def _noisy_row(row: int, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    if row in (OPEN, CLOSE):
        return prices(shape, rng)
    if row == VOLUME:
        return np.floor(np.exp(rng.normal(10.0, 3.0, shape)))
    if row == DIVIDEND:
        return np.where(rng.random(shape) < 0.1, rng.random(shape), 0.0)
    assert row == SPLIT
    return np.where(rng.random(shape) < 0.05, rng.choice([0.5, 2.0, 3.0], shape), 1.0)


def _clock(truth: BarClock, n_bars: int, rng: np.random.Generator | None) -> BarClock:
    columns: dict[str, Any] = {}
    if rng is None:
        columns["stamp"] = np.full(n_bars, "NaT", dtype=truth.stamp.dtype)
        columns["session"] = np.full(n_bars, "NaT", dtype=truth.session.dtype)
        columns["session_index"] = np.full(n_bars, np.iinfo(np.int64).min, dtype=np.int64)
        columns |= {name: np.zeros(n_bars, dtype=np.bool_) for name in _FLAGS}
        return replace(truth, **columns)
    days = rng.integers(0, 30_000, n_bars).astype("datetime64[D]")
    columns["stamp"], columns["session"] = days.astype(truth.stamp.dtype), days.astype(truth.session.dtype)
    columns["session_index"] = rng.integers(0, 30_000, n_bars)
    columns |= {name: rng.random(n_bars) < 0.5 for name in _FLAGS}
    return replace(truth, **columns)
