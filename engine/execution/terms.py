"""What an account and its trades are charged and allowed, known before there is an account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import ConfigError, EngineError, did_you_mean
from plimsoll.engine.kernels import layout
from plimsoll.engine.market.instruments import instrument
from plimsoll.engine.types import Bools, Floats


@dataclass(frozen=True, slots=True)
class Terms:
    """What an account and its trades are charged and allowed, per symbol and in all.

    half_spread, maintenance_long, maintenance_short : (N,) fractions of price or market value. fractional : (N,) bools,
    whether a long may hold a fraction of a share; its smallest is qty_step.
    flat_rate per dollar, per_share dollars, impact coefficient, fees on or off; margin_spread and borrow_rate per
    year; short_rebate the fraction of the bill rate that short proceeds earn; max_participation of volume, 0 = none.

    Raises
    ------
    EngineError
        If what is per symbol has not one length.
    """

    half_spread: Floats
    maintenance_long: Floats
    maintenance_short: Floats
    fractional: Bools
    flat_rate: float = 0.0
    per_share: float = 0.0
    impact: float = 0.0
    fees: bool = False
    max_participation: float = 0.0
    qty_step: float = 1e-9
    carry: bool = False
    size_at_fill: bool = False
    margin_account: bool = True
    margin_spread: float = 0.0
    borrow_rate: float = 0.0
    short_rebate: float = 0.0

    def __post_init__(self) -> None:
        """Refuse terms that are not for the same symbols throughout."""
        per_symbol = ("half_spread", "maintenance_long", "maintenance_short", "fractional")
        shapes = {name: np.shape(getattr(self, name)) for name in per_symbol}
        if len(set(shapes.values())) > 1:
            raise EngineError(f"what terms say per symbol is not of one length: {shapes}")

    def rules(self) -> Floats:
        """Return what holds for all symbols alike, (RULES,), as `engine.kernels.layout` lays it out."""
        return np.array([getattr(self, name) for name in layout.RULE_NAMES], dtype=np.float64)

    def columns(self) -> Floats:
        """Return an account (ACCT_ROWS, N) that holds nothing, with the rates of each symbol in place."""
        acct = np.zeros((layout.ACCT_ROWS, len(self.half_spread)))
        acct[layout.MARK] = np.nan
        acct[layout.ORDER0 : layout.ORDER1 + 1] = -1.0
        acct[layout.SIGMA : layout.ADV + 1] = np.nan
        acct[layout.LIMIT] = np.nan
        acct[layout.HALF_SPREAD] = self.half_spread
        acct[layout.MAINT_LONG] = self.maintenance_long
        acct[layout.MAINT_SHORT] = self.maintenance_short
        acct[layout.LOT] = np.where(self.fractional, self.qty_step, 1.0)
        return acct

    @property
    def maintenance(self) -> Floats:
        """(2, N) maintenance rates of longs and shorts."""
        return np.stack((self.maintenance_long, self.maintenance_short))


def leverage_of(given: Mapping[str, float], symbols: Sequence[str]) -> Floats:
    """Return (N,) how many times its index each fund moves, without its sign; `given` goes before what is known."""
    return np.array([abs(given.get(symbol, instrument(symbol).leverage)) for symbol in symbols], dtype=np.float64)


def terms_of(config: Config, symbols: Sequence[str]) -> Terms:
    """Return what the configured account and costs mean for each symbol."""
    costs, account, execution = config.costs, config.account, config.execution
    real = costs.preset == "us_etf"
    for where, named in (("costs.tier", costs.tier), ("account.leverage", account.leverage)):
        for symbol in named:
            if symbol not in symbols:
                raise ConfigError(
                    f"symbol {symbol!r} is not in this run", where=where, fix=did_you_mean(symbol, symbols)
                )
    tiers = [costs.tier.get(symbol, instrument(symbol).tier) for symbol in symbols]
    leverage = leverage_of(account.leverage, symbols)
    half_spread = np.array([costs.half_spread_bps.get(tier, 0.0) for tier in tiers]) * 1e-4 * costs.stress
    return Terms(
        half_spread=half_spread if real else np.zeros(len(symbols)),
        maintenance_long=np.minimum(account.maintenance_long * np.maximum(leverage, 1.0), 1.0),
        maintenance_short=np.minimum(account.maintenance_short * np.maximum(leverage, 1.0), 1.0),
        fractional=np.full(len(symbols), execution.fractional),
        flat_rate=costs.flat_bps * 1e-4 if costs.preset == "flat" else 0.0,
        per_share=costs.commission_per_share if real else 0.0,
        impact=costs.impact * costs.stress if real else 0.0,
        fees=real,
        max_participation=execution.max_participation,
        qty_step=10.0**-execution.qty_decimals,
        carry=execution.unfilled == "carry",
        size_at_fill=execution.sizing == "fill",
        margin_account=account.type == "reg_t",
        margin_spread=config.financing.margin_spread_bps * 1e-4,
        borrow_rate=config.financing.borrow_bps * 1e-4,
        short_rebate=config.financing.short_rebate,
    )
