"""What is held of a symbol that is no member of the universe any more: sold at the next open, bought no more."""

from plimsoll.engine.kernels.account.fill import drop_order
from plimsoll.engine.kernels.derive import OUTSIDE
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.layout import ORDER0, SHARES, TARGET
from plimsoll.engine.types import Bools, Codes, Floats


@kernel
def must_leave(t: int, status: Codes, acct: Floats) -> bool:
    """Return whether anything is held at the close of bar t that is outside and that no working order sells."""
    for i in range(acct.shape[1]):
        if acct[SHARES, i] != 0.0 and status[t, i] == OUTSIDE and (acct[ORDER0, i] < 0.0 or acct[TARGET, i] != 0.0):
            return True
    return False


@kernel
def expel(
    t: int, status: Codes, value: Floats, weights: Floats, goal: Floats, trade: Bools, traded: Floats
) -> None:  # fmt: skip
    """Take what is outside at the close of bar t out of a target, whatever band, cap or market held it back.

    value, weights, goal, trade (N,) as in a decision, traded (N,) the last column of its trace; all but value written.
    """
    for i in range(value.shape[0]):
        if status[t, i] == OUTSIDE:
            weights[i], goal[i], traded[i] = 0.0, 0.0, 0.0
            trade[i] = value[i] != 0.0


@kernel
def drop_stale(t: int, status: Codes, acct: Floats, scal: Floats) -> None:
    """Forget orders working at bar t that would open or keep what was outside at the close before."""
    if t == 0:
        return
    for i in range(acct.shape[1]):
        if status[t - 1, i] == OUTSIDE and acct[ORDER0, i] >= 0.0 and acct[TARGET, i] != 0.0:
            drop_order(i, acct, scal)
