"""A symbol that comes back after more than twenty sessions is new to every strategy: nothing seen before counts."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from plimsoll.engine.kernels.derive import RELIST_SESSIONS, own_rows
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.window import Cursor, Window
from plimsoll.engine.research.proof.trial_market import trial_panel
from plimsoll.engine.runtime.resolve import make_strategy, registered
from plimsoll.engine.sleeve.signals import Signal, signal_of
from plimsoll.engine.sleeve.sleeve import Sleeve
from plimsoll.engine.sleeve.strategy import Strategy
from plimsoll.engine.types import Floats

BACK = 344  # the first bar of the later listing, 32 before the end of a month
GONE = RELIST_SESSIONS + 1  # sessions without a row before it
BARS = 700

# While the risk of one symbol is not known yet, the others may be held as before: for so many bars.
SETTLED = 60

# These have a past of their own, which goes on: that it has bought; its drawdown.
OF_THEIR_OWN = ("buy_and_hold", "kalman_overlay")
OTHERS = [name for name in registered() if name not in OF_THEIR_OWN]


def strategy_of(name: str) -> Strategy:
    """A registered strategy at its defaults; a scalar that waits in its band for a larger change would hide a past."""
    strategy = make_strategy(name, {}, where="s")
    return make_strategy(name, {"scalar_band": 0.0}, where="s") if "scalar_band" in vars(strategy.params) else strategy


def market_of(strategy: Strategy, chosen: Sequence[str], *, known_before: bool, gone: int = GONE) -> Panel:
    """A market in which the chosen symbols begin at BACK; with `known_before` they had an earlier listing."""
    panel = trial_panel(strategy.universe, strategy.indicators, n_bars=BARS, seed=11)
    rows = slice(BACK - gone if known_before else 0, BACK)
    block, high, low = panel.block.copy(), panel.high.copy(), panel.low.copy()
    for i in map(panel.column, chosen):
        block[:3, rows, i], high[rows, i], low[rows, i] = np.nan, np.nan, np.nan
        block[3, rows, i], block[4, rows, i] = 0.0, 1.0
    return replace(panel, block=block, high=high, low=low)


def asked(strategy: Strategy, panel: Panel) -> tuple[Signal, Sleeve]:
    """The signals of a strategy, and its sleeve as they left it."""
    feed, cursor = Feed(panel), Cursor()
    sleeve = Sleeve("s", strategy, feed, np.zeros(BARS), cursor)
    return signal_of(sleeve, cursor, BARS), sleeve


def same_from_here(name: str, chosen: Sequence[str], settled: int) -> None:
    """Check that where the chosen symbols come back is answered as where they are new, `settled` bars later on."""
    (back, noted), (new, expected) = (
        asked(strategy_of(name), market_of(strategy_of(name), chosen, known_before=known)) for known in (True, False)
    )
    assert back.failure is None
    first = BACK + max(int(np.argmax(new.answered[BACK:])), settled)
    assert new.answered[first:].any() or name == "pairs"  # no two symbols of this market are found to move together
    assert back.answered[first:].tolist() == new.answered[first:].tolist()
    np.testing.assert_allclose(back.held[first:], new.held[first:], rtol=1e-7, atol=1e-9)
    notes = BACK + settled if settled else first
    np.testing.assert_allclose(noted.notes[notes:], expected.notes[notes:], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", OTHERS)
def test_a_strategy_answers_as_if_the_earlier_listings_had_never_been(name: str) -> None:
    same_from_here(name, strategy_of(name).universe, 0)


@pytest.mark.parametrize(
    ("name", "symbol"), [(name, symbol) for name in OTHERS for symbol in strategy_of(name).universe]
)
def test_a_strategy_answers_as_if_the_earlier_listing_of_one_symbol_had_never_been(name: str, symbol: str) -> None:
    same_from_here(name, (symbol,), SETTLED)


@pytest.mark.parametrize("chosen", [("QQQ",), ("QQQ", "TQQQ", "SQQQ")])
def test_what_the_overlay_estimates_begins_anew(chosen: Sequence[str]) -> None:
    (_, noted), (_, expected) = (
        asked(strategy_of("kalman_overlay"), market_of(strategy_of("kalman_overlay"), chosen, known_before=known))
        for known in (True, False)
    )
    assert list(noted.strategy.diagnostics)[:3] == ["trend_strength", "sigma_real", "sigma_base"]
    assert not np.isnan(expected.notes[-1, :3]).any()
    np.testing.assert_allclose(noted.notes[BACK:, :3], expected.notes[BACK:, :3], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("chosen", ["GLD", "SPY"])
def test_pairs_are_tested_and_filtered_anew(chosen: str) -> None:
    strategy = strategy_of("pairs")
    (_, back), (_, new) = (
        asked(strategy_of("pairs"), market_of(strategy, (chosen,), known_before=known)) for known in (True, False)
    )
    assert not np.isnan(new.state.noise).any()
    for name in ("test", "noise", "drift", "coefficient", "reading", "passed"):
        np.testing.assert_allclose(getattr(back.state, name), getattr(new.state, name), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", ["trend", "vol_barbell", "vol_premium", "convex_rate_hedge", "kalman_overlay"])
def test_after_a_halt_of_twenty_sessions_everything_goes_on(name: str) -> None:
    def last_notes(gone: int) -> Floats:
        strategy = strategy_of(name)
        _, sleeve = asked(strategy, market_of(strategy, strategy.universe, known_before=True, gone=gone))
        return np.asarray(sleeve.notes[BACK : BACK + SETTLED])

    halted, relisted = last_notes(RELIST_SESSIONS), last_notes(RELIST_SESSIONS + 1)
    assert np.isfinite(halted).sum() > np.isfinite(relisted).sum()


def test_the_budgets_of_a_new_listings_first_regime_hold_at_once() -> None:
    def budgets(*, known_before: bool) -> tuple[Floats, list[float]]:
        strategy = strategy_of("convex_rate_hedge")
        panel = market_of(strategy, ("TLT",), known_before=known_before)
        whole, i = market_of(strategy, (), known_before=False), panel.column("TLT")
        block = panel.block.copy()  # what comes back moves against stocks, what there was moved with them
        block[:2, BACK:, i] = 100.0 * np.cumprod(1.0 - Feed(whole).ret[BACK:, i])
        block[3, BACK:, i], block[4, BACK:, i] = 0.0, 1.0
        high, low = panel.high.copy(), panel.low.copy()
        high[BACK:, i], low[BACK:, i] = block[1, BACK:, i], block[1, BACK:, i]
        _, sleeve = asked(strategy, replace(panel, block=block, high=high, low=low))
        regimes = sleeve.notes[:, strategy.diagnostics.index("regime")]
        return sleeve.notes[BACK:, -5:], [regimes[BACK - GONE - 1], regimes[-1]]

    (back, moods), (new, _) = budgets(known_before=True), budgets(known_before=False)
    assert moods[0] == 0.0 < moods[1]  # together before, apart since
    np.testing.assert_allclose(back, new, rtol=1e-7)


def test_a_window_shows_the_listing_in_force_wherever_the_cursor_stands() -> None:
    strategy = strategy_of("sixty_forty")
    feed, cursor = Feed(market_of(strategy, strategy.universe[:1], known_before=True)), Cursor()
    window = Window(feed, tuple(range(feed.panel.n_symbols)), cursor)
    for cursor.t in (BACK + 5, 10, BACK - 1, BACK, BACK + 90, BACK + 40, BARS - 1, 3):
        for n in (1, 2, 6, 7, 41, 42, 200, BARS):
            expected = np.empty((n, feed.panel.n_symbols))
            own_rows(cursor.t, feed.field("tr"), feed.ret, feed.status, expected)
            assert window.tr(n).tobytes() == expected.tobytes()
