"""What a run would have come to if one thing had been set otherwise, as far as a report compares it."""

from dataclasses import dataclass

from plimsoll.engine.types import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """A run beside the run, over the same bars.

    ret (T,) : time-weighted net return of each bar the run traded; of none where it failed. traded, costs : sums over
    the bars of traded notional and of trading costs, over the equity each bar began with. why : there is nothing to
    compare, "" = there is.
    """

    ret: Floats
    traded: float
    costs: float
    why: str = ""
