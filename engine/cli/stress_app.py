"""The command `plimsoll stress`: its options."""

from pathlib import Path
from typing import Annotated

import typer

from plimsoll.engine.cli.data_app import AsJson, AsOf


def stress(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A TOML configuration, e.g. config/demo.toml.")],
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Folder of <SYMBOL>.csv files.")] = None,
    start: Annotated[
        str | None, typer.Option("--start", "--from", metavar="DATE", help="First session traded.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--end", "--to", metavar="DATE", help="Last session; scenarios go on from its close.")
    ] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", metavar="A.B=C", help="Override a configuration key; repeatable.")
    ] = None,
    as_of: AsOf = None,
    named: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="A scenario of the package; repeatable [all].")
    ] = None,
    scenario: Annotated[
        list[Path] | None, typer.Option("--scenario", metavar="FILE", help="TOML of one's own; repeatable.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", min=0, help="Of all draws [run.seed].")] = None,
    paths: Annotated[
        int, typer.Option("--paths", metavar="N", min=0, help="Drawn paths that go through the whole system.")
    ] = 0,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Folder [runs/<utc>-...].")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")] = False,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print only the path of the folder.")] = False,
) -> None:
    """Let markets of the past, or of one's own, happen to what a run holds: at once, and replayed through it."""
    from plimsoll.engine.cli.options import RunOptions
    from plimsoll.engine.cli.stress import StressOptions, run_stress_command

    options = RunOptions(data, start, end, tuple(sets or ()), as_of)
    asked = StressOptions(tuple(named or ()), tuple(scenario or ()), seed, paths, out, force, as_json, quiet)
    run_stress_command(config, options, asked)
