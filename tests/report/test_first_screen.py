"""The first screen: what ran, what vouches for it, what asks for a decision, what the result is made of."""

import base64
import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from page_parser import Page

from plimsoll import backtest
from plimsoll.engine.market.panel import DataWarning
from plimsoll.engine.report.metrics.diagnostic_words import words_for
from plimsoll.engine.report.result import Result, record_of
from plimsoll.engine.report.tearsheet.contributors import by_sleeve
from plimsoll.engine.report.tearsheet.first_screen import MOST, contributors, vouched, what_ran, worth_acting_on
from plimsoll.engine.report.tearsheet.headline import tiles
from plimsoll.engine.report.tearsheet.page import tearsheet_html
from plimsoll.engine.report.tearsheet.page_data import page_files

ROOT = Path(__file__).resolve().parents[2]
Make = Callable[..., Result]
CONFIG: dict[str, Any] = {
    "sleeve": [{"name": "l", "strategy": "regime_risk_parity", "params": {"vol_target": 0.1, "rebalance": "M"}}],
    "execution": {"fill": "next_open"},
    "costs": {"preset": "flat", "flat_bps": 5.0},
    "account": {"type": "reg_t"},
    "financing": {"cash_rate": "BIL", "margin_spread_bps": 100.0},
}


def test_what_ran_is_said_in_words(make_result: Make) -> None:
    result = make_result(sessions=60, config=CONFIG)
    rows = dict(what_ran(record_of(result), result.metrics))
    assert rows["Strategy"] == "regime_risk_parity, called l"
    assert rows["Universe"].startswith("6 symbols: SPY, TLT")
    assert rows["Schedule"].endswith("filled at the next open")
    assert rows["Parameters"] == "vol_target = 0.1, rebalance = M"
    assert rows["Money"].startswith("reg_t account, costs flat, 5 bps of traded notional, cash earns BIL")


def test_what_it_is_made_of_is_ranked_and_is_the_profit(make_result: Make) -> None:
    result = make_result(sessions=60)
    caption, rows = contributors(record_of(result))
    assert caption.startswith("Net profit by symbol")
    pnl = result.pnl_by_symbol["pnl"].sort_values(ascending=False, kind="stable")
    pnl = pnl[pnl != 0.0]
    assert [name for name, *_ in rows] == list(pnl.index)
    assert caption.endswith(f"in all {pnl.sum():,.0f}".replace("-", "−"))
    assert [tone for *_, tone in rows] == ["good" if value >= 0.0 else "bad" for value in pnl]
    assert max(float(width) for *_, width, _ in rows) == 100.0


def test_of_many_contributors_those_in_the_middle_are_one_row(make_result: Make) -> None:
    result = make_result(sessions=200, n=40)
    pnl = result.pnl_by_symbol["pnl"].sort_values(ascending=False, kind="stable")
    pnl = pnl[pnl != 0.0]
    _, rows = contributors(record_of(result))
    left = len(pnl) - MOST // 2 * 2
    assert left > 1
    assert [name for name, *_ in rows] == [*pnl.index[:12], f"{left} more", *pnl.index[-12:]]
    shown = {name: float(text.replace(",", "").replace("−", "-")) for name, text, *_ in rows}
    assert sum(shown.values()) == pytest.approx(pnl.sum(), abs=0.5 * len(rows))


def test_a_book_is_made_of_all_its_parts_in_words() -> None:
    alone = ("report.ladder=false", "report.regime_off=false")
    book = backtest(ROOT / "config" / "book.toml", start="2025-01-02", sets=alone, trials="off")
    caption, rows = contributors(record_of(book))
    made = book.pnl_by_sleeve["pnl"]
    assert len(rows) == int((made != 0.0).sum())
    names = {name for name, *_ in rows}
    assert {"(cash)", "(execution)", "Stage 3: volatility target", "Stage 4: caps"} <= names
    assert not any(name[:1] == "s" and name[1:2].isdigit() for name in names)
    profit = book.metrics["run"]["final_equity"] - book.metrics["run"]["starting_cash"]
    assert caption.endswith(f"in all {profit:,.0f}".replace("-", "−"))


def test_what_sleeves_gave_is_their_share_times_their_return(result: Result) -> None:
    names = list(dict.fromkeys(str(column).rpartition(".")[0] for column in result.sleeves.columns))
    given = by_sleeve(record_of(result))
    assert set(given) <= set(names)
    for name, values in given.items():
        equity, share = (result.sleeves[f"{name}.{part}"].to_numpy() for part in ("equity", "weight"))
        assert values[-1] == pytest.approx(np.sum(share[:-1] * (equity[1:] / equity[:-1] - 1.0)))


@pytest.mark.parametrize(
    ("verdict", "tone"),
    [
        (None, ""),
        ({"passed": True, "fits": True, "path": "v.json"}, "good"),
        ({"passed": False, "fits": True, "path": "v.json"}, "bad"),
        ({"passed": True, "fits": False, "path": "v.json"}, "bad"),
    ],
)
def test_a_verdict_counts_only_where_it_is_of_this_configuration(
    make_result: Make, verdict: dict[str, Any] | None, tone: str
) -> None:
    _, validation = vouched(make_result(sessions=60, verdict=verdict))
    assert (validation.name, validation.tone) == ("Validation", tone)


def test_leverage_comes_with_its_price_and_targets_not_held_with_their_symbol(make_result: Make) -> None:
    missed = DataWarning("target_not_held", "DBC", "DBC was never bought: no row on 2016-03-04")
    result = make_result(sessions=60, warnings=(missed,), counts={"margin_calls": 3})
    exposure = {**result.metrics["exposure"], "time_levered_notional": 0.85}
    costs = {**result.metrics["costs"], "financing_bps_per_year": 48.4}
    said = worth_acting_on(result, {**result.metrics, "exposure": exposure, "costs": costs})
    assert said[0].startswith("Gross is above 1 on 85% of sessions")
    assert "margin interest took 48.4 bps a year" in said[0]
    assert "DBC was never bought: no row on 2016-03-04" in said
    assert "Counted: margin calls 3." in said


def test_costs_and_financing_stand_side_by_side(make_result: Make) -> None:
    metrics = make_result(sessions=300).metrics
    costs = {**metrics["costs"], "drag_bps_per_year": 5.7, "financing_bps_per_year": 48.4, "borrow_bps_per_year": 1.6}
    shown = {tile.label: tile for tile in tiles({**metrics, "costs": costs})}
    assert shown["Trading costs a year"].value == "5.7 bps"
    assert shown["Financing a year"].value == "50.0 bps"
    assert shown["Financing a year"].beside == "margin 48.4, borrow 1.6"


def test_the_account_can_be_kept_whole_from_the_page(result: Result) -> None:
    files, offered, _ = page_files(record_of(result))
    assert {name for name, _ in offered} == set(files) >= {"account.csv", "weights.csv", "fills.csv"}
    text = io.BytesIO(gzip.decompress(base64.b64decode(files["account.csv"])))
    back = pd.read_csv(text, index_col="session", parse_dates=True)
    np.testing.assert_allclose(back["ret"], result.returns, atol=1e-9)
    np.testing.assert_allclose(back["equity"], result.equity["equity"], atol=0.006)
    assert (back.index == result.returns.index).all()
    assert set(Page(tearsheet_html(record_of(result), result.metrics)).payload["files"]) == set(files)


def test_what_is_too_large_for_a_page_is_named_instead(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plimsoll.engine.report.tearsheet.page_data.BUDGET", 10)
    files, _, left = page_files(record_of(result))
    assert files == {}
    assert left[:2] == ["equity", "weights"]
    assert "in the run folder: equity, weights" in Page(tearsheet_html(record_of(result), result.metrics)).text


def test_diagnostics_are_called_by_words_with_units() -> None:
    assert words_for("book", "sigma_p") == ("Volatility aimed at, a year", "percent")
    assert words_for("book", "share.trend") == ("trend: share of the book", "percent")
    assert words_for("kalman_overlay", "drawdown")[0] == "Drawdown of its notional portfolio"
    assert words_for("mine", "my_own_figure") == ("My own figure", None)
