"""The `plimsoll` command."""

import sys
import traceback
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from plimsoll.engine.cli.config_app import register as register_config
from plimsoll.engine.cli.data_app import EXIT_CHECK_FAILED, AsJson, AsOf, data_app
from plimsoll.engine.cli.data_diff_app import diff
from plimsoll.engine.cli.exchange_app import exchange
from plimsoll.engine.cli.import_app import register as register_import
from plimsoll.engine.cli.live_app import register
from plimsoll.engine.cli.report_app import register as register_report
from plimsoll.engine.cli.stress_app import stress
from plimsoll.engine.cli.validate_app import register as register_validate
from plimsoll.engine.errors import InputError
from plimsoll.engine.garbage import seldom
from plimsoll.engine.types import EngineName

app = typer.Typer(
    name="plimsoll",
    help="Event-driven backtesting and paper trading for portfolios of ETF strategies.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

EXIT_BAD_INPUT = 2
EXIT_BUG = 70
EXIT_INTERRUPTED = 130
EXIT_CLOSED_PIPE = 141  # as whatever a closed pipe ends by a signal: what was asked was not answered

ConfigPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="A TOML configuration, a strategy, or a script.")]
Trials = Annotated[
    str | None,
    typer.Option(
        "--trials", metavar="DIR|off", help="Folder of the trial ledger [PLIMSOLL_TRIALS, or the user's data]."
    ),
]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="A.B=C", help="Override a configuration key; repeatable.")
]


class Executor(StrEnum):
    """The choices of `--executor`."""

    auto = "auto"
    threads = "threads"
    processes = "processes"


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
    start: Annotated[
        str | None, typer.Option("--start", "--from", metavar="DATE", help="First session traded.")
    ] = None,
    end: Annotated[str | None, typer.Option("--end", "--to", metavar="DATE", help="Last session.")] = None,
    sets: Sets = None,
    as_of: AsOf = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Run folder [runs/<utc>-<name>-<hash>].")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write into an --out that is not empty.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse price jumps that no split explains and [data.confirmed] lacks.")
    ] = False,
    engine: Annotated[
        EngineName, typer.Option("--engine", help="The loop: bar by bar, or compiled; the run folder is the same.")
    ] = "python",
    trials: Trials = None,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print only the path of the run folder.")] = False,
) -> None:
    """Run a backtest and write its run folder, report included."""
    from plimsoll.engine.cli.backtest import run_backtest
    from plimsoll.engine.cli.options import RunOptions

    options = RunOptions(data, start, end, tuple(sets or ()), as_of)
    run_backtest(
        config, options, out, force=force, strict=strict, engine=engine, trials=trials, as_json=as_json, quiet=quiet
    )


@app.command()
def plan(
    config: ConfigPath,
    positions: Annotated[
        Path | None, typer.Option("--positions", metavar="FILE", help="CSV of symbol,qty with a row CASH.")
    ] = None,
    account: Annotated[
        str | None,
        typer.Option("--account", metavar="paper", help="Read the [broker] account instead; nothing is sent."),
    ] = None,
    slot: Annotated[str, typer.Option("--at", metavar="HH:MM", help="The slot the orders are for.")] = "09:35",
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Folder of <SYMBOL>.csv files.")] = None,
    end: Annotated[
        str | None,
        typer.Option("--end", "--to", metavar="DATE", help="Plan as of an earlier session [the last completed one]."),
    ] = None,
    sets: Sets = None,
    as_of: AsOf = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE|DIR", help="Write the orders as CSV; DIR: named by session.")
    ] = None,
    adopt: Annotated[
        bool | None,
        typer.Option("--adopt/--no-adopt", help="Take over the standing portfolio [if nothing of the book is held]."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite other orders in --out.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show the weights after every stage.")] = False,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print only the path of the orders.")] = False,
) -> None:
    """Print the orders a configuration would send now; nothing is sent.

    Exit 0: orders, or none needed; 1: refused, e.g. data that are not up to date; 2: bad input.
    """
    from plimsoll.engine.cli.options import RunOptions
    from plimsoll.engine.cli.plan import run_plan

    options = RunOptions(data, None, end, tuple(sets or ()), as_of)
    done = run_plan(
        config, options, positions, account, slot, out, adopt=adopt, force=force, explain=explain, as_json=as_json,
        quiet=quiet,
    )  # fmt: skip
    if not done:
        raise typer.Exit(EXIT_CHECK_FAILED)


@app.command()
def sweep(
    config: ConfigPath,
    grid: Annotated[
        list[str] | None,
        typer.Option("--grid", metavar="A.B=1,2,3", help="A key and its values, or lo:hi:n; repeatable."),
    ] = None,
    random: Annotated[
        int | None, typer.Option("--random", metavar="N", help="N settings drawn at random; keys may say lo:hi.")
    ] = None,
    metric: Annotated[str, typer.Option("--metric", help="What the best are chosen by.")] = "sharpe",
    top: Annotated[int, typer.Option("--top", metavar="K", help="How many of the best to write and show.")] = 5,
    executor: Annotated[
        Executor, typer.Option("--executor", help="Who runs the settings on this machine.")
    ] = Executor.auto,
    cluster: Annotated[
        str | None, typer.Option("--cluster", metavar="ADDRESS", help="A Dask scheduler, tcp://HOST:PORT.")
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", metavar="N", min=1, help="[all cores]")] = None,
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Folder of <SYMBOL>.csv files.")] = None,
    start: Annotated[
        str | None, typer.Option("--start", "--from", metavar="DATE", help="First session traded.")
    ] = None,
    end: Annotated[str | None, typer.Option("--end", "--to", metavar="DATE", help="Last session.")] = None,
    sets: Sets = None,
    as_of: AsOf = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder; the same command goes on with what is in it.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what an --out holds.")] = False,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Leave out combinations that are not valid.")
    ] = False,
    own_window: Annotated[
        bool, typer.Option("--own-window", help="Measure each setting over all sessions it can trade on.")
    ] = False,
    common_window: Annotated[
        bool, typer.Option("--common-window", help="One window for all, whatever it costs the others.")
    ] = False,
    max_settings: Annotated[
        int, typer.Option("--max-settings", metavar="N", help="More settings are refused.")
    ] = 100_000,
    trials: Trials = None,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print only the path of the folder.")] = False,
) -> None:
    """Run every combination of the given values; write one table, a page and the best as configurations."""
    from plimsoll.engine.cli.options import RunOptions
    from plimsoll.engine.cli.sweep import Asked, SweepOutput, run_sweep_command, windows_of
    from plimsoll.engine.research.sweep.sweep import Ranking, Workers

    options, windows = (
        RunOptions(data, start, end, tuple(sets or ()), as_of),
        windows_of(own=own_window, accept=common_window),
    )
    asked = Asked(tuple(grid or ()), random, max_settings, skip_invalid, windows)
    by, who = Ranking(metric, top), Workers(executor.value, workers, cluster)
    if run_sweep_command(config, options, asked, who, by, SweepOutput(out, force, trials, as_json, quiet)):
        raise typer.Exit(EXIT_CHECK_FAILED)


@app.command()
def audit(
    what: Annotated[Path, typer.Argument(metavar="CONFIG|RUN", help="A TOML configuration, or a run folder.")],
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Folder of <SYMBOL>.csv files.")] = None,
    start: Annotated[
        str | None, typer.Option("--start", "--from", metavar="DATE", help="First session traded.")
    ] = None,
    end: Annotated[str | None, typer.Option("--end", "--to", metavar="DATE", help="Last session.")] = None,
    sets: Sets = None,
    as_of: AsOf = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Run folder [runs/<utc>-...].")] = None,
    reloads: Annotated[int, typer.Option("--reloads", metavar="N", min=0, help="Runs in fresh processes.")] = 20,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Of noise and cuts.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")] = False,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print only the path of the run folder.")] = False,
) -> None:
    """Look for look-ahead: run with the future hidden, again, and on cut data; exit 1 if a decision changes."""
    from plimsoll.engine.cli.audit import AuditOptions, run_audit
    from plimsoll.engine.cli.options import RunOptions

    options = RunOptions(data, start, end, tuple(sets or ()), as_of)
    if not run_audit(what, options, AuditOptions(reloads, seed, out, force, as_json, quiet)):
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
    from plimsoll.engine.cli.explain import run_explain

    run_explain(run, symbol, session, data, as_json=as_json)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="FILE.csv or FILE.parquet; FILE_summary.json goes with it.")
    ],
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Where the data are now.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print only the path of the table.")] = False,
) -> None:
    """Write a run as one table, a row a session: prices, returns, weights, flags, equity, turnover, cost; a summary."""
    from plimsoll.engine.cli.export import run_export

    run_export(run, out, data, force=force, as_json=as_json, quiet=quiet)


@app.command()
def strategies(
    name: Annotated[
        str | None, typer.Argument(help="A registered name or package.module:Class; all if left out.")
    ] = None,
    modules: Annotated[
        Path | None, typer.Option("--modules", metavar="DIR", help="Folder of a module that is not installed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the registered strategies, or show one: parameters, universe, source."""
    from plimsoll.engine.cli.strategies import show_strategies

    show_strategies(name, modules, as_json=as_json)


@app.command(name="trials")
def show_trial_ledger(
    family: Annotated[str | None, typer.Argument(help="A strategy family; all if left out.")] = None,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="Write a row a trial to FILE.csv or FILE.parquet.")
    ] = None,
    returns: Annotated[
        Path | None, typer.Option("--returns", metavar="FILE", help="Write the returns of FAMILY, a column a trial.")
    ] = None,
    ladder: Annotated[
        bool, typer.Option("--ladder", help="List the rungs of books' ladders instead: they are no trials.")
    ] = False,
    trials: Trials = None,
    as_json: AsJson = False,
) -> None:
    """List every backtest and sweep setting that was ever run, by strategy family, or export them."""
    from plimsoll.engine.cli.trials import show_trials

    show_trials(family, trials, export, returns, ladder=ladder, as_json=as_json)


@app.command()
def doctor(
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Also check a folder of CSV files.")
    ] = None,
    live: Annotated[
        Path | None,
        typer.Option("--live", metavar="CONFIG", help="Ask the venue of a configuration instead; no order."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the installation: versions, kernel cache, calendar, registry, credentials, data; exit 1 if one fails."""
    from plimsoll.engine.cli.doctor import run_doctor

    if not run_doctor(data, live, as_json=as_json):
        raise typer.Exit(EXIT_CHECK_FAILED)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Folder to write into; made if missing.")] = Path(),
) -> None:
    """Write a first strategy in plain Python, one with a kernel, their configurations and a test."""
    from plimsoll.engine.cli.init import run_init

    run_init(folder)


data_app.command()(diff)
app.add_typer(data_app)
app.command()(stress)
register_config(app)
register_report(app)
register_validate(app)
register_import(data_app)
register(app)
app.command()(exchange)


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
        return EXIT_CLOSED_PIPE
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    except SystemExit as leaving:  # the option parser leaves by itself, after an interruption too
        # and after a closed pipe with 1, as rich does: that would be a check that said no
        closed = isinstance(leaving.__context__, BrokenPipeError)
        code = EXIT_CLOSED_PIPE if closed else leaving.code
    except Exception as error:  # noqa: BLE001  (whatever it is, it is ours to mend)
        traceback.print_exc()
        sys.stderr.write(f"error: {type(error).__name__} inside plimsoll: this is a bug, the lines above say where\n")
        return EXIT_BUG
    if code == EXIT_INTERRUPTED:
        sys.stderr.write("interrupted\n")
    return int(code or 0)


def main(argv: list[str] | None = None) -> None:
    """Console entry point."""
    seldom()
    arguments = sys.argv[1:] if argv is None else argv
    verbose = any(flag in arguments for flag in ("-v", "--verbose"))
    arguments = [a for a in arguments if a not in ("-v", "--verbose")]
    sys.exit(guarded(lambda: app(args=arguments, standalone_mode=True), verbose=verbose))
