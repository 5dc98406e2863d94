"""Whether a well-formed order may be accepted now: the rules that need the clock, the asset or the account."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from plimsoll.brokers.exchange.amount import ZERO, plain, value
from plimsoll.brokers.exchange.funds import Funds
from plimsoll.brokers.exchange.hours import current_session, evening_before
from plimsoll.brokers.exchange.order import Order, Purpose
from plimsoll.brokers.exchange.refusal import forbidden, no_buying_power, no_shares, unprocessable, wash_trade
from plimsoll.brokers.exchange.settings import Settings, Traits
from plimsoll.brokers.exchange.tape import Quote
from plimsoll.brokers.exchange.ticket import Ticket

MIN_COST: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class AccountSwitches:
    """The account's own configuration, as its owner may patch it."""

    suspend_trade: bool = False
    no_shorting: bool = False
    fractional_trading: bool = True


@dataclass(frozen=True, slots=True)
class Admitted:
    """What an accepted order sets aside: shares of a position, or dollars a share."""

    purpose: Purpose
    held: Decimal = ZERO
    reserve_price: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Standing:
    """All that an order is judged against; `rivals` are the working orders on its symbol, `position` signed shares."""

    position: Decimal
    rivals: tuple[Order, ...]
    quote: Quote
    funds: Funds
    traits: Traits
    switches: AccountSwitches
    settings: Settings

    def held(self) -> Decimal:
        """Shares already set aside for working orders."""
        return sum((order.held for order in self.rivals), ZERO)


def check_auction_window(ticket: Ticket, moment: datetime, settings: Settings) -> None:
    """Raise Refusal if an opg or cls order comes outside its hours.

    Both are taken from 19:00 of the evening before, opg until two minutes before the open, cls until ten before the
    close; on a half day both follow its own hours.
    """
    session = current_session(moment)
    windows = {
        "opg": (session.open - timedelta(minutes=settings.opg_cutoff_minutes), "9:28am"),
        "cls": (session.close - timedelta(minutes=settings.cls_cutoff_minutes), "3:55pm"),
    }
    if ticket.time_in_force not in windows:
        return
    last, told = windows[ticket.time_in_force]
    if not evening_before(session) <= moment < last:
        raise forbidden(f"{ticket.time_in_force} orders must be submitted after 7:00pm and before {told}")


def admit(ticket: Ticket, standing: Standing) -> Admitted:
    """Return what the order sets aside.

    Raises
    ------
    Refusal
        If the account or the asset does not allow it.
    """
    if ticket.fractional:
        _check_fractional(ticket, standing)
    _check_cost(ticket, standing.quote)
    position, sign = standing.position, 1 if ticket.side == "buy" else -1
    if position * sign < 0:
        _check_rivals(ticket, standing.rivals)
        return _reduce(ticket, standing)
    if sign < 0:
        _check_short(ticket, standing)
    _check_one_direction(ticket, standing)
    _check_rivals(ticket, standing.rivals)
    price = reserve_price(ticket, standing.quote, standing.settings)
    cost = ticket.notional if ticket.qty is None else value(ticket.qty, price)
    if cost is not None and cost > standing.funds.buying_power:
        raise no_buying_power(standing.funds.buying_power, cost)
    return Admitted("open", reserve_price=price)


def reserve_price(ticket: Ticket, quote: Quote, settings: Settings) -> Decimal:
    """Return what a share is valued at against buying power until it is filled."""
    worst = ticket.limit_price
    if worst is None:
        worst = max(quote.ask, ticket.stop_price or ZERO) * (1 + settings.market_margin)
    return worst if ticket.side == "buy" else max(worst, quote.ask * (1 + settings.short_margin))


def _reduce(ticket: Ticket, standing: Standing) -> Admitted:
    """Set aside shares of the position; what is more than is free is refused: no order crosses zero."""
    existing, held = abs(standing.position), standing.held()
    free = existing - held
    wanted = ticket.qty if ticket.qty is not None else _shares_for(ticket.notional or ZERO, standing.quote.bid)
    if wanted > free:
        raise no_shares(ticket.symbol, wanted, existing, held)
    return Admitted("close", held=wanted)


def _shares_for(notional: Decimal, price: Decimal) -> Decimal:
    return (notional / price).quantize(Decimal("1e-9"), rounding="ROUND_CEILING")


def _check_fractional(ticket: Ticket, standing: Standing) -> None:
    if not standing.switches.fractional_trading:
        raise forbidden("fractional trading is disabled")
    if not standing.traits.fractionable:
        raise forbidden(f'asset "{ticket.symbol}" is not fractionable')
    if ticket.side == "sell" and standing.position <= 0:
        raise unprocessable("fractional orders cannot be sold short")


def _check_cost(ticket: Ticket, quote: Quote) -> None:
    """An order worth less than a dollar is refused, whole shares of a penny stock aside."""
    if not ticket.fractional:
        return
    price = ticket.limit_price or quote.ask
    cost = ticket.notional if ticket.qty is None else value(ticket.qty, price)
    if cost is not None and cost < MIN_COST:
        raise forbidden(f"cost basis must be >= minimal amount of order {plain(MIN_COST)}")


def _check_short(ticket: Ticket, standing: Standing) -> None:
    if standing.switches.no_shorting or standing.settings.multiplier == 1:
        raise forbidden("account is not allowed to short")
    if not standing.traits.shortable:
        raise unprocessable(f'asset "{ticket.symbol}" cannot be sold short')


def _check_one_direction(ticket: Ticket, standing: Standing) -> None:
    """A flat symbol can be opened one way at a time."""
    if standing.position != 0:
        return
    if any(order.ticket.side != ticket.side for order in standing.rivals):
        raise forbidden(
            "cannot open a long buy while a short sell order is open"
            if ticket.side == "buy"
            else "cannot open a short sell while a long buy order is open"
        )


def _check_rivals(ticket: Ticket, rivals: Iterable[Order]) -> None:
    """A working order of the other side that could trade with this one makes it a wash trade."""
    for order in rivals:
        if order.ticket.side == ticket.side:
            continue
        theirs, ours = order.ticket, ticket
        kind = theirs.type.split("_", maxsplit=1)[0]
        if kind != "limit" or ours.type != "limit":
            raise wash_trade(order.id, "market/stop" if kind != "limit" else "limit")
        bid, ask = (ours, theirs) if ours.side == "buy" else (theirs, ours)
        if (bid.limit_price or ZERO) >= (ask.limit_price or ZERO):
            raise wash_trade(order.id, "limit")
