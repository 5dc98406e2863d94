"""`plimsoll audit`."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plimsoll.engine.cli.options import RunOptions, command_host, default_folder, effective_config
from plimsoll.engine.cli.progress import progress_bar
from plimsoll.engine.report.tearsheet.certificate import verdict_of
from plimsoll.engine.research.audit.audit import Told
from plimsoll.engine.research.audit.certificate import Certificate
from plimsoll.engine.verbs.audit import audit

if TYPE_CHECKING:
    from rich.console import Console

_STYLE = {True: "green", False: "bold red", None: "yellow"}


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """How thorough an audit is, where it goes and how it is shown."""

    reloads: int
    seed: int
    out: Path | None
    force: bool
    as_json: bool
    quiet: bool


def run_audit(what: Path, options: RunOptions, how: AuditOptions) -> bool:
    """Audit a configuration, or the run in a folder; print the certificate, return whether it passed."""
    host = command_host(quiet=how.quiet)
    with _told(shown=not (how.quiet or how.as_json)) as told:
        if what.is_dir():
            folder = what
            certificate = audit(
                what, data=options.data, start=options.start, end=options.end, sets=options.sets, as_of=options.as_of,
                reloads=how.reloads, seed=how.seed, progress=told, out=how.out, host=host,
            )  # fmt: skip
        else:
            config = effective_config(what, options)
            folder = how.out or default_folder(host.clock(), config.run.name, "audit", config.digest[:8])
            certificate = audit(
                config, reloads=how.reloads, seed=how.seed, progress=told, out=folder, force=how.force, host=host
            )
    _show(certificate, folder, how)
    return certificate.passed


@contextmanager
def _told(*, shown: bool) -> Iterator[Told | None]:
    """Yield what turns the parts of an audit into one bar on a terminal."""
    with progress_bar("audit", shown=shown) as progress:
        yield None if progress is None else lambda _, done, total: progress(done, total)


def _show(certificate: Certificate, folder: Path, how: AuditOptions) -> None:
    if how.as_json:
        sys.stdout.write(json.dumps(certificate.plain(), indent=2, allow_nan=False) + "\n")
    elif how.quiet:
        sys.stdout.write(f"{folder}\n")
    else:
        from rich.console import Console

        _print(Console(highlight=False, soft_wrap=True), certificate, folder)


def _print(console: "Console", certificate: Certificate, folder: Path) -> None:
    from rich.table import Table
    from rich.text import Text

    span = f"{certificate.first} to {certificate.last}, {certificate.sessions:,} sessions"
    console.print(Text(certificate.name, style="bold"), Text(f"{span}, {certificate.decisions:,} decisions"))
    table = Table(box=None, pad_edge=False)
    for head in ("pass", "verdict", "what was done, or what was found"):
        table.add_column(head, overflow="fold")
    for one in certificate.findings:
        style = _STYLE[one.passed]
        table.add_row(one.name, Text(verdict_of(one.passed), style=style), Text(one.evidence or one.what))
    console.print(table, soft_wrap=False)
    for other in certificate.comparisons:
        console.print(Text(f"{other.name}: {other.reading}", style="yellow" if other.warning else ""))
    failure = certificate.failure
    where = ", ".join(part for part in (failure.session, failure.symbol, failure.stage) if part) if failure else ""
    verdict = certificate.verdict + (f"  {failure.name}: {where}" if failure and where else "")
    console.print(Text(verdict, style=_STYLE[certificate.passed]))
    console.print(Text(f"Files  {os.fspath(folder)}"))
