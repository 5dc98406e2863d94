"""Stage 8: the capital ladder."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.book_run import Steady, run_book, walk_panel

from plimsoll.engine.config.stages import LadderSection, LadderTier
from plimsoll.engine.portfolio.stages import s8_ladder as s8
from plimsoll.engine.types import Floats

SECTION = LadderSection()
LADDER = np.array([[t.min_equity, t.gross, t.name, t.min_ticket_usd, t.dust_usd, t.max_names] for t in SECTION.tiers])


def walked(path: list[float], hysteresis: float = 0.05) -> list[int]:
    state, seen = s8.init(), []
    for equity in path:
        s8.observe(equity, LADDER, hysteresis, state)
        seen.append(int(state.tier[0]))
    return seen


def test_the_ladder_is_that_of_the_requirement() -> None:
    assert LADDER[:, s8.MIN_EQUITY].tolist() == [0.0, 1e5, 1e6, 1e7]
    assert LADDER[:, s8.GROSS].tolist() == [1.0, 1.5, 2.0, 3.0]
    assert LADDER[:, s8.NAME].tolist() == [0.20, 0.15, 0.12, 0.10]
    assert LADDER[:, s8.MIN_TICKET].tolist() == [50.0, 100.0, 250.0, 1000.0]
    assert LADDER[:, s8.DUST].tolist() == [25.0, 50.0, 100.0, 250.0]
    assert LADDER[:, s8.MAX_NAMES].tolist() == [10, 0, 0, 0]


@pytest.mark.parametrize(
    ("equity", "tier"),
    [(1.0, 0), (99_999.99, 0), (100_000.0, 1), (999_999.99, 1), (1e6, 2), (9_999_999.0, 2), (1e7, 3), (1e12, 3)],
)
def test_a_tier_begins_at_its_lower_bound_inclusive(equity: float, tier: int) -> None:
    assert walked([equity]) == [tier]


@pytest.mark.parametrize(
    ("path", "tiers"),
    [
        ([100_000.0, 99_999.0, 95_000.0, 94_999.99, 99_999.0, 100_000.0], [1, 1, 1, 0, 0, 1]),
        ([1e6, 960_000.0, 940_000.0, 999_999.0, 1e6], [2, 2, 1, 1, 2]),
        ([50_000.0, 2e6], [0, 2]),
        ([2e6, 50_000.0], [2, 0]),
        ([2e6, 97_000.0, 94_000.0], [2, 1, 0]),
    ],
    ids=["around a bound", "a million", "up at once", "down at once", "down, and not out of the next one"],
)
def test_up_at_the_bound_and_down_five_per_cent_below_it(path: list[float], tiers: list[int]) -> None:
    assert walked(path) == tiers


@given(st.lists(st.floats(1e3, 1e8), min_size=1, max_size=40), st.floats(0.0, 0.5))
def test_a_tier_always_fits_the_equity_up_to_the_hysteresis(path: list[float], hysteresis: float) -> None:
    for equity, tier in zip(path, walked(path, hysteresis), strict=True):
        assert equity >= LADDER[tier, 0] * (1.0 - hysteresis)
        assert tier == 3 or equity < LADDER[tier + 1, 0]


def test_without_hysteresis_the_tier_is_the_equitys_own() -> None:
    path = list(np.geomspace(1e4, 1e8, 30)) + list(np.geomspace(1e8, 1e4, 30))
    assert walked(path, 0.0) == [int(np.searchsorted([1e5, 1e6, 1e7], e, side="right")) for e in path]


def flips(cash: float, hysteresis: float) -> tuple[Floats, int]:
    panel = walk_panel(3, ("AAA", "BBB"), (0.16, 0.06), 380)
    sixty_forty = Steady({"AAA": 0.6, "BBB": 0.4})
    book = run_book(
        panel, {"sixty_forty": sixty_forty}, first=128, run={"name": "t", "cash": cash},
        integrator={"preset": "book", "ladder": {"hysteresis": hysteresis}},
    )  # fmt: skip
    tier = book.fact("ladder_tier")
    return tier, int((np.diff(tier) != 0).sum())


def test_a_sixty_forty_book_that_starts_at_exactly_a_bound_does_not_flip() -> None:
    tier, changes = flips(100_000.0, 0.05)
    assert tier[0] == 1
    assert changes == 0
    assert flips(100_000.0, 0.0)[1] >= 4  # what would happen otherwise


def test_the_tier_moves_with_the_account_and_once_a_session() -> None:
    tier, changes = flips(95_000.0, 0.05)
    assert tier[0] == 0
    assert changes <= 2


def test_a_vehicle_that_cannot_be_executed_is_refused() -> None:
    others: tuple[Any, ...] = ("futures", "options")
    for vehicle in others:
        with pytest.raises(ValidationError, match=f"{vehicle}.*only 'etf'"):
            LadderTier(min_equity=0.0, gross=1.0, name=0.2, vehicles=("etf", vehicle))
