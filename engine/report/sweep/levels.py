"""The keys of a parameter sweep as positions on their values: what heat maps, boxes and neighbours are built on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from plimsoll.engine.report.metrics.labels import DASH
from plimsoll.engine.types import Ints

# More steps than this on one axis are neither readable nor worth their bytes; must stay below 256 (one byte a code).
MAX_STEPS: Final = 40
BINS: Final = 20
LABEL_WIDTH: Final = 32


@dataclass(frozen=True, slots=True)
class GridKey:
    """One key of the grid.

    key : the dotted key as the configuration has it; name : its shortest end that no other key shares.
    codes (n,) : position of each setting's value among `labels`, numbers ascending, texts in order of appearance.
    numbers : the values of `labels` where they are numbers, None otherwise.
    steps (n,) : position among `step_labels`: as `codes`, or in groups of values where there are too many to show.
    """

    key: str
    name: str
    labels: tuple[str, ...]
    codes: Ints
    numbers: tuple[float, ...] | None
    step_labels: tuple[str, ...]
    steps: Ints

    @property
    def ordered(self) -> bool:
        """Whether a step is to the next value only (numbers), or to any other value (texts, switches)."""
        return self.numbers is not None

    @property
    def varies(self) -> bool:
        """Whether the settings differ in this key."""
        return len(self.labels) > 1

    @property
    def grouped(self) -> bool:
        """Whether a step holds several values."""
        return len(self.step_labels) < len(self.labels)


def grid_keys(table: pd.DataFrame, keys: Sequence[str]) -> tuple[GridKey, ...]:
    """Return the keys of the table's settings, in the order given."""
    names = short_names(keys)
    return tuple(_grid_key(key, name, table[key]) for key, name in zip(keys, names, strict=True))


def short_names(keys: Sequence[str]) -> list[str]:
    """Return each dotted key's shortest end of whole parts that belongs to no other key."""
    parts = [key.split(".") for key in keys]

    def end(position: int) -> str:
        own = parts[position]
        for n in range(1, len(own)):
            if all(other[-n:] != own[-n:] for k, other in enumerate(parts) if k != position):
                return ".".join(own[-n:])
        return keys[position]

    return [end(position) for position in range(len(keys))]


def _grid_key(key: str, name: str, column: "pd.Series[Any]") -> GridKey:
    found, distinct = pd.factorize(column, use_na_sentinel=True)
    codes = np.asarray(found, dtype=np.int64)
    values = [value.item() if isinstance(value, np.generic) else value for value in distinct]
    switches = all(isinstance(value, bool) for value in values)
    numeric = not switches and all(isinstance(value, (int, float)) for value in values)
    if numeric or switches:
        order = sorted(range(len(values)), key=lambda k: values[k])
        rank = np.empty(len(values) + 1, dtype=np.int64)
        rank[order] = np.arange(len(values))
        rank[-1] = -1
        codes = rank[codes]
        values = [values[k] for k in order]
    labels = tuple(_label(value) for value in values)
    if (codes < 0).any():
        codes = np.where(codes < 0, len(labels), codes)
        labels, values = (*labels, DASH), [*values, math.nan]
    step_labels, steps = _steps(labels, codes, numeric)
    known = tuple(float(value) for value in values) if numeric else None
    return GridKey(key, name, labels, codes, known, step_labels, steps)


def _label(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f"{value:.12g}" if isinstance(value, float) and math.isfinite(value) else str(value)
    return text if len(text) <= LABEL_WIDTH else text[: LABEL_WIDTH - 1] + "…"


def _steps(labels: tuple[str, ...], codes: Ints, numeric: bool) -> tuple[tuple[str, ...], Ints]:
    """Return the shown steps: numbers in groups of equally many values, texts with the late comers in one group."""
    n = len(labels)
    if n <= MAX_STEPS:
        return labels, codes
    if not numeric:
        return (*labels[: MAX_STEPS - 1], f"{n - MAX_STEPS + 1} others"), np.minimum(codes, MAX_STEPS - 1)
    group = np.arange(n) * BINS // n
    first, last = np.searchsorted(group, np.arange(BINS)), np.searchsorted(group, np.arange(BINS), side="right") - 1
    texts = tuple(f"{_brief(labels[a])} to {_brief(labels[b])}" for a, b in zip(first, last, strict=True))
    return texts, group[codes]


def _brief(label: str) -> str:
    try:
        return f"{float(label):z.3g}"
    except ValueError:
        return label
