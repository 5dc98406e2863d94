"""Splits of whole shares, what short sales earn, ruin: the money of rare days."""

import numpy as np
import pytest
from support.book_run import Steady, run_book, walks
from support.identity import bars_of
from support.money import market, settled, with_volume
from support.panels import make_panel

from plimsoll.engine.market.feed import Feed
from plimsoll.engine.sleeve.strategy import Context
from plimsoll.engine.types import Weights

MARGIN = {"type": "reg_t"}
N = 12


def split_at(bar: int, ratio: float, price: float = 100.0) -> dict[str, np.ndarray]:
    """Closes and splits of a symbol whose value does not move."""
    split = np.ones((N, 1))
    split[bar] = ratio
    return {"close": price / np.cumprod(split[:, 0]), "split": split}


def test_a_whole_share_account_is_paid_the_fraction_that_a_split_leaves() -> None:
    day = split_at(5, 1.5)
    ran = settled(market({"AAA": day["close"]}, split=day["split"]), {0: {"AAA": 0.101}},
                  execution={"fractional": False})  # fmt: skip
    assert ran.shares_after(4)[0] == 101.0
    assert ran.shares_after(5)[0] == 151.0  # of 151.5
    assert ran.equity["cash"].iloc[4] == pytest.approx(100_000.0 - 10_100.0 + 0.5 * 100.0 / 1.5)
    assert ran.equity["equity"].to_numpy() == pytest.approx(100_000.0, rel=1e-12)


def test_a_fractional_account_keeps_the_fraction() -> None:
    day = split_at(5, 1.5)
    ran = settled(market({"AAA": day["close"]}, split=day["split"]), {0: {"AAA": 0.101}})
    assert ran.shares_after(5)[0] == 151.5


def test_a_short_pays_for_the_fraction_everywhere() -> None:
    day = split_at(5, 0.2)
    ran = settled(market({"AAA": day["close"]}, split=day["split"]), {0: {"AAA": -0.101}}, account=MARGIN)
    assert ran.shares_after(4)[0] == -101.0
    assert ran.shares_after(5)[0] == -20.0  # of 20.2
    assert ran.equity["cash"].iloc[4] == pytest.approx(100_000.0 + 10_100.0 - 0.2 * 500.0)


def test_the_fraction_is_paid_at_the_open_and_not_at_the_last_close() -> None:
    day = split_at(5, 1.5)
    close = day["close"].copy()
    close[5:] *= 1.2
    ran = settled(market({"AAA": close}, split=day["split"]), {0: {"AAA": 0.101}}, execution={"fractional": False})
    assert ran.equity["cash"].iloc[4] == pytest.approx(100_000.0 - 10_100.0 + 0.5 * 80.0)


def test_a_whole_share_order_that_waits_through_a_split_stays_whole() -> None:
    day = split_at(3, 1.5)
    panel = market({"AAA": day["close"]}, split=day["split"], volume=with_volume(500.0, N))
    ran = settled(panel, {0: {"AAA": 1.0}}, run={"cash": 10_100.0},
                  execution={"fractional": False, "max_participation": 0.05})  # fmt: skip
    held = np.array([ran.shares_after(t)[0] for t in range(1, N)])
    # 25 and 25 of 101; 50 become 75 and 51 to go 76.5: 76; then 25 a day
    assert held.tolist() == [25.0, 50.0, 100.0, 125.0, 150.0, 151.0, 151.0, 151.0, 151.0, 151.0, 151.0]


def test_an_order_that_opens_a_short_stays_whole_through_a_split_everywhere() -> None:
    day = split_at(1, 1.5)
    ran = settled(market({"AAA": day["close"]}, split=day["split"]), {0: {"AAA": -0.101}}, account=MARGIN)
    assert ran.shares_after(1)[0] == -151.0  # of 151.5


def test_the_fraction_too_is_paid_the_dividend_of_the_day() -> None:
    day = split_at(5, 1.5)
    dividend = np.zeros((N, 1))
    dividend[5] = 1.0
    ran = settled(market({"AAA": day["close"]}, split=day["split"], dividend=dividend), {0: {"AAA": 0.101}},
                  execution={"fractional": False})  # fmt: skip
    assert ran.equity["dividends"].iloc[4] == pytest.approx(
        151.5
    )  # who held 101 at the last close, held 151.5 of these


def test_what_short_sales_brought_in_earns_nothing() -> None:
    panel = market({"AAA": np.full(N, 100.0), "BBB": np.full(N, 50.0)})
    rates = {"cash_rate": 0.0504, "margin_spread_bps": 252.0}
    short = settled(panel, {0: {"BBB": -1.0}}, account=MARGIN, financing=rates)
    assert short.equity["interest"].iloc[1] == pytest.approx(100_000.0 * 0.0504 / 252.0)
    half = settled(panel, {0: {"BBB": -1.0}}, account=MARGIN, financing={**rates, "short_rebate": 0.5})
    assert half.equity["interest"].iloc[1] == pytest.approx(150_000.0 * 0.0504 / 252.0)


def test_longs_beyond_equity_are_a_debit_even_where_shorts_pay_for_them() -> None:
    panel = market({"AAA": np.full(N, 100.0), "BBB": np.full(N, 50.0)})
    ran = settled(panel, {0: {"AAA": 1.3, "BBB": -0.3}}, account=MARGIN,
                  financing={"cash_rate": 0.0504, "margin_spread_bps": 252.0})  # fmt: skip
    assert ran.equity["cash"].iloc[0] == pytest.approx(0.0, abs=1e-6)
    assert ran.equity["financing"].iloc[1] == pytest.approx(30_000.0 * (0.0504 + 0.0252) / 252.0)
    assert ran.equity["interest"].iloc[1] == 0.0


def test_ruin_writes_its_fills() -> None:
    close = np.r_[100.0, 100.0, 100.0, 30.0, np.full(8, 30.0)]
    ran = settled(market({"AAA": close, "BBB": np.full(N, 50.0)}), {0: {"AAA": 1.6, "BBB": -0.3}}, account=MARGIN)
    assert ran.result.ruined
    fills = bars_of(ran.result.fills, ran.setup.panel)
    assert fills.groupby("column")["qty"].sum().tolist() == [0.0, 0.0]
    last = fills[fills["bar"] == 3]
    assert last["price"].tolist() == [30.0, 50.0]
    assert last["qty"].tolist() == pytest.approx([-1_600.0, 600.0])
    assert last["order_id"].tolist() == ["", ""]
    assert ran.setup.broker.positions() == {}


class Failing(Steady):
    """Answers until it breaks."""

    def on_bar(self, ctx: Context) -> Weights | None:
        """Break at bar 120."""
        if ctx.bar_index >= 120:
            raise ZeroDivisionError("broken")
        return super().on_bar(ctx)


def shares_of_b(sleeve: type[Steady]) -> tuple[np.ndarray, np.ndarray]:
    """Bars and shares of a book's second sleeve, whose own market turns calm at bar 120."""
    closes = walks(3, (0.15, 0.15, 0.15), 240)
    calm = walks(4, (0.02,), 120)[:, 0]
    closes[120:, 1] = closes[119, 1] * calm / calm[0]
    panel = make_panel(closes, closes.copy(), symbols=("AAA", "BBB", "CCC"))
    sleeves = {"a": Steady({"AAA": 1.0}), "b": sleeve({"BBB": 1.0}), "c": Steady({"CCC": 1.0})}
    book = run_book(panel, sleeves, first=60, sleeve={"b": {"on_error": "quarantine"}},
                    integrator={"preset": "book", "allocate": {"cap": 1.0, "method": "inverse_vol"}})  # fmt: skip
    return book.bars, book.fact("share.b")


def test_a_sleeve_that_broke_takes_no_new_money() -> None:
    bars, sound = shares_of_b(Steady)
    assert sound[-1] > sound[bars == 119][0] + 0.05  # an allocation gives it more the calmer it is
    bars, broken = shares_of_b(Failing)
    after = broken[bars >= 119]
    assert np.diff(after).max() <= 1e-12
    assert after[-1] > 0.0  # it holds what it held


@pytest.mark.parametrize("missing", [1, 5, 6, 20])
def test_a_gap_of_up_to_twenty_sessions_is_a_halt_for_returns(missing: int) -> None:
    close = np.r_[100.0, 100.0, np.full(missing, np.nan), 110.0, 121.0]
    feed = Feed(market({"AAA": close}))
    assert feed.ret[-2:, 0].tolist() == pytest.approx([0.1, 0.1])
    assert feed.field("tr")[-1, 0] == pytest.approx(1.21)


@pytest.mark.parametrize("missing", [21, 22, 60])
def test_after_a_longer_gap_a_symbol_is_new(missing: int) -> None:
    close = np.r_[100.0, 100.0, np.full(missing, np.nan), 110.0, 121.0]
    feed = Feed(market({"AAA": close}))
    assert np.isnan(feed.ret[-2, 0])
    assert feed.ret[-1, 0] == pytest.approx(0.1)
    assert feed.field("tr")[-2:, 0].tolist() == pytest.approx([1.0, 1.1])


def test_a_position_is_booked_sold_in_the_gap_all_the_same() -> None:
    close = np.r_[100.0, 100.0, 80.0, np.full(8, np.nan), 90.0, 90.0]
    ran = settled(market({"AAA": close, "BBB": np.full(13, 50.0)}), {0: {"AAA": 1.0}})
    assert ran.result.counts["delisted_positions_sold"] == 1
    assert ran.equity["equity"].iloc[-1] == pytest.approx(80_000.0)
