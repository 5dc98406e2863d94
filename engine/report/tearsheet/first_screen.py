"""The first screen: what ran, what vouches for it, what deserves an answer, where the result comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from plimsoll.engine.market.panel import DataWarning
from plimsoll.engine.report.metrics.labels import STAGES, count_shown, shown
from plimsoll.engine.report.metrics.notices import some
from plimsoll.engine.report.metrics.target import TAKERS
from plimsoll.engine.runtime.record import Record

MANY_PARAMETERS: Final = 8
MOST: Final = 24  # contributors shown; of more, those in the middle are one row
# Kinds of data warnings that change what a figure means, not just how a file was read.
ACTED_ON: Final = (
    "target_not_held", "cap_overridden", "price_jump", "stale_prices", "ends_early", "data_end_early", "delisted",
    "sleeve_disabled", "quarantined", "no_bill_rate", "no_rows", "not_in_data",
)  # fmt: skip
COUNTED: Final = {
    "margin_calls": "margin calls",
    "delisted_positions_sold": "delisted positions sold at their last close",
    "orders_cut_at_fill": "orders cut because the money was gone at the fill",
    "orders_without_price": "orders without a price",
    "expired_orders": "orders expired",
    "sleeves_disabled": "sleeves disabled for want of data",
    "sleeves_quarantined": "sleeves quarantined after an error",
}
FILLS: Final = {"next_open": "filled at the next open", "next_close": "filled at the next close"}


@dataclass(frozen=True, slots=True)
class Vouched:
    """One verdict on the run: `tone` is "good", "bad" or "" for none."""

    name: str
    text: str
    tone: str


def _pace(run: Mapping[str, Any]) -> str:
    """Return how often there was a decision: by sessions, within a session by bars."""
    sessions, bars = run["sessions"] / run["decisions"], run["bars"] / run["decisions"]
    if run["interval"] != "1d" and sessions < 0.95:
        return "at every bar" if bars < 1.5 else f"every {bars:z.0f} bars"
    return "at every session" if sessions < 1.5 else f"every {sessions:z.0f} sessions"


def what_ran(record: Record, metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what was run in rows of (name, text); only what the configuration says."""
    config, run = record.config, metrics["run"]
    sleeves = config.get("sleeve", [])
    rows = [("Strategy", _strategies(sleeves))] if sleeves else []
    names = [str(column) for column in record.weights.columns]
    rows.append(("Universe", f"{len(names):,} symbols: {some(names, 12)}" if len(names) > 1 else "".join(names)))
    how = FILLS.get(config.get("execution", {}).get("fill", ""), "")
    decided = f"{run['decisions']:,} decisions, {_pace(run)}" if run["decisions"] else "no decision"
    traded = f"traded on {metrics['turnover']['sessions_with_trades']:,}"
    rows.append(("Schedule", "; ".join(part for part in (decided, traded, how) if part)))
    if parameters := _parameters(config):
        rows.append(("Parameters", parameters))
    if "costs" in config:
        rows.append(("Money", _money(config)))
    rows += [("Beside", span.text) for span in record.spans if span.by_default]
    return rows


def _strategies(sleeves: list[Any]) -> str:
    if len(sleeves) == 1:
        own = sleeves[0]
        return str(own["strategy"]) if own["name"] == own["strategy"] else f"{own['strategy']}, called {own['name']}"
    waiting = [s["name"] for s in sleeves if s.get("status", "promoted") != "promoted"]
    text = f"{len(sleeves)} sleeves: {', '.join(s['name'] for s in sleeves)}"
    return text + (f"; without capital: {', '.join(waiting)}" if waiting else "")


def _parameters(config: Mapping[str, Any]) -> str:
    """Return what one strategy was given, or the bounds of a book, as `key = value`."""
    sleeves, stages = config.get("sleeve", []), config.get("integrator", {})
    if len(sleeves) == 1:
        given = {key: value for key, value in sleeves[0].get("params", {}).items() if not isinstance(value, dict)}
        brief = {key: value for key, value in given.items() if not (isinstance(value, list) and len(value) > 4)}
        text = [f"{key} = {_value(value)}" for key, value in list(brief.items())[:MANY_PARAMETERS]]
        more = len(given) - len(text)
        return ", ".join(text) + (f" and {more} more" if more and text else "") if text else "its defaults"
    if stages.get("preset") != "book":
        return ""
    caps = stages.get("caps", {})
    keys = (
        ("volatility target", stages.get("vol_target", {}).get("target")),
        ("allocation", stages.get("allocate", {}).get("method")),
        ("name cap", caps.get("name")),
        ("cluster cap", caps.get("cluster")),
        ("gross cap", caps.get("gross")),
        ("flat at a drawdown of", stages.get("governor", {}).get("flat")),
    )
    return ", ".join(f"{name} {_value(value)}" for name, value in keys if value is not None)


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return " ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def _money(config: Mapping[str, Any]) -> str:
    costs, account, carry = (config.get(key, {}) for key in ("costs", "account", "financing"))
    flat = f", {costs['flat_bps']:g} bps of traded notional" if costs.get("preset") == "flat" else ""
    parts = [f"{account.get('type', '')} account", f"costs {costs['preset']}{flat}"]
    rate = carry.get("cash_rate")
    if rate is not None:
        parts.append(f"cash earns {rate if isinstance(rate, str) else f'{rate:z.2%}'}")
        parts.append(f"debt pays {carry.get('margin_spread_bps', 0.0):g} bps more")
    return ", ".join(parts)


def vouched(record: Record) -> list[Vouched]:
    """Return what vouches for the run: its look-ahead certificate, and a validation's verdict where one is named."""
    certificate, verdict = record.certificate, record.verdict
    if certificate is None:
        found = [Vouched("Look-ahead audit", "not run for this folder (plimsoll audit)", "")]
    else:
        passed = certificate["verdict"] == "PASS"
        found = [Vouched("Look-ahead audit", str(certificate["verdict"]), "good" if passed else "bad")]
    if verdict is None:
        found.append(Vouched("Validation", "no verdict named (plimsoll validate, gate.verdict)", ""))
    elif not verdict["fits"]:
        found.append(Vouched("Validation", "the verdict on file is of another source, configuration or data", "bad"))
    else:
        found.append(Vouched("Validation", *(("PASS", "good") if verdict["passed"] else ("FAIL", "bad"))))
    return found


def worth_acting_on(record: Record, metrics: Mapping[str, Any]) -> list[str]:
    """Return sentences on what asks for a decision: leverage and its price, targets not held, spans, counts."""
    said = [*_leverage(metrics), *_target(metrics)]
    groups: dict[str, list[DataWarning]] = {}
    for warning in record.warnings:
        if warning.kind in ACTED_ON:
            groups.setdefault(warning.kind, []).append(warning)
    said += [_told(group) for group in groups.values()]
    said += [span.text for span in record.spans if span.sessions < span.of or span.held]
    counts = [f"{text} {count_shown(record.counts[key])}" for key, text in COUNTED.items() if record.counts.get(key)]
    return said + ([f"Counted: {'; '.join(counts)}."] if counts else [])


def _told(group: list[DataWarning]) -> str:
    """Return the first of some warnings of one kind, its symbol named, and how many more symbols there are."""
    first, more = group[0], len({warning.symbol for warning in group}) - 1
    name = f"{first.symbol}: " if first.symbol and first.symbol not in first.text else ""
    return f"{name}{first.text}" + (f" (and {more} more symbol{'s' if more > 1 else ''})" if more > 0 else "")


def _leverage(metrics: Mapping[str, Any]) -> list[str]:
    exposure, costs = metrics["exposure"], metrics["costs"]
    share = exposure["time_levered_notional"]
    look = exposure["time_levered"]
    bps = costs["financing_bps_per_year"]
    if share is not None and share > 0.0 and (share >= 0.01 or (bps or 0.0) >= 1.0):
        price = "" if bps is None else f"; margin interest took {shown(bps, 'bps')} bps a year"
        most = shown(exposure["gross"]["max"], "ratio")
        return [f"Gross is above 1 on {share:z.0%} of sessions, {most} at most{price}."]
    if look is not None and look >= 0.01:
        most = shown(exposure["look_through_gross"]["max"], "ratio")
        return [f"Looked through leveraged funds, gross is above 1 on {look:z.0%} of sessions, {most} at most."]
    return []


def _target(metrics: Mapping[str, Any]) -> list[str]:
    block = metrics["target"]
    if block is None or block["realised_over_target"] is None or 0.8 <= block["realised_over_target"] <= 1.2:
        return []
    most = block["responsible"]
    why = (
        "" if most is None else f"; {TAKERS[most]} takes most, {shown(block['taken'][most], 'percent')} of the exposure"
    )
    ratio, aim = shown(block["realised_over_target"], "ratio"), shown(block["sigma_p"], "percent")
    return [f"Realised volatility is {ratio} of the {aim} aimed at{why}."]


def contributors(record: Record) -> tuple[str, list[tuple[str, str, str, str]]]:
    """Return a caption and (name, amount, share of width 0 to 100, sign) of all that made the profit, gains first.

    Of a book its sleeves, what the stages made of them, execution and cash; else the symbols. Net profit in USD either
    way; the rows sum to what the caption says.
    """
    parts, caption = record.pnl_by_sleeve, "Net profit by sleeve, and what each stage took or gave"
    if int((parts["kind"] == "sleeve").sum()) < 2:
        parts, caption = record.pnl_by_symbol, "Net profit by symbol, financing and costs taken off"
    made = parts["pnl"].dropna()
    made = made[made != 0.0].sort_values(ascending=False, kind="stable")
    rows = [(STAGES.get(str(name), str(name)), float(value)) for name, value in made.items()]
    return f"{caption}, USD; in all {shown(float(made.sum()), 'count')}", _bars(_shortened(rows))


def _shortened(ranked: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return the rows with those in the middle as one, where there are too many for a screen."""
    if len(ranked) <= MOST:
        return ranked
    half = MOST // 2
    middle = ranked[half:-half]
    return [*ranked[:half], (f"{len(middle)} more", sum(value for _, value in middle)), *ranked[-half:]]


def _bars(rows: list[tuple[str, float]]) -> list[tuple[str, str, str, str]]:
    widest = max((abs(value) for _, value in rows), default=0.0)
    if not widest > 0.0 or not np.isfinite(widest):
        return []
    return [
        (name, shown(value, "count"), f"{abs(value) / widest * 100.0:.1f}", "good" if value >= 0.0 else "bad")
        for name, value in rows
    ]
