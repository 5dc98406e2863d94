"""Colours by role, light and dark: the one place figures, page and notebooks take them from."""

from collections.abc import Mapping
from typing import Final

# Series colours keep their distance for the common forms of colour blindness (after Okabe & Ito 2008),
# darkened for white paper and lightened for a dark screen.
_LIGHT_SERIES: Final = (
    "#1b5fb4",
    "#d9822b",
    "#1f8a66",
    "#b5477f",
    "#6f58c9",
    "#1694ab",
    "#9c6b1e",
    "#5d7f1f",
    "#cf5347",
    "#4a6a8f",
    "#a38a00",
    "#7d5446",
)
_DARK_SERIES: Final = (
    "#6ea8fe",
    "#f0a95b",
    "#4fc79c",
    "#e684b6",
    "#a996f2",
    "#4fc8dc",
    "#d2a55a",
    "#a3c75c",
    "#f2887e",
    "#93b0d2",
    "#d8c24a",
    "#bf9686",
)

LIGHT: Final[Mapping[str, str]] = {
    "account": "#1b5fb4",
    "before": "#8db4e8",
    "bench": "#7d8590",
    "other": "#b6bcc4",
    "good": "#1a7f52",
    "bad_soft": "rgba(194,59,50,.16)",
    "bad": "#c23b32",
    "ink": "#1c2430",
    "grid": "#e4e7eb",
    "low": "#c8641c",
    "mid": "#ece7dc",
    "high": "#123f86",
    "box": "rgba(27,95,180,.14)",
    **{f"s{i}": colour for i, colour in enumerate(_LIGHT_SERIES)},
}
DARK: Final[Mapping[str, str]] = {
    "account": "#6ea8fe",
    "before": "#41638f",
    "bench": "#98a2af",
    "other": "#5c6673",
    "good": "#4fc38a",
    "bad_soft": "rgba(242,119,109,.20)",
    "bad": "#f2776d",
    "ink": "#e4e8ee",
    "grid": "#2b323c",
    "low": "#b4601a",
    "mid": "#3a3f48",
    "high": "#3579d6",
    "box": "rgba(110,168,254,.18)",
    **{f"s{i}": colour for i, colour in enumerate(_DARK_SERIES)},
}
N_SERIES: Final = len(_LIGHT_SERIES)
