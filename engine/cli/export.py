"""`plimsoll export`."""

import sys
from pathlib import Path

from plimsoll.engine.report.folder import json_bytes
from plimsoll.engine.verbs.export import export


def run_export(run: Path, out: Path, data: Path | None, *, force: bool, as_json: bool, quiet: bool) -> None:
    """Write the table and the summary; print what they are."""
    made = export(run, out, data=data, force=force)
    if as_json:
        sys.stdout.write(json_bytes({**made.summary, "files": [str(file) for file in made.files]}).decode())
        return
    if quiet:
        sys.stdout.write(f"{made.files[0]}\n")
        return
    stats, marks = made.summary["stats"], made.summary["run"]
    rows, columns = made.table.shape
    synthetic = ", SYNTHETIC data" if marks["synthetic"] else ""
    sys.stdout.write(
        f"{marks['run_id']}: {stats['start']} to {stats['end']}, {rows:,} sessions, {columns:,} columns{synthetic}\n"
    )
    for file in made.files:
        sys.stdout.write(f"{file}\n")
