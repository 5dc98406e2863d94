"""Account, orders, positions, assets and activities as the trading API writes them: decimals are text."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from plimsoll.brokers.exchange.activity import Fill, Payment, activity_id, stable_id
from plimsoll.brokers.exchange.amount import ZERO, plain
from plimsoll.brokers.exchange.desk.message import stamp
from plimsoll.brokers.exchange.hours import session_before
from plimsoll.brokers.exchange.ledger import Position
from plimsoll.brokers.exchange.matching import Exchange
from plimsoll.brokers.exchange.order import Order
from plimsoll.engine.market.instruments import instrument

_ENDED: Final = {"canceled": "canceled_at", "expired": "expired_at", "rejected": "failed_at", "replaced": "replaced_at"}
_TEN: Final = Decimal("1e-10")


def account_view(exchange: Exchange) -> dict[str, Any]:
    """Return the account; the day-trading fields removed on 2026-07-06 are not there."""
    funds = exchange.funds()
    suspended = exchange.switches.suspend_trade
    return {
        "id": stable_id("account", exchange.settings.seed),
        "account_number": f"PA{exchange.settings.seed:010d}",
        "status": "ACTIVE",
        "crypto_status": "INACTIVE",
        "currency": "USD",
        "cash": plain(funds.cash),
        "buying_power": plain(funds.buying_power),
        "regt_buying_power": plain(funds.regt_buying_power),
        "non_marginable_buying_power": plain(funds.free_cash),
        "options_buying_power": "0",
        "equity": plain(funds.equity),
        "last_equity": plain(exchange.last_equity),
        "portfolio_value": plain(funds.equity),
        "long_market_value": plain(funds.long_value),
        "short_market_value": plain(funds.short_value),
        "position_market_value": plain(funds.gross),
        "initial_margin": plain(funds.gross / min(2, funds.multiplier)),
        "maintenance_margin": plain(funds.gross * 3 / 10),
        "last_maintenance_margin": "0",
        "sma": "0",
        "accrued_fees": "0",
        "pending_transfer_in": "0",
        "multiplier": str(funds.multiplier),
        "shorting_enabled": not exchange.switches.no_shorting and funds.multiplier > 1,
        "trading_blocked": False,
        "transfers_blocked": False,
        "account_blocked": False,
        "trade_suspended_by_user": suspended,
        "created_at": stamp(exchange.started_at),
    }


def configuration_view(exchange: Exchange) -> dict[str, Any]:
    """Return the switches of the account."""
    switches = exchange.switches
    return {
        "fractional_trading": switches.fractional_trading,
        "max_margin_multiplier": str(exchange.settings.multiplier),
        "no_shorting": switches.no_shorting,
        "suspend_trade": switches.suspend_trade,
        "trade_confirm_email": "all",
        "ptp_no_exception_entry": False,
    }


def order_view(order: Order) -> dict[str, Any]:
    """Return an order; prices and quantities are text, absent ones null."""
    ticket = order.ticket
    average = None
    if order.filled_qty > 0:
        average = plain((order.filled_value / order.filled_qty).quantize(_TEN))
    verb = f"{ticket.side}_to_{order.purpose}"
    view: dict[str, Any] = {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "created_at": stamp(order.submitted_at),
        "updated_at": stamp(order.updated_at),
        "submitted_at": stamp(order.submitted_at),
        "filled_at": stamp(order.ended_at) if order.status == "filled" else None,
        "expired_at": None,
        "canceled_at": None,
        "failed_at": None,
        "replaced_at": None,
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
        "asset_id": stable_id("asset", ticket.symbol),
        "symbol": ticket.symbol,
        "asset_class": "us_equity",
        "notional": _text(ticket.notional),
        "qty": _text(ticket.qty),
        "filled_qty": plain(order.filled_qty),
        "filled_avg_price": average,
        "order_class": "",
        "order_type": ticket.type,
        "type": ticket.type,
        "side": ticket.side,
        "position_intent": verb,
        "time_in_force": ticket.time_in_force,
        "limit_price": _text(ticket.limit_price),
        "stop_price": _text(ticket.stop_price),
        "status": order.status,
        "extended_hours": ticket.extended_hours,
        "legs": None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
        "subtag": None,
        "source": None,
    }
    if order.status in _ENDED:
        view[_ENDED[order.status]] = stamp(order.ended_at)
    return view


def position_view(exchange: Exchange, position: Position) -> dict[str, Any]:
    """Return a position at the last price; quantities of a short are negative."""
    price = exchange.mark(position.symbol)
    session = exchange.session if exchange.now >= exchange.session.overnight else session_before(exchange.session)
    before = exchange.tape.last_close(position.symbol, session, True)
    lastday = price if before is None else before.price
    worth = position.qty * price
    gain = worth - position.cost
    today = position.qty * (price - lastday)
    side = "long" if position.qty > 0 else "short"
    free = abs(position.qty) - exchange.held(position.symbol)
    return {
        "asset_id": stable_id("asset", position.symbol),
        "symbol": position.symbol,
        "exchange": "ARCA",
        "asset_class": "us_equity",
        "asset_marginable": exchange.traits(position.symbol).marginable,
        "qty": plain(position.qty),
        "qty_available": plain(free if position.qty > 0 else -free),
        "avg_entry_price": plain(position.avg_entry_price.quantize(_TEN)),
        "side": side,
        "market_value": plain(worth),
        "cost_basis": plain(position.cost),
        "unrealized_pl": plain(gain),
        "unrealized_plpc": _share(gain, position.cost),
        "unrealized_intraday_pl": plain(today),
        "unrealized_intraday_plpc": _share(today, position.qty * lastday),
        "current_price": plain(price),
        "lastday_price": plain(lastday),
        "change_today": _share(price - lastday, lastday),
    }


def asset_view(exchange: Exchange, symbol: str) -> dict[str, Any]:
    """Return an asset with the fields from 2026-09-22 on, or the earlier ones where the settings ask for them."""
    traits = exchange.traits(symbol)
    active = exchange.tape.is_active(symbol, exchange.session.day)
    view: dict[str, Any] = {
        "id": stable_id("asset", symbol),
        "class": "us_equity",
        "exchange": "ARCA",
        "symbol": symbol,
        "name": instrument(symbol).name,
        "status": "active" if active else "inactive",
        "tradable": exchange.is_tradable(symbol),
        "marginable": traits.marginable,
        "shortable": traits.shortable,
        "fractionable": traits.fractionable,
        "borrow_status": "easy_to_borrow" if traits.shortable else "not_shortable",
        "margin_requirement_long": "30",
        "margin_requirement_short": "30",
        "attributes": ["fractional_eh_enabled"] if traits.fractionable else [],
    }
    if exchange.settings.easy_to_borrow:
        view |= {"easy_to_borrow": traits.shortable, "maintenance_margin_requirement": 30}
    return view


def activity_view(exchange: Exchange, activity: Fill | Payment) -> dict[str, Any]:
    """Return an activity; a fill names its order by id, never by client id."""
    common: Mapping[str, Any] = {
        "id": activity_id(activity),
        "account_id": stable_id("account", exchange.settings.seed),
        "activity_type": activity.kind,
        "symbol": activity.symbol,
        "qty": plain(activity.qty),
    }
    if isinstance(activity, Payment):
        return {
            **common,
            "date": activity.day.isoformat(),
            "net_amount": plain(activity.net_amount),
            "per_share_amount": plain(activity.per_share),
            "description": activity.description,
            "status": "executed",
        }
    done = activity.leaves_qty == ZERO
    return {
        **common,
        "transaction_time": stamp(activity.at),
        "type": "fill" if done else "partial_fill",
        "price": plain(activity.price),
        "side": activity.side,
        "leaves_qty": plain(activity.leaves_qty),
        "order_id": activity.order_id,
        "cum_qty": plain(activity.cum_qty),
        "order_status": activity.order_status,
    }


def symbol_of(exchange: Exchange, name: str) -> str:
    """Return the symbol that a symbol or an asset id stands for."""
    if name in exchange.tape.symbols:
        return name
    return next((symbol for symbol in exchange.tape.symbols if name == stable_id("asset", symbol)), name)


def _text(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)


def _share(part: Decimal, whole: Decimal) -> str:
    return "0" if whole == 0 else plain((part / abs(whole)).quantize(_TEN))
