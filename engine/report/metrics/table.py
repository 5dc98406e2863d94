"""Every figure of a run in one nested dictionary of plain values: what `metrics.json` holds."""

import math
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from plimsoll.engine.kernels.cost import COST_COLUMNS
from plimsoll.engine.report.metrics import relative
from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.capacity import capacity_of
from plimsoll.engine.report.metrics.crises import beside_within, crisis_rows
from plimsoll.engine.report.metrics.drawdowns import drawdowns
from plimsoll.engine.report.metrics.exposure import (
    costs_block,
    exposure_block,
    pnl_block,
    sleeves_block,
    turnover_block,
)
from plimsoll.engine.report.metrics.intraday import intraday_block
from plimsoll.engine.report.metrics.kelly import kelly_block
from plimsoll.engine.report.metrics.ladder import ladder_block
from plimsoll.engine.report.metrics.notes import diagnostics_block
from plimsoll.engine.report.metrics.periods import by_month, by_year, monthly_grid
from plimsoll.engine.report.metrics.quantiles import quantile_rows
from plimsoll.engine.report.metrics.regime_off import regime_off_block
from plimsoll.engine.report.metrics.returns import Figures
from plimsoll.engine.report.metrics.target import target_block
from plimsoll.engine.report.metrics.trades import rows_of, trades_block
from plimsoll.engine.runtime.beside import Beside
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Dates, Floats

CONVENTIONS: Final[Figures] = {
    "returns": "simple, per session, time-weighted, net of all costs unless said",
    "periods_per_year": m.SESSIONS_PER_YEAR,
    "ddof": m.DDOF,
    "sharpe": "mean / sd of session returns x sqrt(252), rf = 0; sharpe_excess subtracts the bill return",
    "probabilistic_sharpe": "of a true Sharpe above 0, had this been the only try (Bailey & Lopez de Prado 2012)",
    "tries": "how many there were is in the ledger, not in a run: `plimsoll trials` deflates by them",
    "cagr": "252 sessions a year; cagr_calendar uses 365.25 days",
    "value_at_risk": "historical 5% quantile of one session, linearly interpolated, a loss is negative",
    "expected_shortfall": "mean of the worst 5% of the sessions, the last of them weighted by its fraction",
    "annualised": f"not given for fewer than {m.FEWEST_SESSIONS} sessions",
    "relative": "over the benchmark's own span; where it has a hole both sides are compounded over it",
    "kurtosis": "biased, 3 = normal",
    "alpha_ann": "arithmetic, 252 sessions",
    "captures": "ratio of geometric mean returns on sessions when the benchmark rose / fell",
    "trades": "round trips first in, first out, net of financing and costs; positions count from flat to flat",
    "turnover": "two-sided: all traded notional over the equity each bar started with; one-way is half",
    "costs": f"{', '.join(COST_COLUMNS[:-1])} and {COST_COLUMNS[-1]}; financing and borrow are listed apart",
}


def metrics_of(record: Record) -> Figures:
    """Return the figures of a run: the account's own at the top, groups of others nested below.

    Values are plain str, bool, int, float, None, lists and dicts; what is not defined or not finite is None.

    Raises
    ------
    DataError
        If the bill series has no return on a session of the run, or a return is NaN.
    """
    returns = m.checked(record.returns.to_numpy(), "session returns")
    gross = m.checked(record.returns_gross.to_numpy(), "session returns before costs")
    bill = None if record.bill is None else m.checked(record.aligned(record.bill, "bill"), "bill returns")
    curves = record.curves
    out: Figures = {
        **series_block(returns, record.sessions, bill),
        "gross_of_costs": series_block(gross, record.sessions, bill),
        "benchmark": None,
        "relative": None,
        "exposure": exposure_block(record),
        "intraday": intraday_block(record),
        "target": target_block(record),
        "regime_off": regime_off_block(record, bill),
        "turnover": turnover_block(record),
        "costs": costs_block(record, m.cagr(gross) - m.cagr(returns)),
        "pnl": pnl_block(record),
        "pnl_by_symbol": rows_of(record.pnl_by_symbol),
        "pnl_by_sleeve": rows_of(record.pnl_by_sleeve),
        "trades": trades_block(record),
        "drawdowns": drawdown_rows(returns, record.sessions),
        "crises": crisis_rows(returns, record.sessions, record.beside),
        "by_year": year_rows(returns, record),
        "monthly": monthly_grid(returns, record.sessions),
        "quantiles": quantile_rows(returns, record.sessions),
        "capacity": capacity_of(record),
        "sleeves": sleeves_block(record),
        "diagnostics": diagnostics_block(curves),
        "counts": dict(record.counts),
        "warnings": [asdict(warning) for warning in record.warnings],
        "spans": [asdict(span) for span in record.spans],
        "kelly": kelly_block(record, curves, m.sharpe(returns, 0.0 if bill is None else bill)),
        "ladder": ladder_block(record, bill),
        "run": run_block(record),
        "conventions": {**CONVENTIONS, "risk_free": "0" if record.bill is None else f"{record.bill.name}"},
    }
    if record.beside is not None and record.benchmark is not None:
        out |= _beside_blocks(record.beside, str(record.benchmark.name), returns, record.sessions, bill)
    cleaned: Figures = plain(out)
    return cleaned


def _beside_blocks(beside: Beside, symbol: str, returns: Floats, sessions: Dates, bill: Floats | None) -> Figures:
    """Return the benchmark's own figures and those relative to it, over the span that it has."""
    theirs = m.checked(beside.theirs, "benchmark returns")
    free = None if bill is None else beside.over(bill)
    ends, per_year = sessions[beside.ends], beside.per_year
    known = len(ends) > 0
    start = m.start_of(sessions[beside.starts]) if known else None
    span = {
        "sessions": beside.covered,
        "holes": beside.covered - len(ends),
        "start": str(sessions[beside.starts[0]]) if known else None,
        "end": str(ends[-1]) if known else None,
    }
    return {
        "benchmark": {"symbol": symbol, **span, **series_block(theirs, ends, free, per_year, start)},
        "relative": {**span, **relative_block(beside.over(returns), theirs, free, per_year)},
    }


def series_block(
    returns: Floats,
    sessions: Dates,
    bill: Floats | None,
    per_year: float = m.SESSIONS_PER_YEAR,
    start: np.datetime64 | None = None,
) -> Figures:
    """Return the statistics of one return series.

    sessions (n,) : the last session of each return. bill : None = a risk-free rate of 0. per_year : returns in a year.
    start : the close at which the index stood at 1, the weekday before the first session if None.
    """
    block = _series_figures(returns, sessions, bill, per_year, start)
    return m.annualised(block, len(returns))


def _series_figures(
    returns: Floats, sessions: Dates, bill: Floats | None, per_year: float, start: np.datetime64 | None
) -> Figures:
    spells = drawdowns(returns)
    worst = spells[0] if spells else None
    longest = max((spell.duration for spell in spells), default=0)
    known = len(returns) > 0
    return {
        "total_return": m.total_return(returns),
        "cagr": m.cagr(returns, per_year),
        "cagr_calendar": m.cagr_calendar(returns, _begin(sessions, start), sessions[-1]) if known else None,
        "vol_ann": m.vol_ann(returns, per_year),
        "sharpe": m.sharpe(returns, per_year=per_year),
        "sharpe_excess": m.sharpe(returns, 0.0 if bill is None else bill, per_year),
        "probabilistic_sharpe": m.probabilistic_sharpe(returns),
        "probabilistic_sharpe_excess": m.probabilistic_sharpe(returns, 0.0 if bill is None else bill),
        "sortino": m.sortino(returns, per_year=per_year),
        "downside_dev_ann": m.downside_dev_ann(returns, per_year=per_year),
        "max_drawdown": m.max_drawdown(returns),
        "max_drawdown_duration": worst.duration if worst else 0,
        "max_drawdown_recovery": worst.to_recovery if worst else 0,
        "max_drawdown_open": worst is not None and worst.recovery is None,
        "longest_drawdown": longest,
        "average_drawdown": float(np.mean(m.underwater(returns))) if known else None,
        "calmar": m.calmar(returns, per_year),
        "ulcer": m.ulcer(returns),
        "skew": m.skew(returns),
        "kurtosis": m.kurtosis(returns),
        "value_at_risk": m.value_at_risk(returns),
        "expected_shortfall": m.expected_shortfall(returns),
        "omega": m.omega(returns),
        "tail_ratio": m.tail_ratio(returns),
        "hit_rate": m.hit_rate(returns),
        "profit_factor": m.profit_factor(returns),
        "payoff": m.payoff(returns),
        **_extremes(returns, sessions),
    }


def _begin(sessions: Dates, start: np.datetime64 | None) -> np.datetime64:
    return m.start_of(sessions) if start is None else start


def _extremes(returns: Floats, sessions: Dates) -> Figures:
    if len(returns) == 0:
        extremes = ("best_day", "worst_day", "best_month", "worst_month")
        return dict.fromkeys((*extremes, *(f"{e}_{'session' if 'day' in e else 'label'}" for e in extremes)))
    months = by_month(returns, sessions)
    best, worst = max(months, key=lambda p: p.total), min(months, key=lambda p: p.total)
    high, low = int(np.argmax(returns)), int(np.argmin(returns))
    return {
        "best_day": float(returns[high]),
        "best_day_session": str(sessions[high]),
        "worst_day": float(returns[low]),
        "worst_day_session": str(sessions[low]),
        "best_month": best.total,
        "best_month_label": best.label,
        "worst_month": worst.total,
        "worst_month_label": worst.label,
    }


def relative_block(
    returns: Floats, bench: Floats, bill: Floats | None, per_year: float = m.SESSIONS_PER_YEAR
) -> Figures:
    """Return the statistics of `returns` against a benchmark, `alpha_excess_ann` over the bill rate on both sides."""
    free = 0.0 if bill is None else bill
    block = {
        "beta": relative.beta(returns, bench),
        "alpha_ann": relative.alpha_ann(returns, bench, per_year),
        "alpha_excess_ann": relative.alpha_ann(returns - free, bench - free, per_year),
        "correlation": relative.correlation(returns, bench),
        "tracking_error_ann": relative.tracking_error_ann(returns, bench, per_year),
        "information_ratio": relative.information_ratio(returns, bench, per_year),
        "up_capture": relative.up_capture(returns, bench),
        "down_capture": relative.down_capture(returns, bench),
    }
    return m.annualised(block, len(returns))


def drawdown_rows(returns: Floats, sessions: Dates, count: int = 10) -> list[Figures]:
    """Return the deepest drawdowns; `peak` None = the starting value, `recovery` None = still open."""

    def day(position: int | None) -> str | None:
        return None if position is None or position == 0 else str(sessions[position - 1])

    return [
        {
            "depth": spell.depth,
            "peak": day(spell.peak),
            "trough": day(spell.trough),
            "recovery": day(spell.recovery),
            "sessions": spell.duration,
            "sessions_to_trough": spell.to_trough,
            "sessions_to_recovery": spell.to_recovery,
            "open": spell.recovery is None,
        }
        for spell in drawdowns(returns)[:count]
    ]


def year_rows(returns: Floats, record: Record) -> list[Figures]:
    """Return one row per calendar year; the drawdown is within the year, the benchmark's only where it covers it."""
    turnover = record.session_sum(_over(record.column("traded"), record.base))
    costs = record.session_sum(_over(record.column("costs"), record.base))
    beside = record.beside
    return [
        {
            "year": int(year.label),
            "sessions": year.sessions,
            "total_return": year.total,
            "benchmark": None if beside is None else beside_within(beside, year.rows),
            **m.annualised(
                {"vol_ann": m.vol_ann(returns[year.rows]), "sharpe": m.sharpe(returns[year.rows])}, year.sessions
            ),
            "max_drawdown": m.max_drawdown(returns[year.rows]),
            "turnover": float(np.sum(turnover[year.rows])),
            "cost_bps": float(np.sum(costs[year.rows])) * 1e4,
        }
        for year in by_year(returns, record.sessions)
    ]


def _over(amounts: Floats, base: Floats) -> Floats:
    return np.divide(amounts, base, out=np.zeros(len(amounts)), where=base > 0.0)


def run_block(record: Record) -> Figures:
    """Return what was run, over which span and on which data."""
    equity = record.column("equity")
    sessions = record.sessions
    return {
        "name": record.name,
        "run_id": record.run_id,
        "start": str(sessions[0]) if len(sessions) else None,
        "end": str(sessions[-1]) if len(sessions) else None,
        "sessions": len(sessions),
        "bars": len(equity),
        "interval": record.interval,
        "starting_cash": record.cash,
        "final_equity": float(equity[-1]) if len(equity) else record.cash,
        "net_flows": float(np.sum(record.column("flow"))),
        "orders": len(record.orders),
        "fills": len(record.fills),
        "decisions": len(record.targets),
        "synthetic": record.synthetic,
        "ruined": record.ruined,
        "source": record.source,
        "config_hash": record.config_hash,
        "data_hash": record.data_hash,
        "warnings": len(record.warnings),
    }


def plain(value: Any) -> Any:
    """Return `value` in types JSON knows, what is not a finite number as None, everything else as text."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [plain(item) for item in items]
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return str(value)
