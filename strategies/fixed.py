"""The same weights whenever they are due: what benchmarks with a fixed split answer."""

from plimsoll.engine.kernels.account.track import Notional, answer
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Bools, Floats


@kernel
def scan(listed: Bools, due: Bools, w: Floats, most: int, notional: Notional) -> int:
    """Answer w (K,) on the bars that are due (T,) and on which every symbol is listed (T, K), `most` times at most.

    Returns how often it answered.
    """
    given = 0
    for t in range(listed.shape[0]):
        whole = due[t] and given < most
        for i in range(w.shape[0]):
            whole = whole and listed[t, i]
        if whole:
            given += 1
            if not answer(t, w, notional):
                return given
    return given
