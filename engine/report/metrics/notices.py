"""What a reader has to be told about a run, in words: its span, what to know before any figure, its warnings."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from plimsoll.engine.market.panel import DataWarning
from plimsoll.engine.report.metrics.labels import shown, title
from plimsoll.engine.report.metrics.returns import FEWEST_SESSIONS
from plimsoll.engine.runtime.record import Record

NAMED_SYMBOLS: Final = 6
TEXT_WIDTH: Final = 160
SYNTHETIC: Final = "SYNTHETIC DATA: the prices were generated; nothing here says anything about a market."


def span_text(run: Mapping[str, Any]) -> str:
    """Return the span of a run in words."""
    if not run["sessions"]:
        return "no session"
    plural = "" if run["sessions"] == 1 else "s"
    bars = "" if run["bars"] == run["sessions"] else f", {run['bars']:,} bars of {run['interval']}"
    return f"{run['start']} to {run['end']}, {run['sessions']:,} session{plural}{bars}"


def banners(record: Record, metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a reader must know before any figure, as (text, "red" | "yellow")."""
    out = []
    if record.certificate is not None and record.certificate["verdict"] != "PASS":
        failed = next(one for one in record.certificate["findings"] if one["passed"] is False)
        text = f"LOOK-AHEAD AUDIT FAILED ({failed['name']}): {failed['evidence']}. No figure here can be believed."
        out.append((text, "red"))
    if record.synthetic:
        out.append((SYNTHETIC, "yellow"))
    if record.ruined:
        out.append(("RUINED: equity reached zero; everything was liquidated and trading stopped.", "red"))
    adjusted = sorted({warning.symbol for warning in record.warnings if warning.kind == "adjusted_only"})
    if adjusted:
        text = f"Adjusted closes only: {some(adjusted)}. No dividends, splits or volumes are known for them."
        out.append((text, "yellow"))
    kelly = metrics["kelly"]
    if kelly is not None and kelly["exceeded"]:
        out.append((_kelly_text(kelly), "yellow"))
    sessions = metrics["run"]["sessions"]
    relative = metrics["relative"]
    if relative is not None and relative["sessions"] < sessions and not _begins_with(record, relative["sessions"]):
        text = (
            f"Benchmark {metrics['benchmark']['symbol']} covers {relative['sessions']:,} of {sessions:,} sessions, "
            f"{relative['start']} to {relative['end']}: its figures, and those relative to it, are of these alone."
        )
        out.append((text, "yellow"))
    if 0 < sessions < FEWEST_SESSIONS:
        out.append((f"Fewer than {FEWEST_SESSIONS} sessions: no figure a year is given.", "yellow"))
    elif 0 < sessions < 252:
        text = f"Less than a year ({sessions} session{'' if sessions == 1 else 's'}): annualised figures extrapolate."
        out.append((text, "yellow"))
    return out


def _begins_with(record: Record, n_relative: int) -> bool:
    """Whether a benchmark misses the return of the first session alone: its rows begin with the run's own."""
    benchmark, sessions = record.benchmark, record.sessions
    return n_relative == len(sessions) - 1 and benchmark is not None and benchmark.index[0] == sessions[1]


def _kelly_text(kelly: Mapping[str, Any]) -> str:
    target, bound = (shown(kelly[key], "percent") for key in ("sigma_p", "half_kelly"))
    return (
        f"Beyond half Kelly: sized to a volatility of up to {target} a year, while half the estimated Sharpe ratio of "
        f"{shown(kelly['sharpe_excess'], 'ratio')} over bills allows {bound}."
    )


def some(names: Sequence[str], limit: int = NAMED_SYMBOLS) -> str:
    """Return the first names in words and how many more there are."""
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")


def warning_lines(warnings: Sequence[DataWarning]) -> list[str]:
    """Return one line per kind of warning: how often, for which symbols, and the first text."""
    groups: dict[str, list[DataWarning]] = {}
    for warning in warnings:
        groups.setdefault(warning.kind, []).append(warning)
    lines = []
    for kind, group in groups.items():
        symbols = sorted({warning.symbol for warning in group if warning.symbol})
        where = f" ({some(symbols)})" if symbols else ""
        text = group[0].text if len(group[0].text) <= TEXT_WIDTH else group[0].text[: TEXT_WIDTH - 1] + "…"
        first = text if len(group) == 1 else f"first: {text}"
        lines.append(f"{title(kind)} x{len(group)}{where}: {first}")
    return lines
