"""What a book estimates of a symbol that comes back as a new one begins anew: as if it had never been listed before."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.book_run import UNBOUND, UNGOVERNED, Book, Steady, run_book, walks
from support.panels import make_panel

from plimsoll.engine.market.panel import Panel
from plimsoll.engine.portfolio.stages import s6_regime as s6

BARS, LAST, BACK = 560, 290, 312
SYMBOLS = ("GLD", "SPY", "TLT")
LOOSE: dict[str, Any] = {"preset": "book", **UNBOUND, **UNGOVERNED, "normalize": {"mode": "unit_gross"}}


def market(chosen: str, *, known_before: bool) -> Panel:
    """Three symbols that move half as much from BACK on; the chosen one has no row in [LAST, BACK), or none before."""
    calm, wild = walks(5, (0.10, 0.12, 0.14), BARS), walks(6, (0.2, 0.24, 0.28), BACK, corr=0.9)
    close = np.vstack((wild, calm[BACK:] / calm[BACK] * wild[-1]))
    close[LAST if known_before else 0 : BACK, SYMBOLS.index(chosen)] = np.nan
    panel = make_panel(close, close.copy(), symbols=SYMBOLS)
    fear = 16.0 + 8.0 * np.sin(np.arange(BARS) / 15.0)
    return replace(panel, indicators=("VIX",), indicator=fear[:, None])


def pair_of_runs(chosen: str, held: Mapping[str, float], integrator: dict[str, Any]) -> tuple[Book, Book]:
    """The book where the symbol comes back, and where it is new."""
    back, new = (
        run_book(market(chosen, known_before=known), {"s": Steady(held)}, first=30, integrator=integrator)
        for known in (True, False)
    )
    return back, new


def since(book: Book, name: str, bar: int = BACK) -> Any:
    return book.fact(name)[book.bars >= bar]


@pytest.mark.parametrize("chosen", ["SPY", "TLT"])
@pytest.mark.parametrize("covariance", ["shrunk", "factor"])
def test_the_volatility_of_a_book_knows_the_new_listing_only(chosen: str, covariance: str) -> None:
    stages = {**LOOSE, "vol_target": {"covariance": covariance}}
    back, new = pair_of_runs(chosen, {"SPY": 0.5, "TLT": 0.5}, stages)
    # a sleeve has lived through both listings: its scale is its own
    found, expected = (
        since(book, "sigma_ex") / book.stage("s2_net")[book.bars >= BACK].sum(axis=1) for book in (back, new)
    )
    assert (expected > 0.0).all()
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("chosen", ["SPY", "TLT"])
def test_the_regime_begins_anew_where_one_of_its_two_series_does(chosen: str) -> None:
    back, new = pair_of_runs(chosen, {"GLD": 1.0}, LOOSE)
    ready = BACK + (s6.SMA_SESSIONS if chosen == "SPY" else 40)
    assert (since(new, "confidence", ready) > 0.0).all()
    np.testing.assert_allclose(since(back, "confidence"), since(new, "confidence"), rtol=1e-12)
    settled = BACK + 10  # a label lasts five sessions: that of before, then the first one since
    assert since(back, "regime", settled).tolist() == since(new, "regime", settled).tolist()


def test_the_regime_does_not_ask_when_another_symbol_came_back() -> None:
    back, whole = (
        run_book(panel, {"s": Steady({"TLT": 1.0})}, first=30, integrator=LOOSE)
        for panel in (market("GLD", known_before=True), market("GLD", known_before=False))
    )
    assert (since(back, "confidence", 240) > 0.0).all()
    assert back.fact("confidence").tolist() == whole.fact("confidence").tolist()


@pytest.mark.parametrize("chosen", ["SPY", "TLT"])
def test_the_old_path_knows_the_new_listing_only(chosen: str) -> None:
    back, new = pair_of_runs(chosen, {"SPY": 0.5, "TLT": 0.5}, {"preset": "legacy"})
    for name in ("rows", "leverage", "sigma_ex"):
        np.testing.assert_allclose(since(back, name), since(new, name), rtol=1e-12)
