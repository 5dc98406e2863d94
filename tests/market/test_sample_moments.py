"""How the generated market behaves: regimes, volatility, correlations, rates, leverage, sessions."""

import numpy as np
import pytest
from support.sampled import ALL_SEEDS, drawdowns, panel_of, returns, universe_of

from plimsoll.engine.market.instruments import KNOWN
from plimsoll.engine.market.sample.calibration import VIX_QUANTILES, VIX_RETURN_CORRELATION
from plimsoll.engine.market.sample.regime import CALM, CRISIS, INFLATION, conditions
from plimsoll.engine.types import Floats


def sharpe(ret: Floats, bill: Floats) -> float:
    excess = ret - bill / 252.0
    return float(excess.mean() / excess.std() * 252**0.5)


@pytest.mark.parametrize("seed", ALL_SEEDS)
def test_regimes_persist_and_every_long_history_has_deep_falls(seed: int) -> None:
    regimes = universe_of(seed).regimes
    changes = int(np.count_nonzero(np.diff(regimes)))
    assert 10 < changes < 120
    assert {CALM, CRISIS} <= set(regimes.tolist())
    assert drawdowns(returns(seed, "SPY")).min() < -0.30


def test_the_default_history_has_at_least_three_bear_markets() -> None:
    depth = drawdowns(returns(42, "SPY"))
    starts = np.flatnonzero((depth == 0.0) & (np.append(depth[1:], 0.0) < 0.0))
    deepest = [depth[a:b].min() for a, b in zip(starts, [*starts[1:], len(depth)], strict=True)]
    assert sum(d < -0.30 for d in deepest) >= 3


@pytest.mark.parametrize("seed", ALL_SEEDS)
def test_volatility_clusters_and_tails_are_fat(seed: int) -> None:
    ret = returns(seed, "SPY")[1:]
    square = (ret - ret.mean()) ** 2

    def memory(x: Floats) -> float:
        return float(np.mean([np.corrcoef(x[lag:], x[:-lag])[0, 1] for lag in range(1, 22)]))

    shuffled = np.random.default_rng(1).permutation(square)
    assert memory(square) > 0.07
    assert abs(memory(shuffled)) < 0.02
    assert float(np.mean((ret - ret.mean()) ** 4) / ret.var() ** 2) > 6.0  # 3 for a normal distribution
    assert abs(np.corrcoef(ret[1:], ret[:-1])[0, 1]) < 0.08  # while returns themselves have no memory


@pytest.mark.parametrize("seed", ALL_SEEDS)
def test_falls_raise_volatility_more_than_rises_do(seed: int) -> None:
    ret = returns(seed, "SPY")[1:]
    after = np.convolve(ret**2, np.ones(10) / 10, mode="valid")[1:]  # mean square of the ten days after
    before = ret[: len(after)]
    ratio = after / np.convolve(ret**2, np.ones(60) / 60, mode="full")[: len(after)].clip(1e-6)
    late = slice(60, None)
    assert np.corrcoef(before[late], ratio[late])[0, 1] < -0.08


@pytest.mark.parametrize("seed", ALL_SEEDS)
def test_bonds_hedge_equity_except_under_inflation(seed: int) -> None:
    regimes = universe_of(seed).regimes
    stocks, bonds = returns(seed, "SPY"), returns(seed, "TLT")

    def together(at: np.ndarray) -> float:
        return float(np.corrcoef(stocks[at], bonds[at])[0, 1])

    shock = regimes == INFLATION
    shock[0] = False
    rest = ~shock
    rest[0] = False
    assert together(rest) < -0.05  # fear of inflation lingers, in one of these markets for years
    if shock.sum() > 150:
        assert together(shock) > max(0.10, together(rest) + 0.30)


def test_the_stock_bond_correlation_changes_sign_over_the_years() -> None:
    stocks, bonds = returns(42, "SPY"), returns(42, "TLT")
    year = panel_of(42).clock.session.astype("datetime64[Y]")[1:]
    yearly = [float(np.corrcoef(stocks[1:][year == y], bonds[1:][year == y])[0, 1]) for y in np.unique(year)]
    assert min(yearly) < -0.40
    assert max(yearly) > 0.20
    assert np.median(yearly) < -0.20


def test_the_default_inflation_shocks_hurt_stocks_and_bonds_and_help_commodities() -> None:
    regimes = universe_of(42).regimes
    shock = regimes == INFLATION
    shock[0] = False
    growth = {s: float(np.log1p(returns(42, s)[shock]).sum()) for s in ("SPY", "TLT", "DBC", "IEF")}
    assert growth["SPY"] < -0.15
    assert growth["TLT"] < -0.15
    assert growth["IEF"] < 0.0
    assert growth["DBC"] > 0.30


@pytest.mark.parametrize("seed", ALL_SEEDS)
def test_every_correlation_matrix_is_one(seed: int) -> None:
    given = conditions(universe_of(seed).regimes).correlation
    assert np.linalg.eigvalsh(given).min() > 0.05
    assert np.array_equal(given, given.transpose(0, 2, 1))


@pytest.mark.parametrize("seed", ALL_SEEDS)
def test_the_volatility_index_looks_like_one(seed: int) -> None:
    vix, ret = panel_of(seed).indicator[:, 0], returns(seed, "SPY")
    assert vix.min() >= 9.0
    assert 45.0 < vix.max() <= 95.0
    for level, (value, near, wide) in VIX_QUANTILES.items():
        assert np.quantile(vix, level) == pytest.approx(value, abs=near if seed == 42 else wide), level
    value, near, wide = VIX_RETURN_CORRELATION
    change = np.diff(np.log(vix))
    assert np.corrcoef(change, ret[1:])[0, 1] == pytest.approx(value, abs=near if seed == 42 else wide)
    square = np.concatenate([[0.0], np.cumsum(np.nan_to_num(ret) ** 2)])
    ahead = np.sqrt((square[22:] - square[1:-21]) / 21.0)  # realised over the 21 sessions after the close
    assert np.corrcoef(vix[: len(ahead)], ahead)[0, 1] > 0.5
    high = np.flatnonzero(vix[:-126] > 40.0)
    assert vix[high + 126].mean() < 0.8 * vix[high].mean()


@pytest.mark.parametrize("seed", ALL_SEEDS)
def test_bill_rates_stay_between_zero_and_six_and_the_cash_fund_earns_them(seed: int) -> None:
    bill = universe_of(seed).factors.bill
    assert bill.min() > 0.0
    assert 0.04 < bill.max() < 0.06
    listed = ~np.isnan(returns(seed, "BIL"))
    earned = float(np.log1p(returns(seed, "BIL")[listed]).mean() * 252.0)
    assert earned == pytest.approx(bill[listed].mean() - KNOWN["BIL"].expense_ratio, abs=2e-4)


def test_the_default_bill_rate_is_near_zero_for_years_and_near_five_at_times() -> None:
    bill = universe_of(42).factors.bill
    assert (bill < 0.004).mean() > 0.25
    assert (bill > 0.045).mean() > 0.05


@pytest.mark.parametrize(
    ("symbol", "leverage", "under"), [("TQQQ", 3.0, "QQQ"), ("SQQQ", -3.0, "QQQ"), ("TMF", 3.0, "TLT")]
)
def test_leveraged_funds_follow_the_daily_formula(symbol: str, leverage: float, under: str) -> None:
    # r_L = L q - (L-1)(r+s)/252 - f/252, s = 1.0%, f = 0.86%; an inverse fund pays 0.3% on what it is paid bills for
    bill = universe_of(42).factors.bill
    ret, base = returns(42, symbol), returns(42, under)
    cost = 2.0 * (bill + 0.010) if leverage > 0 else -4.0 * bill + 4.0 * 0.003
    gap = ret - (leverage * base - cost / 252.0 - 0.0086 / 252.0)
    gap = gap[~np.isnan(gap)]
    assert abs(gap.mean() * 252.0) < 0.004  # own noise and cents
    assert gap.std() * 252**0.5 < 0.02


def test_leveraged_funds_decay_with_variance() -> None:
    # ln V_T = L ln S_T - (L^2 - L)/2 * variance - costs (Avellaneda & Zhang 2010), continuous paths; jumps blur it
    bill = universe_of(42).factors.bill
    for symbol, leverage in (("TQQQ", 3.0), ("SQQQ", -3.0)):
        ret, base = returns(42, symbol), returns(42, "QQQ")
        alive = ~np.isnan(ret)
        years = alive.sum() / 252.0
        variance = float((np.log1p(base[alive]) ** 2).sum())
        carry = 2.0 * (bill[alive].mean() + 0.010) if leverage > 0 else -4.0 * bill[alive].mean() + 4.0 * 0.003
        predicted = leverage * np.log1p(base[alive]).sum() - 0.5 * (leverage**2 - leverage) * variance
        predicted -= (carry + 0.0086) * years
        found = float(np.log1p(ret[alive]).sum())
        assert found / years == pytest.approx(predicted / years, abs=0.03), symbol
        assert found < leverage * np.log1p(base[alive]).sum() - 2.0, symbol


@pytest.mark.parametrize("seed", ALL_SEEDS)
def test_nights_and_days_share_the_variance_and_gaps_are_common_to_the_market(seed: int) -> None:
    panel = panel_of(seed)

    def halves(symbol: str) -> tuple[Floats, Floats]:
        j = panel.column(symbol)
        opened = (panel.open[1:, j] + panel.dividend[1:, j]) * panel.split[1:, j]
        return np.log(opened / panel.close[:-1, j]), np.log(panel.close[1:, j] / panel.open[1:, j])

    for symbol, share in (("SPY", 0.35), ("EFA", 0.55), ("TLT", 0.50), ("GLD", 0.50)):
        night, day = halves(symbol)
        assert night.var() / (night.var() + day.var()) == pytest.approx(share, abs=0.10), symbol
        assert abs(np.corrcoef(night, day)[0, 1]) < 0.12, symbol
    assert np.corrcoef(halves("SPY")[0], halves("QQQ")[0])[0, 1] > 0.8
    assert np.corrcoef(halves("SPY")[0], halves("TLT")[0])[0, 1] < 0.1


def test_a_session_ranges_about_as_far_as_its_volatility() -> None:
    panel = panel_of(42)
    for symbol in ("SPY", "TLT", "GLD", "EEM", "USO"):
        j = panel.column(symbol)
        reach = np.log(panel.high[:, j] / panel.low[:, j])
        assert 0.8 < np.nanmean(reach) / np.nanstd(returns(42, symbol)) < 1.35, symbol


def test_more_dollars_trade_when_the_volatility_index_is_high() -> None:
    panel = panel_of(42)
    vix = panel.indicator[:, 0]
    for symbol in ("SPY", "QQQ", "IWM", "HYG"):
        j = panel.column(symbol)
        usd = panel.volume[:, j] * panel.close[:, j]
        assert np.nanmean(usd[vix > 30]) > 1.4 * np.nanmean(usd[vix < 16]), symbol


def test_sixty_forty_looks_like_one() -> None:
    mix = np.nan_to_num(0.6 * returns(42, "SPY") + 0.4 * returns(42, "IEF"))
    assert float(np.prod(1.0 + mix) ** (252 / len(mix)) - 1.0) == pytest.approx(0.085, abs=0.02)
    assert float(mix.std() * 252**0.5) == pytest.approx(0.11, abs=0.015)
    assert drawdowns(mix).min() == pytest.approx(-0.31, abs=0.08)


def test_neither_owning_everything_nor_timing_equity_is_a_money_machine() -> None:
    gain = []
    for seed in ALL_SEEDS:
        panel, bill = panel_of(seed), universe_of(seed).factors.bill
        everything = np.nan_to_num(np.nanmean(np.column_stack([returns(seed, s) for s in panel.symbols])[1:], axis=1))
        assert sharpe(everything, bill[1:]) < 0.9
        stocks = returns(seed, "SPY")[1:]
        level = np.cumprod(1.0 + stocks)
        mean = np.convolve(level, np.ones(200) / 200, mode="valid")[:-1]
        held, rate = level[199:-1] > mean, bill[1:][200:]
        timed = np.where(held, stocks[200:], rate / 252.0)
        gain.append(sharpe(timed, rate) - sharpe(stocks[200:], rate))
    assert np.mean(gain) < 0.25  # 0.12 on SPY itself, 2006-2025
