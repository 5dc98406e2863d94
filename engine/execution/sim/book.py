"""The book: the sum of an account's facts, as arrays that kernels move by one bar."""

from dataclasses import dataclass

import numpy as np

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.execution.terms import Terms
from plimsoll.engine.kernels import layout
from plimsoll.engine.state import Saved, put_back
from plimsoll.engine.types import Floats


@dataclass(frozen=True, slots=True)
class Book:
    """Holdings, cash and working orders; laid out in `plimsoll.engine.kernels.layout`.

    acct : (ACCT_ROWS, N); scal : (SCALARS,); rules : (RULES,).
    """

    acct: Floats
    scal: Floats
    rules: Floats

    def save(self) -> Saved:
        """Return copies of everything that changes."""
        return {"acct": self.acct.copy(), "scal": self.scal.copy()}

    def restore(self, saved: Saved) -> None:
        """Put back what `save` returned; anything else is refused, see `engine.state.check_saved`."""
        put_back(saved, {"acct": self.acct, "scal": self.scal}, "the account's book")


def open_book(cash: float, terms: Terms) -> Book:
    """Return a book of `cash` dollars and nothing else.

    Raises
    ------
    ConfigError
        If cash is not positive.
    """
    if not cash > 0.0:
        raise ConfigError(f"starting cash {cash!r} is not above zero", where="run.cash")
    scal = np.zeros(layout.SCALARS)
    scal[[layout.CASH, layout.EQUITY]] = cash
    scal[[layout.NAV, layout.PEAK, layout.GROSS_NAV]] = 1.0
    return Book(terms.columns(), scal, terms.rules())
