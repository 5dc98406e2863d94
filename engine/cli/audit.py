"""`plimsoll audit`."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from plimsoll.engine.cli.backtest import effective_config
from plimsoll.engine.cli.log import RunLog
from plimsoll.engine.cli.progress import progress_bar
from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import ConfigError, DataError, OutputError
from plimsoll.engine.report.folder import MARKER, check_target, folder_files, json_bytes
from plimsoll.engine.report.tearsheet.certificate import verdict_of
from plimsoll.engine.research.audit.audit import Audited, Told, examine
from plimsoll.engine.research.audit.case import Case
from plimsoll.engine.research.audit.certificate import FILE, Certificate
from plimsoll.engine.research.explain import read_run
from plimsoll.engine.runtime.load import load_panel
from plimsoll.engine.runtime.needs import needs_of
from plimsoll.engine.runtime.prepare import make_strategies, prepare

if TYPE_CHECKING:
    from rich.console import Console

_STYLE = {True: "green", False: "bold red", None: "yellow"}


@dataclass(frozen=True, slots=True)
class Span:
    """What `--data`, `--from`, `--to` and `--set` say."""

    data: Path | None
    start: str | None
    end: str | None
    sets: list[str]


@dataclass(frozen=True, slots=True)
class Wish:
    """How thorough an audit is, where it goes and how it is shown."""

    reloads: int
    seed: int
    out: Path | None
    force: bool
    as_json: bool
    quiet: bool


def run_audit(what: Path, span: Span, wish: Wish) -> bool:
    """Audit a configuration, or the run in a folder; write, print the certificate, return whether it passed.

    Raises
    ------
    InputError
        If the run cannot be made, or a run folder is not what its configuration makes of its data.
    """
    began = datetime.now(UTC)
    of_run = what.is_dir()
    config, data_hash = _of_run(what, span, wish) if of_run else (_effective(what, span), "")
    folder = what if of_run else (wish.out or _default_folder(config, began))
    if not of_run:
        check_target(folder, force=wish.force)
    strategies = make_strategies(config)
    panel = load_panel(config, needs_of(config, strategies))
    if data_hash and prepare(config, panel, strategies).feed.panel.data_hash != data_hash:
        raise DataError("the data have changed since this run", where=str(what), fix="run the backtest again")
    log = RunLog(clock=lambda: datetime.now(UTC))
    log.event("data_loaded", source=panel.source, bars=panel.n_bars, symbols=panel.n_symbols, data_hash=panel.data_hash)
    with _told(shown=not (wish.quiet or wish.as_json)) as told:
        audited = examine(Case(config, panel), n_reloads=wish.reloads, seed=wish.seed, progress=told)
    for one in audited.certificate.findings:
        log.event("audit_pass", of=one.name, verdict=verdict_of(one.passed), evidence=one.evidence)
    created = began.isoformat(timespec="seconds")
    if of_run:
        _add_to_run(folder, audited, created)
    else:
        audited.result.save(folder, force=wish.force, created=created, extras={"log.jsonl": log.content()})
    _show(audited.certificate, folder, wish)
    return audited.certificate.passed


def _effective(path: Path, span: Span) -> Config:
    return effective_config(path, span.data, span.start, span.end, span.sets)


def _default_folder(config: Config, now: datetime) -> Path:
    """Return `runs/<utc>-<name>-audit-<hash8>`, made unique if two begin in the same second."""
    stem = f"{now:%Y%m%dT%H%M%SZ}-{config.run.name}-audit-{config.digest[:8]}"
    folder, copy = Path("runs") / stem, 1
    while folder.exists():
        copy += 1
        folder = Path("runs") / f"{stem}-{copy}"
    return folder


def _of_run(run: Path, span: Span, wish: Wish) -> tuple[Config, str]:
    """Return the configuration and the data hash of an existing run, which is audited as it is."""
    if span.start is not None or span.end is not None or span.sets or wish.out is not None:
        raise ConfigError(
            "a run folder is audited as it is",
            where=str(run),
            fix="leave out --from, --to, --set and --out, or name a configuration instead of the folder",
        )
    if not (run / MARKER).is_file():
        raise DataError(f"not a run folder: it needs config.toml, env.json and {MARKER}", where=str(run))
    return read_run(run, span.data)


def _add_to_run(run: Path, audited: Audited, created: str) -> None:
    """Put the certificate into an existing run and print its report anew; its other files stay as they are."""
    result = audited.result
    if json_bytes(result.metrics) != (run / MARKER).read_bytes():
        raise DataError(
            "this configuration no longer makes the figures in the folder",
            where=str(run),
            cause="the engine or a strategy has changed since",
            fix="run the backtest again",
        )
    files = folder_files(result, result.metrics, created)
    try:
        for name in (FILE, "report.html"):
            fresh = run / f".{name}"
            fresh.write_bytes(files[name])
            fresh.replace(run / name)
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror or error}", where=str(run)) from error


@contextmanager
def _told(*, shown: bool) -> Iterator[Told | None]:
    """Yield what turns the parts of an audit into one bar on a terminal."""
    with progress_bar("audit", shown=shown) as progress:
        yield None if progress is None else lambda _, done, total: progress(done, total)


def _show(certificate: Certificate, folder: Path, wish: Wish) -> None:
    if wish.as_json:
        sys.stdout.write(json.dumps(certificate.plain(), indent=2, allow_nan=False) + "\n")
    elif wish.quiet:
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
