"""The options of `plimsoll data`: parsed here, carried out in `cli.data`, which is imported when it is needed."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

EXIT_CHECK_FAILED = 1

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of a table.")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="WHEN", help="The catalog as known then: a date, its end in New York, or a time."),
]


class DataVendor(StrEnum):
    """The choices of `--source`."""

    yahoo = "yahoo"
    alpaca = "alpaca"


data_app = typer.Typer(
    name="data", help="Market data: pull, check, show, diff.", no_args_is_help=True, rich_markup_mode=None
)
CatalogPath = Annotated[
    Path | None, typer.Option("--catalog", metavar="DIR", help="The catalog [PLIMSOLL_CATALOG, or the user's data].")
]


@data_app.command()
def pull(
    symbols: Annotated[list[str] | None, typer.Argument(metavar="SYMBOL...", help="SPY, BRK.B, VIX ...")] = None,
    config: Annotated[
        Path | None, typer.Option("--for", metavar="CONFIG", help="Everything a configuration needs.")
    ] = None,
    source: Annotated[DataVendor, typer.Option("--source", help="Who tells.")] = DataVendor.yahoo,
    start: Annotated[
        str | None,
        typer.Option("--start", "--from", metavar="DATE", help="First session [all there is, then what is new]."),
    ] = None,
    confirm: Annotated[
        list[str] | None, typer.Option("--confirm", metavar="DATE", help="A session you stand for; repeatable.")
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", metavar="S", min=0.1, help="Seconds for a request.")] = 30.0,
    interval: Annotated[
        str, typer.Option("--interval", metavar="I", help="1m, 5m, 15m, 30m from alpaca, into a folder, --out.")
    ] = "1d",
    end: Annotated[
        str | None, typer.Option("--end", "--to", metavar="DATE", help="Last session, of --interval.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder for what --interval asks for.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files in --out.")] = False,
    catalog: CatalogPath = None,
    as_json: AsJson = False,
) -> None:
    """Fetch daily bars and actions into the catalog, or minutes into a folder; exit 1 if something was kept out."""
    from plimsoll.engine.cli.data import DataOutput, PullOptions, run_pull
    from plimsoll.engine.cli.data_minutes import MinuteOptions, run_minutes

    if interval != "1d" or out is not None or end is not None:
        asked = MinuteOptions(tuple(symbols or ()), config, source.value, interval, start, end, out, force)
        if not run_minutes(asked, confirm or (), timeout, as_json=as_json):
            raise typer.Exit(EXIT_CHECK_FAILED)
        return
    wanted = PullOptions(symbols or (), config, source.value, start, confirm or (), timeout)
    if not run_pull(wanted, DataOutput(catalog, as_json)):
        raise typer.Exit(EXIT_CHECK_FAILED)


@data_app.command()
def check(
    symbols: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SYMBOL...|FILE...|DIR...]", help="Symbols of the catalog [all], or files."),
    ] = None,
    catalog: CatalogPath = None,
    as_json: AsJson = False,
) -> None:
    """Show span, holes, gates and source of each symbol; exit 1 if something is in quarantine, or would be."""
    from plimsoll.engine.cli.data import DataOutput, run_check
    from plimsoll.engine.cli.data_files import check_files, files_among

    files = files_among(symbols or ())
    if files:
        if not check_files(files, as_json=as_json):
            raise typer.Exit(EXIT_CHECK_FAILED)
        return
    if not run_check(symbols or (), DataOutput(catalog, as_json)):
        raise typer.Exit(EXIT_CHECK_FAILED)


@data_app.command()
def show(
    symbol: Annotated[str, typer.Argument(help="A symbol of the catalog, or of --data.")],
    rows: Annotated[int, typer.Option("--rows", metavar="N", min=1, help="The last N rows.")] = 10,
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR|catalog", help="A folder [the catalog].")] = None,
    interval: Annotated[
        str, typer.Option("--interval", metavar="I", help="Of a folder's bars, 1d, 5min ... [as its files' names say].")
    ] = "",
    log: Annotated[bool, typer.Option("--log", help="Equal distances are equal ratios.")] = False,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page instead.")] = None,
    catalog: CatalogPath = None,
    as_json: AsJson = False,
) -> None:
    """Chart a symbol with its actions, gaps, findings and revisions; print its last rows (--json: these alone)."""
    from plimsoll.engine.cli.data import DataOutput
    from plimsoll.engine.cli.data_show import ShowOptions, show_symbol

    folder = None if data is None or str(data) == "catalog" else data
    show_symbol(ShowOptions(symbol, rows, folder, interval, log, html), DataOutput(catalog, as_json))
