"""The price a decision is sized by: a quote if narrow and fresh, else the last trade, else the symbol is not traded.

A price is believed only with company: it has to lie near the last close known from another source. What is not
believed is never traded, and is named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from plimsoll.engine.execution.venue import Quote


@dataclass(frozen=True, slots=True)
class PriceRules:
    """When a price is believed.

    max_age_seconds of a quote or a trade; max_spread_bps of the middle; collar : how far from the last close, a
    fraction. ahead_seconds : how far a stamp may lie in the future before it is no stamp.
    """

    max_age_seconds: float = 120.0
    max_spread_bps: float = 50.0
    collar: float = 0.15
    ahead_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class DecisionPrice:
    """A symbol's price in dollars, NaN where it must not be traded; of what kind it is, and why not."""

    symbol: str
    price: float
    kind: str  # quote | trade | close | none
    why: str = ""


UNKNOWN = float("nan")


def closes_only(closes: Mapping[str, float]) -> dict[str, DecisionPrice]:
    """Return the last closes as decision prices, as a backtest takes them: nobody was asked for quotes."""
    return {
        symbol: DecisionPrice(symbol, close, "close")
        if close > 0.0
        else DecisionPrice(symbol, UNKNOWN, "none", "no close of the decision bar")
        for symbol, close in closes.items()
    }


def decision_prices(
    symbols: Sequence[str],
    quotes: Mapping[str, Quote],
    closes: Mapping[str, float],
    now: datetime,
    rules: PriceRules = PriceRules(),
) -> dict[str, DecisionPrice]:
    """Return a price for each symbol.

    quotes : the latest of the venue. closes : the last close of each symbol in dollars, in the share units of today;
    NaN or missing = not known. now : aware.
    """
    return {
        symbol: _price_of(symbol, quotes.get(symbol), closes.get(symbol, UNKNOWN), now, rules) for symbol in symbols
    }


def _price_of(symbol: str, quote: Quote | None, close: float, now: datetime, rules: PriceRules) -> DecisionPrice:
    def none(why: str) -> DecisionPrice:
        return DecisionPrice(symbol, UNKNOWN, "none", why)

    if not close > 0.0:
        return none("no close of the decision bar to hold a price against")
    if quote is None:
        return none("no quote and no trade")
    doubts = []
    for kind, price, stamp, doubt in (
        ("quote", _middle(quote), quote.quoted_at, _spread_doubt(quote, rules)),
        ("trade", quote.last, quote.traded_at, ""),
    ):
        told = doubt or _stamp_doubt(stamp, now, rules)
        if price is None or told:
            doubts.append(f"{kind} {told or 'missing'}")
            continue
        move = float(price) / close - 1.0
        if abs(move) > rules.collar:
            return none(f"{kind} {price} is {move:+.1%} from the last close {close:.4f}")
        return DecisionPrice(symbol, float(price), kind)
    return none("; ".join(doubts))


def _middle(quote: Quote) -> Decimal | None:
    return None if quote.bid is None or quote.ask is None else (quote.bid + quote.ask) / 2


def _spread_doubt(quote: Quote, rules: PriceRules) -> str:
    if quote.bid is None or quote.ask is None:
        return "one-sided"
    if not (quote.bid.is_finite() and quote.ask.is_finite()) or quote.bid <= 0:
        return "not a price"
    if quote.bid > quote.ask:
        return f"crossed ({quote.bid} over {quote.ask})"
    bps = float((quote.ask - quote.bid) / ((quote.bid + quote.ask) / 2)) * 1e4
    return f"wide ({bps:.0f} bps)" if bps > rules.max_spread_bps else ""


def _stamp_doubt(stamp: datetime | None, now: datetime, rules: PriceRules) -> str:
    if stamp is None:
        return "without a time"
    age = now - stamp
    if age > timedelta(seconds=rules.max_age_seconds):
        return f"{age.total_seconds():.0f} s old"
    if age < -timedelta(seconds=rules.ahead_seconds):
        return f"{-age.total_seconds():.0f} s in the future"
    return ""
