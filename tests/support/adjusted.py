"""The adjusted close that a vendor would print beside prices as traded."""

from plimsoll.engine.types import Floats


def adjusted_close(close: Floats, dividend: Floats, split: Floats) -> Floats:
    """Return closes (R,) adjusted backwards from the last row: by 1 - D / C at each ex-date and by each split."""
    adjusted = close.copy()
    for t in range(len(close) - 1, 0, -1):
        before = close[t - 1] / split[t]
        adjusted[t - 1] = adjusted[t] * (before - dividend[t]) / close[t]
    return adjusted
