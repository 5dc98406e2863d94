"""`plimsoll rebalance | status | reconcile | adopt | halt | resume | flatten`: what they print."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from plimsoll.engine.cli.options import command_host
from plimsoll.engine.cli.progress import progress_bar
from plimsoll.engine.cli.watch import watch
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.live.day_plan import DayPlan, order_row
from plimsoll.engine.live.outcome import Outcome, order_text
from plimsoll.engine.live.room import state_folder
from plimsoll.engine.live.voice import live_voice
from plimsoll.engine.runtime.load import configured
from plimsoll.engine.verbs import accounts, control
from plimsoll.engine.verbs.confirm import confirm
from plimsoll.engine.verbs.daemon import daemon
from plimsoll.engine.verbs.rebalance import emit, preview, rebalance

Sets = tuple[str, ...]
_ORDER = ("symbol", "side", "qty", "limit", "state", "filled", "average", "why")
_PLANNED = ("wave", "symbol", "side", "qty", "type", "limit", "price", "notional")
_ENDINGS = {
    "done": "done",
    "already": "done before, nothing sent now",
    "skipped": "no such slot today",
    "late": "NOT RUN",
    "refused": "REFUSED",
    "halted": "HALTED",
}


def run_rebalance(
    path: Path, slot: str, dry_run: bool, folder: Path | None, positions: Path | None, sets: Sets, *, as_json: bool
) -> bool:
    """Do the slot, emit it, or only show it; return whether nothing stood in the way."""
    if (folder is None) != (positions is None):
        raise ConfigError("--emit and --positions go together", where="rebalance", fix="give both, or neither")
    if dry_run and folder is not None:
        raise ConfigError("--dry-run writes nothing", where="rebalance --emit", fix="`plimsoll plan` prints the orders")
    host, file = command_host(quiet=False), None
    with progress_bar("replay", shown=not as_json) as progress:
        if dry_run:
            return _show_plan(preview(path, sets=sets, progress=progress, host=host), as_json=as_json)
        if folder is not None and positions is not None:
            outcome, file = emit(path, slot, folder, positions, sets=sets, progress=progress, host=host)
        else:
            outcome = rebalance(path, slot, sets=sets, progress=progress, host=host)
    if as_json:
        _tell({**outcome.plain(), "file": None if file is None else str(file)}, as_json=True)
    else:
        _print_outcome(outcome, file)
    return outcome.ok


def _show_plan(made: DayPlan, *, as_json: bool) -> bool:
    if as_json:
        _tell(made.plain(), as_json=True)
    else:
        _print_rows(_PLANNED, [order_row(one) for one in made.orders])
        sys.stdout.write(f"decided at the close of {made.decided}{_why(made.refusal)}; nothing was sent\n")
    return not made.refusal


def run_status(path: Path, sets: Sets, *, as_json: bool) -> bool:
    """Print how the book stands; return whether it is healthy."""
    told = control.status(path, sets=sets, host=command_host(quiet=False))
    sys.stdout.write(json.dumps(told, indent=2, allow_nan=False) + "\n" if as_json else status_text(told))
    return bool(told["healthy"])


def watch_status(path: Path, every_s: float, sets: Sets, *, as_json: bool) -> None:
    """Show how the book stands again and again, until interrupted."""
    host = command_host(quiet=False)
    watch(lambda: control.status(path, sets=sets, host=host), status_text, every_s, as_json=as_json)


def status_text(told: Mapping[str, Any]) -> str:
    """Return how a book stands, for people."""
    working = told.get("working") or []
    shown = {**told, "working": len(working)} if working else told
    return "".join(f"{line}\n" for line in (*_row_lines(_ORDER, working), *_told_lines(shown)))


def run_reconcile(path: Path, sets: Sets, *, as_json: bool) -> bool:
    """Print what was found; return whether journal and account agree."""
    report = accounts.reconcile(path, sets=sets, host=command_host(quiet=False))
    _tell(report.plain(), as_json=as_json)
    return report.clean and not report.unknown


def run_adopt(path: Path, reason: str, sets: Sets, *, code: bool, as_json: bool) -> None:
    """Print what the book holds from now on."""
    held = accounts.adopt(path, reason, code=code, sets=sets, host=command_host(quiet=False))
    _tell(
        {"holdings": {s: f"{qty.normalize():f}" for s, qty in sorted(held.items())}, "reason": reason}, as_json=as_json
    )


def run_halt(path: Path, reason: str, sets: Sets, *, no_new_risk: bool, local: bool, as_json: bool) -> bool:
    """Print what the halt came to; return whether nothing can be on its way."""
    host = command_host(quiet=False)
    done = control.halt(path, reason, no_new_risk=no_new_risk, local=local, sets=sets, host=host)
    _tell(done.plain(), as_json=as_json)
    return done.sure and not done.failed


def run_resume(path: Path, reason: str, sets: Sets, *, as_json: bool) -> None:
    """Print what had halted the book."""
    found = control.resume(path, reason, sets=sets, host=command_host(quiet=False))
    _tell({"resumed": True, "was_halted_by": found}, as_json=as_json)


def run_flatten(path: Path, reason: str, sets: Sets, *, yes: bool, as_json: bool) -> bool:
    """Print what became of it; return whether nothing is left."""
    if not yes:
        raise ConfigError("this sells everything the book holds", where="flatten", fix="pass --yes if that is meant")
    outcome = accounts.flatten(path, reason, sets=sets, host=command_host(quiet=False))
    if as_json:
        _tell(outcome.plain(), as_json=True)
    else:
        _print_outcome(outcome, None)
    return outcome.ok


def run_daemon(path: Path, folder: Path | None, positions: Path | None, shadow: Path | None, sets: Sets) -> None:
    """Run until told to end; what happens is printed, a line each, and told as the configuration says."""
    host = command_host(quiet=False)
    config, _ = configured(path, sets=sets, env=host.env)
    state = state_folder(config, host.env, Path.home())
    with live_voice(config, state, host.env, host.clock, echo=_print_line) as voice:
        daemon(path, voice, emit_to=folder, positions=positions, shadow=shadow, sets=sets, host=host)


def _print_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def run_confirm(path: Path, positions: Path, fills: Path | None, sets: Sets, *, as_json: bool) -> None:
    """Print what the positions are now."""
    done = confirm(path, positions, fills=fills, sets=sets, host=command_host(quiet=False))
    _tell(done.plain(), as_json=as_json)


def _print_outcome(outcome: Outcome, file: Path | None) -> None:
    _print_rows(_ORDER, [order_text(one) for one in outcome.orders])
    for note in outcome.notes:
        sys.stdout.write(f"{note}\n")
    for change in outcome.changes:
        sys.stdout.write(f"{change.symbol}: {change.why} ({change.rule})\n")
    sys.stdout.write(f"{outcome.session} {outcome.slot}: {_ENDINGS[outcome.ending]}{_why(outcome.why)}\n")
    if file is not None:
        sys.stdout.write(f"Orders  {file}\n")


def _why(text: str) -> str:
    return f": {text}" if text else ""


def _tell(told: Mapping[str, Any], *, as_json: bool) -> None:
    """Print a line for each thing, or JSON."""
    if as_json:
        sys.stdout.write(json.dumps(told, indent=2, allow_nan=False, default=str) + "\n")
        return
    for line in _told_lines(told):
        sys.stdout.write(f"{line}\n")


def _told_lines(told: Mapping[str, Any]) -> list[str]:
    return [f"{name.replace('_', ' '):18s} {line}".rstrip() for name, value in told.items() for line in _lines(value)]


def _lines(value: Any) -> list[str]:
    if isinstance(value, bool) or value is None:
        return [{True: "yes", False: "no", None: "-"}[value]]
    if isinstance(value, Mapping):
        return [", ".join(f"{key} {_lines(inner)[0]}" for key, inner in value.items() if inner != "") or "-"]
    if isinstance(value, list):
        return [line for one in value for line in _lines(one)] or ["-"]
    return [str(value)]


def _print_rows(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    for line in _row_lines(columns, rows):
        sys.stdout.write(f"{line}\n")


def _row_lines(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    cells = [list(columns), *([str(row[name]) for name in columns] for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(columns))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
