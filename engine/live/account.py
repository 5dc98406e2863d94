"""An account as the core takes it, from holdings and prices."""

from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.execution.broker import Account
from plimsoll.engine.execution.terms import Terms
from plimsoll.engine.kernels.account.ledger import is_margin_call
from plimsoll.engine.types import Floats


def account_of(
    shares: Mapping[str, Decimal], cash: Decimal, symbols: tuple[str, ...], mark: Floats, terms: Terms
) -> Account:
    """Return the account that holds `shares` of the panel's symbols and `cash` dollars.

    mark (N,) dollars a share, NaN only where nothing is held. Summed in the order in which the ledger sums, so that the
    same holdings make the same bits.

    Raises
    ------
    DataError
        If something held has no price at all, or the account is worth nothing.
    """
    held = np.array([float(shares.get(symbol, 0)) for symbol in symbols])
    unknown = np.flatnonzero((held != 0.0) & ~(mark > 0.0))
    if len(unknown):
        raise DataError(f"{symbols[unknown[0]]} is held and has no price", fix="pull its data, or leave it out")
    long, short, maintenance = 0.0, 0.0, 0.0
    rates = terms.maintenance
    for i in np.flatnonzero(held):
        value = abs(held[i]) * mark[i]
        if held[i] > 0.0:
            long += value
            maintenance += value * rates[0, i]
        else:
            short += value
            maintenance += value * rates[1, i]
    equity = float(cash) + long - short
    if not equity > 0.0:
        raise DataError(f"the account is worth {equity:.2f}", cause="nothing can be planned for it")
    called = bool(is_margin_call(equity, maintenance, 1.0 if terms.margin_account else 0.0))
    value = np.where(held != 0.0, held * mark, 0.0)
    return Account(float(cash), equity, maintenance, held, value, called)
