"""How keys and metrics of a sweep are written on the axes of its figures."""

from html import escape
from typing import Any, Final

from plimsoll.engine.report.metrics.labels import Kind
from plimsoll.engine.report.page.figure_parts import thin
from plimsoll.engine.report.sweep.levels import GridKey

FORMATS: Final[dict[Kind, str]] = {"percent": ",.2~%", "ratio": ",.3~f", "count": ",.0f", "usd": ",.0f", "bps": ",.1~f"}
MAX_TICKS: Final = 12
NOTHING: Final = "No setting has a value to show."


def plot_text(text: str) -> str:
    """Return `text` so that the drawing library shows it as it is: no mark-up, no role of a colour."""
    safe = escape(text, quote=False)
    return "&#64;" + safe[1:] if safe.startswith("@") else safe


def ticks(key: GridKey) -> tuple[list[int], list[str]]:
    """Return the positions and texts of at most a dozen of the key's steps."""
    at = thin(len(key.step_labels), MAX_TICKS).tolist()
    return at, [plot_text(key.step_labels[k]) for k in at]


def steps_axis(key: GridKey) -> dict[str, Any]:
    """Return an x axis that counts the key's steps and names them."""
    at, texts = ticks(key)
    return {
        "type": "linear",
        "tickvals": at,
        "ticktext": texts,
        "range": [-0.6, len(key.step_labels) - 0.4],
        "zeroline": False,
    }
