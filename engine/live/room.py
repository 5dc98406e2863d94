"""Everything that a live verb works with, opened in the order that keeps two of them apart, and closed again."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from plimsoll.engine.config.live import BrokerSection, LiveSection
from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import ConfigError, InputError, OutputError
from plimsoll.engine.execution.venue import Venue
from plimsoll.engine.live.clock import LiveClock
from plimsoll.engine.live.decide import SystemDecider
from plimsoll.engine.live.fence import accounts_folder, alone, claimed, on_account, release
from plimsoll.engine.live.journal.chain import Verified
from plimsoll.engine.live.journal.file import FILE
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.owner import own
from plimsoll.engine.live.rebalance import Book
from plimsoll.engine.live.reconcile import Whose
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.runtime.backtest import Progress
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.sleeve.strategy import Strategy

FREE_BYTES: Final = 200_000_000
UMASK: Final = 0o077


@dataclass(frozen=True, slots=True)
class Tenant:
    """A configuration that may go live: its sections, its account, where its state lies."""

    config: Config
    broker: BrokerSection
    live: LiveSection
    account: str
    folder: Path
    accounts: Path
    strategies: Mapping[str, Strategy]

    @property
    def name(self) -> str:
        """The book."""
        return self.config.run.name

    @property
    def symbols(self) -> tuple[str, ...]:
        """What the sleeves trade, sorted."""
        made = make_strategies(self.config, self.strategies).values()
        return tuple(sorted({s for strategy in made for s in (*strategy.universe, *strategy.optional)}))

    def book(self) -> Book:
        """Return the book as it is traded."""
        config = self.config
        whose = Whose(self.name, self.account, frozenset(self.symbols), self.broker.manage)
        return Book(
            whose, self.symbols, self.live, self.broker.kind, margin=config.account.type != "cash",
            carry=config.execution.unfilled == "carry",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Room:
    """A tenant with its journal, venue and clock, alone on the account."""

    tenant: Tenant
    journal: Journal
    venue: Venue
    clock: LiveClock
    book: Book

    def decider(self, *, data: Panel | None = None, progress: Progress | None = None) -> SystemDecider:
        """Return the configured system as what decides."""
        tenant = self.tenant
        return SystemDecider(tenant.config, tenant.strategies, self.venue, self.journal, data=data, progress=progress)


def tenant_of(config: Config, strategies: Mapping[str, Strategy], env: Mapping[str, str], home: Path) -> Tenant:
    """Return what a configuration says about going live.

    Raises
    ------
    ConfigError
        If it names no broker or no account, or its state folder is a link.
    """
    if config.broker is None:
        raise ConfigError("there is no [broker] section", where=config.run.name, fix="add one, see config/paper.toml")
    if config.broker.account is None:
        fix = "write down the only account it may trade; `plimsoll doctor --live CONFIG` shows it"
        raise ConfigError("no account is named", where="broker.account", fix=fix)
    folder, accounts = state_folder(config, env, home), accounts_folder(env, home)
    live = config.live or LiveSection()
    return Tenant(config, config.broker, live, config.broker.account, folder, accounts, strategies)


def state_folder(config: Config, env: Mapping[str, str], home: Path) -> Path:
    """Return where a book's journal and locks lie: `live.state`, or a place of its own among the user's. Absolute.

    Raises
    ------
    ConfigError
        If it is a link.
    """
    state = config.live.state if config.live is not None else None
    folder = (state or accounts_folder(env, home).parent / "books" / config.run.name).absolute()
    with suppress(OSError):  # what cannot be looked at cannot be used either, and is told of then
        if folder.is_symlink():
            raise ConfigError(f"{folder} is a link", where="live.state", fix="name the folder itself")
    return folder


def has_journal(folder: Path) -> bool:
    """Return whether a book has its journal in a folder.

    Raises
    ------
    OutputError
        If that cannot be seen.
    """
    try:
        return (folder / FILE).exists()
    except OSError as error:
        raise OutputError(f"cannot be read: {error.strerror}", where=str(folder)) from error


@contextmanager
def open_room(tenant: Tenant, venue: Venue, clock: LiveClock, verified: Verified | None = None) -> Iterator[Room]:
    """Hold the state folder and the account, with everything that is needed there, until the block ends.

    Raises
    ------
    OutputError
        If another process holds them, the disk is nearly full, or the journal cannot be used or is another one's; so,
        too, where the disk fails while somebody works there.
    ConfigError
        If the keys are of another account.
    """
    before = os.umask(UMASK)
    try:
        with ExitStack() as stack:
            stack.enter_context(alone(tenant.folder, f"book {tenant.name!r}"))
            new = claimed(tenant.accounts, tenant.account, tenant.name) is None
            stack.enter_context(on_account(tenant.accounts, tenant.account, tenant.name, tenant.folder))
            _check_disk(tenant.folder)
            journal = Journal.open(tenant.folder, clock.now, verified)
            stack.callback(journal.close)
            try:
                told = venue.snapshot().account
                if told != tenant.account:
                    fix = f"broker.account names {tenant.account}: use its keys"
                    raise ConfigError(f"the keys are of account {told}", where="broker.account", fix=fix)
                own(journal, tenant.name, tenant.account)
            except InputError:
                if new:  # nothing of the book is here: it may begin elsewhere
                    release(tenant.accounts, tenant.account, tenant.name)
                raise
            yield Room(tenant, journal, venue, clock, tenant.book())
    except (OSError, sqlite3.OperationalError) as error:
        if isinstance(error, ConnectionError):  # a pipe or a socket that closed, and no disk
            raise
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        fix = "mend that, then start it again: it goes on where it was"
        raise OutputError(f"cannot be written: {why}", where=str(tenant.folder), fix=fix) from error
    finally:
        os.umask(before)


def _check_disk(folder: Path, free_of: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free) -> None:
    """Refuse to begin where what happens could not be written down, or where others could rewrite it."""
    if folder.stat().st_mode & 0o022:
        raise OutputError("others can write in it", where=str(folder), fix=f"chmod 700 {folder}")
    free = free_of(folder)
    if free < FREE_BYTES:
        fix = "free some space: what is sent must be written down first"
        raise OutputError(
            f"{free / 1e6:.0f} MB are free, {FREE_BYTES / 1e6:.0f} are needed", where=str(folder), fix=fix
        )
    trial = folder / ".trial"
    try:
        trial.write_bytes(b"\0" * 4096)
        trial.unlink()
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror}", where=str(folder)) from error
