"""The account beside its simulation, a book beside its shadow, a run beside another."""

import tomllib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from plimsoll.engine.config.schema import validate_config
from plimsoll.engine.errors import ConfigError, DataError
from plimsoll.engine.live.compare import Book, Comparison, beside_shadow, compare, target_of
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.owner import check_owner
from plimsoll.engine.live.replay import Case
from plimsoll.engine.live.track import Twin, twin_of
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.runtime.backtest import Progress
from plimsoll.engine.runtime.load import Runnable, configured
from plimsoll.engine.verbs.host import PROGRAM, Host
from plimsoll.engine.verbs.live_room import tenant_for

if TYPE_CHECKING:
    import pandas as pd


def twin(
    what: Runnable,
    other: Path | str | None = None,
    *,
    session: date | str | None = None,
    shadow: Runnable | None = None,
    data: Panel | None = None,
    sets: Iterable[str] = (),
    progress: Progress | None = None,
    host: Host = PROGRAM,
) -> Twin | Comparison:
    """Return how an account and its simulation differ, and why; or two books side by side. Nothing is written.

    The session's decision is made again from what the journal says it was made on, the simulator executes it, and every
    dollar between the two is put down to a cause: `Twin.gap`. `Twin.ok` is false beyond `live.twin_band_bps`, or where
    the nightly check finds that state, prices or decision are not the journalled ones.

    Parameters
    ----------
    what, data, sets
        As for `backtest`; or, with `other`, a run folder.
    other : path, optional
        A second run folder: compare the two runs over the sessions they share.
    session : ISO date, optional
        The session; the last one that the prices cover if left out.
    shadow : configuration, optional
        Compare the book with this shadow instead, over the sessions both decided for.

    Raises
    ------
    InputError
        If the input is wrong, nothing was decided, there are no prices, or nothing is there to compare.
    """
    if other is not None:
        if shadow is not None or session is not None:
            raise ConfigError("two run folders have neither a session nor a shadow", where="twin", fix="leave it out")
        return compare(_run_of(what), _run_of(other))
    tenant = tenant_for(what, sets, host)
    case = Case(tenant.config, tenant.strategies, data)
    journal = Journal.read_only(tenant.folder, host.clock)
    if journal is None:
        raise DataError("there is no journal", where=str(tenant.folder), fix="`plimsoll rebalance` begins one")
    try:
        check_owner(journal, tenant.name, tenant.account)
        if shadow is None:
            return twin_of(case, journal, _day(session), progress=progress)
        config, strategies = configured(shadow, env=host.env)
        return beside_shadow(case, Case(config, strategies, data), journal)
    finally:
        journal.close()


def _day(session: date | str | None) -> date | None:
    if session is None or isinstance(session, date):
        return session
    try:
        return date.fromisoformat(session)
    except ValueError:
        raise DataError(f"{session!r} is not a date", where="--session", fix="write it as 2026-03-31") from None


def _run_of(what: Runnable) -> Book:
    """Return a run folder as a book."""
    if not isinstance(what, (str, Path)):
        raise ConfigError(f"{type(what).__name__} is not a run folder", where="twin", fix="name two folders of runs")
    folder = Path(what)
    try:
        values = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))
        equity, weights = _table(folder, "equity"), _table(folder, "weights")
        config = validate_config(values, str(folder / "config.toml"))
        days = equity["session"].to_numpy(dtype="datetime64[D]")
        last = np.append(days[1:] != days[:-1], True)  # the last bar of each session
        base = np.concatenate(([config.run.cash], equity["equity"].to_numpy()[:-1]))
        traded = np.add.reduceat(equity["traded"].to_numpy() / base, np.flatnonzero(np.append(True, last[:-1])))
        held = weights.drop(columns="session").to_dict("records")
        return Book(
            name=f"{config.run.name} ({folder.name})",
            sessions=tuple(days[last].astype(object).tolist()),
            nav=np.cumprod(1.0 + equity["ret"].to_numpy())[last],
            gross=equity["gross"].to_numpy()[last],
            turnover=traded,
            weights=tuple({str(k): float(v) for k, v in held[i].items()} for i in np.flatnonzero(last)),
            target=target_of(config),
        )
    except (OSError, ValueError, KeyError):
        fix = "name two folders that `plimsoll backtest` wrote"
        raise DataError("not a run folder: it needs config.toml, equity, weights", where=str(folder), fix=fix) from None


def _table(folder: Path, name: str) -> "pd.DataFrame":
    import pandas as pd

    packed = folder / f"{name}.parquet"
    return pd.read_parquet(packed) if packed.exists() else pd.read_csv(folder / f"{name}.csv")
