"""The look-ahead certificate as tables of finished text."""

from collections.abc import Mapping
from typing import Any, Final

from plimsoll.engine.report.metrics.labels import DASH, Kind, shown
from plimsoll.engine.report.tearsheet.page_table import PageTable

_FIGURES: Final[tuple[tuple[str, Kind], ...]] = (("sharpe", "ratio"), ("cagr", "percent"), ("final_equity", "usd"))


def certificate_tables(certificate: Mapping[str, Any]) -> dict[str, Any]:
    """Return the section of a certificate: its verdict, the passes, what informs only, and the hashes."""
    passes = [
        (one["name"], verdict_of(one["passed"]), one["evidence"] or one["what"]) for one in certificate["findings"]
    ]
    span = f"{certificate['first']} to {certificate['last']}, {certificate['sessions']:,} sessions"
    compared = f"{certificate['decisions']:,} decisions, {certificate['outputs']:,} numbers"
    note = f"{span}; each pass compares {compared}, bit by bit."
    classes = {name: one["class"] for name, one in certificate["strategies"].items()}
    sources = [(f"{name} source", one["sha256"] or DASH) for name, one in certificate["strategies"].items()]
    return {
        "verdict": certificate["verdict"],
        "passes": PageTable("Passes", ("Pass", "Verdict", "What was done, or what was found"), passes, note),
        "comparisons": _comparisons(certificate),
        "hashes": [
            ("Engine source", certificate["engine_hash"]),
            ("Config hash", certificate["config_hash"]),
            ("Data hash", certificate["data_hash"]),
            *((f"{name} class", cls) for name, cls in classes.items()),
            *sources,
            ("Seed", str(certificate["seed"])),
        ],
    }


def verdict_of(passed: bool | None) -> str:
    """Return how the verdict of a pass is shown."""
    return "not run" if passed is None else "PASS" if passed else "FAIL"


def _comparisons(certificate: Mapping[str, Any]) -> PageTable:
    rows = []
    for one in certificate["comparisons"]:
        before, after = one["before"], one["after"] or dict.fromkeys(one["before"])
        cells = [f"{shown(before[key], kind)} → {shown(after[key], kind)}" for key, kind in _FIGURES]
        rows.append((one["name"], *cells, ("Look twice: " if one["warning"] else "") + one["reading"]))
    head = ("Variation", "Sharpe", "CAGR", "Final equity, USD", "Reading")
    return PageTable("How much hangs on a bar (decides nothing)", head, rows)
