"""The command `plimsoll config`."""

import json
import sys
from typing import Annotated

import typer

from plimsoll.engine.cli.data_app import AsJson


def config(
    key: Annotated[
        str | None,
        typer.Argument(metavar="KEY", help="A key or a section, as costs.flat_bps or live; all if left out."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show every key of a configuration: type, default, unit, meaning."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    from plimsoll.engine.verbs.config_keys import describe_config

    keys = describe_config(key)
    if as_json:
        sys.stdout.write(json.dumps([one._asdict() for one in keys], indent=2) + "\n")
        return
    console = Console(highlight=False)
    if len(keys) == 1:
        for name, text in zip(keys[0]._fields, keys[0], strict=True):
            if text:
                console.print(Text(f"{name:8s} {text}"), soft_wrap=True)
        return
    for one in keys:
        unit = f", {one.unit}" if one.unit else ""
        console.print(Text.assemble((one.key, "bold"), f" = {one.default}{unit}   ", (one.type, "dim")), soft_wrap=True)
        console.print(Padding(Text(one.meaning), (0, 0, 0, 4)))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(config)
