"""`plimsoll validate`: runs it and prints the verdict."""

import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plimsoll.engine.cli.options import RunOptions, command_host, default_folder, effective_config
from plimsoll.engine.cli.progress import progress_bar
from plimsoll.engine.report.metrics import ladder_words
from plimsoll.engine.report.metrics.labels import share_text, shown
from plimsoll.engine.research.sweep.sweep import Workers
from plimsoll.engine.research.validate.validate import VERDICT, Validation
from plimsoll.engine.verbs.validate import validated, validation_plan


@dataclass(frozen=True, slots=True)
class ValidateOutput:
    """Where to, and how to tell about it."""

    out: Path | None
    force: bool
    trials: str | None
    as_json: bool
    quiet: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """What is put beside the configuration on its page: two run folders, files of scenarios."""

    runs: tuple[Path, Path] | None
    scenarios: tuple[Path, ...]


def run_validate(path: Path, options: RunOptions, beside: Beside, workers: int, told: ValidateOutput) -> bool:
    """Plan, run and print a validation; return whether it passed."""
    config = effective_config(path, options)
    plan = validation_plan(config)
    host = command_host(quiet=told.quiet)
    folder = told.out or default_folder(host.clock(), config.run.name, "validate", plan.sweep.digest[:8])
    done = [0]
    try:
        with progress_bar(config.run.name, shown=not (told.quiet or told.as_json), unit="configurations") as bar:

            def progress(count: int, total: int) -> None:
                done[0] = count
                if bar is not None:
                    bar(count, total)

            found = validated(
                plan, folder, runs=beside.runs, files=beside.scenarios, workers=Workers("auto", workers),
                force=told.force, progress=progress, trials=told.trials, host=host,
            )  # fmt: skip
    except KeyboardInterrupt:
        sys.stderr.write(
            f"{done[0]:,} of {len(plan.sweep.settings):,} configurations are kept; to go on, run the same command with "
            f"--out {shlex.quote(str(folder))}{' and without --force' if told.force else ''}\n"
        )
        raise
    _tell(found, folder, told)
    return found.passed


def _tell(found: Validation, folder: Path, told: ValidateOutput) -> None:
    if told.as_json:
        sys.stdout.write(json.dumps(found.verdict, indent=2, allow_nan=False) + "\n")
    elif told.quiet:
        sys.stdout.write(f"{folder / VERDICT}\n")
    else:
        _print(found, folder)


def _print(found: Validation, folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(file=sys.stdout, highlight=False)
    console.width = max(console.width, 120)
    block = found.evidence
    walk = block["walks"][block["judged"]]
    synthetic = " on SYNTHETIC data" if block["synthetic"] else ""
    console.print(
        f"\n{found.name}: {block['configurations']:,} configurations{synthetic}, {block['from']} to {block['to']}; "
        f"out of sample from {walk['from']}\n",
        markup=False,
    )
    table = Table(box=None, pad_edge=False)
    for title in ("", "found", "asked", "", "of"):
        table.add_column(title, justify="left" if title in ("", "of") else "right")
    for one in found.checks:
        table.add_row(one.title, one.said, one.asked, "pass" if one.ok else "FAIL", one.why)
    table.add_row(*_paths_row(block["cpcv"]))
    console.print(table)
    console.print()
    for text in (*_also(found), *found.luck):
        console.print(text, markup=False, soft_wrap=True)
    console.print(f"\n{found.line}", markup=False, soft_wrap=True)
    console.print(f"{folder / 'report.html'}", markup=False, soft_wrap=True)


def _paths_row(cpcv: dict[str, Any]) -> tuple[str, str, str, str, str]:
    """Return the line of the cross-validation, the mean of its paths first; nothing is asked of it."""
    of = cpcv["why"] or (
        f"{len(cpcv['sharpe'])} paths, spread {shown(cpcv['sd'], 'ratio')}, worst {shown(cpcv['worst'], 'ratio')}, "
        f"below zero {share_text(cpcv['below_zero'])}"
    )
    return "Sharpe, cross-validated", shown(cpcv["mean"], "ratio"), "", "", of


def _also(found: Validation) -> list[str]:
    """Return what is no threshold: the ladder's rule, and the uplift."""
    block, said = found.evidence, []
    if block["ladder"] is not None:
        ladder = block["ladder"]
        said += ladder_words.verdicts(ladder)
    stress = block["stress"]
    said.append(f"No stress test: {stress['why']}" if stress["why"] else stress["verdict"])
    if block["uplift"] is not None:
        up = block["uplift"]
        said.append(
            f"{up['k']} sleeves of Sharpe {shown(up['mean_sharpe'], 'ratio')} on average, correlated "
            f"{shown(up['mean_correlation'], 'ratio')}: the formula gives {shown(up['predicted'], 'ratio')}, "
            f"the book has {shown(up['realised'], 'ratio')}."
        )
    return said
