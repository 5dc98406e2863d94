"""A plan for a real account: its cash, its quotes, its rules, over HTTP; and nothing is sent."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.panels import make_panel
from support.venue import Venue

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.span import until
from plimsoll.engine.verbs.host import Host
from plimsoll.engine.verbs.plan import plan

PANEL = make_panel(np.column_stack([100.0 * 1.001 ** np.arange(30), 50.0 * 0.999 ** np.arange(30)]))
DECIDED, TODAY = (PANEL.clock.session[k].astype(object) for k in (-2, -1))


def configured(venue: Venue, **broker: Any) -> dict[str, Any]:
    sleeve = {"name": "half", "strategy": "equal_weight", "params": {"symbols": ["S000", "S001"], "rebalance": "D"}}
    return {
        "run": {"name": "paper"}, "sleeve": [sleeve], "costs": {"preset": "none"}, "account": {"type": "cash"},
        "broker": {"url": venue.url, **broker},
    }  # fmt: skip


def planned(venue: Venue, **broker: Any) -> Any:
    host = Host({"APCA_API_KEY_ID": venue.key_id, "APCA_API_SECRET_KEY": venue.secret})
    panel = until(PANEL, DECIDED)
    return plan(configured(venue, **broker), account="paper", data=panel, end=DECIDED, host=host)


def test_an_account_of_cash_is_planned_at_its_own_quotes_and_nothing_is_sent(exchange: Callable[..., Venue]) -> None:
    venue = exchange(PANEL, at=f"{TODAY}T10:00")
    made = planned(venue)
    assert (made.adopted, made.decided, made.executes) == (True, DECIDED, TODAY)
    assert [order.symbol for order in made.orders] == ["S000", "S001"]
    for order in made.orders:
        close = PANEL.close[-2, PANEL.column(order.symbol)]
        assert float(order.price) == pytest.approx(close, rel=0.01)
        assert 0.0 < float(order.notional) <= 0.5 * made.equity * 1.01
    asked = {(entry["method"]) for entry in venue.transcript.requests()}
    assert asked == {"GET"}


def test_before_the_open_yesterdays_quotes_are_no_prices(exchange: Callable[..., Venue]) -> None:
    made = planned(exchange(PANEL, at=f"{TODAY}T08:00"))
    assert made.orders == ()
    assert {one.symbol for one in made.unpriced} == {"S000", "S001"}
    assert all("old" in one.why for one in made.unpriced)


def test_another_account_than_the_named_one_is_refused(exchange: Callable[..., Venue]) -> None:
    with pytest.raises(ConfigError, match="the keys are of account"):
        planned(exchange(PANEL, at=f"{TODAY}T10:00"), account="PA3XXXXXXXXX")
