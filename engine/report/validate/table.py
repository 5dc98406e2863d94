"""Figures, values and keys of a validation as texts in the tables of its page."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from plimsoll.engine.report.metrics.labels import DASH, Label, shown

FORWARD: Final[tuple[Label, ...]] = (
    ("sharpe_excess", "Sharpe over bills", "ratio"),
    ("cagr", "CAGR", "percent"),
    ("vol_ann", "Volatility", "percent"),
    ("vol_target", "its target", "percent"),
    ("max_drawdown", "Max drawdown", "percent"),
    ("turnover", "Turnover a year", "ratio"),
    ("effective_n", "Effective N", "ratio"),
)
OF_A_WINDOW: Final[tuple[Label, ...]] = (
    ("return", "Return", "percent"),
    ("vol_ann", "Volatility", "percent"),
    ("vol_target", "Target", "percent"),
    ("max_drawdown", "Drawdown", "percent"),
    ("turnover", "Turnover", "ratio"),
    ("effective_n", "Effective N", "ratio"),
)


def cells(block: Mapping[str, Any], labels: Sequence[Label]) -> tuple[str, ...]:
    """Return the figures of a block as texts, dashes for those it has not."""
    return tuple(shown(block.get(key), kind) for key, _, kind in labels)


def money(value: float | None) -> str:
    """Return whole dollars."""
    return DASH if value is None else f"${value:z,.0f}"


def value_text(value: Any) -> str:
    """Return a value of a grid as text."""
    return f"{value:z.6g}" if isinstance(value, float) else str(value)


def settings_text(values: Mapping[str, Any]) -> str:
    """Return chosen values in one line, keys by their last part where that tells them apart."""
    short = short_names(list(values))
    return ", ".join(f"{short[key]} {value_text(value)}" for key, value in values.items()) or "as configured"


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Return the shortest end of each dotted key that no other key ends in."""
    found = {}
    for key in keys:
        parts = key.split(".")
        for size in range(1, len(parts) + 1):
            name = ".".join(parts[-size:])
            if sum(other == name or other.endswith(f".{name}") for other in keys) == 1:
                break
        found[key] = name
    return found
