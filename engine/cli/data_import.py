"""Print what `plimsoll data import` did: a line a symbol, what was assumed, what the gates said."""

import json
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final, TypeAlias

from plimsoll.engine.cli.data import print_table
from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.verbs.data_import import CATALOG, Imported, ImportOutcome

_COLUMNS: Final = ("symbol", "state", "layout", "interval", "rows", "left_out", "first", "last")
Command: TypeAlias = Callable[[ImportOutcome], str]
_SHOWN: Final = 8
# So many findings of one gate on one symbol are printed; --json has them all.
_FINDINGS: Final = 5


def print_imported(
    imported: Imported, *, as_json: bool, command: Command | None = None, only_checked: bool = False
) -> None:
    """Print an import as a table with its words, or as JSON.

    command : what to type again for one symbol, for its findings that a person may confirm. only_checked : nothing was
    to be written.
    """
    rows = [asdict(one) for one in imported.outcomes]
    if as_json:
        sys.stdout.write(json.dumps({"out": imported.out, "symbols": rows}, indent=2, allow_nan=False) + "\n")
        return
    print_table(_COLUMNS, rows)
    for line, named in _by_line(imported.outcomes).items():
        symbols = list(dict.fromkeys(named))
        shown = ", ".join(symbols[:_SHOWN]) + (f" and {len(symbols) - _SHOWN} more" if len(symbols) > _SHOWN else "")
        sys.stdout.write(f"{shown}: {line}\n")
    for one in imported.outcomes:
        again = f"plimsoll data import {one.where}" if command is None else command(one)
        for text in finding_lines(one.findings, again):
            sys.stdout.write(f"{text}\n")
    if not only_checked:
        sys.stdout.write(_last_line(imported) + "\n")


def import_again(paths: Sequence[Path], said: Mapping[str, object], imported: Imported) -> Command:
    """Return what to type again for one symbol of an import: of several, its own file and nothing else of it.

    said : flags of the command and what was given with them; nothing, False and () were not given.
    """
    words = []
    for flag, value in said.items():
        for one in value if isinstance(value, list) else [value] if value else []:
            words += [flag] if one is True else [flag, str(one)]
    if imported.out and said.get("--out") != CATALOG and not said.get("--force"):
        words.append("--force")  # what passed lies there by now
    alone = len(imported.outcomes) == 1

    def command(one: ImportOutcome) -> str:
        files = [str(path) for path in paths] if alone else [one.where.partition(":")[0], "--only", one.symbol]
        return f"plimsoll data import {shlex.join([*files, *words])}"

    return command


def finding_lines(findings: Sequence[GateFinding], command: str) -> list[str]:
    """Return a line a finding, and how to confirm what may be right; of many alike the first five."""
    lines, counts = [], dict.fromkeys((one.gate for one in findings), 0)
    for one in findings:
        counts[one.gate] += 1
        if counts[one.gate] > _FINDINGS:
            continue
        what = {"note": "note", "row": "this row is kept out", "symbol": "nothing of it is stored"}[one.severity]
        when = f", {one.session.replace('T', ' ')}" if one.session else ""
        line = f"{one.symbol}{when}: {one.gate}: {one.text} ({what})"
        if one.confirmable:
            line += f"; if it is right: {command} --confirm {one.session[:10]}"
        lines.append(line)
    more = {gate: count - _FINDINGS for gate, count in counts.items() if count > _FINDINGS}
    return lines + [f"{findings[0].symbol}: {gate}: {count} more" for gate, count in more.items()]


def _by_line(outcomes: Iterable[ImportOutcome]) -> dict[str, list[str]]:
    """Return the symbols that each line was said of; a line that begins with its symbol loses it."""
    found: dict[str, list[str]] = {}
    for one in outcomes:
        for line in one.said:
            found.setdefault(line.removeprefix(f"{one.symbol}: ").removeprefix(f"{one.symbol} "), []).append(one.symbol)
    return found


def _last_line(imported: Imported) -> str:
    if imported.out:
        return f"written to {imported.out}"
    if all(one.rows and one.state != "refused" for one in imported.outcomes):
        return "nothing was written: --out DIR or --out catalog says where to"
    return "nothing was written"
