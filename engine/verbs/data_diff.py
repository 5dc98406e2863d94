"""What a catalog's sources told anew, and what of a run would be different for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from plimsoll.engine.config.as_of import as_of_text, moment_of
from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import ConfigError, DataError
from plimsoll.engine.market.catalog.rewrites import GROWTH, KINDS, Rewrite, rewrites
from plimsoll.engine.market.catalog.store import Catalog, default_catalog, utc
from plimsoll.engine.market.ticker import canonical
from plimsoll.engine.report.read_back import read_back
from plimsoll.engine.research.rerun import RunChange, run_again, run_change
from plimsoll.engine.runtime.load import AsOf, load_panel
from plimsoll.engine.runtime.needs import needs_of
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.verbs.host import PROGRAM, Host
from plimsoll.engine.verbs.run_folder import load_finished


class KindCount(NamedTuple):
    """How much there was of a kind: entries, sessions in them (rows), symbols, and the largest of their sizes."""

    kind: str
    entries: int
    rows: int
    symbols: int
    first: str
    last: str
    largest: float | None


@dataclass(frozen=True, slots=True)
class DataDiff:
    """What became known after `since` ("" = from the beginning) and through `until` (ISO, UTC).

    rewrites : by when they became known. run : what of a run would be different; reproduced : whether it comes to its
    equity again on the data as they were known then; both None without a run.
    """

    since: str
    until: str
    rewrites: tuple[Rewrite, ...]
    run: RunChange | None = None
    reproduced: bool | None = None

    @property
    def kinds(self) -> tuple[KindCount, ...]:
        """Return the counts by kind."""
        by_kind = {kind: [one for one in self.rewrites if one.kind == kind] for kind in KINDS}
        return tuple(_counted(kind, found) for kind, found in by_kind.items() if found)

    @property
    def same(self) -> bool:
        """Whether nothing changed: with a run nothing of it; without, nothing that was stored before."""
        if self.run is not None:
            return self.run.same
        return all(one.kind in GROWTH for one in self.rewrites)

    def plain(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "since": self.since,
            "until": self.until,
            "same": self.same,
            "kinds": [one._asdict() for one in self.kinds],
            "rewrites": [one._asdict() for one in self.rewrites],
            "run": None if self.run is None else {**self.run.plain(), "reproduced": self.reproduced},
        }


def diff_data(
    catalog: Path | str | None = None,
    *,
    since: AsOf = None,
    until: AsOf = None,
    symbols: Iterable[str] = (),
    run: Path | str | None = None,
    host: Host = PROGRAM,
) -> DataDiff:
    """Return what a catalog's sources told anew between two moments, and what of a run would be different for it.

    It explains every difference between two runs as of these moments: each cell in which their panels differ is in an
    entry, and each entry is a step from what was told to what was told next.

    Parameters
    ----------
    catalog : path, optional
        Its folder; by default the run's, or what PLIMSOLL_CATALOG names, or the one in the user's data.
    since, until : date, datetime or ISO text, optional
        As `as_of` of `backtest`; by default everything, with a run from what it knew; until now.
    symbols : iterable of str
        Only these; by default all, with a run those it looks at.
    run : path, optional
        A run folder: its configuration runs again on what it knew and on what is known at `until`, to its last session.

    Raises
    ------
    InputError
        If the catalog, a symbol or the run cannot be used, or the run's data are no longer to be had as it knew them.
    """
    last = _moment(until, "--until") or host.clock()
    names = [canonical(symbol) for symbol in symbols]
    change, reproduced, first = None, None, _moment(since, "--since")
    if run is not None:
        config, found, reproduced = _run_change(Path(run), catalog, last if until is not None else None)
        change, knew = found
        first, names = first or knew, names or list(_looked_at(config))
        catalog = catalog if catalog is not None else config.data.path
    if first is not None and first > last:
        raise ConfigError(f"{first:%Y-%m-%dT%H:%M:%SZ} lies after {last:%Y-%m-%dT%H:%M:%SZ}", where="--since, --until")
    store = Catalog(Path(catalog) if catalog is not None else default_catalog(host.env, Path.home()))
    held = store.symbols()
    if not held:
        raise DataError("no bars in the catalog", where=str(store.root), fix="fetch some with `plimsoll data pull`")
    asked = names if not (run is not None and not list(symbols)) else [name for name in names if name in held]
    moments = tuple(None if one is None else utc(one) for one in (first, last))
    entries = [one for symbol in sorted(set(asked or held)) for one in rewrites(store.read(symbol), *moments)]
    entries += [one for one in _untold(store, first, last) if not asked or one.symbol in asked]
    entries.sort(key=lambda one: (one.known_at, one.symbol, one.first, KINDS.index(one.kind)))
    return DataDiff(_iso(first), _iso(last), tuple(entries), change, reproduced)


def _run_change(
    run: Path, catalog: Path | str | None, until: datetime | None
) -> tuple[Config, tuple[RunChange, datetime], bool]:
    config, panel, strategies = load_finished(run, catalog=catalog)
    if config.data.as_of is None:
        what = "this run does not say when its data were known"
        raise DataError(what, where=str(run), cause="it read no catalog", fix="name a run with data.source = 'catalog'")
    then = run_again(config, panel, strategies)
    kept, _ = read_back(run, config)
    reproduced = np.array_equal(kept.equity["equity"].to_numpy(), then.equity["equity"].to_numpy())
    end = config.run.end or panel.clock.session[-1].astype(object)
    data = config.data.model_copy(update={"as_of": None if until is None else as_of_text(until)})
    later = config.model_copy(update={"data": data, "run": config.run.model_copy(update={"end": end})})
    fresh = make_strategies(later)
    now = run_again(later, load_panel(later, needs_of(later, fresh)), fresh)
    return config, (run_change(then, now), moment_of(config.data.as_of)), reproduced


def _looked_at(config: Config) -> tuple[str, ...]:
    needs = needs_of(config, make_strategies(config))
    return (*needs.symbols, *needs.optional, *needs.required_indicators, *needs.indicators)


def _untold(store: Catalog, first: datetime | None, last: datetime) -> list[Rewrite]:
    """Return the stored sessions that a pull no longer told, each at the first pull that did not; their rows stay."""
    seen: set[tuple[str, str]] = set()
    found = []
    for event in store.log.events():
        at = datetime.fromisoformat(event["at"])
        for session in event.get("untold", ()):
            key = (event["symbol"], session)
            if key not in seen and at <= last and (first is None or at > first):
                found.append(Rewrite(key[0], "untold_row", session, session, 1, _iso(at)))
            seen.add(key)
    return found


def _counted(kind: str, found: list[Rewrite]) -> KindCount:
    sizes = [one.size for one in found if one.size is not None]
    return KindCount(
        kind=kind,
        entries=len(found),
        rows=sum(one.rows for one in found),
        symbols=len({one.symbol for one in found}),
        first=min(one.first for one in found),
        last=max(one.last for one in found),
        largest=max(sizes, key=abs) if sizes else None,
    )


def _moment(given: AsOf, option: str) -> datetime | None:
    if given is None:
        return None
    try:
        return moment_of(as_of_text(given))
    except ValueError as error:
        raise ConfigError(str(error), where=option) from None


def _iso(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
