"""The report page: one self-contained HTML file, the same bytes for the same run."""

from collections.abc import Iterable, Mapping
from typing import Any

from plimsoll.engine.report.metrics.notices import banners, span_text
from plimsoll.engine.report.page.figure_parts import Figure, packed_dates
from plimsoll.engine.report.page.frame import render_page
from plimsoll.engine.report.tearsheet.axes import WINDOW, page_axes
from plimsoll.engine.report.tearsheet.certificate import certificate_tables
from plimsoll.engine.report.tearsheet.figures_book import (
    costs_figure,
    exposure_figure,
    turnover_figure,
    weights_figure,
)
from plimsoll.engine.report.tearsheet.figures_diagnostics import diagnostic_figures
from plimsoll.engine.report.tearsheet.figures_prices import PriceFigure, price_figure
from plimsoll.engine.report.tearsheet.figures_returns import (
    distribution_figure,
    drawdown_figure,
    growth_figure,
    rolling_figures,
    years_figure,
)
from plimsoll.engine.report.tearsheet.figures_sleeves import equity_of_sleeves, shares_of_sleeves
from plimsoll.engine.report.tearsheet.figures_state import given_figure, state_figures
from plimsoll.engine.report.tearsheet.ladder import ladder_section
from plimsoll.engine.report.tearsheet.page_data import page_files
from plimsoll.engine.report.tearsheet.tables import page_tables
from plimsoll.engine.report.tearsheet.trades import trades_section
from plimsoll.engine.runtime.record import Record

SECTIONS = ("top", "years", "rolling", "state", "book", "trading", "sleeves")


def tearsheet_html(record: Record, metrics: Mapping[str, Any]) -> str:
    """Return the page of a run; it loads nothing from anywhere.

    metrics : what `metrics_of(record)` returned.
    """
    figures = page_figures(record, metrics)
    ladder = ladder_section(record, metrics)
    orders = price_figure(record)
    flat = [figure for name in SECTIONS for figure in figures[name]]
    flat += [figure for _, group, _ in figures["diagnostics"] for figure in group]
    flat += [] if ladder is None else [ladder["figure"]]
    files, offered, left_out = page_files(record)
    payload = {
        "axes": {name: packed_dates(days) for name, days in page_axes(record).items()},
        "figures": {**drawn(flat), **_with_faces(orders)},
        "files": files,
    }
    context = {
        "heading": record.name,
        "banners": banners(record, metrics),
        "record": record,
        "metrics": metrics,
        "run": metrics["run"],
        "span": span_text(metrics["run"]),
        "figures": figures,
        "orders": orders,
        "window": WINDOW,
        "tables": page_tables(record, metrics),
        "ladder": ladder,
        "trades": trades_section(record, metrics),
        "audit": None if record.certificate is None else certificate_tables(record.certificate),
        "offered": offered,
        "left_out": left_out,
    }
    return render_page("tearsheet/page.html.j2", context, payload)


def drawn(figures: Iterable[Figure]) -> dict[str, Any]:
    """Return what the page's script draws, by the figures' keys."""
    return {f.key: {"data": f.data, "layout": f.layout} for f in figures if not f.empty}


def _with_faces(orders: PriceFigure | None) -> dict[str, Any]:
    if orders is None:
        return {}
    return {orders.figure.key: {"data": [], "layout": orders.figure.layout, "faces": orders.faces}}


def page_figures(record: Record, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the page's figures by section."""
    if len(record.sessions) == 0:
        nothing = Figure("growth", "Equity", "No session was traded.", empty="No session was traded.")
        return {**dict.fromkeys((*SECTIONS, "diagnostics"), ()), "top": [nothing]}
    curves = record.curves
    state = [*state_figures(record, curves), shares_of_sleeves(record), given_figure(record)]
    return {
        "top": [growth_figure(record, metrics), drawdown_figure(record, metrics)],
        "years": [years_figure(metrics), distribution_figure(record, metrics)],
        "rolling": rolling_figures(record, metrics),
        "state": [figure for figure in state if figure is not None],
        "book": [weights_figure(record), exposure_figure(record, metrics)],
        "trading": [turnover_figure(record, metrics), costs_figure(record)],
        "sleeves": [figure for figure in (equity_of_sleeves(record),) if figure is not None],
        "diagnostics": diagnostic_figures(record, curves),
    }
