"""`plimsoll data`: pull, check, show."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from plimsoll.engine.cli.progress import progress_bar
from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.verbs.data import SHOWN, check_data, pull_data, show_data
from plimsoll.engine.verbs.host import Host

_PULLED = ("symbol", "state", "source", "added", "revised", "last")
_CHECKED = ("symbol", "source", "first", "last", "rows", "revised", "holes", "behind", "state", "gates")
_COUNTS = {"added", "revised", "left_out", "rows", "holes", "behind", *SHOWN}


@dataclass(frozen=True, slots=True)
class PullOptions:
    """What to pull, from where, and since when (ISO date, None = all there is)."""

    symbols: Sequence[str]
    config: Path | None
    source: str
    start: str | None
    confirm: Sequence[str]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class DataOutput:
    """Where the catalog is (None = the user's), and how to print."""

    catalog: Path | None
    as_json: bool


def run_pull(wanted: PullOptions, shown: DataOutput) -> bool:
    """Pull, print what became of each symbol; return whether everything is in the store.

    Raises
    ------
    InputError
        If a symbol or a date is none, the source cannot be reached, or the catalog cannot be used.
    """
    with progress_bar("pull", shown=not shown.as_json, unit="symbols") as progress:
        pulled = pull_data(
            wanted.symbols,
            config=wanted.config,
            source=wanted.source,
            start=wanted.start,
            confirm=wanted.confirm,
            timeout_s=wanted.timeout_s,
            catalog=shown.catalog,
            progress=progress,
            host=data_host(),
        )
    rows = [asdict(one) for one in pulled.outcomes]
    if shown.as_json:
        _print_json(rows)
    else:
        print_table(_PULLED, rows)
        for one in pulled.outcomes:
            if one.state == "failed":
                sys.stdout.write(f"{one.error}\n")
        _print_findings(finding for one in pulled.outcomes for finding in one.findings)
    if pulled.stopped is not None:
        raise pulled.stopped
    return pulled.complete


def run_check(symbols: Sequence[str], shown: DataOutput) -> bool:
    """Print a line per symbol: span, rows, holes, source, gates; return whether nothing is in quarantine.

    Raises
    ------
    DataError
        If the catalog is empty, a symbol is not in it, or a file is damaged.
    """
    found = check_data(symbols, catalog=shown.catalog, host=data_host())
    rows = [asdict(one) for one in found.symbols]
    if shown.as_json:
        _print_json({"last_completed": found.last_completed, "symbols": rows})
        return found.ok
    print_table(_CHECKED, [{**row, "gates": " ".join(row["gates"])} for row in rows])
    _print_findings(finding for one in found.symbols for finding in (*one.refused, *one.notes))
    n_behind = sum(one.behind > 0 for one in found.symbols)
    if n_behind:
        text = f"{n_behind} of {len(rows)} end before the last completed session, {found.last_completed}"
        sys.stdout.write(f"{text}; `plimsoll data pull` brings what is new\n")
    return found.ok


def run_show(symbol: str, rows: int, shown: DataOutput) -> None:
    """Print the last rows of a symbol as traded, with their source and when they became known.

    Raises
    ------
    DataError
        If it is not in the catalog, or its file is damaged.
    """
    table = show_data(symbol, rows, catalog=shown.catalog, host=data_host())
    if shown.as_json:
        _print_json(table)
    else:
        print_table(("session", *SHOWN, "source", "known_at"), table)


def _print_findings(findings: Iterable[GateFinding]) -> None:
    for one in findings:
        what = {"note": "note", "row": "this session is in quarantine", "symbol": "the pull is in quarantine"}
        when = f", {one.session}" if one.session else ""
        line = f"{one.symbol}{when}: {one.gate}: {one.text} ({what[one.severity]})"
        if one.confirmable:
            line += f"; if it is right: plimsoll data pull {one.symbol} --confirm {one.session}"
        elif one.severity == "row":
            line += "; it stays out until the source corrects it"
        sys.stdout.write(f"{line}\n")


def _print_json(told: Any) -> None:
    sys.stdout.write(json.dumps(told, indent=2, allow_nan=False) + "\n")


def print_table(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """Print numbers to the right, texts to the left, "-" for what is not known."""
    cells = [list(columns), *([_cell(row[name]) for name in columns] for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(columns))]
    for line in cells:
        padded = [
            cell.rjust(width) if name in _COUNTS else cell.ljust(width)
            for name, cell, width in zip(columns, line, widths, strict=True)
        ]
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def data_host() -> Host:
    """Return the process of a data command."""
    return Host(os.environ, clock=_now)


def _now() -> datetime:
    return datetime.now(UTC)
