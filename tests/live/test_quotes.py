"""No order from a price that is old, none or far from a second source (row 4; units in test_decision_prices.py)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from support.live_case import make_case

from plimsoll.engine.execution.venue import Quote

OLD = timedelta(hours=3)


def all_prices(quote: Quote, factor: str) -> Quote:
    times = Decimal(factor)
    assert quote.bid is not None
    assert quote.ask is not None
    assert quote.last is not None
    return replace(quote, bid=quote.bid * times, ask=quote.ask * times, last=quote.last * times)


def shifted(quote: Quote, by: timedelta) -> Quote:
    def moved(at: datetime | None) -> datetime | None:
        return None if at is None else at + by

    return replace(quote, quoted_at=moved(quote.quoted_at), traded_at=moved(quote.traded_at))


BAD: dict[str, Callable[[Quote], Quote | None]] = {
    "none": lambda _: None,
    "frozen": lambda one: shifted(one, -OLD),
    "yesterday's": lambda one: shifted(one, -timedelta(days=1)),
    "of tomorrow": lambda one: shifted(one, OLD),
    "zero with a fresh stamp": lambda one: all_prices(one, "0"),
    "negative": lambda one: all_prices(one, "-1"),
    "NaN": lambda one: replace(one, bid=Decimal("NaN"), ask=Decimal("NaN"), last=None),
    "infinite": lambda one: replace(one, bid=Decimal("Infinity"), ask=Decimal("Infinity"), last=None),
    "a hundred times": lambda one: all_prices(one, "100"),
    "a hundredth": lambda one: all_prices(one, "0.01"),
    "crossed and no trade": lambda one: replace(one, bid=Decimal(101), ask=Decimal(99), last=None),
    "one-sided and no trade": lambda one: replace(one, bid=None, last=None),
    "wide and no trade": lambda one: replace(one, bid=Decimal(90), ask=Decimal(110), last=None),
    "beyond the collar": lambda one: all_prices(one, "1.2"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_a_symbol_whose_price_is_not_believed_is_not_traded_and_is_named_and_the_others_are(
    place: Path, bad: Callable[[Quote], Quote | None]
) -> None:
    case = make_case(place)
    case.decide(AAA=10, BBB=10)

    def spoil(told: dict[str, Quote]) -> dict[str, Quote]:
        changed = {symbol: bad(one) if symbol == "AAA" else one for symbol, one in told.items()}
        return {symbol: one for symbol, one in changed.items() if one is not None}

    case.line.on_quotes = spoil
    outcome = case.slot("09:35")
    assert outcome.ending == "done"
    assert case.positions() == {"BBB": 10}
    assert [note for note in outcome.notes if note.startswith("AAA is not traded: ")]
    case.line.on_quotes = lambda told: told
    case.slot("12:00")
    assert case.positions() == {"AAA": 10, "BBB": 10}


@pytest.mark.parametrize("bad", [BAD["zero with a fresh stamp"], BAD["NaN"], BAD["a hundred times"], BAD["frozen"]])
def test_an_order_whose_price_goes_bad_between_plan_and_door_stays(
    place: Path, bad: Callable[[Quote], Quote | None]
) -> None:
    case = make_case(place)
    case.decide(AAA=10)
    asked: list[int] = []

    def spoil(told: dict[str, Quote]) -> dict[str, Quote]:
        asked.append(1)
        changed = {symbol: one if len(asked) == 1 else bad(one) for symbol, one in told.items()}
        return {symbol: one for symbol, one in changed.items() if one is not None}

    case.line.on_quotes = spoil
    case.slot("09:35")
    assert (case.sent(), len(asked)) == ([], 2)
    assert [one.known.state for one in case.orders()] == ["denied"]


def test_an_order_of_unknown_outcome_is_not_sent_again_at_a_price_that_ran_away(place: Path) -> None:
    case = make_case(place)
    case.decide(AAA=10)
    case.line.on_submit = lambda _n, _i: "before"
    case.line.on_quotes = lambda told: (
        {symbol: all_prices(one, "1.08") for symbol, one in told.items()} if case.line.posted else told
    )
    case.live = case.live.model_copy(update={"max_quote_age_seconds": 40.0})
    case.slot("09:35")
    assert len(case.sent()) == 1
    assert [one.known.state for one in case.orders()] == ["absent"]
