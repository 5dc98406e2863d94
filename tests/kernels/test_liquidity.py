"""Volatility and volume as known at a close, against plain pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.compare import market_of
from support.panels import random_panel

from plimsoll.engine.kernels.derive import DELISTED, TRADING
from plimsoll.engine.kernels.estimate.liquidity import LOOKBACK_BARS, VOLUME_SESSIONS, volatility_at, volume_at
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.types import Codes, Floats

BUFFER = np.zeros(VOLUME_SESSIONS)


def listed(series: Floats) -> Codes:
    """Return the status of symbols that trade at every bar."""
    return np.full(series.shape, TRADING, dtype=np.int8)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=30)
def test_volatility_and_volume_equal_the_ones_read_by_hand(seed: int) -> None:
    panel = random_panel(seed, n_bars=140)
    feed, market = Feed(panel), market_of(panel)
    for t in (0, 5, 19, 40, 75, 139):
        for i, symbol in enumerate(panel.symbols):
            assert volatility_at(t, i, feed.ret, feed.status) == pytest.approx(
                market.sigma(symbol, t), rel=1e-12, nan_ok=True
            )
            found = volume_at(t, i, panel.volume, feed.factor, feed.ret, feed.status, BUFFER)
            assert found == pytest.approx(market.adv(symbol, t), rel=1e-12, nan_ok=True)


def test_volatility_is_the_sample_deviation_of_sixty_known_returns() -> None:
    ret = np.random.default_rng(1).normal(0.0, 0.01, (200, 1))
    ret[::7] = np.nan
    known = pd.Series(ret[:180, 0]).dropna().tail(60)
    assert volatility_at(179, 0, ret, listed(ret)) == pytest.approx(known.std(), rel=1e-12)


def test_volatility_needs_twenty_returns() -> None:
    ret = np.full((100, 1), np.nan)
    ret[50:69] = 0.01 * np.arange(19)[:, None]
    assert np.isnan(volatility_at(99, 0, ret, listed(ret)))
    ret[69] = 0.0
    assert volatility_at(99, 0, ret, listed(ret)) > 0.0


def test_volume_is_the_median_of_twenty_known_sessions_in_todays_shares() -> None:
    volume = np.arange(1.0, 41.0)[:, None]
    factor = np.where(np.arange(40) < 30, 1.0, 2.0)[:, None]
    restated = np.where(np.arange(40) < 30, 2.0, 1.0) * volume[:, 0]
    assert volume_at(39, 0, volume, factor, volume, listed(volume), BUFFER) == np.median(restated[20:])


def test_an_odd_number_of_volumes_has_a_middle_one() -> None:
    volume = np.array([[5.0], [1.0], [np.nan], [9.0]])
    assert volume_at(3, 0, volume, np.ones((4, 1)), volume, listed(volume), BUFFER) == 5.0


def test_nothing_older_than_the_lookback_is_known() -> None:
    volume = np.full((LOOKBACK_BARS + 5, 1), np.nan)
    volume[3] = 7.0
    ones = np.ones_like(volume)
    assert volume_at(LOOKBACK_BARS + 2, 0, volume, ones, volume, listed(volume), BUFFER) == 7.0
    assert np.isnan(volume_at(LOOKBACK_BARS + 3, 0, volume, ones, volume, listed(volume), BUFFER))


def test_of_a_symbol_that_came_back_as_a_new_one_only_the_new_listing_counts() -> None:
    rng = np.random.default_rng(5)
    ret, volume = rng.normal(0.0, 0.01, (80, 1)), rng.uniform(1.0, 9.0, (80, 1))
    status = listed(ret)
    ret[20:50], volume[20:49], status[20:49] = np.nan, np.nan, DELISTED
    found = volatility_at(69, 0, ret, status), volatility_at(70, 0, ret, status)
    assert found[0] == pytest.approx(ret[50:70, 0].std(ddof=1), rel=1e-12)
    assert np.isnan(volatility_at(68, 0, ret, status))  # nineteen returns since
    assert found[1] == pytest.approx(ret[50:71, 0].std(ddof=1), rel=1e-12)
    assert volume_at(52, 0, volume, np.ones_like(volume), ret, status, BUFFER) == np.median(volume[49:53])
