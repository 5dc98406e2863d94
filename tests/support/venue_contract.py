"""What every venue has to do, as checks that take a house: it stands at 10:00 of 2019-01-03 and has traded nothing.

A opens at 101 that day, B stands at 50 all the time; there is no spread, 100,000 dollars and Regulation T.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from support.houses import House, intent

from plimsoll.engine.execution.venue import Acked, Answer, Intent, Missing, Rejected, VenueOrder

OPEN = "2019-01-03T10:00"
NOBODY = VenueOrder("nobody-knows", "x", "B", "buy", Decimal(1), Decimal(0), None, "working", "new")
BEGIN = datetime(2019, 1, 3, 15, 0, tzinfo=UTC)


def acked(answer: Answer) -> VenueOrder:
    assert isinstance(answer, Acked), answer
    return answer.order


def found(house: House, client_id: str) -> VenueOrder:
    order = house.venue.lookup(client_id)
    assert isinstance(order, VenueOrder), order
    return order


def refused(house: House, wanted: Intent) -> Rejected:
    answer = house.venue.submit(wanted)
    assert isinstance(answer, Rejected), answer
    if answer.reason != "duplicate":  # nothing came of it
        assert house.venue.lookup(wanted.client_id) == Missing()
    return answer


def an_order_is_acknowledged_filled_and_found(house: House) -> None:
    order = acked(house.venue.submit(intent("one", "B", "2.5")))
    assert (order.client_id, order.symbol, order.side, order.qty) == ("one", "B", "buy", Decimal("2.5"))
    assert order.submitted_at == BEGIN
    known = found(house, "one")
    assert (known.venue_id, known.state, known.filled, known.average) == (
        order.venue_id, "filled", Decimal("2.5"), Decimal(50),
    )  # fmt: skip
    assert known.ended


def an_order_never_sent_is_missing(house: House) -> None:
    assert house.venue.lookup("never") == Missing()


def too_little_money_is_told(house: House) -> None:
    assert refused(house, intent("one", "B", 5000)).reason == "buying_power"


def shares_under_a_working_order_are_held(house: House) -> None:
    house.venue.submit(intent("buy", "B", 5))
    acked(house.venue.submit(intent("sell", "B", -5, "60")))
    (position,) = house.venue.snapshot().positions
    assert (position.qty, position.available) == (5, 0)
    assert refused(house, intent("more", "B", -1, "61")).reason == "shares_held"


def an_opposite_order_is_a_wash_and_is_named(house: House) -> None:
    house.venue.submit(intent("buy", "B", 5))
    rival = acked(house.venue.submit(intent("low", "B", 1, "40")))
    answer = refused(house, intent("sell", "B", -5))
    assert (answer.reason, answer.related) == ("wash", rival.venue_id)


def a_flat_symbol_is_opened_one_way_at_a_time(house: House) -> None:
    acked(house.venue.submit(intent("low", "B", 1, "40")))
    assert refused(house, intent("short", "B", -1)).reason == "wash"


def assets_that_cannot_be_traded_are_told(house: House) -> None:
    assert refused(house, intent("unknown", "ZZZ", 1)).reason == "asset"
    assert refused(house, intent("short", "B", "-0.5")).reason == "asset"
    house.hands.halt("B")
    assert refused(house, intent("halted", "B", 1)).reason == "asset"


def rules_of_the_venue_are_told(house: House) -> None:
    assert refused(house, intent("small", "B", "0.01")).reason == "rule"  # fifty cents
    assert refused(house, intent("auction", "B", "0.5", tif="cls")).reason == "rule"
    house.hands.to("2019-01-03T15:58")
    assert refused(house, intent("late", "B", 1, tif="cls")).reason == "rule"


def a_request_without_a_symbol_is_our_fault(house: House) -> None:
    assert refused(house, intent("one", "", 1)).reason == "malformed"


def an_id_is_good_for_one_order(house: House) -> None:
    first = acked(house.venue.submit(intent("one", "B", 1)))
    assert refused(house, intent("one", "B", 7)).reason == "duplicate"
    assert found(house, "one").venue_id == first.venue_id
    working = acked(house.venue.submit(intent("two", "B", 1, "40")))
    assert house.venue.cancel(working) is True
    assert refused(house, intent("two", "B", 1, "40")).reason == "duplicate"  # for good


def a_suspended_account_refuses_until_it_is_not(house: House) -> None:
    assert house.venue.suspend(True) is True
    assert house.venue.snapshot().blocked
    assert refused(house, intent("one", "B", 1)).reason == "suspended"
    assert house.venue.suspend(False) is False
    assert not house.venue.snapshot().blocked
    acked(house.venue.submit(intent("one", "B", 1)))


def what_the_owner_of_the_account_switched_off_is_told_and_refused(house: House) -> None:
    assert (house.venue.snapshot().shorting, house.venue.snapshot().fractional) == (True, True)
    house.hands.switch(no_shorting=True)
    assert not house.venue.snapshot().shorting
    assert refused(house, intent("short", "B", -1)).reason == "asset"
    house.hands.switch(fractional_trading=False)
    assert not house.venue.snapshot().fractional
    assert refused(house, intent("half", "B", "0.5")).reason == "asset"


def a_working_order_is_canceled_once(house: House) -> None:
    order = acked(house.venue.submit(intent("one", "B", 1, "40")))
    assert house.venue.cancel(order) is True
    assert found(house, "one").state == "canceled"
    assert house.venue.cancel(order) is False
    assert house.venue.cancel(NOBODY) is False


def a_cancellation_asked_for_is_not_one_that_happened(house: House) -> None:
    house.hands.behave(handling={"delay_s": 5, "cancel_delay_s": 30})
    order = acked(house.venue.submit(intent("one", "B", 4)))
    assert house.venue.cancel(order) is True
    assert found(house, "one").state == "working"
    house.hands.to("2019-01-03T10:00:10")
    assert (found(house, "one").state, found(house, "one").filled) == ("filled", 4)  # the fill was faster


def fills_come_in_parts_that_add_up(house: House) -> None:
    house.hands.behave(handling={"delay_s": 10, "parts": ["0.25", "0.5"]})
    order = acked(house.venue.submit(intent("one", "B", 4)))
    house.hands.to("2019-01-03T10:00:15")
    assert (found(house, "one").state, found(house, "one").filled) == ("working", 1)
    house.hands.to("2019-01-03T10:01")
    assert (found(house, "one").state, found(house, "one").filled) == ("filled", 4)
    told = house.venue.fills(BEGIN)
    assert [(one.qty, one.cumulative, one.price) for one in told] == [(1, 1, 50), (2, 3, 50), (1, 4, 50)]
    assert {(one.order_id, one.symbol, one.side) for one in told} == {(order.venue_id, "B", "buy")}
    assert [one.at - BEGIN for one in told] == [timedelta(seconds=s) for s in (10, 20, 30)]


def a_day_order_ends_with_the_day(house: House) -> None:
    house.venue.submit(intent("one", "B", 1, "40"))
    house.hands.to("2019-01-03T17:00")
    assert found(house, "one").state == "expired"
    assert house.venue.open_orders() == ()


def an_order_may_be_rejected_after_it_was_taken(house: House) -> None:
    house.hands.behave(handling={"delay_s": 5, "reject": True})
    acked(house.venue.submit(intent("one", "B", 1)))
    house.hands.to("2019-01-03T10:01")
    assert (found(house, "one").state, found(house, "one").filled) == ("rejected", 0)


def an_order_of_the_evening_waits_for_the_morning(house: House) -> None:
    house.hands.to("2019-01-03T17:00")
    acked(house.venue.submit(intent("one", "B", 1)))
    assert found(house, "one").state == "working"
    house.hands.to("2019-01-04T09:31")
    assert found(house, "one").state == "filled"


def a_limit_is_kept(house: House) -> None:
    acked(house.venue.submit(intent("low", "B", 1, "49.99")))
    acked(house.venue.submit(intent("high", "B", 1, "51.50")))
    assert (found(house, "low").state, found(house, "low").limit) == ("working", Decimal("49.99"))
    assert (found(house, "high").state, found(house, "high").average) == ("filled", 50)


def everybodys_orders_are_listed(house: House) -> None:
    house.hands.strangers("A", 1, "10")
    house.venue.submit(intent("one", "B", 1, "40"))
    house.venue.submit(intent("two", "B", 1))
    assert [(one.symbol, one.client_id == "one") for one in house.venue.open_orders()] == [("A", False), ("B", True)]
    assert [one.symbol for one in house.venue.orders(BEGIN)] == ["A", "B", "B"]


def more_orders_than_a_page_are_each_listed_once(house: House) -> None:
    house.hands.strangers("B", "0.1", "40", times=503)
    every = house.venue.orders(BEGIN)
    assert len({one.venue_id for one in every}) == len(every) == 503
    assert house.venue.open_orders() == every


def more_fills_than_a_page_are_each_told_once_however_often_the_venue_tells_them(house: House) -> None:
    house.hands.behave(duplicate_activities=True)
    house.hands.strangers("B", "0.1", times=103)
    told = house.venue.fills(BEGIN)
    assert len({one.order_id for one in told}) == len(told) == 103
    assert sum(one.qty for one in told) == Decimal("10.3")


def since_means_from_then_on(house: House) -> None:
    house.venue.submit(intent("one", "B", 1))
    house.hands.to("2019-01-03T10:05")
    house.venue.submit(intent("two", "B", 1))
    later = BEGIN + timedelta(minutes=5)
    assert [one.client_id for one in house.venue.orders(BEGIN)] == ["one", "two"]
    assert [one.client_id for one in house.venue.orders(later)] == ["two"]
    assert [one.at for one in house.venue.fills(later)] == [later]
    assert house.venue.fills(later + timedelta(microseconds=1)) == ()


def the_account_shows_everything_in_it(house: House) -> None:
    house.hands.strangers("A", -3)
    house.venue.submit(intent("one", "B", "2.5"))
    shown = house.venue.snapshot()
    assert shown.account.startswith("PA")
    assert [(one.symbol, one.qty, one.available) for one in shown.positions] == [
        ("A", -3, -3), ("B", Decimal("2.5"), Decimal("2.5")),
    ]  # fmt: skip
    assert shown.equity == 100_000
    assert shown.cash + sum(one.qty * (one.price or Decimal(0)) for one in shown.positions) == shown.equity
    assert shown.buying_power == 2 * shown.equity - sum(abs(one.qty) * (one.price or 0) for one in shown.positions)
    assert shown.shorting
    assert shown.blocked == ""


def assets_are_what_may_be_done_with_them(house: House) -> None:
    house.hands.halt("A")
    told = house.venue.assets(("A", "B", "ZZZ"))
    assert {symbol: one.tradable for symbol, one in told.items()} == {"A": False, "B": True}
    assert told["B"].fractionable
    assert told["B"].shortable


def the_clock_tells_when_it_opens_and_closes(house: House) -> None:
    now = house.venue.clock()
    assert (now.now, now.is_open) == (BEGIN, True)
    assert now.next_close == BEGIN + timedelta(hours=6)
    assert now.next_open == datetime(2019, 1, 4, 14, 30, tzinfo=UTC)
    house.hands.to("2019-01-04T17:00")  # a Friday
    later = house.venue.clock()
    assert not later.is_open
    assert later.next_open == datetime(2019, 1, 7, 14, 30, tzinfo=UTC)
    assert later.next_close == datetime(2019, 1, 7, 21, 0, tzinfo=UTC)


def the_calendar_knows_holidays_half_days_and_the_turn_of_the_clock(house: House) -> None:
    half = house.venue.calendar(date(2019, 11, 27), date(2019, 12, 1))
    assert [(one.session.day, one.closes.astimezone(UTC).hour) for one in half] == [(27, 21), (29, 18)]
    summer = house.venue.calendar(date(2019, 3, 8), date(2019, 3, 11))
    assert [one.opens.astimezone(UTC).hour for one in summer] == [14, 13]
    assert house.venue.calendar(date(2019, 3, 9), date(2019, 3, 10)) == ()


def quotes_have_two_sides_a_trade_and_times(house: House) -> None:
    told = house.venue.quotes(("B", "ZZZ"))
    assert set(told) == {"B"}
    one = told["B"]
    assert (one.bid, one.ask, one.last) == (50, 50, 50)
    assert one.quoted_at is not None
    assert one.traded_at is not None
    assert timedelta(0) <= BEGIN - one.quoted_at < timedelta(minutes=1)


CONTRACT: tuple[Callable[[House], None], ...] = tuple(
    check
    for name, check in list(globals().items())
    if callable(check) and getattr(check, "__module__", "") == __name__ and name not in ("acked", "found", "refused")
)
