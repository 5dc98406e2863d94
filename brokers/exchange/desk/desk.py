"""Where a request becomes a reply: keys, rate limit, faults, the exchange, the transcript, in this order."""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any, Final, TypeAlias

from plimsoll.brokers.exchange.clock import Clock, VirtualClock
from plimsoll.brokers.exchange.desk import account_routes, control_routes, data_routes, order_routes, position_routes
from plimsoll.brokers.exchange.desk.fault import FaultPlan
from plimsoll.brokers.exchange.desk.limiter import RateLimiter
from plimsoll.brokers.exchange.desk.message import Reply, Request
from plimsoll.brokers.exchange.desk.trading_views import account_view
from plimsoll.brokers.exchange.desk.transcript import Transcript
from plimsoll.brokers.exchange.matching import Exchange
from plimsoll.brokers.exchange.order import Order
from plimsoll.brokers.exchange.refusal import Refusal, not_found, too_many_requests, unauthorized
from plimsoll.engine.errors import ConfigError

Handler: TypeAlias = Callable[..., Reply]

CONTROL: Final = "/_control/"
# Keys of paper and of live accounts begin so.
_REAL_KEY: Final = re.compile(r"[PA]K[A-Z0-9]{18,}")
_PLAIN: Final[dict[tuple[str, str], Handler]] = {
    ("GET", "/v2/account"): account_routes.get_account,
    ("GET", "/v2/account/configurations"): account_routes.get_configuration,
    ("PATCH", "/v2/account/configurations"): account_routes.patch_configuration,
    ("GET", "/v2/account/activities"): account_routes.get_activities,
    ("GET", "/v2/clock"): account_routes.get_clock,
    ("POST", "/v2/clock"): control_routes.post_clock,  # as below, for a client that knows no other prefix
    ("GET", "/v2/calendar"): account_routes.get_calendar,
    ("GET", "/v2/assets"): account_routes.get_assets,
    ("POST", "/v2/orders"): order_routes.post_order,
    ("GET", "/v2/orders"): order_routes.get_orders,
    ("DELETE", "/v2/orders"): order_routes.delete_orders,
    ("GET", "/v2/orders:by_client_order_id"): order_routes.get_order_by_client_id,
    ("GET", "/v2/positions"): position_routes.get_positions,
    ("DELETE", "/v2/positions"): position_routes.delete_positions,
    ("GET", "/v2/stocks/bars"): data_routes.get_bars,
    ("GET", "/v2/stocks/quotes/latest"): data_routes.get_latest_quotes,
    ("GET", "/v2/stocks/trades/latest"): data_routes.get_latest_trades,
    ("GET", "/v2/stocks/snapshots"): data_routes.get_snapshots,
    ("GET", "/v1/corporate-actions"): data_routes.get_corporate_actions,
    ("GET", "/_control/clock"): control_routes.get_clock,
    ("POST", "/_control/clock"): control_routes.post_clock,
    ("POST", "/_control/behaviour"): control_routes.post_behaviour,
    ("POST", "/_control/handling"): control_routes.post_handling,
    ("POST", "/_control/faults"): control_routes.post_faults,
    ("DELETE", "/_control/faults"): control_routes.delete_faults,
    ("POST", "/_control/halt"): control_routes.post_halt,
    ("GET", "/_control/transcript"): control_routes.get_transcript,
}
_NAMED: Final[tuple[tuple[str, re.Pattern[str], Handler], ...]] = tuple(
    (method, re.compile(pattern), handler)
    for method, pattern, handler in (
        ("GET", r"/v2/orders/([^/]+)", order_routes.get_order),
        ("PATCH", r"/v2/orders/([^/]+)", order_routes.patch_order),
        ("DELETE", r"/v2/orders/([^/]+)", order_routes.delete_order),
        ("GET", r"/v2/positions/([^/]+)", position_routes.get_position),
        ("DELETE", r"/v2/positions/([^/]+)", position_routes.delete_position),
        ("GET", r"/v2/assets/([^/]+)", account_routes.get_asset),
        ("GET", r"/v2/account/activities/([A-Z]+)", account_routes.get_activities),
    )
)


@dataclass(frozen=True, slots=True)
class Keys:
    """The key pair of the one account, made up; ConfigError if it looks like one of a real account."""

    key_id: str
    secret: str

    def __post_init__(self) -> None:
        """Refuse a key that was pasted here by mistake, without a word of it."""
        if _REAL_KEY.fullmatch(self.key_id):
            raise ConfigError("this looks like the key of a real account", where="exchange", fix="make one up")

    def __repr__(self) -> str:
        """Show neither."""
        return "Keys(...)"

    def open(self, request: Request) -> bool:
        """Say whether a request carries this pair."""
        key_id, secret = (request.headers.get(f"apca-api-{name}", "").encode() for name in ("key-id", "secret-key"))
        known = compare_digest(key_id, self.key_id.encode())
        return compare_digest(secret, self.secret.encode()) and known


@dataclass(frozen=True, slots=True)
class _Seen:
    """The account and its positions as they were shown at a moment."""

    at: datetime
    account: Any
    positions: Any


class Desk:
    """One exchange and its counter.

    clock : what time it is; the exchange is brought up to it before every request. seconds : the clock that requests
    a minute are counted by, since 1970; with a virtual clock that stands still it must be another one.
    """

    def __init__(
        self,
        exchange: Exchange,
        keys: Keys,
        clock: Clock,
        seconds: Callable[[], float],
        transcript: Transcript | None = None,
    ) -> None:
        self.exchange = exchange
        self.clock = clock
        self.faults = FaultPlan()
        self.transcript = Transcript() if transcript is None else transcript
        self._keys = keys
        self._limiter = RateLimiter(seconds)
        self._told = 0
        self._seen: deque[_Seen] = deque()

    def answer(self, request: Request) -> Reply:
        """Return what is to be sent, and write it down."""
        control = request.path.startswith(CONTROL)
        self._tick(control=control)
        self.exchange.advance(self.clock.now())
        self._tell_events()
        self._remember()
        fault = None if control else self.faults.take(request)
        name = "" if fault is None else f"{fault.do} {fault.when}"
        reached = fault is None or fault.when == "after" or fault.do == "edit"
        reply = self._carried_out(request, control=control) if reached else Reply()
        if fault is not None:
            reply = fault.apply(reply)
        reply = reply.written()
        self.transcript.note_request(self.exchange.now, request, reply, fault=name, reached=reached)
        self._tell_events()
        self._remember()
        return reply

    def is_visible(self, order: Order) -> bool:
        """Say whether reads find an order yet."""
        return order.submitted_at + timedelta(seconds=self.exchange.behaviour.read_lag_s) <= self.exchange.now

    def lagged(self, what: str, now: Callable[[], Any]) -> Any:
        """Return the account or the positions as they were `account_lag_s` ago, or at the earliest known moment."""
        lag = self.exchange.behaviour.account_lag_s
        if lag == 0 or not self._seen:
            return now()
        wanted = self.exchange.now - timedelta(seconds=lag)
        shown = [seen for seen in self._seen if seen.at <= wanted] or [self._seen[0]]
        return getattr(shown[-1], what)

    def _carried_out(self, request: Request, *, control: bool) -> Reply:
        headers: dict[str, str] = {}
        try:
            if not self._keys.open(request):
                raise unauthorized()
            limit = self.exchange.behaviour.rate_limit
            if limit is not None and not control:
                allowed, headers = self._limiter.take(limit)
                if not allowed:
                    raise too_many_requests()
            handler, named = _route(request)
            reply = handler(self, request, *named)
        except Refusal as refusal:
            reply = Reply(refusal.status, refusal.body())
        return replace(reply, headers={**reply.headers, **headers}) if headers else reply

    def _tick(self, *, control: bool) -> None:
        seconds = self.exchange.behaviour.tick_s
        if seconds and not control and isinstance(self.clock, VirtualClock):
            self.clock.forward(seconds)

    def _tell_events(self) -> None:
        events = self.exchange.events
        if self._told < len(events):
            self.transcript.note_events(events[self._told :])
            self._told = len(events)

    def _remember(self) -> None:
        """Keep what the account looks like, while somebody wants to see it late."""
        if self.exchange.behaviour.account_lag_s == 0:
            self._seen.clear()
            return
        positions = position_routes.positions_now(self.exchange)
        self._seen.append(_Seen(self.exchange.now, account_view(self.exchange), positions))
        horizon = self.exchange.now - timedelta(seconds=self.exchange.behaviour.account_lag_s)
        while len(self._seen) > 1 and self._seen[1].at <= horizon:
            self._seen.popleft()


def _route(request: Request) -> tuple[Handler, tuple[str, ...]]:
    """Return who answers a request, and the names in its path; Refusal 404 if nobody does."""
    if (request.method, request.path) in _PLAIN:
        return _PLAIN[request.method, request.path], ()
    for method, pattern, handler in _NAMED:
        if method == request.method and (match := pattern.fullmatch(request.path)):
            return handler, match.groups()
    raise not_found("endpoint not found")
