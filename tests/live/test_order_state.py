"""An order's state machine, and the ids that keep one order one order."""

from datetime import date
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from plimsoll.engine.errors import EngineError
from plimsoll.engine.execution.venue import VenueOrder, VenueState
from plimsoll.engine.live.ids import OrderId, account_code, book_code, is_of, parse_id
from plimsoll.engine.live.order_state import ENDS, NEVER_SENT, Known, State, moved, told


def order(state: VenueState = "working", filled: str = "0") -> VenueOrder:
    return VenueOrder("v1", "c1", "SPY", "buy", Decimal(10), Decimal(filled), None, state, state)


def test_the_way_of_an_order_that_fills() -> None:
    known = moved(moved(Known("planned"), "sending"), "acked")
    known = told(known, order(filled="4"))
    assert (known.state, known.filled) == ("partial", 4)
    assert told(known, order("filled", "10")) == Known("filled", Decimal(10), "v1")


def test_an_unknown_order_may_be_sent_again_or_turn_out_to_work() -> None:
    unknown = moved(moved(Known("planned"), "sending"), "unknown")
    assert moved(unknown, "sending").state == "sending"
    assert told(unknown, order()).state == "acked"
    assert moved(unknown, "absent").ended


def test_an_order_given_up_as_absent_that_shows_up_works_again() -> None:
    assert told(Known("absent"), order(filled="2")).state == "partial"


def test_a_late_fill_of_an_ended_order_is_booked_and_leaves_it_ended() -> None:
    known = told(Known("canceled", Decimal(3), "v1"), order("canceled", "5"))
    assert (known.state, known.filled) == ("canceled", 5)
    assert told(known, order("working", "1")) == known


@pytest.mark.parametrize("end", sorted(ENDS))
@pytest.mark.parametrize("state", get_args(State))
def test_no_step_of_ours_leaves_an_end(end: State, state: State) -> None:
    with pytest.raises(EngineError):
        moved(Known(end), state)


@pytest.mark.parametrize("state", sorted(NEVER_SENT))
def test_an_order_that_was_never_sent_and_is_known_over_there_is_an_alarm(state: State) -> None:
    with pytest.raises(EngineError, match="never sent"):
        told(Known(state), order())


class AnyNews(RuleBasedStateMachine):
    """Whatever comes in whatever order: filled only grows, ends stay ends."""

    def __init__(self) -> None:
        super().__init__()
        self.known = moved(Known("planned"), "sending")
        self.most = Decimal(0)
        self.ended_as: State | None = None

    @rule(state=st.sampled_from(get_args(VenueState)), filled=st.integers(0, 10))
    def hear(self, state: VenueState, filled: int) -> None:
        self.known = told(self.known, order(state, str(filled)))
        self.most = max(self.most, Decimal(filled))

    @precondition(lambda self: self.known.state == "sending")
    @rule()
    def lose_the_answer(self) -> None:
        self.known = moved(self.known, "unknown")

    @invariant()
    def never_less(self) -> None:
        assert self.known.filled == self.most

    @invariant()
    def ends_absorb(self) -> None:
        if self.ended_as is not None:
            assert self.known.state == self.ended_as
        if self.known.ended:
            self.ended_as = self.known.state


TestAnyNews = AnyNews.TestCase

parts = st.builds(
    OrderId,
    account=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=4, max_size=4),
    book=st.text(min_size=1, max_size=30).map(book_code),
    session=st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    slot=st.times().map(lambda at: f"{at:%H%M}"),
    symbol=st.sampled_from(["SPY", "BRK.B", "BF_B", "T"]),
    side=st.sampled_from(["buy", "sell"]),
    leg=st.integers(0, 99),
    attempt=st.integers(0, 99),
)


@given(parts)
def test_an_id_says_what_it_is_for_and_nothing_is_lost(made: OrderId) -> None:
    text = str(made)
    assert parse_id(text) == made
    assert len(text) <= 64
    assert text.isascii()
    assert is_of(text, made.account, made.book)
    assert not is_of(text, made.account, book_code("another"))


@given(parts, parts)
def test_two_orders_that_are_for_different_things_never_share_an_id(one: OrderId, other: OrderId) -> None:
    assert (str(one) == str(other)) == (one == other)


@pytest.mark.parametrize(
    "text", ["", "abc", "pl1-ABCD-zzzzzz-20261127-0935-SPY-B-0-0", "pl1-ABCD-abcdef-20261327-0935-SPY-B-0-0"]
)
def test_an_id_of_somebody_else_is_no_id(text: str) -> None:
    assert parse_id(text) is None


def test_an_id_that_the_venue_could_not_keep_apart_is_never_made() -> None:
    with pytest.raises(EngineError):
        str(OrderId("ABCD", book_code("b"), date(2026, 11, 27), "0935", "A-B", "buy", 0, 0))
    assert account_code("PA3-XYZ12345") == "2345"
