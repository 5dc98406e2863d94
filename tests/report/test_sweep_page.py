"""The page of a sweep: self-contained, true to its table, calm about the odd ones."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from page_parser import Page
from sweep_maker import DIMENSIONS, FACTS, METRICS, sweep_table, unpacked, with_failures

from plimsoll.engine.errors import InputError
from plimsoll.engine.report.page.frame import plotly_packed
from plimsoll.engine.report.page.palette import DARK, LIGHT
from plimsoll.engine.report.sweep.page import sweep_html

KEYS = list(DIMENSIONS)
NAMES = {"slow": KEYS[0], "fast": KEYS[1], "mode": KEYS[2], "sized": KEYS[3]}


def html_of(table: pd.DataFrame, keys: list[str] | None = None, **more: Any) -> str:
    settings: dict[str, Any] = {"name": "demo", "metric": "sharpe", "facts": FACTS, **more}
    return sweep_html(table=table, keys=keys if keys is not None else KEYS, **settings)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return with_failures(sweep_table(), [3, 30])


@pytest.fixture(scope="module")
def page(table: pd.DataFrame) -> Page:
    return Page(html_of(table))


def figure(page: Page, key: str) -> dict[str, Any]:
    return dict(page.payload["figures"][key])


def test_every_element_is_closed_and_every_id_is_its_own(page: Page) -> None:
    assert page.stack == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link["href"][1:] for link in page.all("a")} <= set(ids)
    assert {label["for"] for label in page.all("label")} <= set(ids)


def test_nothing_is_loaded_from_anywhere(table: pd.DataFrame, page: Page) -> None:
    for tag, attributes in page.elements:
        assert not {"src", "srcset", "action", "poster"} & set(attributes), (tag, attributes)
        assert attributes.get("href", "#").startswith(("#", "data:,")), attributes
    own = html_of(table).replace(plotly_packed(whole=True), "")
    assert not re.findall(r"https?://|@import|url\(|//[a-z0-9-]+\.[a-z]{2,}", own)


def test_the_page_is_the_same_bytes_for_the_same_table(table: pd.DataFrame) -> None:
    assert html_of(table) == html_of(table.copy())


def test_each_figure_has_a_place_and_a_sentence_that_describes_it(page: Page) -> None:
    plots = {a["id"]: a["aria-label"] for a in page.all("div") if a.get("class") == "plot"}
    assert set(plots) == set(page.payload["figures"]) > {"map", "spread", "plateau", "lines", "effect_3"}
    assert all(text.endswith(".") and len(text) > 25 for text in plots.values())


def test_every_colour_role_in_a_figure_is_in_the_palette(page: Page) -> None:
    roles = set(re.findall(r'"@(\w+)"', str(page.payload["figures"]).replace("'", '"')))
    assert {"account", "low", "high", "box"} <= roles
    assert roles <= set(LIGHT)
    assert roles <= set(DARK)


def test_the_map_holds_the_finished_settings_and_nothing_else(table: pd.DataFrame, page: Page) -> None:
    done = table[table["status"] == "ok"]
    held = unpacked(page.payload["sweep"])
    assert page.payload["sweep"]["n"] == len(held) == len(done)
    for name in METRICS:
        np.testing.assert_array_equal(held[name], done[name].to_numpy(dtype=np.float32))
    assert [float(text) for text in held["slow"]] == done[NAMES["slow"]].tolist()
    assert [float(text) for text in held["fast"]] == done[NAMES["fast"]].tolist()
    assert held["mode"].tolist() == done[NAMES["mode"]].tolist()
    assert [text == "true" for text in held["sized"]] == done[NAMES["sized"]].tolist()


def test_numbers_are_in_order_and_texts_as_they_appeared(table: pd.DataFrame, page: Page) -> None:
    labels = {key["name"]: key["labels"] for key in page.payload["sweep"]["keys"]}
    assert labels["slow"] == ["10", "40", "100"]
    assert labels["fast"] == ["0.5", "1", "2", "4"]
    assert labels["mode"] == list(dict.fromkeys(table[NAMES["mode"]]))
    assert labels["sized"] == ["false", "true"]


def test_the_map_opens_on_the_key_that_matters_most(page: Page) -> None:
    packed = page.payload["sweep"]
    assert "slow" in {packed["keys"][packed["x"]]["name"], packed["keys"][packed["y"]]["name"]}
    assert packed["x"] != packed["y"]


def test_the_headline_is_the_best_the_median_and_the_worst(table: pd.DataFrame, page: Page) -> None:
    known = table["sharpe"].dropna()
    for value in (known.max(), known.median(), known.min()):
        assert f"{value:.2f}".replace("-", "−") in page.texts
    assert f"setting {table['setting'][known.idxmax()]}" in page.texts
    assert "2 failed" in page.text
    assert f"The best of {len(known)} settings was picked after the fact" in page.text
    assert "biased upward" in page.text


def test_shares_above_zero_and_above_the_base_are_counted(table: pd.DataFrame) -> None:
    known = table["sharpe"].dropna()
    text = Page(html_of(table, facts={"base_metric": "0.3"})).text
    above, better = (known > 0.0).mean(), (known > 0.3).mean()
    assert f"{above:.0%} are above zero and {better:.0%} are better than the base configuration (0.30)" in text


def test_a_metric_that_should_be_low_is_ranked_from_low_to_high(table: pd.DataFrame) -> None:
    page = Page(html_of(table, metric="vol_ann", facts={"base_metric": "0.1"}))
    best = table["setting"][table["vol_ann"].idxmin()]
    assert f"setting {best}" in page.text.split("Median Ann. volatility", maxsplit=1)[0]
    assert f"{(table['vol_ann'].dropna() < 0.1).mean():.0%} are better than the base" in page.text
    assert "biased downward" in page.text
    assert "above zero" not in page.text


def test_boxes_are_the_quartiles_of_each_value(table: pd.DataFrame, page: Page) -> None:
    groups = table.groupby(NAMES["slow"])["sharpe"]
    boxes = next(
        figure(page, f"effect_{k}")["data"][0]
        for k in range(4)
        if figure(page, f"effect_{k}")["layout"]["xaxis"]["ticktext"] == ["10", "40", "100"]
    )
    assert boxes["x"] == [0, 1, 2]
    for name, share in (("lowerfence", 0.0), ("q1", 0.25), ("median", 0.5), ("q3", 0.75), ("upperfence", 1.0)):
        assert boxes[name] == pytest.approx(groups.quantile(share).tolist(), rel=1e-5)


def test_the_histogram_counts_every_setting_once(table: pd.DataFrame, page: Page) -> None:
    assert sum(figure(page, "spread")["data"][0]["y"]) == table["sharpe"].notna().sum()


def test_lines_pass_through_their_settings_values(table: pd.DataFrame, page: Page) -> None:
    trace = figure(page, "lines")["data"][0]
    axes = {axis["label"]: axis for axis in trace["dimensions"]}
    done = table.dropna(subset="sharpe").sort_values("sharpe")
    assert axes["Sharpe"]["values"] == pytest.approx(done["sharpe"].tolist(), rel=1e-5)
    assert trace["line"]["color"] == axes["Sharpe"]["values"]
    steps = np.round(axes["slow"]["values"]).astype(int)
    assert [["10", "40", "100"][k] for k in steps] == [str(v) for v in done[NAMES["slow"]]]
    assert axes["CAGR"]["range"] == pytest.approx([done["cagr"].min(), done["cagr"].max()])


def test_hostile_texts_stay_texts() -> None:
    evil = ["</script><script>alert(1)</script>", "<b onclick=x>&amp;", "@bad", "%{y}"]
    dimensions = {"<i>key</i>": evil, "n": [1, 2]}
    table = with_failures(sweep_table(dimensions), [0], reason="<img src=x onerror=alert(1)>")
    facts = {"<u>label</u>": "</dd><script>"}
    page = Page(html_of(table, list(dimensions), name="<h1>'\"", facts=facts))
    clean = Page(html_of(sweep_table({"key": ["a", "b", "c", "d"], "n": [1, 2]}), ["key", "n"]))
    assert page.stack == []
    assert len(page.scripts) == len(clean.scripts)
    assert not page.all("img")
    assert not page.all("i")
    assert not page.all("u")
    assert len(page.all("h1")) == 1
    for text in ("<h1>'\"", "<u>label</u>", "</dd><script>", "<img src=x onerror=alert(1)>"):
        assert text in page.text
    labels = next(key["labels"] for key in page.payload["sweep"]["keys"] if len(key["labels"]) == 4)
    assert not any("<" in label or label.startswith("@") for label in labels)
    assert "&lt;b onclick=x&gt;&amp;amp;" in labels


def test_a_single_setting_is_a_page() -> None:
    page = Page(html_of(sweep_table({"a": [1]}), ["a"]))
    assert page.payload["sweep"]["y"] is None
    assert set(page.payload["figures"]) == {"map"}
    assert "picked after the fact" not in page.text


def test_one_key_has_a_chart_and_no_second_axis() -> None:
    page = Page(html_of(sweep_table({"a": [1, 2, 3], "still": ["same"]}), ["a", "still"]))
    assert [key["name"] for key in page.payload["sweep"]["keys"]] == ["a"]
    assert "map-y" not in {select["id"] for select in page.all("select")}
    assert "effect_0" not in page.payload["figures"]


@pytest.mark.parametrize("lost", [[], list(METRICS)], ids=["metrics unknown", "metrics never written"])
def test_a_sweep_of_failures_says_so_and_why(lost: list[str]) -> None:
    table = with_failures(sweep_table(), range(72), reason="out of memory").drop(columns=lost)
    page = Page(html_of(table))
    assert "EVERY SETTING FAILED" in page.text
    assert "No setting has a Sharpe" in page.text
    assert page.payload["figures"] == {}
    assert "out of memory" in page.texts
    assert "and 22 more" in page.text


def test_settings_without_the_metric_are_counted_and_not_ranked() -> None:
    table = sweep_table()
    table.loc[[1, 2, 3], "sharpe"] = [np.nan, np.inf, -np.inf]
    page = Page(html_of(table))
    assert "The best of 69 settings" in page.text
    assert "3 finished without a defined Sharpe" in page.text
    assert int(np.isnan(unpacked(page.payload["sweep"])["sharpe"]).sum()) == 3


@pytest.mark.parametrize(
    ("text", "shown"), [("", False), ("no", False), ("False", False), ("yes", True), ("seed 7", True)]
)
def test_generated_data_put_a_banner_on_top(table: pd.DataFrame, text: str, shown: bool) -> None:
    assert ("SYNTHETIC DATA" in html_of(table, facts={"synthetic": text})) is shown


def test_ruined_settings_are_counted(table: pd.DataFrame) -> None:
    ruined = pd.Series(False, index=table.index)
    ruined[[4, 5]] = True
    assert "2 settings were ruined" in Page(html_of(table.assign(ruined=ruined))).text


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        (lambda t: t.iloc[:0], {}, "no setting"),
        (lambda t: t.drop(columns="status"), {}, "no column 'status'"),
        (lambda t: t, {"metric": "shrape"}, "no column 'shrape'"),
        (lambda t: t, {"metric": "reason"}, "not a column of numbers"),
        (lambda t: t, {"keys": []}, "without a key"),
        (lambda t: t, {"keys": ["b.c"]}, "no column 'b.c'"),
        (lambda t: t, {"facts": {"base_metric": "high"}}, "'high', not a number"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(table: pd.DataFrame, change: Any, settings: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        html_of(change(table), **settings)


def test_a_hundred_thousand_settings_stay_under_ten_million_bytes() -> None:
    rng = np.random.default_rng(2)
    n, keys = 100_000, [f"k{k}" for k in range(8)]
    columns = {key: rng.random(n) if k else rng.integers(0, 30, n) for k, key in enumerate(keys)}
    metrics = {name: rng.normal(0.5, 0.3, n) for name in (*METRICS, "sortino", "calmar", "cost_bps", "ulcer")}
    table = pd.DataFrame({"setting": np.arange(n), **columns, **metrics, "status": "ok", "reason": ""})
    html = html_of(table, keys)
    page = Page(html.replace(plotly_packed(whole=True), ""))
    assert len(html.encode()) < 10_000_000
    assert page.payload["sweep"]["n"] == n
    assert len(page.payload["sweep"]["metrics"]) >= 4
    assert "left out of the map" in page.text
    assert f"of {n:,} settings are drawn" in page.text
    assert max(page.payload["figures"]["lines"]["data"][0]["line"]["color"]) == pytest.approx(
        table["sharpe"].max(), rel=1e-5
    )
