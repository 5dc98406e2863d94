"""The report page: one self-contained HTML file, the same bytes for the same run."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from plimsoll.engine.report.metrics.notices import banners, span_text
from plimsoll.engine.report.metrics.returns import start_of
from plimsoll.engine.report.page.figure_parts import Figure, dates, thin
from plimsoll.engine.report.page.frame import render_page
from plimsoll.engine.report.tearsheet.certificate import certificate_tables
from plimsoll.engine.report.tearsheet.figures_book import (
    costs_figure,
    exposure_figure,
    sleeve_figures,
    turnover_figure,
    weights_figure,
)
from plimsoll.engine.report.tearsheet.figures_diagnostics import diagnostic_figures
from plimsoll.engine.report.tearsheet.figures_returns import (
    WINDOW,
    distribution_figure,
    drawdown_figure,
    growth_figure,
    rolling_figures,
    years_figure,
)
from plimsoll.engine.report.tearsheet.ladder import ladder_section
from plimsoll.engine.report.tearsheet.tables import page_tables
from plimsoll.engine.report.tearsheet.trades import trades_section
from plimsoll.engine.runtime.record import Record


def tearsheet_html(record: Record, metrics: Mapping[str, Any]) -> str:
    """Return the page of a run; it loads nothing from anywhere.

    metrics : what `metrics_of(record)` returned.
    """
    figures = page_figures(record, metrics)
    groups = dict(figures["diagnostics"])
    flat = [figure for name in ("top", "years", "rolling", "book", "trading", "sleeves") for figure in figures[name]]
    flat += [figure for group in groups.values() for figure in group]
    ladder = ladder_section(record, metrics)
    flat += [] if ladder is None else [ladder["figure"]]
    payload = {
        "axes": page_axes(record),
        "figures": {f.key: {"data": f.data, "layout": f.layout} for f in flat if not f.empty},
    }
    context = {
        "heading": record.name,
        "banners": banners(record, metrics),
        "record": record,
        "metrics": metrics,
        "run": metrics["run"],
        "span": span_text(metrics["run"]),
        "figures": figures,
        "window": WINDOW,
        "tables": page_tables(record, metrics),
        "ladder": ladder,
        "trades": trades_section(record, metrics),
        "audit": None if record.certificate is None else certificate_tables(record.certificate),
    }
    return render_page("tearsheet/page.html.j2", context, payload)


def page_figures(record: Record, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the page's figures by section."""
    if len(record.sessions) == 0:
        nothing = Figure("growth", "Equity", "No session was traded.", empty="No session was traded.")
        return {
            **dict.fromkeys(("years", "rolling", "book", "trading", "sleeves", "diagnostics"), ()),
            "top": [nothing],
        }
    return {
        "top": [growth_figure(record, metrics), drawdown_figure(record, metrics)],
        "years": [years_figure(metrics), distribution_figure(record, metrics)],
        "rolling": rolling_figures(record, metrics),
        "book": [exposure_figure(record, metrics), weights_figure(record)],
        "trading": [turnover_figure(record, metrics), costs_figure(record)],
        "sleeves": sleeve_figures(record),
        "diagnostics": diagnostic_figures(record),
    }


def page_axes(record: Record) -> dict[str, list[str]]:
    """Return the columns of dates that traces share by name."""
    sessions = record.sessions
    if len(sessions) == 0:
        return {}
    return {
        "sessions": dates(sessions),
        "start": dates(np.concatenate(([start_of(sessions)], sessions))),
        "rolling": dates(sessions[WINDOW - 1 :]),
        "thin": dates(sessions[thin(len(sessions))]),
    }
