"""The commands of the live half: one slot, how a book stands, stop, go on, get out."""

from pathlib import Path
from typing import Annotated

import typer

from plimsoll.engine.cli.data_app import EXIT_CHECK_FAILED, AsJson

Config = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="A TOML configuration with a [broker], e.g. config/paper.toml.")
]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="A.B=C", help="Override a configuration key; repeatable.")
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, in a few words; it is written down.")]


def rebalance(
    config: Config,
    slot: Annotated[str, typer.Option("--slot", metavar="HH:MM", help="One of live.slots, New York time.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the session's decision; nothing is sent or written.")
    ] = False,
    emit: Annotated[
        Path | None, typer.Option("--emit", metavar="DIR", help="Write the orders there instead of sending them.")
    ] = None,
    positions: Annotated[
        Path | None, typer.Option("--positions", metavar="FILE", help="With --emit: CSV of symbol,qty with a row CASH.")
    ] = None,
    sets: Sets = None,
    as_json: AsJson = False,
) -> None:
    """Do one slot of today's session on the paper account, once; started again it goes on where it was.

    Exit 0: done, done before, or no such slot today; 1: refused, halted or late, nothing was guessed; 2: bad input, or
    the venue gave no answer. For cron and systemd.
    """
    from plimsoll.engine.cli.live import run_rebalance

    if not run_rebalance(config, slot, dry_run, emit, positions, tuple(sets or ()), as_json=as_json):
        raise typer.Exit(EXIT_CHECK_FAILED)


def status(
    config: Config,
    again: Annotated[bool, typer.Option("--watch", help="Show it again and again, until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option("--every", metavar="S", min=0.1, help="With --watch: seconds between.")] = 5.0,
    sets: Sets = None,
    as_json: AsJson = False,
) -> None:
    """Show how a book stands by its own journal: halts, slots, orders, holdings; the venue is not asked.

    Exit 1 where something is halted, unknown or overdue, a slot did not end, a daemon gave no sign of life for 90
    seconds, or nothing ever ran here.
    """
    from plimsoll.engine.cli.live import run_status, watch_status

    if again:
        watch_status(config, every, tuple(sets or ()), as_json=as_json)
    elif not run_status(config, tuple(sets or ()), as_json=as_json):
        raise typer.Exit(EXIT_CHECK_FAILED)


def reconcile(config: Config, sets: Sets = None, as_json: AsJson = False) -> None:
    """Hold the journal against the account; exit 1 if they differ, and new risk is halted then. Nothing is sent."""
    from plimsoll.engine.cli.live import run_reconcile

    if not run_reconcile(config, tuple(sets or ()), as_json=as_json):
        raise typer.Exit(EXIT_CHECK_FAILED)


def adopt(
    config: Config,
    reason: Reason,
    code: Annotated[bool, typer.Option("--code", help="Accept the strategies' changed source instead.")] = False,
    sets: Sets = None,
    as_json: AsJson = False,
) -> None:
    """Accept what the account holds of the book as its holdings, from here on."""
    from plimsoll.engine.cli.live import run_adopt

    run_adopt(config, reason, tuple(sets or ()), code=code, as_json=as_json)


def halt(
    config: Config,
    reason: Reason,
    no_new_risk: Annotated[bool, typer.Option("--no-new-risk", help="Sales and covers go on.")] = False,
    local: Annotated[bool, typer.Option("--local", help="Leave the venue alone: cancel and suspend nothing.")] = False,
    sets: Sets = None,
    as_json: AsJson = False,
) -> None:
    """Stop sending, now: works with the sender hung, the journal locked and the venue down.

    Exit 0: nothing is on its way any more; 1: halted as far as it says, but an order may still be on its way or
    working, or the book may be traded from a place that is not known here.
    """
    from plimsoll.engine.cli.live import run_halt

    if not run_halt(config, reason, tuple(sets or ()), no_new_risk=no_new_risk, local=local, as_json=as_json):
        raise typer.Exit(EXIT_CHECK_FAILED)


def resume(config: Config, reason: Reason, sets: Sets = None, as_json: AsJson = False) -> None:
    """Let a halted book send again; a halt that comes in the meantime stays, with exit 2."""
    from plimsoll.engine.cli.live import run_resume

    run_resume(config, reason, tuple(sets or ()), as_json=as_json)


def flatten(
    config: Config,
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="Really sell everything of the book.")] = False,
    sets: Sets = None,
    as_json: AsJson = False,
) -> None:
    """Block new risk, cancel, sell everything of the book, suspend the account; exit 1 if anything is left."""
    from plimsoll.engine.cli.live import run_flatten

    if not run_flatten(config, reason, tuple(sets or ()), yes=yes, as_json=as_json):
        raise typer.Exit(EXIT_CHECK_FAILED)


def daemon(
    config: Config,
    emit: Annotated[
        Path | None, typer.Option("--emit", metavar="DIR", help="Write each session's orders there; no broker.")
    ] = None,
    positions: Annotated[
        Path | None, typer.Option("--positions", metavar="FILE", help="With --emit: CSV of symbol,qty with a row CASH.")
    ] = None,
    shadow: Annotated[
        Path | None, typer.Option("--shadow", metavar="CONFIG", help="Decide by this one too, sending nothing.")
    ] = None,
    sets: Sets = None,
) -> None:
    """Do every slot of every session, unattended, until SIGTERM or Ctrl-C; it ends between two orders."""
    from plimsoll.engine.cli.live import run_daemon

    run_daemon(config, emit, positions, shadow, tuple(sets or ()))


def confirm(
    config: Config,
    positions: Annotated[Path, typer.Option("--positions", metavar="FILE", help="The file that is to follow.")],
    fills: Annotated[
        Path | None,
        typer.Option("--fills", metavar="FILE", help="CSV of symbol,side,qty,price [all orders, at their prices]."),
    ] = None,
    sets: Sets = None,
    as_json: AsJson = False,
) -> None:
    """Write into a file of positions what the last emitted orders came to, once."""
    from plimsoll.engine.cli.live import run_confirm

    run_confirm(config, positions, fills, tuple(sets or ()), as_json=as_json)


def twin(
    what: Annotated[Path, typer.Argument(metavar="CONFIG", help="A configuration with a [broker]; or a run folder.")],
    other: Annotated[
        Path | None, typer.Argument(metavar="[RUN2]", help="A second run folder: compare the two.")
    ] = None,
    session: Annotated[
        str | None, typer.Option("--session", metavar="DATE", help="By default the last one that the prices cover.")
    ] = None,
    shadow: Annotated[
        Path | None, typer.Option("--shadow", metavar="CONFIG", help="Compare with this shadow of the book instead.")
    ] = None,
    sets: Sets = None,
    as_json: AsJson = False,
) -> None:
    """Show the account beside its simulation, every dollar between them by cause; nothing is sent or written.

    Exit 1 where the session is outside live.twin_band_bps, or state, prices or decision are not the journalled ones.
    """
    from plimsoll.engine.cli.twin import run_twin

    if not run_twin(what, other, session, shadow, tuple(sets or ()), as_json=as_json):
        raise typer.Exit(EXIT_CHECK_FAILED)


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (rebalance, daemon, status, reconcile, adopt, halt, resume, flatten, confirm, twin):
        app.command()(command)
