"""The page of a parameter sweep: one self-contained HTML file, the same bytes for the same table."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from plimsoll.engine.errors import InputError
from plimsoll.engine.report.metrics.notices import SYNTHETIC
from plimsoll.engine.report.page.figure_parts import Figure
from plimsoll.engine.report.page.frame import SCRIPTS, STYLES, render_page
from plimsoll.engine.report.sweep.effect import effects
from plimsoll.engine.report.sweep.figures import effect_figure, map_figure, plateau_figure, spread_figure
from plimsoll.engine.report.sweep.lines import lines_figure
from plimsoll.engine.report.sweep.map import map_options, map_payload
from plimsoll.engine.report.sweep.plateau import best_plateau, plateaus
from plimsoll.engine.report.sweep.table import Sweep, read_sweep
from plimsoll.engine.report.sweep.words import (
    TOP,
    facts_shown,
    failed_reasons,
    failed_rows,
    reading,
    tiles,
    top_head,
    top_rows,
)

BASE: Final = "base_metric"
SYNTHETIC_FACT: Final = "synthetic"
NO: Final = ("", "no", "false")


def sweep_html(
    *,
    name: str,
    table: pd.DataFrame,
    keys: Sequence[str],
    metric: str,
    facts: Mapping[str, str],
    luck: Sequence[str] = (),
) -> str:
    """Return the page of a sweep; it loads nothing from anywhere.

    table : a row a setting, with the columns `setting` (int), each of `keys` (numbers, switches or texts), metrics
        (numbers; NaN = not defined), `status` ("ok" or anything else = failed) and `reason`.
    keys : the dotted keys of the grid. metric : the column that ranks the settings.
    facts : label -> text on where the sweep comes from, listed at the foot of the page. Two are read: `synthetic`
        (anything but empty, "no" or "false" puts a banner on top) and `base_metric` (the base configuration's
        metric as a number, which the settings are then compared with).
    luck : sentences on what is left of the best setting after all that were tried.

    Raises
    ------
    InputError
        The table has no row or lacks a column, `metric` is no column of numbers, `base_metric` no number.
    """
    sweep = read_sweep(name, table, keys, metric)
    base = _base(facts)
    found = effects(sweep) if len(sweep.varying) > 1 else []  # the map of one key is its effect
    around = plateaus(sweep)
    best, top = best_plateau(sweep, around), around[:TOP]
    figures = {
        "map": map_figure(sweep),
        "effects": [effect_figure(effect, sweep, k) for k, effect in enumerate(found)],
        "plateau": plateau_figure(sweep, top),
        "spread": spread_figure(sweep, base),
        "lines": lines_figure(sweep),
    }
    packed = map_payload(sweep, found)
    failed, more = failed_rows(sweep)
    context = {
        "heading": name,
        "banners": _banners(sweep, facts),
        "sweep": sweep,
        "figures": figures,
        "tiles": tiles(sweep, best),
        "reading": reading(sweep, top, best, base, luck),
        "map": packed,
        "options": map_options(sweep, len(packed["metrics"])),
        "left_out": sweep.metrics[len(packed["metrics"]) :],
        "head": top_head(sweep),
        "top": top_rows(sweep, top),
        "failed": {"rows": failed, "more": more, "reasons": failed_reasons(sweep)},
        "facts": facts_shown(facts, (SYNTHETIC_FACT, BASE)),
    }
    payload = {"axes": {}, "figures": _drawn(figures), "sweep": packed}
    scripts = (*SCRIPTS, "sweep/map.js", "sweep/page.js")
    return render_page(
        "sweep/page.html.j2", context, payload, styles=(*STYLES, "sweep/page.css"), scripts=scripts, whole_library=True
    )


def _drawn(figures: Mapping[str, Any]) -> dict[str, Any]:
    flat: list[Figure] = [figures["map"], *figures["effects"], figures["plateau"], figures["spread"], figures["lines"]]
    return {f.key: {"data": f.data, "layout": f.layout} for f in flat if not f.empty}


def _banners(sweep: Sweep, facts: Mapping[str, str]) -> list[tuple[str, str]]:
    out = []
    if facts.get(SYNTHETIC_FACT, "").strip().lower() not in NO:
        out.append((SYNTHETIC, "yellow"))
    failed = int((~sweep.ok).sum())
    if failed == len(sweep.ok):
        out.append(("EVERY SETTING FAILED: the reasons are listed below.", "red"))
    elif failed:
        out.append((f"{failed:,} of {len(sweep.ok):,} settings failed; every figure leaves them out.", "yellow"))
    if sweep.n_ruined:
        out.append((f"{sweep.n_ruined:,} settings were ruined: equity reached zero.", "yellow"))
    return out


def _base(facts: Mapping[str, str]) -> float:
    text = facts.get(BASE, "")
    try:
        value = float(text) if text else math.nan
    except ValueError as error:
        raise InputError(f"{BASE} is {text!r}, not a number", where="sweep report") from error
    return value if math.isfinite(value) else math.nan
