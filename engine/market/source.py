"""Where market data come from: the port every source fills, and how one is found by its name.

A source is registered as an entry point of the group `plimsoll.sources`, a callable that takes the configured path.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Final, NamedTuple, Protocol, runtime_checkable

from plimsoll.engine.config.as_of import moment_of
from plimsoll.engine.errors import ConfigError, did_you_mean
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.said import NOTHING, Said
from plimsoll.engine.plugins import plugins

GROUP: Final = "plimsoll.sources"
# What reads a bare folder, as `--data DIR` gives one.
FOLDER: Final = "csv"


class Offer(NamedTuple):
    """What a source has for an interval."""

    symbols: frozenset[str]
    indicators: frozenset[str]


class Source(Protocol):
    """Market data by symbol. Every method raises ConfigError for an interval it does not have.

    seeded : whether the numbers depend on the seed.
    """

    seeded: bool

    def offers(self, interval: str) -> Offer:
        """Return what there is.

        Raises
        ------
        DataError
            If the place cannot be read or holds nothing for the interval.
        """

    def load(
        self,
        symbols: Sequence[str],
        indicators: Sequence[str],
        *,
        interval: str,
        start: date | None = None,
        end: date | None = None,
        seed: int = 0,
        said: Said = NOTHING,
    ) -> Panel:
        """Return the panel from `start` to `end`, both included, None = no limit.

        What is loaded up to `end` must not depend on anything after it. `said` is the user's word on prices.

        Raises
        ------
        DataError
            If something asked for is not there, or unusable; the message says where.
        """

    def cut(self, names: Sequence[str], folder: Path, *, interval: str, last: str) -> bool:
        """Lay out in `folder`, new and empty, what a fresh process shall find at the configured path; return whether.

        False = there is nothing to lay out: what is loaded depends on no file, and the span's end is cut enough.

        Parameters
        ----------
        names : sequence of str
            Symbols and indicators the run loads where they are there; others are left out.
        last : ISO date
            The last session there may be anything of, except what says how a series is read that begins later.
        """


@runtime_checkable
class Versioned(Protocol):
    """A source that keeps what it told before."""

    def as_known(self, moment: datetime) -> Source:
        """Return the same source as it was known at a moment (aware)."""


def registered_sources() -> Mapping[str, EntryPoint]:
    """Return every registered source by name, sorted."""
    return plugins(GROUP)


def open_source(name: str, path: Path | None, *, as_of: str | None = None, where: str = "data.source") -> Source:
    """Return the source of that name on a path; None = the configuration names none. as_of : as it was known then.

    Raises
    ------
    ConfigError
        If no such source is registered, it cannot be imported, it needs a path, or it keeps no versions.
    """
    known = registered_sources()
    if name not in known:
        raise ConfigError(f"unknown data source {name!r}", where=where, fix=did_you_mean(name, known))
    try:
        make = known[name].load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"data source {name!r} cannot be imported: {error}", where=where) from error
    found: Source = make(path)
    if as_of is None:
        return found
    if not isinstance(found, Versioned):
        what, cause = f"source {name!r} keeps no versions", "nothing in it says what was known when"
        raise ConfigError(what, where="data.as_of", cause=cause, fix="leave it out, or read a catalog: data.source")
    return found.as_known(moment_of(as_of))
