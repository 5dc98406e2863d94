"""The page of a stress test by itself: one HTML file, the same bytes for the same figures."""

from collections.abc import Mapping
from typing import Any

from plimsoll.engine.report.metrics.notices import SYNTHETIC
from plimsoll.engine.report.page.frame import render_page
from plimsoll.engine.report.validate.stress import stress_figures, stress_tables


def stress_html(found: Mapping[str, Any]) -> str:
    """Return the page of a stress test; it loads nothing from anywhere. found : what `StressReport.plain` returns."""
    figures = stress_figures(found)
    context = {
        "heading": found["name"],
        "banners": [(SYNTHETIC, "yellow")] if found["synthetic"] else [],
        "found": found,
        "figures": figures,
        "tables": stress_tables(found),
    }
    payload = {"axes": {}, "figures": {f.key: {"data": f.data, "layout": f.layout} for f in figures if not f.empty}}
    return render_page("validate/stress.html.j2", context, payload)
