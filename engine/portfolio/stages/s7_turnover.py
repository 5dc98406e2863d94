"""Stage 7: trade only what is worth trading.

A name trades iff |W_i - held_i| > band, and then all the way to its target. Exits (target 0) are always free to go,
and so are reductions that a cap, a margin call or a governor forces. Source: ALGORITHMS of the portfolio integration
layer, stage 7; the band is compared with drifted held weights, never with the last target.
"""

from engine.kernels.jit import kernel
from engine.types import Bools, Floats


@kernel
def no_trade_band(target: Floats, held: Floats, band: float, forced: bool, trade: Bools) -> None:
    """Write which names trade.

    target, held (N,) signed weights of equity; band is a fraction of equity; `forced` exempts every reduction of
    a position; trade (N,) written.
    """
    for i in range(target.shape[0]):
        gap = abs(target[i] - held[i])
        exits = target[i] == 0.0 and held[i] != 0.0
        reduces = forced and abs(target[i]) < abs(held[i]) and target[i] * held[i] >= 0.0
        trade[i] = gap > band or exits or (reduces and gap > 0.0)
