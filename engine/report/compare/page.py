"""The page of a comparison: one self-contained HTML file, the same bytes for the same runs."""

import io
from typing import Any

import numpy as np
import pandas as pd

from plimsoll.engine.report.compare import words as w
from plimsoll.engine.report.compare.comparison import Comparison
from plimsoll.engine.report.compare.figures import WINDOW, comparison_figures
from plimsoll.engine.report.metrics.notices import SYNTHETIC
from plimsoll.engine.report.page.figure_parts import dates, packed_dates
from plimsoll.engine.report.page.frame import packed, render_page


def comparison_html(found: Comparison) -> str:
    """Return the page; it loads nothing from anywhere."""
    lined = found.lined
    figures = comparison_figures(found)
    axes = {
        "sessions": lined.sessions,
        "start": np.concatenate(([lined.start], lined.sessions)),
        "rolling": lined.sessions[WINDOW - 1 :],
    }
    payload = {
        "axes": {name: packed_dates(dates(days)) for name, days in axes.items()},
        "figures": {f.key: {"data": f.data, "layout": f.layout} for f in figures if not f.empty},
        "files": {"returns.csv": packed(_returns(found))},
    }
    focus = [str(period) for period in dict.fromkeys(found.focus.index.get_level_values(0))] if len(found.focus) else []
    context: dict[str, Any] = {
        "heading": " / ".join(lined.runs),
        "banners": _banners(found),
        "span": f"{lined.sessions[0]} to {lined.sessions[-1]}, {len(lined.sessions):,} common sessions",
        "verdicts": w.verdicts(found),
        "figures": {one.key: one for one in figures},
        "table": w.figure_table(found),
        "tests": w.test_table(found),
        "years": w.year_table(found, _years_of(focus)),
        "focus": w.focus_table(found),
        "crises": w.crisis_table(found),
        "settings": w.setting_table(found),
        "runs": [(label, run.run_id, run.data_hash) for label, run in lined.runs.items()],
    }
    return render_page("compare/page.html.j2", context, payload)


def _years_of(focus: list[str]) -> frozenset[int]:
    ranges = [period.partition("-") for period in focus]
    return frozenset(year for first, _, last in ranges for year in range(int(first), int(last or first) + 1))


def _banners(found: Comparison) -> list[tuple[str, str]]:
    lined = found.lined
    out = [(SYNTHETIC, "yellow")] if any(run.synthetic for run in lined.runs.values()) else []
    ruined = [label for label, run in lined.runs.items() if run.ruined]
    if ruined:
        out.append((f"RUINED: equity of {', '.join(ruined)} reached zero.", "red"))
    if len({run.data_hash for run in lined.runs.values()}) > 1:
        out.append(("The runs are not of the same data: symbols, span or prices differ.", "yellow"))
    shorter = [f"{label} has {len(run.sessions):,}" for label, run in lined.runs.items()
               if len(run.sessions) > len(lined.sessions)]  # fmt: skip
    if shorter:
        out.append((f"Compared over the {len(lined.sessions):,} common sessions: {', '.join(shorter)}.", "yellow"))
    return [*out, *((f"Left out: {text}.", "yellow") for text in lined.left_out)]


def _returns(found: Comparison) -> bytes:
    frame = pd.DataFrame(dict(found.lined.series))
    frame.insert(0, "session", dates(found.lined.sessions))
    sink = io.StringIO()
    frame.to_csv(sink, index=False, float_format="%.9g", lineterminator="\n")
    return sink.getvalue().encode()
