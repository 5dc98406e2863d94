"""From a configuration to what an account and its trades are charged and allowed."""

from collections.abc import Sequence

import numpy as np

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import ConfigError, did_you_mean
from plimsoll.engine.execution.terms import Terms
from plimsoll.engine.market.instruments import instrument


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
    leverage = np.array([abs(account.leverage.get(symbol, instrument(symbol).leverage)) for symbol in symbols])
    half_spread = np.array([costs.half_spread_bps.get(tier, 0.0) for tier in tiers]) * 1e-4 * costs.stress
    return Terms(
        half_spread=half_spread if real else np.zeros(len(symbols)),
        maintenance_long=np.minimum(account.maintenance_long * np.maximum(leverage, 1.0), 1.0),
        maintenance_short=np.minimum(account.maintenance_short * np.maximum(leverage, 1.0), 1.0),
        flat_rate=costs.flat_bps * 1e-4 if costs.preset == "flat" else 0.0,
        per_share=costs.commission_per_share if real else 0.0,
        impact=costs.impact * costs.stress if real else 0.0,
        fees=real,
        max_participation=execution.max_participation,
        fractional=execution.fractional,
        qty_step=10.0**-execution.qty_decimals,
        carry=execution.unfilled == "carry",
        size_at_fill=execution.sizing == "fill",
        margin_account=account.type == "reg_t",
        margin_spread=config.financing.margin_spread_bps * 1e-4,
        borrow_rate=config.financing.borrow_bps * 1e-4,
    )
