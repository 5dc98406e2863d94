"""Files as other vendors and tools write them: read right, or refused with the evidence and the way out."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.said import Said

pytestmark = pytest.mark.realdata

Put = Callable[..., Path]


@pytest.fixture
def put(real_layouts: Path, tmp_path: Path) -> Put:
    """Write a layout under a symbol's name, lines edited on the way; return the folder."""

    def write(name: str, symbol: str, edit: Callable[[str], str] = str) -> Path:
        (tmp_path / f"{symbol}.csv").write_text(edit((real_layouts / name).read_text()))
        return tmp_path

    return write


def mended(text: str) -> str:
    """Return a saved history with its columns renamed and its zones dropped, as the messages ask."""
    rows = csv.DictReader(text.splitlines())
    lines = ["date,open,high,low,close,volume,dividend,split"]
    for row in rows:
        cells = [row[name] for name in ("Open", "High", "Low", "Close", "Volume", "Dividends")]
        lines.append(",".join([row["Date"][:10], *cells, str(float(row["Stock Splits"]) or 1.0)]))
    return "\n".join(lines) + "\n"


def refused(folder: Path, symbol: str, **words: Any) -> str:
    with pytest.raises(DataError) as caught:
        load_csv(folder, [symbol], **words)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def growth_per_year(panel: Panel, skip: int = 0) -> float:
    """Return the growth per year from row `skip` on, by calendar days."""
    ret = Feed(panel).ret[skip + 1 :, 0]
    years = float((panel.clock.session[-1] - panel.clock.session[skip]).astype(int)) / 365.25
    return float(np.prod(1.0 + ret) ** (1.0 / years) - 1.0)


@pytest.mark.parametrize(("symbol", "right"), [("SPY", 0.131), ("NVDA", 0.78)])
def test_a_saved_auto_adjusted_history_is_refused_with_the_evidence_and_right_once_said(
    put: Put, symbol: str, right: float
) -> None:
    name = f"yfinance_auto_adjusted_{symbol}.csv"
    assert "unknown column 'dividends'; did you mean 'dividend'? rename it" in refused(put(name, symbol), symbol)
    folder = put(name, symbol, mended)
    line = refused(folder, symbol)
    assert "39 dividends are listed beside prices that contain them already" in line
    assert "% of closes lie on whole cents" in line
    assert f'say [data.prices] {symbol} = "adjusted"' in line
    panel = load_csv(folder, [symbol], said=Said({symbol: "adjusted"}))
    assert np.prod(1.0 + Feed(panel).ret[1:, 0]) == pytest.approx(panel.close[-1, 0] / panel.close[0, 0], rel=1e-12)
    assert growth_per_year(panel, skip=1) == pytest.approx(right, abs=5e-3)


def test_the_listed_splits_of_an_auto_adjusted_history_are_read_as_applied(put: Put) -> None:
    folder = put("yfinance_auto_adjusted_NVDA.csv", "NVDA", mended)
    panel = load_csv(folder, ["NVDA"], said=Said({"NVDA": "split"}))
    assert (panel.split == 1.0).all()
    (warning,) = panel.warnings
    assert "read as adjusted for its 2 listed splits (2021-07-20, 2024-06-10)" in warning.text


def test_raw_prices_of_the_same_download_would_pass(put: Put) -> None:
    # what auto_adjust=False saves: split-adjusted closes in single precision, actions listed, no dividend in them
    def unadjusted(text: str) -> str:
        header, *lines = mended(text).splitlines()
        rows = [line.split(",") for line in lines]
        close = [float(row[4]) for row in rows]
        paid, factor = [float(row[6]) for row in rows], 1.0
        for t in range(len(rows) - 1, -1, -1):
            whole = float(np.float32(round(close[t] / factor, 2)))  # back to the cents that were traded
            rows[t][1:5] = [repr(whole)] * 4
            if t:
                factor *= 1.0 - paid[t] / (close[t - 1] / factor + paid[t])
        return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"

    panel = load_csv(put("yfinance_auto_adjusted_SPY.csv", "SPY", unadjusted), ["SPY"])
    assert np.count_nonzero(panel.dividend) == 39
    assert [one.kind for one in panel.warnings if one.kind != "stale_prices"] == []
    assert growth_per_year(panel, skip=1) == pytest.approx(0.131, abs=2e-3)


def test_the_former_web_download_has_its_four_dividends_derived(put: Put) -> None:
    panel = load_csv(put("yahoo_download_SPY.csv", "SPY"), ["SPY"])
    assert np.count_nonzero(panel.dividend) == 4
    assert [one.kind for one in panel.warnings] == ["derived_dividends"]


def test_a_bulk_archive_is_told_how_to_be_read_and_is_read_as_adjusted_once_said(put: Put) -> None:
    assert "plimsoll data import FILE" in refused(put("stooq_bulk_agg.us.txt", "AGG"), "AGG")

    def renamed(text: str) -> str:
        header, rest = text.split("\n", 1)
        return header.lower().replace("<vol>", "<volume>").replace("<", "").replace(">", "") + "\n" + rest

    folder = put("stooq_bulk_agg.us.txt", "AGG", renamed)
    assert 'say [data.prices] AGG = "adjusted" if the prices contain dividends' in refused(folder, "AGG")
    line = refused(folder, "AGG", said=Said({"AGG": "adjusted"}))
    assert "line 2: date '20050225' is written without hyphens; write YYYY-MM-DD" in line

    def dated(text: str) -> str:
        header, *lines = renamed(text).splitlines()
        cells = [line.split(",") for line in lines]
        for row in cells:
            row[2] = f"{row[2][:4]}-{row[2][4:6]}-{row[2][6:]}"
        return "\n".join([header, *(",".join(row) for row in cells)]) + "\n"

    panel = load_csv(put("stooq_bulk_agg.us.txt", "AGG", dated), ["AGG"], said=Said({"AGG": "adjusted"}))
    assert (panel.adjusted_only, panel.n_bars) == (("AGG",), 5371)


def test_a_file_without_the_four_prices_is_refused(put: Put) -> None:
    assert "no column 'open'; the header is date,TICKER,PRC,RET" in refused(put("crsp_GLD.csv", "GLD"), "GLD")


def test_futures_under_a_funds_name_are_refused_on_the_first_exchange_holiday(put: Put) -> None:
    line = refused(put("mislabelled_SPY.csv", "SPY"), "SPY")
    assert "SPY, 2004-11-25: not a session of the exchange but a holiday" in line
    assert "prices of another exchange?" in line
