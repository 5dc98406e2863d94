"""The command `plimsoll validate`: its options."""

from pathlib import Path
from typing import Annotated

import typer

from plimsoll.engine.cli.data_app import EXIT_CHECK_FAILED, AsJson, AsOf


def validate(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A TOML configuration with [validate] and [gate].")],
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Folder of <SYMBOL>.csv files.")] = None,
    start: Annotated[
        str | None, typer.Option("--start", "--from", metavar="DATE", help="First session traded.")
    ] = None,
    end: Annotated[str | None, typer.Option("--end", "--to", metavar="DATE", help="Last session.")] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", metavar="A.B=C", help="Override a configuration key; repeatable.")
    ] = None,
    as_of: AsOf = None,
    runs: Annotated[
        tuple[Path, Path] | None, typer.Option("--twin", metavar="RUN RUN2", help="Two run folders for the page.")
    ] = None,
    scenario: Annotated[
        list[Path] | None,
        typer.Option(
            "--scenario", metavar="FILE", help="TOML of scenarios of one's own for the stress test; repeatable."
        ),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", metavar="N", min=1, help="Threads or processes.")] = 1,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder; the same command goes on with what is in it.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what an --out holds.")] = False,
    trials: Annotated[
        str | None,
        typer.Option(
            "--trials", metavar="DIR|off", help="Folder of the trial ledger [PLIMSOLL_TRIALS, or the user's data]."
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print only the path of the verdict.")] = False,
) -> None:
    """Say whether a result is skill, luck or overfitting: walk forward, deflate, perturb; a page and a verdict.

    Exit 0: every threshold of [gate] holds; 1: one does not; 2: bad input, or a history too short for one window.
    """
    from plimsoll.engine.cli.options import RunOptions
    from plimsoll.engine.cli.validate import Beside, ValidateOutput, run_validate

    options = RunOptions(data, start, end, tuple(sets or ()), as_of)
    told = ValidateOutput(out, force, trials, as_json, quiet)
    if not run_validate(config, options, Beside(runs, tuple(scenario or ())), workers, told):
        raise typer.Exit(EXIT_CHECK_FAILED)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(validate)
