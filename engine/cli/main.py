"""The `plimsoll` command."""

import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.errors import InputError

app = typer.Typer(
    name="plimsoll",
    help="Event-driven backtesting and paper trading for portfolios of ETF strategies.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

EXIT_BAD_INPUT = 2
EXIT_CHECK_FAILED = 1
EXIT_BUG = 70
EXIT_INTERRUPTED = 130

ConfigPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="A TOML configuration, e.g. config/demo.toml.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of a table.")]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="A.B=C", help="Override a configuration key; repeatable.")
]


def _print_version(asked: bool) -> None:
    """Leave at once: no command is needed to ask for the version."""
    if asked:
        from importlib.metadata import version

        sys.stdout.write(f"plimsoll {version('plimsoll')}\n")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Event-driven backtesting and paper trading for portfolios of ETF strategies."""
    ctx.obj = {"verbose": verbose, "version": version}


@app.command()
def backtest(
    config: ConfigPath,
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Folder of <SYMBOL>.csv files.")] = None,
    start: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First session traded.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last session.")] = None,
    sets: Sets = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Run folder [runs/<utc>-<name>-<hash>].")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write into an --out that is not empty.")] = False,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print only the path of the run folder.")] = False,
) -> None:
    """Run a backtest and write its run folder, report included."""
    from engine.cli.backtest import run_backtest

    run_backtest(config, data, start, end, sets or [], out, force=force, as_json=as_json, quiet=quiet)


@app.command()
def audit(
    what: Annotated[Path, typer.Argument(metavar="CONFIG|RUN", help="A TOML configuration, or a run folder.")],
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Folder of <SYMBOL>.csv files.")] = None,
    start: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First session traded.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last session.")] = None,
    sets: Sets = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Run folder [runs/<utc>-...].")] = None,
    reloads: Annotated[int, typer.Option("--reloads", metavar="N", min=0, help="Runs in fresh processes.")] = 20,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Of noise and cuts.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")] = False,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print only the path of the run folder.")] = False,
) -> None:
    """Look for look-ahead: run with the future hidden, again, and on cut data; exit 1 if a decision changes."""
    from engine.cli.audit import Span, Wish, run_audit

    span, wish = Span(data, start, end, sets or []), Wish(reloads, seed, out, force, as_json, quiet)
    if not run_audit(what, span, wish):
        raise typer.Exit(EXIT_CHECK_FAILED)


@app.command()
def explain(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    symbol: Annotated[
        str | None, typer.Option("--symbol", help="One symbol in full; a table of all if left out.")
    ] = None,
    session: Annotated[
        str | None, typer.Option("--date", help="Session whose close decided [the last decision].")
    ] = None,
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Where the data are now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show why an order is what it is: the weight after every stage, and the order without each stage."""
    from engine.cli.explain import run_explain

    run_explain(run, symbol, session, data, as_json=as_json)


@app.command()
def strategies(
    name: Annotated[
        str | None, typer.Argument(help="A registered name or package.module:Class; all if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the registered strategies, or show one: parameters, universe, source."""
    from engine.cli.strategies import show_strategies

    show_strategies(name, as_json=as_json)


@app.command()
def doctor(
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Also check a folder of CSV files.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the installation: versions, kernel cache, calendar, registry, credentials, data; exit 1 if one fails."""
    from engine.cli.doctor import run_doctor

    if not run_doctor(data, as_json=as_json):
        raise typer.Exit(EXIT_CHECK_FAILED)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Folder to write into; made if missing.")] = Path(),
) -> None:
    """Write a first strategy in plain Python, one with a kernel, their configurations and a test."""
    from engine.cli.init import write_project

    write_project(folder)


def guarded(run: Callable[[], Any], *, verbose: bool) -> int:
    """Run a command; turn what goes wrong into one line on stderr and an exit code."""
    try:
        code = run()
    except InputError as error:
        if verbose:
            traceback.print_exc()
        sys.stderr.write(f"error: {error}\n")
        return EXIT_BAD_INPUT
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    except SystemExit as leaving:  # the option parser leaves by itself, after an interruption too
        code = leaving.code
    except Exception as error:  # noqa: BLE001  (whatever it is, it is ours to mend)
        traceback.print_exc()
        sys.stderr.write(f"error: {type(error).__name__} inside plimsoll: this is a bug, the lines above say where\n")
        return EXIT_BUG
    if code == EXIT_INTERRUPTED:
        sys.stderr.write("interrupted\n")
    return int(code or 0)


def main(argv: list[str] | None = None) -> None:
    """Console entry point."""
    arguments = sys.argv[1:] if argv is None else argv
    verbose = any(flag in arguments for flag in ("-v", "--verbose"))
    arguments = [a for a in arguments if a not in ("-v", "--verbose")]
    sys.exit(guarded(lambda: app(args=arguments, standalone_mode=True), verbose=verbose))
