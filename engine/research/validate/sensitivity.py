"""What is left of the Sharpe ratio where parameters are moved: flat, or fragile."""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from plimsoll.engine.report.metrics.returns import NAN
from plimsoll.engine.research.validate.perturb import Perturbation
from plimsoll.engine.types import Floats

FLAT: Final = "flat"
FRAGILE: Final = "fragile"
UNKNOWN: Final = "not measured"


def sensitivity_block(
    base: float, moved: Sequence[Perturbation], ratios: Floats, threshold: float, left_out: Sequence[str]
) -> dict[str, Any]:
    """Return the perturbations in plain values.

    base : the configuration's Sharpe ratio over bills, a year; ratios (P,) that of each perturbation, NaN = it failed.
    `worst` : how far the lowest lies below the base, a failed one being no ratio at all; `level` : the median of the
    base and its neighbours, the plateau it stands on; `verdict` : flat iff `worst` is at most the threshold. A higher
    ratio is no fragility, but says that the configuration is not the best of its surroundings.
    """
    rows = [_row(one, float(ratio), base) for one, ratio in zip(moved, ratios, strict=True)]
    singles = [row for row in rows if len(row["moves"]) == 1]
    tornado = sorted(_bars(singles), key=lambda bar: -float(bar["span"]))
    failed = int(np.count_nonzero(~np.isfinite(ratios)))
    known: Floats = ratios[np.isfinite(ratios)]
    worst = max(base - float(np.min(known)), 0.0) if len(known) else NAN
    verdict = UNKNOWN if not rows or not np.isfinite(base) else FLAT
    if verdict == FLAT and (failed or worst > threshold):
        verdict = FRAGILE
    return {
        "base": base,
        "rows": rows,
        "tornado": tornado,
        "pairs": len(rows) - len(singles),
        "failed": failed,
        "worst": worst,
        "best": max(float(np.max(known)) - base, 0.0) if len(known) else NAN,
        "level": float(np.median(np.append(known, base))) if np.isfinite(base) else NAN,
        "threshold": threshold,
        "verdict": verdict,
        "left_out": list(left_out),
    }


def _row(one: Perturbation, ratio: float, base: float) -> dict[str, Any]:
    moves = [{"key": key, "was": was, "is": to} for key, was, to in one.moves]
    return {"moves": moves, "sharpe_excess": ratio, "difference": ratio - base}


def _bars(singles: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a bar of the tornado for each key: the difference on the lower and on the higher side."""
    bars: dict[str, dict[str, Any]] = {}
    for row in singles:
        move = row["moves"][0]
        bar = bars.setdefault(move["key"], {"key": move["key"], "was": move["was"], "low": None, "high": None})
        side = "low" if move["is"] < move["was"] else "high"
        bar[side] = {"is": move["is"], "difference": row["difference"]}
    for bar in bars.values():
        ends = [bar[side]["difference"] for side in ("low", "high") if bar[side] is not None]
        known = [end for end in ends if not math.isnan(end)]
        bar["span"] = max([0.0, *known]) - min([0.0, *known])
    return list(bars.values())
