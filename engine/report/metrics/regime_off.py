"""The book with stage 6 off, in the figures that it is compared by."""

from typing import Final

import numpy as np

from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.labels import Label, shown
from plimsoll.engine.report.metrics.returns import Figures
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Floats

COMPARED: Final[tuple[Label, ...]] = (
    ("sharpe_excess", "Sharpe over bills", "ratio"),
    ("cagr", "CAGR", "percent"),
    ("vol_ann", "Ann. volatility", "percent"),
    ("max_drawdown", "Max drawdown", "percent"),
    ("turnover", "Turnover a year, two-sided", "ratio"),
    ("cost_bps", "Trading costs, bps a year", "bps"),
)


def regime_off_block(record: Record, bill: Floats | None) -> Figures | None:
    """Return the same figures of the run as it is and with stage 6 off; None where the report was not asked to.

    bill (n,) return of the bill series per session, None = 0. why : there is nothing to compare, "" = there is.
    """
    other = record.regime_off
    if other is None:
        return None
    if other.why:
        return {"why": other.why, "on": None, "off": None}
    free = 0.0 if bill is None else bill
    base = np.concatenate(([record.cash], record.column("equity")[:-1])) + record.column("flow")  # as `other` has it
    traded, costs = (float(np.sum(record.column(name) / base)) for name in ("traded", "costs"))
    return {
        "why": "",
        "on": _figures(record.returns.to_numpy(), free, traded, costs),
        "off": _figures(record.compounded(other.ret), free, other.traded, other.costs),
    }


def _figures(returns: Floats, free: float | Floats, traded: float, costs: float) -> Figures:
    a_year = m.SESSIONS_PER_YEAR / max(len(returns), 1)
    block = {
        "sharpe_excess": m.sharpe(returns, free),
        "cagr": m.cagr(returns),
        "vol_ann": m.vol_ann(returns),
        "max_drawdown": m.max_drawdown(returns),
        "turnover": traded * a_year,
        "cost_bps": costs * a_year * 1e4,
    }
    return m.annualised(block, len(returns))


def regime_off_text(block: Figures) -> str:
    """Return the block in words: each figure as it is, and with stage 6 off."""
    if block["why"]:
        return f"with it off: {block['why']}"
    parts = (
        f"{label} {shown(block['off'][key], kind)} ({shown(block['on'][key], kind)})" for key, label, kind in COMPARED
    )
    return f"with it off (as run): {', '.join(parts)}"
