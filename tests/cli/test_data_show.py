"""`plimsoll data show`: the chart's letters stand where the prices are, and the page says what happened."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.histories import NOW, changed, history

from plimsoll.engine.cli.chart import HEIGHT, chart
from plimsoll.engine.market.catalog.store import Catalog
from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.history import History

Cli = Callable[..., Any]


def days(count: int) -> Any:
    return (np.datetime64("2024-01-01") + np.arange(count)).astype("datetime64[s]")


def test_a_chart_is_80_columns_and_keeps_a_single_spike_among_thousands_of_bars() -> None:
    close = np.full(5000, 100.0)
    high = close.copy()
    high[2345] = 200.0
    none = np.zeros(5000, dtype=np.bool_)
    lines = chart(days(5000), close, high, close, {"splits": ("s", none)})
    assert max(len(line) for line in lines) <= 80
    assert lines[0].split() == ["200.00", "|"]  # the top row holds the spike, in its column
    assert lines[0].index("|") == 11 + 2345 * 69 // 5000
    assert lines[HEIGHT - 1].endswith("o" * 69)
    assert not any("splits" in line for line in lines)


def test_a_chart_in_logarithms_has_equal_ratios_at_equal_distances() -> None:
    close = np.array([1.0, 10.0, 100.0])
    none = np.zeros(3, dtype=np.bool_)
    plain, logs = (
        [next(k for k, line in enumerate(chart(days(3), close, close, close, {"x": ("x", none)}, log=log)[:HEIGHT])
              if line[11 + column : 12 + column] == "o") for column in range(3)]
        for log in (False, True)
    )  # fmt: skip
    assert plain == [HEIGHT - 1, HEIGHT - 2, 0]
    assert abs((logs[0] - logs[1]) - (logs[1] - logs[2])) <= 1


def happened() -> History:
    whole = changed(history("SPY"), "2024-02-01", dividend=1.25)
    return whole.take(whole.session != np.datetime64("2024-02-14"))


def test_a_symbol_of_the_catalog_is_charted_with_what_happened_and_drawn_as_a_page(cli: Cli, here: Path) -> None:
    Catalog(here / "catalog").store(happened(), (), NOW)
    shown = cli("data", "show", "SPY", "--catalog", "catalog", "--rows", "2")
    assert shown.code == 0
    assert "1 dividends, the last 1.25 on 2024-02-01" in shown.out
    assert "1 sessions without a row: 2024-02-14" in shown.out
    assert shown.out.splitlines()[-1].startswith("2024-03-01")
    assert cli("data", "show", "SPY", "--catalog", "catalog", "--html", "page/SPY.html").code == 0
    page = (here / "page/SPY.html").read_text()
    assert "<td>1.25</td>" in page
    assert "2024-02-14" in page
    assert 'data-log="prices"' in page


def test_a_symbol_of_a_folder_is_shown_with_the_findings_of_the_gates(cli: Cli, here: Path) -> None:
    rows = "2024-01-02,472,473,469,470.5,470.5,100,0\n2024-01-03,469,1.0,465,466,466,100,0\n"
    (here / "mine").mkdir()
    (here / "mine" / "SPY.csv").write_text("date,open,high,low,close,adj_close,volume,dividend\n" + rows)
    shown = cli("data", "show", "SPY", "--data", "mine")
    assert "SPY, 2024-01-03: high_below_low: " in shown.out
    told = json.loads(cli("data", "show", "SPY", "--data", "mine", "--json").out)
    assert [(row["session"], row["close"]) for row in told] == [("2024-01-02", 470.5)]


def test_the_catalogs_word_is_the_catalog_and_nothing_is_wider_than_the_terminal(
    cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = GateFinding("jump", "note", "SPY", "a move that takes more words to tell than a line has columns", "")
    Catalog(here / "store").store(happened(), (note,), NOW)
    monkeypatch.setenv("PLIMSOLL_CATALOG", str(here / "store"))
    whole = cli("data", "show", "SPY", "--data", "catalog").out
    assert whole == cli("data", "show", "SPY").out
    assert "2024-03-01T22:00:00Z" in whole
    for width in (80, 100, 60):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = cli("data", "show", "SPY", "--rows", "2").out.splitlines()
        chart_and_words = lines[:-3] if width < 80 else lines  # a table of prices is as wide as they are
        assert max(len(line) for line in chart_and_words) <= width
        assert "a move that takes more words to tell than a line has columns" in " ".join(" ".join(lines).split())


def test_the_interval_of_a_folders_bars_is_what_its_files_names_say(
    cli: Cli, refused: Callable[..., str], here: Path
) -> None:
    (here / "mine").mkdir()
    bars = "datetime,open,high,low,close,volume\n2024-01-02 09:30:00,472,473,469,470.5,100\n"
    for name, second in (("SPY_5min", "09:35"), ("SPY_1min", "09:31"), ("QQQ_5min", "09:35")):
        text = bars + f"2024-01-02 {second}:00,470,471,469,470,100\n"
        (here / "mine" / f"{name}.csv").write_text(text)
    assert "QQQ: 2 5min bars" in cli("data", "show", "QQQ", "--data", "mine").out
    assert "SPY: 2 1min bars" in cli("data", "show", "SPY", "--data", "mine", "--interval", "1m").out
    assert "it has SPY's bars of 1min and 5min; say --interval 1min or 5min" in refused(
        "data", "show", "SPY", "--data", "mine"
    )
    assert "no CSV file for 15min bars in the folder (it has 1min and 5min bars)" in refused(
        "data", "show", "SPY", "--data", "mine", "--interval", "15m"
    )


def test_what_was_imported_is_told_to_be_imported_again(cli: Cli, here: Path) -> None:
    """An import has no source to pull from; neither advice speaks of the other's symbols."""
    store = Catalog(here / "catalog")
    store.store(history("SPY", source="file:own"), (), NOW)
    store.store(history("TLT"), (), NOW)
    wild = GateFinding("wild_range", "row", "SPY", "high 999", "2024-02-05")
    store.quarantine(history("SPY", source="file:own").take(slice(0, 1)), (wild,), NOW)
    shown = cli("data", "check", "--catalog", "catalog")
    assert shown.code == 1
    assert "1 of 2 end before the last completed session" in shown.out
    assert "`plimsoll data import FILE --out catalog` of newer ones brings what is new" in shown.out
    assert "`plimsoll data pull` brings what is new" in shown.out
    assert "if it is right: plimsoll data import FILE --out catalog --confirm 2024-02-05" in shown.out
    assert (
        "data import FILE --out catalog --confirm 2024-02-05" in cli("data", "show", "SPY", "--catalog", "catalog").out
    )
