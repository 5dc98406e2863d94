"""What an order is: the one list of columns that every table of orders is made of."""

from typing import Annotated, Final, NamedTuple, get_args, get_type_hints

import numpy as np

from plimsoll.engine.kernels.jit import inline_kernel
from plimsoll.engine.types import Bools, Floats, Ints

# Values of `Orders.wave`: what frees money goes first, what needs money waits for it.
FREES_MONEY: Final = 0  # a sale that reduces a long, a purchase that covers a short
NEEDS_MONEY: Final = 1  # whatever opens a position, adds to one or changes its sign


class Column(NamedTuple):
    """What a column of orders holds, with its unit; whether the table of orders that a run leaves shows it."""

    meaning: str
    shown: bool = True


class Orders(NamedTuple):
    """Orders as columns of length R.

    These fields make the arrays of the compiled loop, the batch of a decision, the simulator's table, the trail of a
    proof and the columns of a run's table. A field added here is in all of them; `write_order` fills it.
    """

    bar: Annotated[Ints, Column("bar decided at")]
    col: Annotated[Ints, Column("column of the symbol")]
    qty: Annotated[Floats, Column("signed shares, 0 = sized at the fill")]
    at_close: Annotated[Bools, Column("fills at a close, else at an open")]
    leg: Annotated[Ints, Column("0 reduces or flattens, 1 opens the other side once leg 0 is done")]
    wave: Annotated[Ints, Column("0 frees money, 1 needs money")]
    price: Annotated[Floats, Column("decision price in dollars")]
    target: Annotated[Floats, Column("weight behind the order, fraction of equity", shown=False)]
    sigma: Annotated[Floats, Column("daily volatility as known at the decision, NaN = unknown", shown=False)]
    adv: Annotated[Floats, Column("average daily volume in shares as known then, NaN = unknown", shown=False)]
    limit: Annotated[Floats, Column("dollars a share beyond which it does not fill, NaN = none", shown=False)]


_HINTS: Final = {name: get_args(hint) for name, hint in get_type_hints(Orders, include_extras=True).items()}
ORDER_COLUMNS: Final[dict[str, Column]] = {name: column for name, (_, column) in _HINTS.items()}
# an array type ends in its dtype, np.dtype[scalar]
ORDER_DTYPES: Final = {name: np.dtype(get_args(get_args(kind)[-1])[0]) for name, (kind, _) in _HINTS.items()}


def empty_orders(rows: int) -> Orders:
    """Return a table with room for `rows` orders."""
    return Orders(*(np.empty(rows, dtype=dtype) for dtype in ORDER_DTYPES.values()))


@inline_kernel
def wave_of(held: float, qty: float) -> int:
    """Return the wave of an order of signed `qty` shares for one who then holds `held`."""
    toward = qty < 0.0 if held > 0.0 else qty > 0.0
    return FREES_MONEY if toward and abs(qty) <= abs(held) else NEEDS_MONEY


@inline_kernel
def write_order(
    at: int, t: int, i: int, leg: int, wave: int, qty: float, target: float, price: float, sigma: float, adv: float,
    at_close: bool, orders: Orders,
) -> None:  # fmt: skip
    """Write row `at`: an order for column i, decided at bar t; a market order until a venue's desk says otherwise."""
    orders.bar[at] = t
    orders.col[at] = i
    orders.qty[at] = qty
    orders.at_close[at] = at_close
    orders.leg[at] = leg
    orders.wave[at] = wave
    orders.price[at] = price
    orders.target[at] = target
    orders.sigma[at] = sigma
    orders.adv[at] = adv
    orders.limit[at] = np.nan
