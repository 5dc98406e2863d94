"""Returns, indices, split factors and status against plain pandas."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.compare import market_of
from support.panels import make_panel, random_panel
from support.plain_targets import total_returns

from plimsoll.engine.kernels.derive import (
    DELIST_SESSIONS,
    DELISTED,
    HALTED,
    OUTSIDE,
    TRADING,
    UNBORN,
    derive_scan,
    factor_scan,
    index_scan,
    last_listed_anew,
    listed_anew_scan,
    own_rows,
)
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.types import Codes, Floats


def derive(panel: Panel, cuts: tuple[int, ...] = ()) -> tuple[Floats, Codes]:
    """Returns and status, worked off in the given pieces."""
    shape = (panel.n_bars, panel.n_symbols)
    ret, status = np.full(shape, 9.0), np.full(shape, 9, dtype=np.int8)
    close, session = np.full(shape[1], np.nan), np.full(shape[1], -1, dtype=np.int64)
    edges = (0, *cuts, panel.n_bars)
    for first, stop in pairwise(edges):
        derive_scan(first, stop, panel.clock.session_index, panel.block, close, session, ret, status)
    return ret, status


def frame(panel: Panel, name: str) -> pd.DataFrame:
    """One field as a table."""
    return pd.DataFrame(getattr(panel, name))


def listings(panel: Panel) -> pd.DataFrame:
    """Number every symbol's listings from 1: a first row begins one, and the first row after a long gap."""
    close = frame(panel, "close")
    ret = total_returns(close, frame(panel, "dividend"), frame(panel, "split"))
    return (close.notna() & ret.isna()).cumsum()


@given(seed=st.integers(0, 2**32))
@settings(max_examples=50)
def test_returns_equal_plain_pandas(seed: int) -> None:
    panel = random_panel(seed)
    ret, _ = derive(panel)
    expected = total_returns(frame(panel, "close"), frame(panel, "dividend"), frame(panel, "split"))
    np.testing.assert_allclose(ret, expected, rtol=1e-12, atol=1e-15)


@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(1, 89), max_size=4, unique=True).map(sorted))
@settings(max_examples=30)
def test_working_it_off_in_pieces_gives_the_same_bytes(seed: int, cuts: list[int]) -> None:
    panel = random_panel(seed)
    for whole, pieces in zip(derive(panel), derive(panel, tuple(cuts)), strict=True):
        assert whole.tobytes() == pieces.tobytes()


@given(seed=st.integers(0, 2**32))
@settings(max_examples=30)
def test_status_follows_from_the_rows_seen_so_far(seed: int) -> None:
    panel = random_panel(seed)
    market = market_of(panel)
    _, status = derive(panel)
    for i, symbol in enumerate(panel.symbols):
        for t in range(panel.n_bars):
            seen = [k for k in range(t + 1) if market.trades(symbol, k)]
            if not seen:
                expected = UNBORN
            elif seen[-1] == t:
                expected = TRADING
            else:
                expected = DELISTED if t - seen[-1] >= DELIST_SESSIONS else HALTED
            assert status[t, i] == expected


def test_a_holder_earns_price_dividend_and_split_together() -> None:
    # 100 -> 2 new shares at 52 plus 1 each: (52 + 1) * 2 / 100
    panel = make_panel([100.0, 52.0], split=[1.0, 2.0], dividend=[0.0, 1.0])
    assert derive(panel)[0][1, 0] == pytest.approx(0.06, rel=1e-12)


def test_the_return_after_a_gap_spans_it() -> None:
    ret = derive(make_panel([100.0, np.nan, np.nan, 121.0]))[0][:, 0]
    assert np.isnan(ret[:3]).all()
    assert ret[3] == pytest.approx(0.21, rel=1e-12)


def test_a_symbol_counts_as_delisted_six_sessions_after_its_last_row_and_not_earlier() -> None:
    close = np.r_[100.0, np.full(7, np.nan), 50.0]
    status = derive(make_panel(np.column_stack((close, np.ones(9)))))[1][:, 0]
    assert status.tolist() == [TRADING] + [HALTED] * 5 + [DELISTED] * 2 + [TRADING]


@given(seed=st.integers(0, 2**32))
@settings(max_examples=30)
def test_the_total_return_index_chains_the_returns(seed: int) -> None:
    panel = random_panel(seed)
    ret, _ = derive(panel)
    out = np.empty_like(ret)
    index_scan(0, panel.n_bars, ret, panel.close, np.full(panel.n_symbols, np.nan), out)
    lives = listings(panel)
    known = 1.0 + pd.DataFrame(ret).fillna(0.0)
    grown = pd.DataFrame({i: known[i].groupby(lives[i]).cumprod() for i in known})
    np.testing.assert_allclose(out, grown.where(frame(panel, "close").notna()), rtol=1e-12)


def test_the_total_return_index_is_one_at_the_first_row() -> None:
    panel = make_panel([np.nan, 20.0, 22.0], symbols=("A",))
    out = np.empty((3, 1))
    index_scan(0, 3, derive(panel)[0], panel.close, np.full(1, np.nan), out)
    np.testing.assert_allclose(out[:, 0], [np.nan, 1.0, 1.1], rtol=1e-12)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=20)
def test_the_split_factor_is_the_running_product(seed: int) -> None:
    panel = random_panel(seed)
    out = np.empty((panel.n_bars, panel.n_symbols))
    factor_scan(0, panel.n_bars, panel.split, np.ones(panel.n_symbols), out)
    np.testing.assert_allclose(out, np.cumprod(panel.split, axis=0), rtol=1e-12)


@pytest.mark.parametrize(("missing", "is_new"), [(5, False), (6, False), (20, False), (21, True), (60, True)])
def test_a_symbol_is_listed_anew_after_more_than_twenty_sessions_and_not_before(missing: int, is_new: bool) -> None:
    close = np.r_[np.full(3, np.nan), 100.0, 101.0, np.full(missing, np.nan), 110.0, 121.0]
    ret, status = derive(make_panel(np.column_stack((close, np.full(len(close), 50.0)))))
    anew = np.ones(ret.shape, dtype=np.bool_)
    listed_anew_scan(ret, status, anew)
    expected = np.zeros(ret.shape, dtype=np.bool_)
    expected[-2, 0] = is_new  # a first listing is none
    assert anew.tolist() == expected.tolist()
    back, last = len(close) - 2, len(close) - 1
    assert last_listed_anew(back - 1, last, ret, status) == last_listed_anew(-1, last, ret, status) == is_new * back
    assert last_listed_anew(back, last, ret, status) == 0  # a window that begins with the listing
    assert last_listed_anew(-9, back - 1, ret, status) == 0


def test_nothing_comes_back_at_the_first_bar_whatever_the_last_one_was() -> None:
    status, ret = np.array([[TRADING, OUTSIDE], [DELISTED, DELISTED]], dtype=np.int8), np.full((2, 2), np.nan)
    anew = np.ones((2, 2), dtype=np.bool_)
    listed_anew_scan(ret, status, anew)
    assert not anew.any()


@given(seed=st.integers(0, 2**32), n=st.integers(1, 70))
@settings(max_examples=30)
def test_rows_of_a_window_are_those_of_the_listing_in_force(seed: int, n: int) -> None:
    panel = random_panel(seed, n_symbols=8)
    ret, status = derive(panel)
    life = listings(panel).to_numpy()
    for t in (0, 5, 40, 70, 89):
        rows = np.full((n, panel.n_symbols), 9.0)
        own_rows(t, panel.close, ret, status, rows)
        past = np.full((n, panel.n_symbols), np.nan)
        past[max(n - t - 1, 0) :] = panel.close[max(t + 1 - n, 0) : t + 1]
        for back in range(min(n, t + 1)):
            past[n - 1 - back, life[t - back] != life[t]] = np.nan
        assert rows.tobytes() == past.tobytes()
