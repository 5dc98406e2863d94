"""The result at a prompt, in a notebook and in the terminal."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from page_parser import Page
from rich.console import Console

from plimsoll import backtest
from plimsoll.engine.market.panel import DataWarning
from plimsoll.engine.report.metrics.labels import RATES, SERIES, Kind, as_read, shown
from plimsoll.engine.report.metrics.notices import warning_lines
from plimsoll.engine.report.metrics.returns import growth
from plimsoll.engine.report.notebook import sparkline
from plimsoll.engine.report.result import Result, record_of
from plimsoll.engine.report.summary import print_summary
from plimsoll.engine.report.tearsheet.page import tearsheet_html

ROOT = Path(__file__).resolve().parents[2]
Make = Callable[..., Result]
MINUS_ZERO = re.compile(r"(?<![\w.,])[-−]\$?0(?:[.,]0+)?%?(?![\w.,])")


def printed(result: Result, folder: Path | None = None) -> str:
    sink = io.StringIO()
    print_summary(
        record_of(result), result.metrics, console=Console(file=sink, width=200, highlight=False), folder=folder
    )
    return sink.getvalue()


def test_returns_are_a_dated_series_other_libraries_take(result: Result) -> None:
    assert isinstance(result.returns, pd.Series)
    assert isinstance(result.returns.index, pd.DatetimeIndex)
    assert result.returns.index.name == "session"
    assert result.returns.index.is_monotonic_increasing
    assert result.returns.dtype == np.float64


def test_the_line_at_a_prompt_names_the_run_and_its_figures(result: Result) -> None:
    text = repr(result)
    assert text.startswith("<Result level61-1a2b3c4d SYNTHETIC: 2015-01-05 to ")
    assert f"Sharpe {shown(result.metrics['sharpe'], 'ratio')}" in text
    assert "\n" not in text


def test_the_notebook_shows_figures_and_a_curve_and_escapes_the_name(make_result: Make) -> None:
    html = make_result(sessions=60, name="<b>x</b>")._repr_html_()
    assert "&lt;b&gt;x&lt;/b&gt;" in html
    assert "<b>x" not in html
    assert "<svg" in html
    assert "SYNTHETIC DATA" in html
    assert "http" not in html


def test_the_sparkline_ends_where_the_index_does() -> None:
    svg = sparkline(growth(np.array([0.1, 0.1])))
    points = svg.split("points='")[1].split("'")[0].split()
    heights = [float(point.split(",")[1]) for point in points]
    assert heights[0] > heights[1] > heights[2]  # SVG counts downward
    assert "to 1.21" in svg


def test_the_plot_is_a_plotly_figure_of_growth_over_drawdown(result: Result) -> None:
    figure = result.plot()
    net = next(trace for trace in figure.data if trace.name == "net" and trace.yaxis is None)
    assert net.y[0] == 1.0
    assert net.y[-1] == pytest.approx(1.0 + result.metrics["total_return"], rel=1e-5)
    assert len(net.x) == len(result.returns) + 1
    below = next(trace for trace in figure.data if trace.name == "net" and trace.yaxis == "y2")
    assert min(below.y) == pytest.approx(result.metrics["max_drawdown"], rel=1e-5)


def test_the_summary_shows_figures_net_before_costs_and_of_the_benchmark(result: Result) -> None:
    text = printed(result, Path("runs/here"))
    for block in (result.metrics, result.metrics["gross_of_costs"], result.metrics["benchmark"]):
        assert shown(block["cagr"], "percent") in text
    assert "SPY" in text
    assert "252 sessions a year, ddof 1, rf for Sharpe over bills: BIL" in text
    assert "runs/here" in text


def test_the_summary_marks_synthetic_data_ruin_and_short_spans(make_result: Make) -> None:
    text = printed(make_result(sessions=60, ruined=True))
    assert "SYNTHETIC DATA" in text
    assert "RUINED" in text
    assert "Less than a year (60 sessions)" in text
    quiet = printed(make_result(sessions=300, synthetic=False, warnings=()))
    assert "SYNTHETIC" not in quiet
    assert "RUINED" not in quiet
    assert "Less than a year" not in quiet


def test_the_summary_leaves_out_counts_of_zero(result: Result) -> None:
    text = printed(result)
    assert "margin calls 2" in text
    assert "partial fills" not in text


def test_warnings_are_grouped_by_kind_and_cut_short() -> None:
    many = [DataWarning("missing_sessions", f"S{k}", "a hole") for k in range(9)]
    lines = warning_lines([*many, DataWarning("delisted", "OLD", "x" * 500)])
    assert lines[0] == "Missing sessions x9 (S0, S1, S2, S3, S4, S5 and 3 more): first: a hole"
    assert lines[1].startswith("Delisted x1 (OLD): xxx")
    assert len(lines[1]) < 200


def test_square_brackets_in_names_are_text_not_markup(make_result: Make) -> None:
    assert "[red]odd[/red]" in printed(make_result(sessions=30, name="[red]odd[/red]"))


def test_json_output_is_the_metrics_and_nothing_else(result: Result) -> None:
    sink = io.StringIO()
    result.summary(as_json=True, file=sink)
    assert json.loads(sink.getvalue()) == result.metrics


def test_the_summary_goes_to_the_given_file(result: Result) -> None:
    sink = io.StringIO()
    result.summary(file=sink)
    assert "Max drawdown" in sink.getvalue()


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "percent", "–"),
        (-0.1234, "percent", "−12.34%"),
        (-0.00001, "percent", "0.00%"),
        (1234567.891, "usd", "1,234,567.89"),
        (12.34, "bps", "12.3"),
        (True, "flag", "yes"),
        (2452, "count", "2,452"),
        ("2020-03", "text", "2020-03"),
    ],
)
def test_values_are_shown_the_way_a_reader_expects(value: object, kind: Kind, text: str) -> None:
    assert shown(value, kind) == text


def test_every_label_has_a_figure(result: Result) -> None:
    assert {key for key, _, _ in SERIES} <= set(result.metrics)


@pytest.mark.parametrize("kind", ["percent", "ratio", "count", "usd", "bps"])
@pytest.mark.parametrize("value", [-0.0, -1e-12, -4e-5, 1e-12])
def test_what_rounds_to_nothing_has_no_sign(kind: Kind, value: float) -> None:
    assert shown(value, kind)[:1] == "0"
    assert as_read(f"{value:+.2f}") == "0.00"
    assert as_read("-0.05") == "−0.05"
    assert as_read("-3e-05") == "−3e−05"


def test_no_text_of_a_book_has_a_minus_zero_and_every_figure_its_name() -> None:
    alone = ("report.ladder=false", "report.regime_off=false")
    book = backtest(ROOT / "config" / "book.toml", start="2024-01-02", sets=alone, trials="off")
    texts = [printed(book), *Page(tearsheet_html(record_of(book), book.metrics)).texts]
    assert [text for text in texts if MINUS_ZERO.search(text)] == []
    rates = {name for name, value in book.counts.items() if not float(value).is_integer()}
    assert rates
    assert rates <= set(RATES)
