"""The report page: well-formed, self-contained, accessible, and true to the metrics."""

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from page_parser import Page

from plimsoll.engine.market.panel import DataWarning
from plimsoll.engine.report.metrics.labels import DASH, Kind, shown
from plimsoll.engine.report.page.figure_parts import numbers, thin
from plimsoll.engine.report.page.frame import plotly_packed, script_safe
from plimsoll.engine.report.page.palette import DARK, LIGHT
from plimsoll.engine.report.result import Result, record_of
from plimsoll.engine.report.tearsheet.headline import tiles
from plimsoll.engine.report.tearsheet.page import tearsheet_html
from plimsoll.engine.report.tearsheet.tables import cost_table

Make = Callable[..., Result]


def html_of(result: Result) -> str:
    return tearsheet_html(record_of(result), result.metrics)


@pytest.fixture(scope="module")
def page(result: Result) -> Page:
    return Page(html_of(result))


def trace(page: Page, figure: str, name: str) -> dict[str, Any]:
    return next(dict(t) for t in page.payload["figures"][figure]["data"] if t["name"] == name)


def test_every_element_is_closed(page: Page) -> None:
    assert page.stack == []
    assert page.elements[0] == ("html", {"lang": "en"})


def test_nothing_is_loaded_from_anywhere(result: Result, page: Page) -> None:
    for tag, attributes in page.elements:
        for key in ("src", "srcset", "data", "action", "poster"):
            assert key not in attributes, (tag, attributes)
        if "href" in attributes:
            assert attributes["href"].startswith(("#", "data:,")), attributes
    own = html_of(result).replace(plotly_packed(), "")
    assert not re.findall(r"https?://|@import|url\(|//[a-z0-9-]+\.[a-z]{2,}", own)


def test_the_page_is_the_same_bytes_for_the_same_run(make_result: Make) -> None:
    assert html_of(make_result(sessions=200)) == html_of(make_result(sessions=200))


def test_each_figure_has_a_place_a_title_and_a_description(page: Page) -> None:
    plots = {a["id"]: a for a in page.all("div") if a.get("class") == "plot"}
    assert set(plots) == set(page.payload["figures"])
    assert len(plots) >= 10
    titles = {a["id"] for a in page.all("h3") if "id" in a}
    for key, attributes in plots.items():
        assert attributes["role"] == "img"
        assert len(attributes["aria-label"]) > 15
        assert f"t-{key}" in titles


def test_ids_are_unique_and_every_link_has_its_target(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        assert link["href"][1:] in ids


def test_curves_end_at_the_metrics(result: Result, page: Page) -> None:
    metrics = result.metrics
    assert trace(page, "growth", "net")["y"][-1] == pytest.approx(1.0 + metrics["total_return"], rel=1e-5)
    assert trace(page, "growth", "SPY")["y"][-1] == pytest.approx(1.0 + metrics["benchmark"]["total_return"], rel=1e-5)
    before = 1.0 + metrics["gross_of_costs"]["total_return"]
    assert trace(page, "growth", "before costs")["y"][-1] == pytest.approx(before, rel=1e-5)
    assert min(trace(page, "drawdown", "net")["y"]) == pytest.approx(metrics["max_drawdown"], rel=1e-5)
    years = trace(page, "years", "net")
    assert years["y"] == pytest.approx([row["total_return"] for row in metrics["by_year"]], rel=1e-5)
    spread = trace(page, "costs", "Spread")
    assert spread["y"][-1] == pytest.approx(metrics["costs"]["spread"], rel=1e-5)
    turnover = page.payload["figures"]["turnover"]["data"][0]["y"]
    per_year = sum(turnover) * 252.0 / len(result.returns)
    assert per_year == pytest.approx(metrics["turnover"]["two_sided_per_year"], rel=1e-4)


def test_weights_stack_to_the_net_exposure_at_every_shown_close(make_result: Make) -> None:
    result = make_result(sessions=300, n=16, short=True)
    page = Page(html_of(result))
    traces = page.payload["figures"]["weights"]["data"]
    total = np.sum([t["y"] for t in traces], axis=0)
    np.testing.assert_allclose(total, result.equity["net"].to_numpy(), atol=1e-4)
    assert {t["stackgroup"] for t in traces} == {"long", "short"}
    legend = [t["name"] for t in traces if t.get("showlegend", True)]
    assert len(legend) == len(set(legend)) <= 12


def test_shared_axes_have_the_length_of_their_curves(page: Page) -> None:
    for figure in page.payload["figures"].values():
        for drawn in [*figure["data"], *(trace for face in figure.get("faces", ()) for trace in face)]:
            assert len(page.x_of(drawn)) == len(drawn["y"]), drawn["name"]


def test_colours_are_roles_that_both_themes_define(page: Page) -> None:
    roles = set(re.findall(r'"@([a-z0-9_]+)"', json.dumps(page.payload)))
    assert roles
    assert roles <= set(LIGHT)
    assert set(LIGHT) == set(DARK)


def test_tables_and_tiles_show_the_metrics(result: Result, page: Page) -> None:
    kinds: dict[str, Kind] = {"cagr": "percent", "sharpe": "ratio", "max_drawdown": "percent", "sortino": "ratio"}
    for key, kind in kinds.items():
        assert shown(result.metrics[key], kind) in page.texts
    for row in result.metrics["drawdowns"][:3]:
        assert row["trough"] in page.texts
    assert "level61-1a2b3c4d" in page.texts
    assert result.data_hash in page.texts
    assert "Margin calls" in page.texts
    assert "flat_bps = 5.0" in page.text


def test_the_tile_of_the_sharpe_ratio_says_how_likely_it_is_above_zero(make_result: Make) -> None:
    metrics = make_result(sessions=600).metrics

    def beside(**changed: float | None) -> str:
        (tile,) = (tile for tile in tiles({**metrics, **changed}) if tile.label == "Sharpe")
        return tile.beside

    bench = f"SPY {shown(metrics['benchmark']['sharpe'], 'ratio')}"
    shares = {0.6149: "61%", 0.9951: ">99%", 0.0049: "<1%"}
    for value, text in shares.items():
        assert beside(probabilistic_sharpe=value) == f"{bench} · true above 0: {text}"
    assert beside(probabilistic_sharpe=None) == bench
    assert beside(probabilistic_sharpe=0.5, benchmark=None) == "true above 0: 50%"


def test_months_of_the_heat_map_are_the_metrics(result: Result, page: Page) -> None:
    values = [v for months in result.metrics["monthly"].values() for v in months if v is not None]
    for value in values:
        assert f"{value * 100:.1f}".replace("-", "−").replace("−0.0", "0.0") in page.texts


def test_notices_stand_at_the_top(make_result: Make) -> None:
    adjusted = (DataWarning("adjusted_only", "KMLM", "x"),)
    text = Page(html_of(make_result(sessions=30, ruined=True, warnings=adjusted))).text
    head = text[: text.index("Total return")]
    for notice in ("SYNTHETIC DATA", "RUINED", "Adjusted closes only: KMLM", "Less than a year"):
        assert notice in head
    assert "no figure a year is given" in Page(html_of(make_result(sessions=20))).text
    clean = Page(html_of(make_result(sessions=300, synthetic=False, warnings=()))).text
    assert "SYNTHETIC" not in clean
    assert "Adjusted closes only" not in clean


def test_hostile_text_stays_text(make_result: Make) -> None:
    name = "</script><script>alert(1)</script>"
    notes = pd.DataFrame(
        {"session": pd.bdate_range("2015-01-05", periods=2), "sleeve": name, "name": name, "value": [0.1, 0.2]}
    )
    page = Page(
        html_of(make_result(sessions=2, name=name, diagnostics=notes, config_toml=f'x = "{name}"', env={"a": name}))
    )
    assert len(page.scripts) == 3
    assert page.stack == []
    assert not any("alert(1)" in text for attributes, text in page.scripts if "id" not in attributes)


@pytest.mark.parametrize(
    "settings",
    [
        {"sessions": 1},
        {"sessions": 2, "benchmark": None, "bill": None},
        {"sessions": 130, "trade": False, "counts": {}, "warnings": ()},
        {"sessions": 40, "diagnostics": pd.DataFrame({"session": [], "sleeve": [], "name": [], "value": []})},
        {"sessions": 40, "sleeves": pd.DataFrame()},
        {"sessions": 30, "n": 500},
        {"sessions": 60, "bars": 4, "interval": "1h"},
    ],
    ids=["one session", "no benchmark", "no fills", "no diagnostics", "no sleeves", "500 symbols", "intraday"],
)
def test_sparse_and_wide_runs_make_a_whole_page(make_result: Make, settings: dict[str, Any]) -> None:
    page = Page(html_of(make_result(**settings)))
    assert page.stack == []
    figures = page.payload["figures"]
    assert "growth" in figures
    assert ("weights" in figures) == settings.get("trade", True)


def test_what_is_not_known_a_year_is_a_dash_without_a_unit(make_result: Make) -> None:
    short, long = make_result(sessions=5), make_result(sessions=60)
    yearly = ("Turnover a year", "Trading costs a year", "Financing a year")
    assert {tile.value for tile in tiles(short.metrics) if tile.label in yearly} == {DASH}
    units = [tile.value[-3:] for tile in tiles(long.metrics) if tile.label in yearly]
    assert (units[0][-1], units[1], units[2]) == ("×", "bps", "bps")
    assert re.fullmatch(r"\d+\.\d bps of traded notional\.", cost_table(short.metrics).note)
    assert re.fullmatch(r"\d+\.\d bps of traded notional; they took .*% off the CAGR\.", cost_table(long.metrics).note)


def test_figures_without_content_say_why(make_result: Make) -> None:
    text = Page(html_of(make_result(sessions=130, trade=False))).text
    for reason in ("Nothing was held at any close.", "Nothing was traded.", "No cost was charged."):
        assert reason in text


def test_a_run_without_sessions_still_makes_a_page(make_result: Make) -> None:
    whole = make_result(sessions=2)
    none = {key: getattr(whole, key).iloc[:0] for key in ("equity", "weights", "targets", "orders", "fills", "sleeves")}
    result = make_result(sessions=2, session_last=np.empty(0, dtype=bool), diagnostics=whole.diagnostics[:0], **none)
    assert "No session was traded." in Page(html_of(result)).text


def test_each_declared_diagnostic_has_its_chart(page: Page) -> None:
    keys = [key for key in page.payload["figures"] if key.startswith("diagnostic_")]
    assert len(keys) == 4
    switch = page.payload["figures"]["diagnostic_0"]
    assert switch["layout"]["yaxis"]["ticktext"] == ["off", "on"]
    assert set(switch["data"][0]["y"]) == {0.0, 1.0}


def test_a_switch_keeps_every_change(make_result: Make) -> None:
    days = pd.bdate_range("2015-01-05", periods=200)
    values = np.zeros(200)
    values[77] = 1.0
    notes = pd.DataFrame({"session": days, "sleeve": "s", "name": "risk_off", "value": values})
    drawn = Page(html_of(make_result(sessions=200, diagnostics=notes))).payload["figures"]["diagnostic_0"]["data"][0]
    assert dict(zip(drawn["x"], drawn["y"], strict=True))[f"{days[77]:%Y-%m-%d}"] == 1.0
    assert len(drawn["y"]) == 4  # first, on, off, last


def test_numbers_have_six_digits_and_thinning_keeps_the_last() -> None:
    assert numbers(np.array([1.0 / 3.0, np.nan, np.inf, -1234567.8])) == [0.333333, None, None, -1234570.0]
    assert thin(5).tolist() == [0, 1, 2, 3, 4]
    assert thin(10_001, 100)[-1] == 10_000
    assert len(thin(10_001, 100)) <= 100
    assert len(thin(0)) == 0


def test_no_text_can_end_the_script_it_stands_in() -> None:
    assert "<" not in script_safe('{"a":"</script>"}')
    assert json.loads(script_safe('{"a":"</script>\u2028"}')) == {"a": "</script>\u2028"}
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", plotly_packed())


def test_the_page_is_small_beside_its_drawing_library(make_result: Make) -> None:
    own = len(html_of(make_result(sessions=2500, n=16))) - len(plotly_packed())
    assert own < 1_200_000
