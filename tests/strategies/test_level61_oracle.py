"""Level-61's targets against plain pandas, and the identities of its overlay."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.panels import make_panel, random_panel
from support.plain_targets import (
    DEFENSIVE,
    RISKY,
    Level61,
    inverse_vol,
    level61,
    listings,
    month_ends,
    overlay,
    total_returns,
)
from support.real import read
from support.scripted import Ran, plain_config, run_config

from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.market.panel import Panel
from plimsoll.strategies.inverse_vol import inverse_vol_weights
from plimsoll.strategies.regime_risk_parity import to_defensives

UNIVERSE = tuple(sorted(RISKY + DEFENSIVE))
NAME = "plimsoll.strategies.regime_risk_parity:RegimeRiskParity"


def run_level61(panel: Panel, p: Level61, start: str | None = None, **run: str) -> Ran:
    """Run the engine's Level-61 with the oracle's settings."""
    params = {
        "lookback_bars": p.lookback, "vol_target": p.vol_target, "max_leverage": p.max_leverage,
        "risk_off_vol": p.risk_off_vol, "risk_off_mom": p.risk_off_mom, "risk_off_shrink": p.shrink,
        "hysteresis": p.hysteresis, "exit_vol": p.exit_vol, "exit_mom": p.exit_mom,
    }  # fmt: skip
    return run_config(panel, plain_config(NAME, params, run=dict(run) | ({"start": start} if start else {})))


def frames(panel: Panel) -> pd.DataFrame:
    """Total returns of a panel in plain pandas."""
    index = pd.DatetimeIndex(panel.clock.session)
    tables = {k: pd.DataFrame(getattr(panel, k), index, list(panel.symbols)) for k in ("close", "dividend", "split")}
    return total_returns(tables["close"], tables["dividend"], tables["split"])[RISKY + DEFENSIVE]


def assert_same_targets(
    ran: Ran, returns: pd.DataFrame, p: Level61, tolerance: float, listing: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Compare every target after the first decision, and the regime noted on every session."""
    ends = month_ends(returns.index)
    targets, regimes = level61(returns, ends, p, listing)
    first = ran.result.equity.index[0]
    theirs = targets.loc[targets.index >= first]
    ours = ran.result.targets.iloc[1:]  # the first decision adopts what stood before
    assert list(ours.index) == list(theirs.index)
    assert len(ours) > 0
    np.testing.assert_allclose(ours[theirs.columns], theirs, rtol=tolerance, atol=tolerance)
    noted = ran.result.diagnostics.pivot_table(index="session", columns="name", values="value")
    daily = regimes.reindex(ran.result.equity.index.union(regimes.index)).ffill().loc[noted.index]
    for name in noted.columns:
        np.testing.assert_allclose(noted[name], daily[name], rtol=1e-10, atol=1e-12, err_msg=name)
    return regimes


@pytest.mark.realdata
@pytest.mark.parametrize("hysteresis", [False, True], ids=["seed", "hysteresis"])
def test_targets_on_every_real_month_end_equal_plain_pandas(real_daily: Path, hysteresis: bool) -> None:
    p = Level61(hysteresis=hysteresis)
    tables = read(real_daily, list(UNIVERSE), "2025-12-31")
    returns = total_returns(tables["close"], tables["dividend"])[RISKY + DEFENSIVE]
    returns.loc[pd.Timestamp("2026-01-02")] = np.nan  # closes December 2025
    panel = load_csv(real_daily, UNIVERSE, end=date(2025, 12, 31))
    ran = run_level61(panel, p, start="2010-01-01")
    regimes = assert_same_targets(ran, returns, p, 1e-12)
    traded = regimes.loc["2010":]
    assert len(traded) == 192  # none of the 192 months of 2010-2025 is lost
    assert 0 < traded["risk_off"].sum() < 100


@pytest.mark.realdata
def test_hysteresis_keeps_risk_off_longer_on_real_data(real_daily: Path) -> None:
    tables = read(real_daily, list(UNIVERSE), "2025-12-31")
    returns = total_returns(tables["close"], tables["dividend"])[RISKY + DEFENSIVE]
    days = [
        level61(returns, month_ends(returns.index), Level61(hysteresis=on))[1]["risk_off"].sum() for on in (False, True)
    ]
    assert days[1] > days[0]


@given(seed=st.integers(0, 2**32), lookback=st.integers(8, 40), hysteresis=st.booleans(), lively=st.booleans())
@example(seed=2_019_953, lookback=28, hysteresis=False, lively=False)  # SPY comes back as another one within a window
@settings(max_examples=25)
def test_targets_on_ragged_random_markets_equal_plain_pandas(
    seed: int, lookback: int, hysteresis: bool, lively: bool
) -> None:
    panel = random_panel(
        seed, n_bars=150, n_symbols=8, symbols=UNIVERSE, volatility=0.02 if lively else 0.01, start=date(2024, 1, 2)
    )
    p = Level61(lookback=lookback, hysteresis=hysteresis)
    ran = run_level61(panel, p)
    returns = frames(panel)
    close = pd.DataFrame(panel.close, pd.DatetimeIndex(panel.clock.session), list(panel.symbols))
    assert_same_targets(ran, returns, p, 1e-9, listings(close)[returns.columns])


def test_a_short_gap_in_one_fund_takes_that_fund_out_and_keeps_the_others() -> None:
    rng = np.random.default_rng(5)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, (80, 8)), axis=0))
    panel = make_panel(close, symbols=UNIVERSE, start=date(2019, 1, 2))
    end = int(np.flatnonzero(panel.clock.month_last)[-1])
    close[end - 1 : end + 1, UNIVERSE.index("EEM")] = np.nan
    ran = run_level61(make_panel(close, symbols=UNIVERSE, start=date(2019, 1, 2)), Level61(lookback=40))
    last = ran.result.targets.iloc[-1]
    assert last["EEM"] == 0.0
    assert (last.drop("EEM") > 0.0).all()


def test_a_fund_that_never_moves_gets_no_weight() -> None:
    rng = np.random.default_rng(6)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, (80, 8)), axis=0))
    close[:, UNIVERSE.index("LQD")] = 50.0
    ran = run_level61(make_panel(close, symbols=UNIVERSE), Level61(lookback=40))
    assert ran.result.targets["LQD"].eq(0.0).all()
    assert ran.result.targets.iloc[-1].sum() > 0.0


def test_without_any_movement_everything_stays_in_cash() -> None:
    ran = run_level61(make_panel(np.full((80, 8), 50.0), symbols=UNIVERSE), Level61(lookback=40))
    assert ran.result.targets.to_numpy().any() == np.False_
    assert ran.result.equity["equity"].iloc[-1] == 100_000.0


def test_equal_weights_where_every_known_volatility_is_zero() -> None:
    w = np.array([0.0, np.nan, 0.0, 0.0])
    inverse_vol_weights(w)
    np.testing.assert_allclose(w, [1 / 3, 0.0, 1 / 3, 1 / 3], rtol=1e-15)


def test_the_volatility_target_is_met_exactly_when_leverage_is_not_clipped() -> None:
    panel = random_panel(
        77,
        n_bars=150,
        n_symbols=8,
        symbols=UNIVERSE,
        volatility=0.012,
        holes=False,
        quiet=False,
        start=date(2024, 1, 2),
    )
    p = Level61(lookback=40, max_leverage=5.0)
    ran, returns = run_level61(panel, p), frames(panel)
    for day, w in ran.result.targets.iloc[1:].iterrows():
        cov = returns.loc[:day].tail(40).cov().to_numpy() * 252.0
        held = w[RISKY + DEFENSIVE].to_numpy()
        assert np.sqrt(held @ cov @ held) == pytest.approx(0.10, rel=1e-12)
        assert 0.0 < held.sum() < 5.0


def test_leverage_is_clipped_when_the_market_is_calm() -> None:
    panel = random_panel(
        78,
        n_bars=150,
        n_symbols=8,
        symbols=UNIVERSE,
        volatility=0.002,
        holes=False,
        quiet=False,
        start=date(2024, 1, 2),
    )
    ran = run_level61(panel, Level61(lookback=40))
    assert ran.result.targets.iloc[1:].sum(axis=1).to_numpy() == pytest.approx(2.0, rel=1e-12)


weight = st.floats(0.0, 1.0).map(lambda w: 0.0 if w < 1e-9 else w)
weights = st.lists(weight, min_size=8, max_size=8).filter(lambda w: sum(w) > 1e-3)


@given(w=weights, shrink=st.floats(0.0, 1.0))
def test_the_overlay_keeps_the_sum_shrinks_the_risky_and_keeps_the_order_of_the_defensives(
    w: list[float], shrink: float
) -> None:
    before, after = np.array(w), np.array(w)
    risky = np.arange(8) < 5
    to_defensives(after, risky, np.ones(8, dtype=np.bool_), shrink)
    assert after.sum() == pytest.approx(before.sum(), rel=1e-12)
    np.testing.assert_allclose(after[:5], before[:5] * shrink, rtol=1e-15)
    for i in range(5, 8):
        for j in range(5, 8):
            if before[i] <= before[j]:
                assert after[i] <= after[j] * (1.0 + 1e-15)


@given(w=weights, listed=st.lists(st.booleans(), min_size=3, max_size=3))
def test_the_overlay_with_unlisted_defensives_equals_plain_pandas(w: list[float], listed: list[bool]) -> None:
    names = RISKY + DEFENSIVE
    mask = np.array([True] * 5 + listed)
    ours = np.where(mask, w, 0.0)
    theirs = overlay(pd.Series(ours, names), pd.Series(mask, names), 0.5)
    to_defensives(ours, np.arange(8) < 5, mask, 0.5)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=30)
def test_inverse_volatility_weights_equal_plain_pandas(seed: int) -> None:
    rng = np.random.default_rng(seed)
    window = pd.DataFrame(rng.normal(0.0, rng.uniform(0.0, 0.03, 6), (30, 6)))
    window[rng.random((30, 6)) < 0.3] = np.nan
    window[5] = 0.0
    listed = pd.Series(rng.random(6) < 0.8)
    theirs = inverse_vol(window, listed, 15)
    vol = window.std().to_numpy().copy()
    vol[(window.count().to_numpy() < 15) | ~listed.to_numpy()] = np.nan
    if not np.isnan(vol).all():
        inverse_vol_weights(vol)
        np.testing.assert_allclose(vol, theirs.fillna(0.0), rtol=1e-12)
