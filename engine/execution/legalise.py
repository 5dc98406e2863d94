"""From orders that a plan wants to orders that a venue takes: a dated table of its rules, and every change explained.

Rules are rows of a table, not scattered ifs. Each takes one order and passes it on, changed or not, or refuses it; what
was changed or refused is told with the rule's name, what was asked and what is left. Nothing is ever enlarged.

Source: Alpaca's documentation of orders and fractional trading, and what its paper API refuses, as of 2026-11.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from typing import Final

from plimsoll.engine.execution.venue import Asset, OrderKind, Side

FREES: Final = 0  # waves: sales that reduce a long, and covers
NEEDS: Final = 1  # what opens or adds
ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class VenueRules:
    """What a venue takes, from `since` on. Money in dollars.

    qty_decimals of a share; min_notional of an order, at its limit if it has one; price_steps (from price, decimals of
    a limit), highest first; short_margin : by how much more than its price a short sale is counted, a fraction.
    """

    since: date
    qty_decimals: int = 9
    min_notional: Decimal = ONE
    fractional_shorts: bool = False
    short_margin: Decimal = Decimal("0.03")
    price_steps: tuple[tuple[Decimal, int], ...] = ((ONE, 2), (ZERO, 4))

    def decimals_of(self, price: Decimal) -> int:
        """Return the decimals a limit price may have."""
        return next(decimals for least, decimals in self.price_steps if price >= least)


ALPACA: Final = (VenueRules(date.min),)
VENUES: Final[Mapping[str, tuple[VenueRules, ...]]] = {"alpaca": ALPACA}


def rules_on(venue: str, day: date) -> VenueRules:
    """Return the rules of a venue in force on a day."""
    return max((row for row in VENUES[venue] if row.since <= day), key=lambda row: row.since)


@dataclass(frozen=True, slots=True)
class Wish:
    """An order as planned: signed shares, the decision price, shares held before, its wave; `row` of the plan."""

    row: int
    symbol: str
    qty: Decimal
    price: Decimal
    held: Decimal
    wave: int


@dataclass(frozen=True, slots=True)
class Desk:
    """What the rules look at beside the order.

    assets : flags by symbol, None = the venue was not asked and everything counts as allowed. collar : how far beyond
    the decision price a marketable limit may lie, a fraction; None = market orders. shorting, fractional : of the
    account. available : shares not held by other working orders, where that is known. buffer : fraction of equity that
    purchases leave.
    """

    rules: VenueRules
    assets: Mapping[str, Asset] | None = None
    collar: Decimal | None = None
    shorting: bool = True
    fractional: bool = True
    available: Mapping[str, Decimal] | None = None
    buffer: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class LegalOrder:
    """An order the venue takes: shares > 0, limit in dollars or None; `notional` at the decision price."""

    row: int
    symbol: str
    side: Side
    qty: Decimal
    kind: OrderKind
    limit: Decimal | None
    wave: int
    price: Decimal

    @property
    def notional(self) -> Decimal:
        """Dollars at the decision price."""
        return self.qty * self.price

    @property
    def most(self) -> Decimal:
        """Dollars it can cost or fetch at its limit; at the decision price without one."""
        return self.qty * (self.limit if self.limit is not None else self.price)


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an order and why: signed shares asked and left (0 = refused)."""

    row: int
    symbol: str
    rule: str
    asked: Decimal
    left: Decimal
    why: str


@dataclass(frozen=True, slots=True)
class Legalised:
    """Orders by wave, each wave in the order of the plan, and everything that was changed or refused."""

    orders: tuple[LegalOrder, ...]
    changes: tuple[Change, ...]


Verdict = tuple[Decimal, str]  # what is left of the quantity, and why if that is not all of it
OrderRule = Callable[[Wish, Desk], Verdict]


def _asset_of(wish: Wish, desk: Desk) -> Asset:
    if desk.assets is None:
        return Asset(wish.symbol, tradable=True, fractionable=True, shortable=True)
    return desk.assets.get(wish.symbol, Asset(wish.symbol, tradable=False, fractionable=False, shortable=False))


def opens_short(wish: Wish) -> bool:
    """Return whether the order sells what is not there."""
    return wish.qty < 0 and wish.held <= 0


def known(wish: Wish, desk: Desk) -> Verdict:
    """Refuse a symbol that the venue does not know."""
    missing = desk.assets is not None and wish.symbol not in desk.assets
    return (ZERO, "the venue does not know this symbol") if missing else (wish.qty, "")


def tradable(wish: Wish, desk: Desk) -> Verdict:
    """Refuse a symbol that does not trade there now: halted, inactive, delisted."""
    return (wish.qty, "") if _asset_of(wish, desk).tradable else (ZERO, "not tradable at the venue now")


def priced(wish: Wish, desk: Desk) -> Verdict:
    """Refuse an order without a usable price, or with one so small that there is no step of a limit below it."""
    usable = wish.price.is_finite() and wish.price > 0 and _limit(wish, desk) != 0
    return (wish.qty, "") if usable else (ZERO, f"no usable price ({wish.price})")


def one_side(wish: Wish, _desk: Desk) -> Verdict:
    """Sell no more than is held, cover no more than is short: the other side is an order of its own, later."""
    if wish.held > 0 and wish.qty < -wish.held:
        return -wish.held, "a long is sold before a short is opened"
    if wish.held < 0 and wish.qty > -wish.held:
        return -wish.held, "a short is covered before a long is bought"
    return wish.qty, ""


def shortable(wish: Wish, desk: Desk) -> Verdict:
    """Refuse to open a short that the account or the symbol does not allow."""
    if not opens_short(wish):
        return wish.qty, ""
    if not desk.shorting:
        return ZERO, "the account may not sell short"
    return (wish.qty, "") if _asset_of(wish, desk).shortable else (ZERO, "cannot be borrowed now")


def whole_shorts(wish: Wish, desk: Desk) -> Verdict:
    """Cut a short sale to whole shares: no fraction is lent."""
    if not opens_short(wish) or desk.rules.fractional_shorts:
        return wish.qty, ""
    return _cut(wish.qty, 0), "shorts are whole shares"


def free_shares(wish: Wish, desk: Desk) -> Verdict:
    """Sell no more than other working orders leave."""
    if desk.available is None or wish.qty >= 0 or wish.held <= 0:
        return wish.qty, ""
    most = max(desk.available.get(wish.symbol, wish.held), ZERO)
    return (wish.qty, "") if -wish.qty <= most else (-most, "the rest is held by other working orders")


def fractions(wish: Wish, desk: Desk) -> Verdict:
    """Cut to whole shares where fractions are not taken."""
    if desk.fractional and _asset_of(wish, desk).fractionable:
        return wish.qty, ""
    whose = "this symbol takes" if desk.fractional else "the account takes"
    return _cut(wish.qty, 0), f"{whose} whole shares only"


def decimals(wish: Wish, desk: Desk) -> Verdict:
    """Cut to the decimals a quantity may have."""
    return _cut(wish.qty, desk.rules.qty_decimals), f"at most {desk.rules.qty_decimals} decimals"


def smallest(wish: Wish, desk: Desk) -> Verdict:
    """Refuse what is worth less than the venue's smallest order, at its price or at its limit."""
    least, limit = desk.rules.min_notional, _limit(wish, desk)
    worth = abs(wish.qty) * (wish.price if limit is None else min(limit, wish.price))
    return (wish.qty, "") if worth >= least else (ZERO, f"worth less than {least} dollars")


RULES: Final[tuple[OrderRule, ...]] = (
    known, tradable, priced, one_side, shortable, whole_shorts, free_shares, fractions, decimals, smallest,
)  # fmt: skip


def legalise(wishes: Sequence[Wish], desk: Desk) -> Legalised:
    """Return what of a plan the venue takes, and what was changed or refused by which rule."""
    orders, changes = [], []
    for wish in wishes:
        left = wish
        for rule in RULES:
            qty, why = rule(left, desk)
            if qty != left.qty:
                changes.append(Change(wish.row, wish.symbol, rule.__name__, left.qty, qty, why))
                left = replace(left, qty=qty)
            if qty == 0:
                break
        if left.qty != 0:
            orders.append(_order(left, desk))
    return Legalised(tuple(sorted(orders, key=lambda order: (order.wave, order.row))), tuple(changes))


def _order(wish: Wish, desk: Desk) -> LegalOrder:
    side, limit = _side(wish), _limit(wish, desk)
    kind: OrderKind = "market" if limit is None else "limit"
    return LegalOrder(wish.row, wish.symbol, side, abs(wish.qty), kind, limit, wish.wave, wish.price)


def _side(wish: Wish) -> Side:
    return "buy" if wish.qty > 0 else "sell"


def _limit(wish: Wish, desk: Desk) -> Decimal | None:
    return None if desk.collar is None else collar_limit(wish.price, _side(wish), desk.collar, desk.rules)


def collar_limit(price: Decimal, side: Side, collar: Decimal, rules: VenueRules) -> Decimal:
    """Return the limit of a marketable order: never further from the price than the collar, on the venue's grid."""
    raw = price * (ONE + collar if side == "buy" else ONE - collar)
    step = ONE.scaleb(-rules.decimals_of(raw))
    return raw.quantize(step, rounding=ROUND_FLOOR if side == "buy" else ROUND_CEILING)


def afford(legal: Legalised, money: Decimal, desk: Desk, *, at_limits: bool = False) -> Legalised:
    """Scale what opens or adds by one factor so that it costs at most `money`; shrunk orders are legal.

    money : dollars there are for purchases (and for the margin of shorts), proceeds and buffer already counted in.
    at_limits : costs are what a venue reserves: a purchase at its limit, a short sale at more than its price, see
    `VenueRules.short_margin`. Else those at the decision prices.
    """
    needs = [order for order in legal.orders if order.wave == NEEDS]
    cost = sum((_reserved(order, desk) if at_limits else order.notional for order in needs), ZERO)
    if not needs or cost <= money:
        return legal
    factor = max(money, ZERO) / cost
    kept: list[LegalOrder] = [order for order in legal.orders if order.wave != NEEDS]
    changes = list(legal.changes)
    for order in needs:
        qty = _cut(order.qty * factor, _places(order, desk))
        if qty * (order.price if order.limit is None else min(order.limit, order.price)) < desk.rules.min_notional:
            qty = ZERO
        sign = 1 if order.side == "buy" else -1
        why = f"the money there is covers {factor:.1%} of what is to be bought"
        changes.append(Change(order.row, order.symbol, "buying_power", sign * order.qty, sign * qty, why))
        if qty > 0:
            kept.append(replace(order, qty=qty))
    return Legalised(tuple(sorted(kept, key=lambda order: (order.wave, order.row))), tuple(changes))


def _reserved(order: LegalOrder, desk: Desk) -> Decimal:
    """Return the dollars of buying power that the venue sets aside for an order that opens or adds."""
    if order.side == "buy":
        return order.most
    return max(order.most, order.qty * order.price * (ONE + desk.rules.short_margin))


def _places(order: LegalOrder, desk: Desk) -> int:
    """Return the decimals a quantity that opens or adds may have: none for a short, or without fractions."""
    short = order.side == "sell" and not desk.rules.fractional_shorts
    known_whole = desk.assets is not None and not desk.assets[order.symbol].fractionable
    return 0 if short or known_whole or not desk.fractional else desk.rules.qty_decimals


def _cut(qty: Decimal, places: int) -> Decimal:
    """Return a quantity cut toward zero to so many decimals."""
    return qty.quantize(ONE.scaleb(-places), rounding=ROUND_DOWN)
