"""What session closes do not show of a run on intraday bars."""

import numpy as np

from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.labels import shown
from plimsoll.engine.report.metrics.returns import Figures
from plimsoll.engine.runtime.record import Record


def intraday_block(record: Record) -> Figures | None:
    """Return the deepest fall and the worst bar, measured at bar closes; None for a run on daily bars.

    Everything else is of session closes: between two of them an account may have been lower.
    """
    if len(record.rows) == len(record.equity):
        return None
    returns = m.checked(record.column("ret"), "bar returns")
    worst = int(np.argmin(returns))
    return {
        "interval": record.interval,
        "bars": len(returns),
        "max_drawdown": m.max_drawdown(returns),
        "worst_bar": float(returns[worst]),
        "worst_bar_stamp": str(record.stamps[worst]).replace("T", " ")[:16],
    }


def intraday_text(block: Figures) -> str:
    """Return the block in words."""
    return (
        f"{block['bars']:,} bars of {block['interval']}; at bar closes: max drawdown "
        f"{shown(block['max_drawdown'], 'percent')}, worst bar {shown(block['worst_bar'], 'percent')} "
        f"({block['worst_bar_stamp']}); all other figures are of session closes"
    )
