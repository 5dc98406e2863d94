"""A sleeve's notional portfolio against the one drifted by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.compare import market_of
from support.market_lists import Row, notional
from support.panels import random_panel

from plimsoll.engine.kernels.account.track import (
    ANSWER_NOT_FINITE,
    ANSWER_OK,
    ANSWER_UNLISTED,
    EQUITY,
    PEAK,
    TRACK_RUINED,
    TRACK_SCALARS,
    check_answer,
    track_scan,
)
from plimsoll.engine.kernels.derive import DELISTED, HALTED, TRADING, UNBORN
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.types import Floats


class Tracked:
    """Weights carried through given returns."""

    def __init__(self, weight: list[float]) -> None:
        self.weight = np.array(weight)
        self.scal = np.zeros(TRACK_SCALARS)
        self.scal[[EQUITY, PEAK]] = 1.0

    def run(self, ret: list[list[float]], bill: float = 0.0, status: int = TRADING) -> Floats:
        """Return (T, 2) equity and drawdown."""
        table = np.array(ret)
        out = np.empty((len(table), 2))
        codes = np.full(table.shape, status, dtype=np.int8)
        track_scan(0, len(table), table, codes, np.full(len(table), bill), self.weight, self.scal, out)
        return out


@given(seed=st.integers(0, 2**32), rate=st.sampled_from([0.0, 1e-3]))
@settings(max_examples=40)
def test_drifted_weights_equal_the_ones_carried_by_hand(seed: int, rate: float) -> None:
    panel = random_panel(seed)
    market, feed = market_of(panel), Feed(panel)
    market.bill = [rate] * panel.n_bars
    rng = np.random.default_rng(seed)
    answers: dict[int, Row] = {}
    tracked = Tracked([0.0] * panel.n_symbols)
    out = np.empty((panel.n_bars, 2))
    for t in range(panel.n_bars):
        track_scan(t, t + 1, feed.ret, feed.status, np.array(market.bill), tracked.weight, tracked.scal, out)
        if rng.random() < 0.1:
            listed = [market.trades(s, t) for s in panel.symbols]
            tracked.weight[:] = np.where(listed, rng.normal(0.0, 0.3, panel.n_symbols), 0.0)
            answers[t] = dict(zip(panel.symbols, tracked.weight.tolist(), strict=True))
    by_hand = notional(market, answers, panel.n_bars - 1)
    np.testing.assert_allclose(tracked.weight, [by_hand.get(s, 0.0) for s in panel.symbols], rtol=1e-9, atol=1e-12)


def test_cash_earns_the_bill_and_debit_pays_it() -> None:
    assert Tracked([0.4]).run([[0.0]], bill=0.01)[0, 0] == pytest.approx(1.006, rel=1e-15)
    assert Tracked([1.5]).run([[0.0]], bill=0.01)[0, 0] == pytest.approx(0.995, rel=1e-15)


def test_weights_drift_with_their_own_return_over_the_portfolios() -> None:
    tracked = Tracked([0.5, 0.25])
    tracked.run([[0.2, -0.1]])
    growth = 1.0 + 0.5 * 0.2 - 0.25 * 0.1
    assert tracked.weight == pytest.approx([0.6 / growth, 0.225 / growth], rel=1e-14)


def test_drawdown_is_from_the_peak_including_the_start() -> None:
    out = Tracked([1.0]).run([[-0.1], [0.3], [-0.5]])
    assert out[:, 1] == pytest.approx([-0.1, 0.0, -0.5], rel=1e-14)


def test_an_unknown_return_adds_nothing() -> None:
    tracked = Tracked([0.5, 0.5])
    assert tracked.run([[np.nan, 0.1]])[0, 0] == pytest.approx(1.05, rel=1e-15)
    assert tracked.weight == pytest.approx([0.5 / 1.05, 0.55 / 1.05], rel=1e-14)


def test_a_delisted_weight_turns_into_cash() -> None:
    tracked = Tracked([0.8])
    assert tracked.run([[np.nan]], bill=0.01, status=DELISTED)[0, 0] == pytest.approx(1.01, rel=1e-15)
    assert tracked.weight[0] == 0.0


def test_a_sleeve_that_loses_everything_stays_at_zero() -> None:
    tracked = Tracked([3.0])
    out = tracked.run([[-0.4], [0.5]])
    assert out[:, 0].tolist() == [0.0, 0.0]
    assert tracked.scal[TRACK_RUINED] == 1.0
    assert tracked.weight[0] == 0.0


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ([0.5, 0.0, 0.5, 0.0], (ANSWER_OK, -1)),
        ([0.5, 0.1, 0.0, 0.0], (ANSWER_UNLISTED, 1)),
        ([0.5, 0.0, 0.0, 1e-9], (ANSWER_UNLISTED, 3)),
        ([0.5, np.nan, 0.0, 0.0], (ANSWER_NOT_FINITE, 1)),
        ([np.inf, 0.0, 0.0, 0.0], (ANSWER_NOT_FINITE, 0)),
    ],
)
def test_weight_on_what_is_not_listed_is_found(answer: list[float], verdict: tuple[int, int]) -> None:
    status = np.array([[TRADING, UNBORN, HALTED, DELISTED]], dtype=np.int8)
    assert check_answer(0, np.array(answer), status) == verdict
