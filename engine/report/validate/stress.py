"""The stress test on the page of a validation: from the plain figures of `plimsoll stress` to figures and tables.

What is given is what `StressReport.plain` returns and ``stress.json`` holds.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from plimsoll.engine.report.page.figure_parts import Figure, Trace, bars, line, percent_axis, series_colour
from plimsoll.engine.report.tearsheet.page_table import PageTable
from plimsoll.engine.types import Floats

_LONGEST: Final = 400  # sessions a line of the replay figure may have
_CATEGORIES: Final = {"type": "category"}


def stress_figures(found: Mapping[str, Any]) -> tuple[Figure, ...]:
    """Return the figures of a stress test, in the order they are read."""
    scenarios: Sequence[Mapping[str, Any]] = found["scenarios"]
    if not scenarios:
        return ()
    return (_losses(scenarios, found["cap"]), _gross(scenarios), _ways(scenarios, found["cap"]))


def stress_tables(found: Mapping[str, Any]) -> tuple[PageTable, ...]:
    """Return the tables of a stress test: scenarios, tails, tiers, and where the moves came from."""
    return (_scenario_table(found), _tail_table(found), _tier_table(found), _source_table(found))


def _values(scenarios: Sequence[Mapping[str, Any]], part: str, name: str) -> Floats:
    return np.array([scenario[part][name] for scenario in scenarios], dtype=np.float64)


def _losses(scenarios: Sequence[Mapping[str, Any]], cap: float) -> Figure:
    titles = [scenario["title"] for scenario in scenarios]
    data = [
        bars(f"{label}, at once", titles, _values(scenarios, "shock", name), colour)
        for name, label, colour in (
            ("last", "last book", "@account"),
            ("mean", "mean book", "@before"),
            ("worst", "worst-hit book", "@other"),
        )
    ]
    data.append(bars("replayed: worst drawdown", titles, -_values(scenarios, "replay", "drawdown"), "@bad"))
    layout = {**percent_axis("return"), "barmode": "group", "xaxis": _CATEGORIES, "shapes": [_cap_line(cap)]}
    worst = max(scenarios, key=lambda scenario: scenario["replay"]["drawdown"])
    alt = (
        f"What each of {len(scenarios)} scenarios does to the books at once and to the run that goes through it; the "
        f"worst drawdown on the way is {worst['replay']['drawdown']:z.1%}, in {worst['title']}; the cap is {cap:z.0%}."
    )
    note = "At once: all of a scenario's moves in one instant, nothing traded. Replayed: session by session, traded."
    return Figure("stress_losses", "Loss by scenario", alt, data, layout, note, height=380)


def _gross(scenarios: Sequence[Mapping[str, Any]]) -> Figure:
    titles = [scenario["title"] for scenario in scenarios]
    data = [
        bars("held before", titles, _values(scenarios, "replay", "gross_before"), "@before"),
        bars("least held on the way", titles, _values(scenarios, "replay", "gross_lowest"), "@account"),
    ]
    cut = sum(scenario["replay"]["governor"] == "cut" for scenario in scenarios)
    asked = sum(scenario["replay"]["governor"] in ("cut", "did not cut") for scenario in scenarios)
    alt = f"Gross exposure before and on the way; the governor was called on in {asked} scenarios and cut in {cut}."
    note = "Weights held, cash equivalents aside, as fractions of equity; they also fall where prices do."
    layout = {**percent_axis("gross"), "barmode": "group", "xaxis": _CATEGORIES}
    return Figure("stress_gross", "Gross exposure before and after", alt, data, layout, note, height=320)


def _ways(scenarios: Sequence[Mapping[str, Any]], cap: float) -> Figure:
    data: list[Trace] = []
    for k, scenario in enumerate(scenarios):
        nav = np.array(scenario["replay"]["nav"][: _LONGEST + 1], dtype=np.float64)
        steps = [str(session) for session in range(len(nav))]
        data.append(line(scenario["title"], steps, nav / np.maximum.accumulate(nav) - 1.0, series_colour(k)))
    layout = {
        **percent_axis("drawdown"),
        "shapes": [_cap_line(cap)],
        "xaxis": {"type": "linear", "title": {"text": "session"}},
    }
    alt = f"Drawdown of the account session by session in {len(scenarios)} replayed scenarios."
    return Figure("stress_ways", "The account on its way through each scenario", alt, data, layout, height=380)


def _cap_line(cap: float) -> dict[str, Any]:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": -cap, "y1": -cap,
        "line": {"color": "@bad", "width": 1, "dash": "dash"},
    }  # fmt: skip


def _scenario_table(found: Mapping[str, Any]) -> PageTable:
    head = (
        "Scenario", "Sessions", "Last book", "Mean book", "Worst-hit book", "of", "Replay drawdown", "Worst day",
        "Gross before", "Least gross", "Governor cut", "Verdict",
    )  # fmt: skip
    rows = []
    for scenario in found["scenarios"]:
        shock, replay = scenario["shock"], scenario["replay"]
        rows.append(
            (
                scenario["title"],
                f"{scenario['sessions']:,}",
                *(f"{shock[name]:z.1%}" for name in ("last", "mean", "worst")),
                shock["worst_day"],
                *(f"{replay[name]:z.1%}" for name in ("drawdown", "day_loss")),
                *(f"{replay[name]:z.2f}" for name in ("gross_before", "gross_lowest")),
                "-" if replay["governor"] == "none" else f"{replay['cut']:z.0%}",
                scenario["verdict"],
            )
        )
    return PageTable("Scenarios", head, rows, found["verdict"])


def _tail_table(found: Mapping[str, Any]) -> PageTable:
    head = ("Paths", "Book", "Sessions", "VaR 95%", "VaR 99%", "ES 95%", "ES 99%", f"Beyond {found['cap']:z.0%}")
    rows = []
    for kind, tails in (("Student-t(4)", found["student"]), ("own sessions", found["drawn"]["tails"])):
        for tail in tails:
            for one in tail["horizons"]:
                losses = (*one["var"], *one["shortfall"], one["beyond"])
                rows.append((kind, tail["book"], str(one["sessions"]), *(f"{loss:z.2%}" for loss in losses)))
    note = found["drawn"]["why"] or (
        "Held, not traded, before any income. Student-t: correlations of equity-like assets half way to 1. "
        f"Own sessions: blocks of a stationary bootstrap from {found['drawn']['sessions']:,} sessions. "
        "VaR: a quantile of end returns; ES: the mean beyond it."
    )
    return PageTable("Tails", head, rows, note)


def _tier_table(found: Mapping[str, Any]) -> PageTable:
    rows = [
        (scenario["title"], str(change["session"]), change["day"], change["tier"])
        for scenario in found["scenarios"]
        for change in scenario["replay"]["tiers"]
    ]
    note = "Session 0 is the run's last; the dates are the ones a scenario is replayed on, after it."
    return PageTable("Kill tiers", ("Scenario", "Session", "Date", "Tier from there on"), rows, note)


def _source_table(found: Mapping[str, Any]) -> PageTable:
    words = {"prices": "prices", "stated": "stated", "leverage": "underlying", "class": "class", "still": "unmoved"}
    rows = [
        (
            scenario["title"],
            *(", ".join(scenario["how"].get(kind, ())) or "-" for kind in words),
            str(len(scenario["modelled"])),
        )
        for scenario in found["scenarios"]
    ]
    head = ("Scenario", *words.values(), "modelled paths")
    return PageTable("Where the moves come from", head, rows, "Symbols that some close of the run held.")
