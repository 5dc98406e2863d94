"""Macro quadrants: every target against plain pandas, the four quadrants one by one, watched funds that are missing."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.panels import make_panel
from support.plain_market import Market, assert_same_answers, market_of_files, market_of_panel
from support.sampled import panel_of
from support.scripted import Ran, plain_config, run_config

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.market.panel import Panel

NAME = "plimsoll.strategies.macro_regime:MacroRegime"
HELD = ["SPY", "TLT", "GLD", "DBC"]
SYMBOLS = [*HELD, "TIP", "IEF", "HYG", "LQD", "BIL"]
QUADRANTS = {
    (True, False): ("SPY", "TLT"),
    (True, True): ("SPY", "DBC"),
    (False, True): ("GLD", "DBC"),
    (False, False): ("TLT", "GLD"),
}


def readings(market: Market) -> pd.DataFrame:
    """The five readings and the confidence, from their formulas."""
    tr, ret = market.tr, market.ret
    year, quarter = tr / tr.shift(252) - 1.0, tr / tr.shift(63) - 1.0
    ratio = market.vix / market.vix.ewm(span=50, adjust=False, ignore_na=True).mean()
    found = pd.DataFrame(
        {
            "growth": year["SPY"] - year["BIL"].fillna(0.0),
            "inflation": year["TIP"] - year["IEF"],
            "vix_ratio": ratio,
            "credit": quarter["HYG"] - quarter["LQD"],
        }
    )
    found["risk_off"] = ((ratio > 1.1) & ~(found["credit"] >= 0.0)).astype(float).where(ratio.notna())
    scores = pd.DataFrame(
        {
            "growth": found["growth"] / ret["SPY"].rolling(252, min_periods=126).std() / np.sqrt(252),
            "inflation": found["inflation"]
            / (ret["TIP"] - ret["IEF"]).rolling(252, min_periods=2).std()
            / np.sqrt(252),
            "vix": (1.0 - ratio) / 0.2,
            "credit": found["credit"] / (ret["HYG"] - ret["LQD"]).rolling(252, min_periods=2).std() / np.sqrt(63),
        }
    )
    found["confidence"] = scores.mean(axis=1).abs().clip(upper=1.0)
    return found


def plain_macro(market: Market, schedule: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    found = readings(market).loc[market.due(schedule)]
    answers = {}
    for day, row in found.dropna(subset=["growth", "inflation", "risk_off"]).iterrows():
        pair = QUADRANTS[(row["growth"] > 0.0, row["inflation"] > 0.0)]
        there = [s for s in pair if market.listed.loc[day, s]]
        size = 0.5 if row["risk_off"] == 1.0 else 1.0
        answers[day] = [size / len(there) if s in there else 0.0 for s in HELD]
    return pd.DataFrame.from_dict(answers, orient="index", columns=HELD), found


def check(panel: Panel, market: Market, schedule: str) -> pd.DataFrame:
    expected, found = plain_macro(market, schedule)
    ran = run_config(panel, plain_config(NAME, {"rebalance": schedule}))
    assert_same_answers(ran, expected)
    noted = ran.result.diagnostics.pivot_table(index="session", columns="name", values="value")
    for name in found.columns:
        np.testing.assert_allclose(noted[name], found.loc[noted.index, name], rtol=1e-8, atol=1e-11, err_msg=name)
    return expected


@pytest.mark.parametrize("schedule", ["M", "D"])
def test_targets_on_the_sample_equal_plain_pandas(schedule: str) -> None:
    panel = panel_of(42)
    check(panel, market_of_panel(panel, SYMBOLS), schedule)


@pytest.mark.realdata
@pytest.mark.parametrize("schedule", ["M", "D"])
def test_targets_on_real_prices_equal_plain_pandas(real_daily: Path, schedule: str) -> None:
    panel = load_csv(real_daily, tuple(sorted(SYMBOLS)), ("VIX",), end=date(2026, 5, 1))
    expected = check(panel, market_of_files(real_daily, SYMBOLS, "2026-05-01"), schedule)
    assert (expected.loc["2008-10-31":"2009-04-30", "SPY"] == 0.0).all()  # growth is down
    assert (expected.loc["2021-06-30":"2021-12-31", ["SPY", "DBC"]] > 0.0).all().all()  # growth and inflation are up
    assert (expected.loc["2022-10-31":"2022-12-30", ["SPY", "TLT"]] == 0.0).all().all()
    assert expected.loc["2006-01", "SPY"].tolist()[-1:] == [1.0]  # commodities were not listed yet
    assert {tuple(row) for row in (expected.loc["2007":] > 0.0).to_numpy()} == {
        tuple(s in pair for s in HELD) for pair in QUADRANTS.values()
    }


def made(vix: float = 15.0, last_vix: float | None = None, n: int = 300, **drift: float) -> Panel:
    """Funds that grow steadily at the given daily log rates, the rest flat; a VIX that may move on the last session."""
    swing = np.tile([0.004, -0.004], n // 2)[:, None]
    rates = np.array([drift.get(s, 0.0) for s in sorted(SYMBOLS)])
    closes = 100.0 * np.exp(np.cumsum(rates[None, :] + swing, axis=0))
    panel = make_panel(closes, symbols=tuple(sorted(SYMBOLS)))
    seen = np.full((n, 1), vix)
    seen[-1] = vix if last_vix is None else last_vix
    return Panel(panel.clock, panel.symbols, panel.block, panel.high, panel.low, ("VIX",), seen)


def run(panel: Panel) -> Ran:
    return run_config(panel, plain_config(NAME, {"rebalance": "D"}))


@pytest.mark.parametrize(("up", "hot"), list(QUADRANTS), ids=lambda flag: "up" if flag else "down")
def test_each_quadrant_holds_its_two_funds_in_halves(up: bool, hot: bool) -> None:
    panel = made(SPY=0.001 if up else -0.001, TIP=0.001 if hot else -0.001)
    last = run(panel).result.targets.iloc[-1]
    assert last[last > 0.0].to_dict() == dict.fromkeys(sorted(QUADRANTS[up, hot]), 0.5)


@pytest.mark.parametrize(
    ("vix", "junk", "gross"),
    [(20.0, -0.001, 0.5), (20.0, 0.001, 1.0), (15.5, -0.001, 1.0)],
    ids=["off", "credit fine", "calm"],
)
def test_risk_is_off_when_the_vix_jumps_and_credit_is_weak_and_halves_everything(
    vix: float, junk: float, gross: float
) -> None:
    targets = run(made(last_vix=vix, SPY=0.001, HYG=junk)).result.targets
    assert targets.iloc[-1].sum() == gross
    assert targets.iloc[-2].sum() == 1.0


def test_growth_is_measured_against_bills() -> None:
    last = run(made(SPY=0.0001, BIL=0.0002)).result.targets.iloc[-1]
    assert last["SPY"] == 0.0


def test_a_fund_that_is_not_listed_leaves_its_half_to_the_other() -> None:
    panel = made(SPY=0.001, TIP=0.001)
    panel.block[:3, :, panel.column("DBC")] = np.nan
    assert run(panel).result.targets.iloc[-1]["SPY"] == 1.0


def test_without_credit_funds_the_vix_alone_decides() -> None:
    panel = made(last_vix=20.0, SPY=0.001)
    panel.block[:3, :, panel.column("HYG")] = np.nan
    ran = run(panel)
    assert ran.result.targets.iloc[-1].sum() == 0.5
    assert ran.result.targets.iloc[-2].sum() == 1.0
    assert 0.0 <= ran.result.diagnostics.query("name == 'confidence'")["value"].iloc[-1] <= 1.0


def test_without_the_vix_the_sleeve_is_disabled_with_the_reason() -> None:
    panel = make_panel(np.full((300, 9), 100.0), symbols=tuple(sorted(SYMBOLS)))
    with pytest.raises(DataError, match="indicator VIX is not in the data"):
        run(panel)
