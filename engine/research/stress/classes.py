"""Asset classes: what a fund that was not alive in a market would have done there.

Each class is stood for by listed funds; where a market has none of them, by a multiple of another class, and where that
leads nowhere it does not move. The multiples are ours, rounded from the scenarios in which both sides were alive.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from plimsoll.engine.errors import ConfigError, did_you_mean
from plimsoll.engine.market.instruments import instrument


@dataclass(frozen=True, slots=True)
class AssetClass:
    """One asset class.

    funds : those that stand for it, the first that a market knows. parent, beta : where it knows none of them, beta
    times another class's daily moves; "" = it does not move. equity_like : falls with equities when everything falls.
    """

    name: str
    funds: tuple[str, ...] = ()
    parent: str = ""
    beta: float = 1.0
    equity_like: bool = False


_CLASSES: Final = (
    AssetClass("us_equity", ("SPY",), equity_like=True),
    AssetClass("nasdaq", ("QQQ",), "us_equity", 1.0, equity_like=True),
    AssetClass("small_cap", ("IWM",), "us_equity", 1.1, equity_like=True),
    AssetClass("developed_equity", ("EFA",), "us_equity", 1.0, equity_like=True),
    AssetClass("emerging_equity", ("EEM",), "us_equity", 1.2, equity_like=True),
    AssetClass("energy_equity", ("XLE",), "us_equity", 1.3, equity_like=True),
    AssetClass("gold_miners", ("GDX",), "us_equity", 1.0, equity_like=True),
    AssetClass("real_estate", ("VNQ",), "us_equity", 1.2, equity_like=True),
    AssetClass("treasury_long", ("TLT",), "treasury", 2.0),
    AssetClass("treasury", ("IEF",)),
    AssetClass("treasury_short", ("SHY",), "treasury", 0.25),
    AssetClass("aggregate_bond", ("AGG",), "treasury", 0.7),
    AssetClass("tips", ("TIP",), "us_equity", 0.2),
    AssetClass("credit", ("LQD",), "us_equity", 0.3),
    AssetClass("high_yield", ("HYG",), "us_equity", 0.65, equity_like=True),
    AssetClass("gold", ("GLD",)),
    AssetClass("silver", ("SLV",), "gold", 1.5),
    AssetClass("commodities", ("DBC", "PDBC")),
    AssetClass("oil", ("USO",), "commodities", 1.5),
    AssetClass("natural_gas", ("UNG",), "commodities", 1.0),
    AssetClass("cash", ("BIL", "SGOV")),
    AssetClass("dollar", ("UUP",)),
    # hedges nobody could hold yet earn nothing
    AssetClass("managed_futures", ("DBMF", "KMLM")),
    AssetClass("tail_hedge", ("TAIL",)),
    # PFIX over TLT: -2.7 in 2022 and in April 2025 alike
    AssetClass("rate_hedge", ("PFIX",), "treasury_long", -2.7),
    # SVOL over SPY: 2.0 in April 2025
    AssetClass("short_volatility", ("SVOL",), "us_equity", 2.0, equity_like=True),
)
CLASSES: Final[Mapping[str, AssetClass]] = MappingProxyType({one.name: one for one in _CLASSES})

# Funds that stand for no class; leveraged funds follow their underlying.
_MEMBERS: Final[Mapping[str, str]] = MappingProxyType(
    {fund: one.name for one in _CLASSES for fund in one.funds}
    | {"IAU": "gold", "SGOL": "gold", "SIVR": "silver", "USL": "oil"}
    | {"VOO": "us_equity", "IVV": "us_equity", "VTI": "us_equity", "QQQM": "nasdaq"}
    | {"EWA": "developed_equity", "EWC": "developed_equity", "VWO": "emerging_equity", "GOVT": "treasury"}
)


def class_of(symbol: str, own: Mapping[str, str]) -> str:
    """Return the name of a symbol's asset class, a leveraged fund's being that of its underlying; "" if nobody knows.

    own : symbol -> class, as the configuration says; it goes first.

    Raises
    ------
    ConfigError
        If it says a class that there is not.
    """
    if symbol in own:
        return known_class(own[symbol], "stress.classes")
    return _MEMBERS.get(instrument(symbol).underlying or symbol, "")


def known_class(name: str, where: str) -> str:
    """Return a name that is one of a class, or raise ConfigError."""
    if name not in CLASSES:
        raise ConfigError(f"unknown asset class {name!r}", where=where, fix=did_you_mean(name, CLASSES))
    return name


def is_equity_like(symbol: str, own: Mapping[str, str]) -> bool:
    """Return whether a symbol falls with equities when everything falls; one that nobody knows does."""
    name = class_of(symbol, own)
    return not name or CLASSES[name].equity_like
