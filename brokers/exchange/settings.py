"""How the exchange is set up, and what of it can be changed while it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator

PriceModel: TypeAlias = Literal["path", "open"]


@dataclass(frozen=True, slots=True)
class Traits:
    """What may be done with an asset."""

    fractionable: bool = True
    shortable: bool = True
    marginable: bool = True


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for the life of an exchange.

    cash : dollars in the account at the start.
    multiplier : 1 a cash account, 2 Regulation T, 4 the ceiling of an intraday margin account.
    prices : "path" = the quote walks from the open over the day's extremes to the close and orders fill at its far
        side; "open" = the quote is the last close until the session has closed, and everything fills at the
        session's opening price, whenever in the session it is sent.
    half_spread_bps : half of the quoted spread in basis points; 0 = bid and ask are the last price itself.
    market_margin : by how much above the ask a market buy is valued against buying power, a fraction.
    short_margin : the same for short sales, above the ask (3% by the documentation).
    dividends : credited on the ex-date; the real paper venue books none.
    cash_in_lieu : fractions of a share that a split leaves are paid out; always so for assets without fractions.
    opg_cutoff_minutes, cls_cutoff_minutes : orders for an auction are refused from so long before the open / close.
    easy_to_borrow : serve the asset fields from before 2026-09-22.
    duplicate_status : status of a second order with one client id; both 422 and 409 have been reported.
    traits : by symbol, what differs from the default.
    seed : of random partial fills.
    """

    cash: Decimal = Decimal(100_000)
    multiplier: Literal[1, 2, 4] = 2
    prices: PriceModel = "path"
    half_spread_bps: Decimal = Decimal(1)
    market_margin: Decimal = Decimal(0)
    short_margin: Decimal = Decimal("0.03")
    dividends: bool = True
    cash_in_lieu: bool = False
    opg_cutoff_minutes: int = 2
    cls_cutoff_minutes: int = 10
    easy_to_borrow: bool = False
    duplicate_status: Literal[409, 422] = 422
    traits: Mapping[str, Traits] = field(default_factory=dict)
    seed: int = 0


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Handling(_Strict):
    """How an order is executed once the market would take it.

    delay_s : seconds until the first fill, and between fills. parts : fractions of the quantity, filled one after the
    other; what they leave comes last. cancel_delay_s : how long a cancel stays pending; fills go on meanwhile.
    reject : accepted first, then rejected when its first fill would be due.
    """

    delay_s: float = Field(0.0, ge=0)
    parts: tuple[Decimal, ...] = (Decimal(1),)
    cancel_delay_s: float = Field(0.0, ge=0)
    reject: bool = False

    @field_validator("parts")
    @classmethod
    def _fractions(cls, parts: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
        if not parts or not all(0 < part <= 1 for part in parts) or sum(parts) > 1:
            raise ValueError("parts are fractions above 0 that sum to 1 at most")
        return parts


class HandlingRule(_Strict):
    """Which orders are handled how; the first rule that matches decides, when the order is accepted.

    symbol, side : None = any. client_id : a piece of the client order id. times : how many orders, None = all.
    """

    handling: Handling
    symbol: str | None = None
    side: Literal["buy", "sell"] | None = None
    client_id: str = ""
    times: int | None = Field(None, ge=1)


class Behaviour(_Strict):
    """What the exchange does beyond the rules; all of it can be changed while it runs.

    read_lag_s : so long after its acceptance an order is not found, neither by id nor in a list. account_lag_s : so
    old is the account and are the positions that are shown. activity_lag_s : so long after it happened an activity
    appears, at its place in time. duplicate_activities : each is listed twice.
    random_partials : the share of orders that get a random-size partial fill first (the paper venue: about 0.1).
    rate_limit : requests a minute, None = no limit. tick_s : by how much a request moves a virtual clock.
    """

    handling: Handling = Handling()
    read_lag_s: float = Field(0.0, ge=0)
    account_lag_s: float = Field(0.0, ge=0)
    activity_lag_s: float = Field(0.0, ge=0)
    duplicate_activities: bool = False
    random_partials: float = Field(0.0, ge=0, le=1)
    rate_limit: int | None = Field(None, ge=1)
    tick_s: float = Field(0.0, ge=0)
