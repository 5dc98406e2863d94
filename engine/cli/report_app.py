"""The command `plimsoll report`: its options."""

from pathlib import Path
from typing import Annotated

import typer

from plimsoll.engine.cli.data_app import AsJson


def report(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN", help="A run folder; a CONFIG.toml is run first, nothing kept of it.")
    ],
    against: Annotated[
        list[Path] | None, typer.Option("--compare", metavar="RUN2 RUN3 ...", help="What to hold it against.")
    ] = None,
    focus: Annotated[
        str | None, typer.Option("--focus", metavar="2013,2019-2021", help="Years to look at more closely.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Folder of <SYMBOL>.csv files, for what is run first.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the bootstrap.")] = 42,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.html", help="The page [compare.html in RUN, or none].")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a page that is there.")] = False,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print only the path of the page.")] = False,
) -> None:
    """Show a finished run, or hold it against others: overlays, years, tracking, what can be told apart, settings."""
    from plimsoll.engine.cli.report import Output, run_compare, run_report

    output = Output(out, force, as_json, quiet)
    others = [*(against or ()), *runs[1:]]  # an option takes one value: what follows it lands among the arguments
    if not others:
        run_report(runs[0], output)
    else:
        periods = tuple(part.strip() for part in (focus or "").split(",") if part.strip())
        run_compare(runs[0], others, periods, data, seed, output)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)
