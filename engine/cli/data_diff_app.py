"""The command `plimsoll data diff`: its options."""

from pathlib import Path
from typing import Annotated

import typer

from plimsoll.engine.cli.data_app import EXIT_CHECK_FAILED, AsJson

_WHEN = "a date is its end in New York, a timestamp says its zone"


def diff(
    catalog: Annotated[
        Path | None, typer.Argument(metavar="[CATALOG]", help="The catalog [the run's, PLIMSOLL_CATALOG, the user's].")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="WHEN", help=f"Told after [ever; the run's]; {_WHEN}.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="WHEN", help="Told by then [now].")] = None,
    symbols: Annotated[
        list[str] | None, typer.Option("--symbol", metavar="S", help="Only this one; repeatable [all; the run's].")
    ] = None,
    run: Annotated[
        Path | None, typer.Option("--run", metavar="RUN", help="A run folder: what of it would be different.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a catalog was told anew: corrections, late actions, restatements; and what that does to a run.

    Exit 0: nothing that was stored is told otherwise (new sessions are no change); with --run: every target, order and
    equity of the run is the same; 1: something changed; 2: bad input, or the run's data are no longer to be had.
    """
    from plimsoll.engine.cli.data_diff import run_diff

    if not run_diff(catalog, since, until, symbols or (), run, as_json=as_json):
        raise typer.Exit(EXIT_CHECK_FAILED)
