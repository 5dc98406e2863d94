"""What the page's script draws the map from: one byte a key and four bytes a metric for each finished setting."""

from base64 import b64encode
from typing import Any, Final

import numpy as np

from plimsoll.engine.report.sweep.axes import plot_text
from plimsoll.engine.report.sweep.effect import Effect
from plimsoll.engine.report.sweep.levels import GridKey
from plimsoll.engine.report.sweep.table import Sweep

# Characters the metrics may take; a page of 100,000 settings stays under ten million with the drawing library's five.
METRIC_CHARS: Final = 2_800_000
HOW: Final = {"median": "median", "best": "best", "worst": "worst", "mean": "mean"}


def map_payload(sweep: Sweep, found: list[Effect]) -> dict[str, Any]:
    """Return the columns of the finished settings, packed, and the choice to begin with.

    n : settings packed. keys : name, step labels, `codes` as base64 of uint8 (n,). metrics : key, title, kind,
    whether lower is better, `values` as base64 of little-endian float32 (n,), NaN = not defined; as many as fit.
    x, y : the two keys that matter most (`found`, strongest first), the finer one on x; `y` is None with one key.
    """
    done = np.flatnonzero(sweep.ok)
    each = len(_packed(np.zeros(len(done), dtype="<f4")))
    fitting = sweep.metrics[: max(1, METRIC_CHARS // max(each, 1))]
    keys = map_keys(sweep)
    strongest = [keys.index(effect.key) for effect in found if effect.key in keys] or [0]
    pair = sorted(strongest[:2], key=lambda k: -len(keys[k].step_labels))
    return {
        "n": len(done),
        "keys": [
            {
                "name": plot_text(key.name),
                "labels": [plot_text(label) for label in key.step_labels],
                "ordered": key.ordered,
                "codes": _packed(key.steps[done].astype(np.uint8)),
            }
            for key in keys
        ],
        "metrics": [
            {
                "key": metric.key,
                "title": plot_text(metric.title),
                "kind": metric.kind,
                "lower": metric.lower,
                "values": _packed(sweep.values[metric.key][done].astype("<f4")),
            }
            for metric in fitting
        ],
        "x": pair[0],
        "y": pair[1] if len(pair) > 1 else None,
    }


def map_options(sweep: Sweep, n_metrics: int) -> dict[str, Any]:
    """Return the (value, text) pairs of the map's selectors: metrics, names of keys, how, and each key's own values."""
    keys = map_keys(sweep)
    return {
        "metrics": [(k, metric.title) for k, metric in enumerate(sweep.metrics[:n_metrics])],
        "names": [(k, key.name) for k, key in enumerate(keys)],
        "how": list(HOW.items()),
        "fixed": [(k, key.name, [("", "all"), *enumerate(key.step_labels)]) for k, key in enumerate(keys)],
    }


def map_keys(sweep: Sweep) -> list[GridKey]:
    """Return the keys a map can be drawn over: those that vary, or all where none does."""
    return sweep.varying or list(sweep.keys)


def _packed(column: "np.ndarray[Any, Any]") -> str:
    return b64encode(column.tobytes()).decode("ascii")
