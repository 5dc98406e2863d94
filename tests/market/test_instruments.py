"""The table of known funds, against facts that can be checked elsewhere."""

import csv
from datetime import date
from pathlib import Path

import pytest

from plimsoll.engine.market.instruments import KNOWN, instrument

DAILY = Path(__file__).parents[2] / ".." / "shared" / "data" / "daily"


def test_leveraged_funds_carry_their_signed_multiple_and_underlying() -> None:
    leveraged = {s: (i.leverage, i.underlying) for s, i in KNOWN.items() if i.leverage != 1.0}
    assert leveraged == {"TQQQ": (3.0, "QQQ"), "SQQQ": (-3.0, "QQQ"), "TMF": (3.0, "TLT")}


def test_every_underlying_is_itself_known_and_plain_funds_have_none() -> None:
    for fund in KNOWN.values():
        assert (fund.underlying == "") == (fund.leverage == 1.0), fund
        assert fund.underlying == "" or KNOWN[fund.underlying].leverage == 1.0


@pytest.mark.parametrize("symbol", ["DBMF", "KMLM", "PFIX", "SVOL", "TAIL", "USL"])
def test_funds_with_wide_quoted_spreads_are_thin(symbol: str) -> None:
    assert instrument(symbol).tier == "thin"


@pytest.mark.parametrize("symbol", ["SPY", "QQQ", "GLD", "TLT", "VNQ"])
def test_funds_quoted_within_a_basis_point_are_tier_one(symbol: str) -> None:
    assert instrument(symbol).tier == "1"


def test_an_unknown_symbol_is_a_plain_tier_three_fund_that_says_it_is_unknown() -> None:
    fund = instrument("ZZZZ")
    assert (fund.symbol, fund.tier, fund.leverage, fund.underlying, fund.inception) == ("ZZZZ", "3", 1.0, "", None)
    assert not fund.known
    assert instrument("SPY").known


def test_expense_ratios_are_fractions_of_a_year_not_percent() -> None:
    assert all(0.0002 <= fund.expense_ratio <= 0.0107 for fund in KNOWN.values())


@pytest.mark.realdata
def test_no_fund_has_prices_before_its_inception_and_late_ones_start_on_it() -> None:
    if not DAILY.is_dir():
        pytest.skip("the market data folder is absent")
    # a source may begin a few sessions late, never early
    for symbol, fund in KNOWN.items():
        path = DAILY / f"{symbol}.csv"
        if not path.exists():
            continue
        with path.open() as lines:
            first = date.fromisoformat(next(csv.DictReader(lines))["date"])
        assert fund.inception is not None
        assert first >= fund.inception, symbol
        if fund.inception > date(2005, 1, 31):
            assert (first - fund.inception).days <= 16, (symbol, first)
