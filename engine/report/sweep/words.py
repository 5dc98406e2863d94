"""The words of a sweep's page: headline figures, what to make of them, the top settings, the failed ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from plimsoll.engine.report.metrics.labels import DASH, share_text
from plimsoll.engine.report.sweep.plateau import Plateau
from plimsoll.engine.report.sweep.table import ONE_SIGN, Metric, Sweep, goodness
from plimsoll.engine.report.tearsheet.headline import Tile

TOP: Final = 20
TOP_METRICS: Final = 10
FAILED_ROWS: Final = 50
REASON_WIDTH: Final = 300


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table that sorts: its text and what it is sorted by."""

    text: str
    sort: str = ""


def tiles(sweep: Sweep, best: Plateau | None) -> list[Tile]:
    """Return the headline figures; `best` is the best plateau."""
    metric, n = sweep.metric, len(sweep.settings)
    failed = n - int(np.count_nonzero(sweep.ok))
    known = sweep.ranked[sweep.rank]
    count = Tile("Settings", f"{n:,}", f"{failed:,} failed" if failed else "none failed", "bad" if failed else "")
    if len(known) == 0:
        return [count, *(Tile(f"{which} {metric.title}", DASH, "") for which in ("Best", "Median", "Worst"))]
    first, last = sweep.settings[sweep.rank[0]], sweep.settings[sweep.rank[-1]]
    quarter, three = np.quantile(known, (0.25, 0.75))
    out = [
        count,
        Tile(f"Best {metric.title}", metric.shown(known[0]), f"setting {first}"),
        Tile(
            f"Median {metric.title}",
            metric.shown(float(np.median(known))),
            f"half in {metric.shown(quarter)} to {metric.shown(three)}",
        ),
        Tile(f"Worst {metric.title}", metric.shown(known[-1]), f"setting {last}"),
    ]
    if best is not None:
        beside = f"setting {sweep.settings[best.row]}, with {best.known} neighbours"
        out.append(Tile("Best plateau", metric.shown(best.level), beside))
    return out


def reading(
    sweep: Sweep, top: Sequence[Plateau], best: Plateau | None, base: float, luck: Sequence[str] = ()
) -> list[str]:
    """Return plain sentences on what the figures are worth.

    base : the base configuration's metric or NaN. luck : what is left of the best after all settings, in sentences.
    """
    metric = sweep.metric
    known = sweep.ranked[sweep.rank]
    if len(known) == 0:
        return [f"No setting has a {metric.title}: there is nothing to choose from."]
    out = []
    if len(known) > 1:
        way = "downward" if metric.lower else "upward"
        out.append(
            f"The best of {len(known):,} settings was picked after the fact: its {metric.title} of "
            f"{metric.shown(known[0])} is biased {way}, the more so the more settings were tried. "
            f"Expect something nearer the median, {metric.shown(float(np.median(known)))}, and test the choice on "
            f"data that had no part in it."
        )
    out += luck
    alike = sweep.equal_to_best
    if alike > 1:
        out.append(f"{alike:,} settings share the best {metric.title} to 1e-9; they stand in the grid's order.")
    if sweep.begins and len(np.unique(sweep.lengths[sweep.rank])) > 1:
        out.append("The settings are measured over spans of different length: their figures are not alike.")
    out += _shares(sweep, base)
    if top and top[0].known:
        out.append(
            f"The {top[0].known} grid neighbours of the best setting have a median {metric.title} of "
            f"{metric.shown(top[0].median)}, the worst of them {metric.shown(top[0].worst)}."
        )
    if best is not None and top and best.row != top[0].row:
        out.append(
            f"The best plateau is around setting {sweep.settings[best.row]}: {metric.shown(best.own)} itself, "
            f"{metric.shown(best.median)} in the middle of its neighbours."
        )
    missing = int(np.count_nonzero(sweep.ok)) - len(known)
    if missing:
        out.append(f"{missing:,} finished without a defined {metric.title}; they are not ranked.")
    return out


def top_head(sweep: Sweep) -> list[str]:
    """Return the header of the table of top settings."""
    names, others = [key.name for key in sweep.keys], [metric.title for metric in sweep.metrics[1:TOP_METRICS]]
    spans = ["From", "Sessions"] if sweep.begins else []
    return ["Setting", *names, *spans, sweep.metric.title, "Median neighbour", "Worst", "Neighbours", *others]


def top_rows(sweep: Sweep, top: Sequence[Plateau]) -> list[list[Cell]]:
    """Return the rows of the table of top settings, best first."""
    return [_top_row(sweep, found) for found in top]


def failed_rows(sweep: Sweep) -> tuple[list[tuple[str, ...]], int]:
    """Return (setting, its keys' values, reason) of the first failed settings, and how many more failed."""
    rows = np.flatnonzero(~sweep.ok)
    return [_failed_row(sweep, int(row)) for row in rows[:FAILED_ROWS]], max(0, len(rows) - FAILED_ROWS)


def failed_reasons(sweep: Sweep) -> list[tuple[str, str, str]]:
    """Return (reason, how often, its first setting), the most frequent first."""
    groups: dict[str, list[int]] = {}
    for row in np.flatnonzero(~sweep.ok):
        groups.setdefault(_brief(sweep.reasons[row]), []).append(int(row))
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))[:FAILED_ROWS]
    return [(reason, f"{len(rows):,}", str(sweep.settings[rows[0]])) for reason, rows in ordered]


def facts_shown(facts: Mapping[str, str], hidden: Sequence[str]) -> list[tuple[str, str]]:
    """Return the facts to list, without those shown elsewhere."""
    return [(name, text) for name, text in facts.items() if name not in hidden]


def _shares(sweep: Sweep, base: float) -> list[str]:
    metric, known = sweep.metric, sweep.ranked[sweep.rank]
    parts = []
    if metric.key not in ONE_SIGN:
        parts.append(f"{share_text(float(np.mean(known > 0.0)))} are above zero")
    if np.isfinite(base):
        better = goodness(known, metric) > goodness(np.array([base]), metric)
        parts.append(
            f"{share_text(float(np.mean(better)))} are better than the base configuration ({metric.shown(base)})"
        )
    return [f"Of the settings, {' and '.join(parts)}."] if parts else []


def _top_row(sweep: Sweep, found: Plateau) -> list[Cell]:
    row, metric = found.row, sweep.metric
    cells = [Cell(str(sweep.settings[row]), str(sweep.settings[row]))]
    cells += [Cell(key.labels[key.codes[row]], str(key.codes[row])) for key in sweep.keys]
    if sweep.begins:
        length = int(sweep.lengths[row])
        cells += [Cell(sweep.begins[row], sweep.begins[row]), Cell(f"{length:,}", str(length))]
    around = f"{found.known}" + (f" + {found.failed} failed" if found.failed else "")
    cells += [_metric_cell(metric, value) for value in (found.own, found.median, found.worst)]
    cells.append(Cell(around, f"{found.known}"))
    return cells + [_metric_cell(m, float(sweep.values[m.key][row])) for m in sweep.metrics[1:TOP_METRICS]]


def _metric_cell(metric: Metric, value: float) -> Cell:
    return Cell(metric.shown(value), f"{value:.9g}" if np.isfinite(value) else "")


def _failed_row(sweep: Sweep, row: int) -> tuple[str, ...]:
    labels = (key.labels[key.codes[row]] for key in sweep.keys)
    return str(sweep.settings[row]), *labels, _brief(sweep.reasons[row])


def _brief(reason: str) -> str:
    text = " ".join(reason.split()) or "no reason given"
    return text if len(text) <= REASON_WIDTH else text[: REASON_WIDTH - 1] + "…"
