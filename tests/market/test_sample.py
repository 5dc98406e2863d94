"""The generated panel as a data source: what is cut from it, and that its bars are bars an exchange could print."""

from datetime import date

import numpy as np
import pytest

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.instruments import KNOWN
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.sample.source import FIRST, LAST, generate, sample_panel
from plimsoll.engine.market.sample.universe import SYMBOLS


@pytest.fixture(scope="module")
def panel() -> Panel:
    return sample_panel(indicators=("VIX",))


def column_bytes(panel: Panel, symbol: str) -> bytes:
    j = panel.column(symbol)
    return panel.block[:, :, j].tobytes() + panel.high[:, j].tobytes() + panel.low[:, j].tobytes()


def test_the_same_seed_gives_the_same_bytes_when_generated_again(panel: Panel) -> None:
    generate.cache_clear()
    again = sample_panel(indicators=("VIX",))
    assert again.data_hash == panel.data_hash
    assert again.block.tobytes() == panel.block.tobytes()


def test_another_seed_gives_another_market(panel: Panel) -> None:
    other = sample_panel(seed=7)
    assert other.data_hash != panel.data_hash
    for symbol in SYMBOLS:
        assert column_bytes(other, symbol) != column_bytes(panel, symbol), symbol


@pytest.mark.parametrize("symbols", [("TLT",), ("SPY", "TQQQ"), ("TMF", "DBMF", "BIL", "SPY")], ids=",".join)
def test_asking_for_fewer_symbols_changes_no_number(panel: Panel, symbols: tuple[str, ...]) -> None:
    fewer = sample_panel(symbols, start=FIRST)
    assert fewer.symbols == tuple(sorted(symbols))
    for symbol in symbols:
        assert column_bytes(fewer, symbol) == column_bytes(panel, symbol)


def test_asking_for_a_shorter_span_changes_no_number(panel: Panel) -> None:
    first, last = date(2011, 3, 7), date(2019, 8, 15)
    cut = sample_panel(indicators=("VIX",), start=first, end=last)
    at = (panel.clock.session >= np.datetime64(first)) & (panel.clock.session <= np.datetime64(last))
    assert cut.clock.session.tobytes() == panel.clock.session[at].tobytes()
    assert cut.indicator.tobytes() == panel.indicator[at].tobytes()
    for symbol in cut.symbols:
        j = panel.column(symbol)
        assert cut.block[:, :, cut.column(symbol)].tobytes() == panel.block[:, at, j].tobytes()
    assert cut.clock.month_last.tobytes() == panel.clock.month_last[at].tobytes()


def test_the_calendar_is_the_exchanges_from_2006_to_2025(panel: Panel) -> None:
    assert (panel.clock.session[0], panel.clock.session[-1]) == (np.datetime64(FIRST), np.datetime64(LAST))
    assert len(panel.clock) == 5031  # as counted on any daily file of a US fund
    for closed in ("2007-01-02", "2012-10-29", "2018-12-05", "2025-01-09"):  # Ford, Sandy, Bush, Carter
        assert np.datetime64(closed) not in panel.clock.session


def test_the_panel_says_that_it_is_invented(panel: Panel) -> None:
    assert panel.synthetic
    assert panel.source == "sample (synthetic, seed 42)"
    assert sample_panel(("SPY",), seed=3).source == "sample (synthetic, seed 3)"


def test_every_known_fund_is_generated_and_nothing_else(panel: Panel) -> None:
    assert set(SYMBOLS) == set(KNOWN)
    assert panel.symbols == tuple(sorted(KNOWN))


def test_a_fund_has_no_row_before_its_first_session_and_every_row_after(panel: Panel) -> None:
    for symbol, fund in KNOWN.items():
        known = ~np.isnan(panel.close[:, panel.column(symbol)])
        assert fund.inception is not None
        assert known.tolist() == (panel.clock.session >= np.datetime64(fund.inception)).tolist(), symbol


def test_open_high_low_close_fit_and_are_whole_cents(panel: Panel) -> None:
    known = ~np.isnan(panel.close)
    body_top = np.maximum(panel.open, panel.close)[known]
    body_bottom = np.minimum(panel.open, panel.close)[known]
    assert (panel.high[known] >= body_top).all()
    assert (panel.low[known] <= body_bottom).all()
    assert panel.low[known].min() > 0.5
    assert (panel.high[known] > body_top).mean() > 0.9  # not merely the body itself
    for prices in (panel.open, panel.high, panel.low, panel.close):
        assert np.array_equal(np.round(prices[known], 2), prices[known])


def test_volume_is_whole_shares_and_liquid_tiers_trade_more_dollars(panel: Panel) -> None:
    known = ~np.isnan(panel.close)
    assert (panel.volume[known] >= 100).all()
    assert np.array_equal(np.round(panel.volume[known]), panel.volume[known])
    usual: dict[str, list[float]] = {"1": [], "2": [], "3": [], "thin": []}
    for symbol in panel.symbols:
        j = panel.column(symbol)
        usual[KNOWN[symbol].tier].append(float(np.nanmedian(panel.volume[-504:, j] * panel.close[-504:, j])))
    assert min(usual["1"]) > 1e8
    assert min(usual["2"]) > max(usual["3"]) / 2
    assert min(usual["3"]) > max(usual["thin"]) > 1e6


def test_total_returns_of_the_panel_are_the_models_to_the_cent(panel: Panel) -> None:
    whole = generate()
    for j, symbol in enumerate(SYMBOLS):
        k, first = panel.column(symbol), int(whole.first[j])
        close = panel.close[first:, k]
        ret = (close[1:] + panel.dividend[first + 1 :, k]) * panel.split[first + 1 :, k] / close[:-1] - 1.0
        model = whole.returns[first + 1 :, j]
        split = panel.split[first + 1 :, k]
        # half a cent on either close, and half of the fourth decimal of the dividend
        bound = (0.0051 * split + 0.0051 * (1.0 + np.abs(model))) / close[:-1] + 1e-9
        assert (np.abs(ret - model) <= bound).all(), symbol
        assert np.log1p(ret).sum() == pytest.approx(np.log1p(model).sum(), abs=0.003), symbol  # errors do not add up


def test_dividends_come_as_often_as_the_funds_pay_and_metals_pay_none(panel: Panel) -> None:
    month = panel.clock.session.astype("datetime64[M]").astype(int) % 12 + 1
    for symbol in ("GLD", "IAU", "SLV", "USO", "USL", "SQQQ"):
        assert not panel.dividend[:, panel.column(symbol)].any(), symbol
    for symbol, months, n in (("SPY", {3, 6, 9, 12}, 80), ("EFA", {6, 12}, 40), ("TLT", set(range(2, 13)), 240)):
        paid = panel.dividend[:, panel.column(symbol)] > 0
        assert set(month[paid].tolist()) == months, symbol
        assert int(paid.sum()) == n, symbol  # January's is paid in December


def test_a_dividend_drops_the_price_and_not_the_total_return(panel: Panel) -> None:
    j = panel.column("SVOL")  # pays over 1% a month
    paid = np.flatnonzero(panel.dividend[:, j] > 0)
    price_change = panel.close[paid, j] / panel.close[paid - 1, j] - 1.0
    yields = panel.dividend[paid, j] / panel.close[paid - 1, j]
    assert yields.mean() > 0.008
    drop = price_change.mean() + yields.mean()
    assert abs(drop) < 3.0 * (price_change + yields).std() / np.sqrt(len(paid))


def test_a_split_moves_the_raw_price_by_its_ratio_overnight(panel: Panel) -> None:
    found: dict[str, set[float]] = {}
    for symbol in panel.symbols:
        j = panel.column(symbol)
        for t in np.flatnonzero(panel.split[:, j] != 1.0):
            ratio = panel.split[t, j]
            found.setdefault(symbol, set()).add(float(ratio))
            assert panel.open[t, j] * ratio / panel.close[t - 1, j] == pytest.approx(1.0, abs=0.25)
            assert not panel.dividend[t, j] > 0.05 * panel.close[t, j]
    assert found["TQQQ"] == {2.0}
    assert found["SQQQ"] == {0.2}


def test_bad_requests_are_answered_with_one_line() -> None:
    with pytest.raises(DataError, match=r"unknown symbol 'TLY'; did you mean 'TLT'\?"):
        sample_panel(("SPY", "TLY"))
    with pytest.raises(DataError, match="unknown indicator 'VXX'"):
        sample_panel(indicators=("VXX",))
    with pytest.raises(DataError, match="'SPY' is asked for twice"):
        sample_panel(("SPY", "SPY"))
    with pytest.raises(DataError, match="seed -1 is negative"):
        sample_panel(seed=-1)
    with pytest.raises(DataError, match="start 2020-01-02 is after end 2019-01-02"):
        sample_panel(start=date(2020, 1, 2), end=date(2019, 1, 2))
    with pytest.raises(DataError, match="none of the symbols has a row"):
        sample_panel(("DBMF",), end=date(2019, 5, 7))
