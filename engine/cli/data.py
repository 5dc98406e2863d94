"""`plimsoll data`: pull, check, show."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import get_terminal_size
from typing import Any, Final

from plimsoll.engine.cli.progress import progress_bar
from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.verbs.data import SHOWN, DataCheck, check_data, pull_data, show_data
from plimsoll.engine.verbs.host import Host

# How the sources of what was imported begin.
FROM_FILE: Final = "file:"
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
    for one in found.symbols:
        _print_findings((*one.refused, *one.notes), imported=one.source.startswith(FROM_FILE))
    for text in _behind(found):
        sys.stdout.write(f"{text}\n")
    return found.ok


def _behind(found: DataCheck) -> list[str]:
    """Return what to do about symbols that end early: what was pulled is pulled again, what was imported imported."""
    late = [one for one in found.symbols if one.behind > 0]
    files = [one for one in late if one.source.startswith(FROM_FILE)]
    lines = []
    for some, fix in (
        ([one for one in late if one not in files], "`plimsoll data pull` brings what is new"),
        (files, "they are files': `plimsoll data import FILE --out catalog` of newer ones brings what is new"),
    ):
        if some:
            what = f"{len(some)} of {len(found.symbols)} end before the last completed session, {found.last_completed}"
            lines.append(f"{what}; {fix}")
    return lines


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
        print_table(*_fitted(("session", *SHOWN, "source", "known_at"), table))


def _fitted(names: tuple[str, ...], table: list[dict[str, Any]]) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """Return columns and rows, in a narrow terminal without what did not happen and without seconds."""
    if sum(2 + max(len(name), *(len(_cell(row[name])) for row in table)) for name in names) - 2 <= columns():
        return names, table
    nothing = {"dividend": 0.0, "split": 1.0}
    idle = {name for name, none in nothing.items() if all(row[name] == none for row in table)}
    short = [{**row, "known_at": f"{row['known_at'][:16].replace('T', ' ')}Z"} for row in table]
    return tuple(name for name in names if name not in idle), short


def columns() -> int:
    """Return how many columns the terminal has; 80 where there is none and COLUMNS says nothing."""
    return get_terminal_size().columns


def _print_findings(findings: Iterable[GateFinding], *, imported: bool = False) -> None:
    for one in findings:
        again = "import FILE --out catalog" if imported else f"pull {one.symbol}"
        what = {"note": "note", "row": "this session is in quarantine", "symbol": "all of it is in quarantine"}
        when = f", {one.session}" if one.session else ""
        line = f"{one.symbol}{when}: {one.gate}: {one.text} ({what[one.severity]})"
        if one.confirmable:
            line += f"; if it is right: plimsoll data {again} --confirm {one.session}"
        elif one.severity == "row":
            line += f"; it stays out until {'a corrected file is imported' if imported else 'the source corrects it'}"
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
