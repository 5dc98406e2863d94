"""`plimsoll stress`."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from plimsoll.engine.cli.options import RunOptions, command_host, default_folder, effective_config
from plimsoll.engine.cli.progress import progress_bar
from plimsoll.engine.report.folder import check_target
from plimsoll.engine.research.stress.replay import Replay
from plimsoll.engine.research.stress.report import StressReport
from plimsoll.engine.research.stress.tail import Tail
from plimsoll.engine.research.stress.verdict import Outcome
from plimsoll.engine.verbs.stress import save, stress

_HEAD: Final = (
    "scenario", "sessions", "last book", "mean book", "worst book", "replay DD", "worst day", "gross", "governor cut",
    "tier", "verdict",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StressOptions:
    """What the options of the command say."""

    named: tuple[str, ...]
    files: tuple[Path, ...]
    seed: int | None
    paths: int
    out: Path | None
    force: bool
    as_json: bool
    quiet: bool


def run_stress_command(path: Path, options: RunOptions, asked: StressOptions) -> None:
    """Stress a configuration, print the table, write the figures."""
    config = effective_config(path, options)
    host = command_host(quiet=asked.quiet)
    folder = asked.out or default_folder(host.clock(), config.run.name, "stress", config.digest[:8])
    check_target(folder, force=asked.force)
    with progress_bar(config.run.name, shown=not (asked.quiet or asked.as_json), unit="scenarios") as bar:
        report = stress(
            config, scenarios=asked.named or None, files=asked.files, seed=asked.seed, system_paths=asked.paths,
            progress=bar, host=host,
        )  # fmt: skip
    written = save(report, folder)
    if asked.as_json:
        sys.stdout.write(json.dumps({**report.plain(), "folder": str(folder)}, indent=2, allow_nan=False) + "\n")
    elif asked.quiet:
        sys.stdout.write(f"{folder}\n")
    else:
        _print(report)
        sys.stdout.write(f"\n{written}\n")


def _print(report: StressReport) -> None:
    synthetic = " on SYNTHETIC data" if report.synthetic else ""
    sys.stdout.write(f"\n{report.name}, from the close of {report.last}{synthetic}; cap {report.cap:.0%}\n\n")
    _table(_HEAD, [_row(outcome, report.cap) for outcome in report.outcomes])
    if report.student or report.drawn:
        head = ("held, not traded", "book", "sessions", "VaR 95%", "VaR 99%", "ES 95%", "ES 99%", "beyond the cap")
        rows = [row for tail in report.student for row in _tail("Student-t(4)", tail)]
        rows += [row for tail in report.drawn for row in _tail("own sessions", tail)]
        sys.stdout.write("\n")
        _table(head, rows)
    if report.drawn_why:
        sys.stdout.write(f"no paths of own sessions: {report.drawn_why}\n")
    if report.system:
        worst = max(one.drawdown for one in report.system)
        over = sum(one.drawdown > report.cap for one in report.system)
        told = f"worst drawdown {worst:z.1%}, {over} beyond the cap"
        sys.stdout.write(f"\n{len(report.system)} paths of own sessions through the system: {told}\n")
    sys.stdout.write(f"\n{report.verdict}\n")
    modelled = [f"{o.scenario.label}: {len(o.modelled)}" for o in report.outcomes if o.modelled]
    if modelled:
        sys.stdout.write(f"paths that are a model, not prices of those sessions (symbols): {', '.join(modelled)}\n")


def _row(outcome: Outcome, cap: float) -> tuple[str, ...]:
    shock, found = outcome.shock, outcome.replay
    return (
        outcome.scenario.label,
        str(outcome.scenario.n),
        f"{shock.last:z.1%}",
        f"{shock.mean:z.1%}",
        f"{shock.worst:z.1%}",
        f"{found.drawdown:z.1%}",
        f"{found.day_loss:z.1%}",
        f"{found.gross[0]:z.2f} > {found.gross.min():z.2f}",
        "-" if found.governor == "none" else f"{found.cut:z.0%}",
        _tier(found),
        outcome.brief(cap),
    )


def _tier(found: Replay) -> str:
    """Return the worst tier and the session that it fired after."""
    if not found.tiers:
        return "-"
    first = next(change for change in found.tiers if change.tier == found.worst_tier)
    return first.tier if first.tier == "normal" else f"{first.tier} @{first.session}"


def _tail(kind: str, tail: Tail) -> list[tuple[str, ...]]:
    return [
        (
            kind,
            tail.book,
            str(one.sessions),
            *(f"{loss:z.2%}" for loss in (*one.var, *one.shortfall)),
            f"{one.beyond:z.2%}",
        )
        for one in tail.horizons
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns, numbers to the right; the last one as long as it is."""
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    for row in (head, *rows):
        cells = [
            c.ljust(w) if at in (0, len(row) - 1) else c.rjust(w)
            for at, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
