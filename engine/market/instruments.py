"""What is known about each fund by name: liquidity tier, leverage, cost, first session."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from plimsoll.engine.types import LiquidityTier

Kind: TypeAlias = Literal[
    "equity",
    "bond",
    "commodity",
    "gold",
    "cash",
    "managed_futures",
    "rate_hedge",
    "volatility",
    "tail_hedge",
    "currency",
]


@dataclass(frozen=True, slots=True)
class Instrument:
    """One fund.

    tier : liquidity tier of the cost model, "1" the tightest, "thin" the widest.
    leverage : daily multiple of `underlying`, signed; 1.0 for a plain fund, whose `underlying` is "".
    expense_ratio : yearly, a fraction (0.002 = 0.20%), about what the issuer publishes. A fund's returns are already
        net of it: it describes, and is never charged a second time.
    inception : first session the fund traded on; None where unknown.
    known : False for a default made up for a symbol that is not in `KNOWN`.
    """

    symbol: str
    name: str
    kind: Kind
    tier: LiquidityTier
    expense_ratio: float
    inception: date | None
    leverage: float = 1.0
    underlying: str = ""
    known: bool = True


# Tiers follow quoted spreads: 1 = below about 1 bp, 2 = one cent on a cheaper share or 1-3 bp, 3 = around 3 bp and
# more, thin = 10-20 bp. First sessions: as published, and for
# those after 2005 as found in daily price files.
_FUNDS: Final = (
    Instrument("SPY", "SPDR S&P 500 ETF Trust", "equity", "1", 0.0009, date(1993, 1, 29)),
    Instrument("QQQ", "Invesco QQQ Trust", "equity", "1", 0.0020, date(1999, 3, 10)),
    Instrument("IWM", "iShares Russell 2000 ETF", "equity", "1", 0.0019, date(2000, 5, 26)),
    Instrument("EFA", "iShares MSCI EAFE ETF", "equity", "1", 0.0032, date(2001, 8, 27)),
    Instrument("EEM", "iShares MSCI Emerging Markets ETF", "equity", "2", 0.0070, date(2003, 4, 14)),
    Instrument("EWA", "iShares MSCI Australia ETF", "equity", "2", 0.0050, date(1996, 3, 18)),
    Instrument("EWC", "iShares MSCI Canada ETF", "equity", "2", 0.0050, date(1996, 3, 18)),
    Instrument("XLE", "Energy Select Sector SPDR Fund", "equity", "1", 0.0008, date(1998, 12, 22)),
    Instrument("VNQ", "Vanguard Real Estate ETF", "equity", "1", 0.0013, date(2004, 9, 29)),
    Instrument("GDX", "VanEck Gold Miners ETF", "equity", "2", 0.0051, date(2006, 5, 22)),
    Instrument("TLT", "iShares 20+ Year Treasury Bond ETF", "bond", "1", 0.0015, date(2002, 7, 30)),
    Instrument("IEF", "iShares 7-10 Year Treasury Bond ETF", "bond", "1", 0.0015, date(2002, 7, 30)),
    Instrument("SHY", "iShares 1-3 Year Treasury Bond ETF", "bond", "1", 0.0015, date(2002, 7, 30)),
    Instrument("LQD", "iShares iBoxx $ Investment Grade Corporate Bond ETF", "bond", "1", 0.0014, date(2002, 7, 30)),
    Instrument("HYG", "iShares iBoxx $ High Yield Corporate Bond ETF", "bond", "1", 0.0049, date(2007, 4, 11)),
    Instrument("TIP", "iShares TIPS Bond ETF", "bond", "1", 0.0018, date(2003, 12, 5)),
    Instrument("AGG", "iShares Core U.S. Aggregate Bond ETF", "bond", "1", 0.0003, date(2003, 9, 29)),
    Instrument("BIL", "SPDR Bloomberg 1-3 Month T-Bill ETF", "cash", "1", 0.0014, date(2007, 5, 30)),
    Instrument("SGOV", "iShares 0-3 Month Treasury Bond ETF", "cash", "1", 0.0009, date(2020, 5, 28)),
    Instrument("GLD", "SPDR Gold Shares", "gold", "1", 0.0040, date(2004, 11, 18)),
    Instrument("IAU", "iShares Gold Trust", "gold", "1", 0.0025, date(2005, 1, 28)),
    Instrument("SLV", "iShares Silver Trust", "commodity", "2", 0.0050, date(2006, 4, 28)),
    Instrument("DBC", "Invesco DB Commodity Index Tracking Fund", "commodity", "3", 0.0085, date(2006, 2, 6)),
    Instrument("PDBC", "Invesco Optimum Yield Commodity No K-1 ETF", "commodity", "3", 0.0059, date(2014, 11, 7)),
    Instrument("USO", "United States Oil Fund", "commodity", "2", 0.0060, date(2006, 4, 10)),
    Instrument("USL", "United States 12 Month Oil Fund", "commodity", "thin", 0.0085, date(2007, 12, 6)),
    Instrument("UUP", "Invesco DB US Dollar Index Bullish Fund", "currency", "3", 0.0077, date(2007, 3, 1)),
    Instrument("DBMF", "iMGP DBi Managed Futures Strategy ETF", "managed_futures", "thin", 0.0085, date(2019, 5, 8)),
    Instrument("KMLM", "KFA Mount Lucas Managed Futures ETF", "managed_futures", "thin", 0.0090, date(2020, 12, 2)),
    Instrument("PFIX", "Simplify Interest Rate Hedge ETF", "rate_hedge", "thin", 0.0050, date(2021, 5, 11)),
    Instrument("SVOL", "Simplify Volatility Premium ETF", "volatility", "thin", 0.0072, date(2021, 5, 13)),
    Instrument("TAIL", "Cambria Tail Risk ETF", "tail_hedge", "thin", 0.0059, date(2017, 4, 6)),
    Instrument("TQQQ", "ProShares UltraPro QQQ", "equity", "1", 0.0086, date(2010, 2, 11), 3.0, "QQQ"),
    Instrument("SQQQ", "ProShares UltraPro Short QQQ", "equity", "1", 0.0095, date(2010, 2, 11), -3.0, "QQQ"),
    Instrument("TMF", "Direxion Daily 20+ Year Treasury Bull 3X", "bond", "2", 0.0100, date(2009, 4, 16), 3.0, "TLT"),
)

KNOWN: Final[Mapping[str, Instrument]] = MappingProxyType({fund.symbol: fund for fund in _FUNDS})


def instrument(symbol: str) -> Instrument:
    """Return what is known about `symbol`, or a cautious default (tier 3, unleveraged, `known` false)."""
    found = KNOWN.get(symbol)
    if found is not None:
        return found
    return Instrument(symbol, symbol, "equity", "3", 0.0, None, known=False)
