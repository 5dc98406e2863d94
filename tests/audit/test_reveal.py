"""A feed that learns its bars one by one knows the past to the bit and nothing of the future."""

import numpy as np
import pytest
from audit.market import market
from hypothesis import given
from hypothesis import strategies as st
from support.panels import random_panel

from plimsoll.engine.kernels.derive import TRADING
from plimsoll.engine.market.feed import FIELDS, Feed
from plimsoll.engine.research.proof.growing_feed import RevealFeed
from plimsoll.engine.research.proof.unseen import NO_CODE, VEILS, Veil


def _bytes(array: np.ndarray, stop: int) -> bytes:
    return np.ascontiguousarray(array[:stop]).tobytes()


@given(seed=st.integers(0, 10_000), veil=st.sampled_from(VEILS), asked=st.integers(0, 39))
def test_what_is_revealed_is_what_a_whole_feed_derives(seed: int, veil: Veil, asked: int) -> None:
    panel = random_panel(seed, n_bars=40)
    whole, feed = Feed(panel), RevealFeed(panel, veil, seed=seed)
    cols = tuple(range(panel.n_symbols))[::-2]
    views = {}
    for t in range(panel.n_bars):
        feed.reveal(t, panel)
        if t == asked:  # some owners ask early, some late; all of them see every bar in its time
            views = {name: (feed.field(name), feed.columns(name, cols)) for name in FIELDS}
            status = feed.status_of(cols)
        for name, (every, some) in views.items():
            assert _bytes(every, t + 1) == _bytes(whole.field(name), t + 1), name
            assert _bytes(some, t + 1) == _bytes(whole.columns(name, cols), t + 1), name
        if views:
            assert _bytes(status, t + 1) == _bytes(whole.status_of(cols), t + 1)
            assert _bytes(feed.factor, t + 1) == _bytes(whole.factor, t + 1)
        assert _bytes(feed.status, t + 1) == _bytes(whole.status, t + 1)
        assert _bytes(feed.panel.clock.session, t + 1) == _bytes(panel.clock.session, t + 1)


def test_an_indicator_is_revealed_bar_by_bar() -> None:
    panel = market()
    feed = RevealFeed(panel, "nothing", seed=1)
    series = feed.indicator("VIX")
    for t in range(panel.n_bars):
        assert np.isnan(series[t:]).all()
        feed.reveal(t, panel)
        assert _bytes(series, t + 1) == _bytes(panel.indicator[:, 0], t + 1)


@pytest.mark.parametrize("at", [0, 57, 118])
def test_what_has_not_come_yet_is_unknown(at: int) -> None:
    panel = market()
    feed = RevealFeed(panel, "nothing", seed=2)
    for t in range(at + 1):
        feed.reveal(t, panel)
    for name in FIELDS:
        assert np.isnan(feed.field(name)[at + 1 :]).all(), name
        assert np.isnan(feed.columns(name, (1,))[at + 1 :]).all(), name
    assert (feed.status[at + 1 :] == NO_CODE).all()
    later = slice(at + 1, None)
    assert np.isnan(feed.panel.block[:, later]).all()
    assert np.isnan(feed.panel.high[later]).all()
    assert np.isnan(feed.panel.low[later]).all()
    assert np.isnan(feed.panel.indicator[later]).all()
    assert np.isnat(feed.panel.clock.session[later]).all()
    assert not feed.panel.clock.month_last[later].any()


def test_noise_is_another_future_and_looks_like_a_market() -> None:
    panel = market()
    feed = RevealFeed(panel, "noise", seed=2)
    for t in range(60):
        feed.reveal(t, panel)
    ahead = slice(60, panel.n_bars)
    close = feed.panel.close[ahead]
    assert (close > 0.0).all()
    assert not np.isclose(close, panel.close[ahead]).any()
    assert 0.2 < (feed.status[ahead] == TRADING).mean() < 0.3
    assert (np.abs(feed.ret[ahead]) < 0.2).all()


@pytest.mark.parametrize("veil", VEILS)
def test_neither_length_nor_facts_of_the_panel_tell_the_end(veil: Veil) -> None:
    panel = market()
    lengths = {RevealFeed(panel, veil, seed=seed).panel.n_bars for seed in range(8)}
    assert min(lengths) >= panel.n_bars + 50
    assert len(lengths) > 4
    told = RevealFeed(panel, veil, seed=0).panel
    assert (told.data_hash, told.source, told.warnings, told.adjusted_only) == ("", "", (), ())
    assert (told.symbols, told.indicators, told.clock.interval) == (panel.symbols, panel.indicators, "1d")


def test_what_is_handed_out_cannot_be_written() -> None:
    feed = RevealFeed(market(), "nothing", seed=0)
    arrays = [feed.ret, feed.status, feed.factor, feed.indicator("VIX"), feed.status_of((0,))]
    arrays += [feed.field(name) for name in FIELDS] + [feed.columns(name, (0, 2)) for name in FIELDS]
    assert not any(array.flags.writeable for array in arrays)
    assert all(array.flags.c_contiguous for array in arrays)
