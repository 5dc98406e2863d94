"""What each sleeve gave a book by its share of it."""

import numpy as np

from plimsoll.engine.report.metrics.book import DUST
from plimsoll.engine.report.metrics.exposure import sleeve_names
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Floats


def by_sleeve(record: Record) -> dict[str, Floats]:
    """Return (n,) what each sleeve gave the book by each session, cumulated; nothing where there is one sleeve only.

        c_t = sum_{s <= t} w_{s-1} r_s

    w its share of the book at the close before, r the return of its notional portfolio, gross of costs: what it gave
    before one volatility target, the caps and the governor scaled the whole.
    """
    names = sleeve_names(record)
    out: dict[str, Floats] = {}
    if len(names) < 2 or len(record.sleeves) != len(record.equity):
        return out
    for name in names:
        columns = (f"{name}.equity", f"{name}.weight")
        if not set(columns) <= set(record.sleeves.columns):
            continue
        equity, share = (record.sleeves[column].to_numpy(np.float64)[record.rows] for column in columns)
        before, alive = equity[:-1], (equity[:-1] > 0.0) & np.isfinite(equity[1:])
        returns = np.divide(equity[1:], before, out=np.ones(len(before)), where=alive) - 1.0
        given = np.nan_to_num(share[:-1]) * returns
        if np.abs(np.nan_to_num(share)).max(initial=0.0) > DUST:
            out[name] = np.concatenate(([0.0], np.cumsum(given)))
    return out
