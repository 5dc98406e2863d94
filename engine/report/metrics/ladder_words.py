"""The ladder in words: the same in the terminal and on the page. Blocks are those of `metrics.json`."""

from collections.abc import Mapping
from typing import Any, Final

from plimsoll.engine.report.metrics.labels import DASH, Label, as_read, shown
from plimsoll.engine.report.metrics.ladder import BEATS, LEVEL, LOSES
from plimsoll.engine.runtime.rung import TITLES

WORDS: Final = {BEATS: "beats", LOSES: "loses to", LEVEL: "is not distinguishable from"}
# Figures of a rung, and those of its difference to 1/N-risk, which have a sign.
FIGURES: Final[tuple[Label, ...]] = (
    ("cagr", "CAGR", "percent"),
    ("vol_ann", "Volatility", "percent"),
    ("sharpe_excess", "Sharpe over bills", "ratio"),
    ("max_drawdown", "Max drawdown", "percent"),
    ("turnover", "Turnover a year", "ratio"),
    ("cost_bps", "Costs, bps a year", "bps"),
)
DIFFERENCES: Final[tuple[tuple[str, str], ...]] = (
    ("difference", "Sharpe less 1/N-risk"),
    ("standard_error", "s.e."),
    ("first_half", "First half"),
    ("second_half", "Second half"),
)


BRIEF: Final = ("cagr", "vol_ann", "sharpe_excess", "max_drawdown")
BRIEF_HEAD: Final = ("shared by", "CAGR", "vol", "Sharpe", "max DD", "less 1/N-risk", "s.e.", "half 1", "half 2")


def head() -> tuple[str, ...]:
    """Return the titles of a rung's row."""
    return ("", *(label for _, label, _ in FIGURES), *(label for _, label in DIFFERENCES), "Verdict")


def row(rung: Mapping[str, Any], own: str) -> tuple[str, ...]:
    """Return a rung's name, marked where the run is it, and its figures; dashes for what it has not."""
    name = f"{rung['title']}, this run" if rung["name"] == own else str(rung["title"])
    figures = (shown(rung.get(key), kind) for key, _, kind in FIGURES)
    said = str(rung.get("verdict") or ("failed" if rung.get("why") else DASH))
    return (name, *figures, *(_difference(rung, key) for key, _ in DIFFERENCES), said)


def brief_row(rung: Mapping[str, Any], own: str) -> tuple[str, ...]:
    """Return a row that fits into a terminal, under `BRIEF_HEAD`."""
    name = f"{rung['title']} *" if rung["name"] == own else str(rung["title"])
    figures = (shown(rung.get(key), kind) for key, _, kind in FIGURES if key in BRIEF)
    return (name, *figures, *(_difference(rung, key) for key, _ in DIFFERENCES))


def _difference(rung: Mapping[str, Any], key: str) -> str:
    value = rung.get(key)
    return fine(value) if key == "standard_error" else signed(value)


def fine(value: float | None) -> str:
    """Return a figure of the size of a standard error as text: two digits would round it to one."""
    return DASH if value is None else as_read(f"{value:z.3f}")


def signed(value: float | None) -> str:
    """Return a difference as text, with its sign."""
    return DASH if value is None else as_read(f"{value:+z.3f}")


def verdicts(block: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each verdict, and one for what the rule comes to."""
    out = [_verdict(one, block) for one in block["verdicts"]]
    if block["ships"] is not None:
        own, ships = block["own"], block["ships"]
        here = "which this run does" if own == ships else f"this run has {TITLES[own]}"
        out.append(f"Rule: {block['rule']}. It comes to {TITLES[ships]}; {here}.")
    return out


def _verdict(one: Mapping[str, Any], block: Mapping[str, Any]) -> str:
    sure = "no standard error: too few sessions"
    if one["standard_error"] is not None:
        sure = f"s.e. {fine(one['standard_error'])} by blocks of {block['block_sessions']} sessions"
    halves = f"{signed(one['first_half'])} in the first half, {signed(one['second_half'])} in the second"
    return (
        f"{one['title']} {WORDS[one['verdict']]} 1/N-risk net of costs: "
        f"Sharpe over bills {signed(one['difference'])} ({sure}); {halves}."
    )


def remarks(block: Mapping[str, Any]) -> list[str]:
    """Return what did not go as asked: no ladder, a rung that failed, decisions made by something simpler."""
    out = [f"no ladder: {block['why']}"] if block["why"] else []
    out += [f"{rung['title']} failed: {rung['why']}" for rung in block["rungs"] if rung.get("why")]
    fallen: dict[str, list[str]] = {}
    for rung in block["rungs"]:
        if rung.get("fallen_back"):
            by = ", ".join(f"{name} {count:,}" for name, count in rung["decided"].items() if name != rung["asked"])
            fallen.setdefault(f"{shown(rung['fallen_back'], 'percent')} of decisions, shared by {by}", []).append(
                rung["title"]
            )
    return out + [f"no estimate of its own for {', '.join(names)} at {where}" for where, names in fallen.items()]
