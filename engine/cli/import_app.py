"""The options of `plimsoll data import`: parsed here, carried out in `cli.data_import`."""

from pathlib import Path
from typing import Annotated

import typer

from plimsoll.engine.cli.data_app import EXIT_CHECK_FAILED, AsJson, CatalogPath


def import_files(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE|DIR...", help=".csv, .txt, either .gz, .zip.")],
    out: Annotated[
        str | None, typer.Option("--out", metavar="DIR|catalog", help="Where to [nothing is written, only checked].")
    ] = None,
    symbol: Annotated[str, typer.Option("--as", metavar="SYMBOL", help="Whose bars they are.")] = "",
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="SYMBOL", help="Of files that hold many; repeatable.")
    ] = None,
    date_order: Annotated[
        str, typer.Option("--date-order", metavar="dmy|mdy", help="Of dates such as 01/02/2024.")
    ] = "",
    zone: Annotated[str, typer.Option("--zone", metavar="ZONE", help="Of times: America/New_York, UTC ...")] = "",
    decimal: Annotated[str, typer.Option("--decimal", metavar=".|,", help="The decimal mark.")] = "",
    adjustment: Annotated[
        str,
        typer.Option(
            "--adjustment",
            metavar="raw|split|all",
            help="What prices contain: nothing, splits, or splits and dividends.",
        ),
    ] = "",
    stamp: Annotated[str, typer.Option("--stamp", metavar="start|end", help="What of its bar a time is.")] = "",
    extended: Annotated[bool, typer.Option("--extended", help="Keep bars outside regular hours.")] = False,
    no_dividends: Annotated[bool, typer.Option("--no-dividends", help="It never paid any.")] = False,
    confirm: Annotated[
        list[str] | None, typer.Option("--confirm", metavar="DATE", help="A session you stand for; repeatable.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files in --out.")] = False,
    catalog: CatalogPath = None,
    as_json: AsJson = False,
) -> None:
    """Import other vendors' and tools' files; exit 1 if a gate kept something out."""
    from plimsoll.engine.cli.data_import import import_again, print_imported
    from plimsoll.engine.verbs.data_import import import_data

    imported = import_data(
        paths,
        out=out,
        symbol=symbol,
        only=only or (),
        date_order=date_order,
        zone=zone,
        decimal=decimal,
        adjustment=adjustment,
        stamp=stamp,
        extended=extended,
        no_dividends=no_dividends,
        confirm=confirm or (),
        force=force,
        catalog=catalog,
    )
    said = {
        "--as": symbol, "--only": only, "--out": out, "--date-order": date_order, "--zone": zone, "--decimal": decimal,
        "--adjustment": adjustment, "--stamp": stamp, "--extended": extended, "--no-dividends": no_dividends,
        "--confirm": confirm, "--force": force, "--catalog": catalog,
    }  # fmt: skip
    print_imported(imported, as_json=as_json, command=import_again(paths, said, imported))
    if not imported.complete:
        raise typer.Exit(EXIT_CHECK_FAILED)


def register(data_app: typer.Typer) -> None:
    """Add the command to `plimsoll data`."""
    data_app.command("import")(import_files)
