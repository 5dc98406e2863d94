"""Small figures of the strategies' own diagnostics and of a book's, named in words with their units."""

from typing import Any, Final

import numpy as np

from plimsoll.engine.portfolio.book_facts import PER_SLEEVE
from plimsoll.engine.report.metrics.diagnostic_words import BOOK, words_for
from plimsoll.engine.report.metrics.labels import as_read, title
from plimsoll.engine.report.metrics.notes import is_switch
from plimsoll.engine.report.page.figure_parts import (
    FEW_DIGITS,
    FEW_POINTS,
    Figure,
    Trace,
    dates,
    line,
    number_axis,
    percent_axis,
    series_colour,
)
from plimsoll.engine.report.tearsheet.axes import axis_of
from plimsoll.engine.runtime.curves import Curves
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Bools, Dates, Floats, Ints

# What a book notes of each sleeve makes one figure a kind, a line a sleeve.
_TOGETHER: Final = {
    "share": "Share of the book, by sleeve",
    "hrp": "Weight by HRP before cap and ramp, by sleeve",
    "erc": "Weight by ERC before cap and ramp, by sleeve",
    "skill": "Skill, mean rank correlation, by sleeve",
    "slot": "Slot of the book, used or lent, by sleeve",
}
_BRIEF: Final[dict[str, Any]] = {"limit": FEW_POINTS, "digits": FEW_DIGITS}
Named = tuple[tuple[str, str], tuple[Dates, Floats]]


def diagnostic_figures(record: Record, curves: Curves) -> list[tuple[str, list[Figure], str]]:
    """Return (sleeve, its figures, what never changed, in words): a 0/1 switch as filled steps, else lines."""
    singles: dict[str, list[tuple[int, Named]]] = {}
    kinds: dict[str, list[Named]] = {}
    for number, one in enumerate(curves.items()):
        (sleeve, name), _ = one
        kind, _, of = name.partition(".")
        if sleeve == BOOK and of and kind in PER_SLEEVE:
            kinds.setdefault(kind, []).append(one)
        singles.setdefault(sleeve, [])
        if not (sleeve == BOOK and of and kind in PER_SLEEVE):
            singles[sleeve].append((number, one))
    groups = []
    for sleeve, ones in singles.items():
        still = [f"{words_for(*key)[0]} {values[0]:z.6g}" for _, (key, (_, values)) in ones if _still(values)]
        moving = [_figure(f"diagnostic_{k}", *one, record) for k, one in ones if not _still(one[1][1])]
        together = [_joint(kind, some, record) for kind, some in kinds.items()] if sleeve == BOOK else []
        groups.append((sleeve, [*moving, *together], "; ".join(still)))
    return groups


def _still(values: Floats) -> bool:
    """Whether there are several values and all are the same number."""
    return len(values) > 1 and bool(np.isfinite(values[0])) and bool(np.all(values == values[0]))


def _figure(key: str, names: tuple[str, str], curve: tuple[Dates, Floats], record: Record) -> Figure:
    (sleeve, name), (days, values) = names, curve
    words, reads = words_for(sleeve, name)
    known = values[np.isfinite(values)]
    if len(known) == 0:
        reason = "It was declared but never had a value."
        return Figure(key, words, reason, empty=reason, height=170)
    switch = is_switch(values)
    share = reads == "percent"
    if switch:
        at = _changes(values)
        steps: dict[str, Any] = {"fill": "tozeroy", "line": {"shape": "hv", "width": 1.0}, "limit": len(at)}
        trace = line(words, dates(days[at]), values[at], "@s1", **steps)
        ratio = f"on in {np.mean(known):z.1%} of sessions"
    else:
        place = axis_of(days, record)
        trace = line(words, values=values, colour="@account", line={"width": 1.2}, **_BRIEF, **place)
        mean, last = (as_read(f"{v:z.2%}" if share else f"{v:z.4g}") for v in (np.mean(known), known[-1]))
        ratio = f"mean {mean}, last {last}"
    layout: dict[str, Any] = {**(percent_axis() if share and not switch else number_axis("", ".6~g"))}
    layout["showlegend"] = False
    if switch:
        layout["yaxis"] = {**layout["yaxis"], "range": [0, 1.05], "tickvals": [0, 1], "ticktext": ["off", "on"]}
    alt = f"Diagnostic {name} of {sleeve}: {words}, {ratio}."
    return Figure(key, words, alt, [trace], layout, note=ratio, height=170)


def _joint(kind: str, curves: list[Named], record: Record) -> Figure:
    data: list[Trace] = []
    for rank, ((_, name), (days, values)) in enumerate(curves):
        if np.isfinite(values).any() and np.any(np.nan_to_num(values) != 0.0):
            of, colour = name.partition(".")[2], series_colour(rank)
            style: dict[str, Any] = {"line": {"width": 1.1}, **_BRIEF}
            data.append(line(of, values=values, colour=colour, **style, **axis_of(days, record)))
    words = _TOGETHER.get(kind, title(kind))
    layout = number_axis() if kind == "skill" else percent_axis("of the book")
    return Figure(f"of_sleeves_{kind}", words, f"Line chart: {words}.", data, layout, height=300)


def _changes(values: Floats) -> Ints:
    """Return the positions that a step line needs: the first, the last and every change."""
    moved: Bools = np.concatenate(([True], values[1:] != values[:-1]))
    moved[-1] = True
    return np.flatnonzero(moved)
