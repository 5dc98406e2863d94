"""The stress test as figures, tables and a page: what the plain values say, and nothing that could run."""

import json
from typing import Any

import pytest
from page_parser import Page
from support.book_run import walk_panel
from support.stressed import direct, imagined, wired

from plimsoll.engine.report.validate.stress import stress_figures, stress_tables
from plimsoll.engine.report.validate.stress_page import stress_html
from plimsoll.engine.research.stress.stress import case_of, run_stress


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    panel = walk_panel(9, ("GLD", "SPY", "TLT"), (0.15, 0.2, 0.1), n_bars=280)
    case = case_of(*wired(panel, *direct({"GLD": 0.2, "SPY": 0.5, "TLT": 0.2})))
    crash = imagined(title="<b>Crash</b>", returns={"SPY": -0.4, "GLD": 0.05}, sessions=5)
    calm = imagined(returns={"SPY": 0.01}).model_copy(update={"name": "calm"})
    plain = run_stress(case, [crash, calm], seed=1).plain()
    read: dict[str, Any] = json.loads(json.dumps(plain, allow_nan=False))
    return read


def test_figures_hold_what_the_plain_values_say(found: dict[str, Any]) -> None:
    losses, gross, ways = stress_figures(found)
    by_name = {trace["name"]: trace for trace in losses.data}
    assert by_name["last book, at once"]["y"][0] == pytest.approx(found["scenarios"][0]["shock"]["last"], rel=1e-5)
    replayed = by_name["replayed: worst drawdown"]["y"]
    assert replayed == pytest.approx([-one["replay"]["drawdown"] for one in found["scenarios"]], rel=1e-5)
    assert losses.layout["shapes"][0]["y0"] == -found["cap"]
    assert gross.data[0]["y"] == pytest.approx([one["replay"]["gross_before"] for one in found["scenarios"]], rel=1e-5)
    # the drawing library reads tags: what it shows is `<b>Crash</b>`, not a bold word
    assert [trace["name"] for trace in ways.data] == ["&lt;b&gt;Crash&lt;/b&gt;", "calm"]
    assert min(ways.data[0]["y"]) == pytest.approx(-found["scenarios"][0]["replay"]["drawdown"], rel=1e-5)
    assert stress_figures({**found, "scenarios": []}) == ()


def test_tables_name_every_scenario_every_horizon_and_every_source(found: dict[str, Any]) -> None:
    scenarios, tails, tiers, sources = stress_tables(found)
    assert [row[0] for row in scenarios.rows] == [one["title"] for one in found["scenarios"]]
    assert scenarios.note == found["verdict"]
    assert len(tails.rows) == 2 * 2 + 2 * 3
    assert tiers.rows == []  # no governor under preset 'direct'
    assert sources.rows[0][sources.head.index("stated")] == "GLD, SPY"
    assert sources.rows[0][sources.head.index("unmoved")] == "TLT"
    for table in (scenarios, tails, sources):
        assert all(len(row) == len(table.head) for row in table.rows)


def test_the_page_is_closed_loads_nothing_and_escapes_what_it_is_told(found: dict[str, Any]) -> None:
    html = stress_html(found)
    page = Page(html)
    assert page.stack == []
    assert "<b>Crash" not in html
    for tag, attributes in page.elements:
        assert not {"src", "srcset", "action"} & set(attributes), (tag, attributes)
    assert set(page.payload["figures"]) == {"stress_losses", "stress_gross", "stress_ways"}
    assert html == stress_html(found)
