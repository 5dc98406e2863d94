"""One trial: what was tried, on which data, and what it returned."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.report.metrics.returns import checked
from plimsoll.engine.types import Dates, Floats

if TYPE_CHECKING:
    from plimsoll.engine.config.schema import Config
    from plimsoll.engine.runtime.record import Record

TRIALS: Final = ("backtest", "sweep")
# A rung of a book's ladder: kept to be looked at again, but nobody chose among them, so it is no trial.
LADDER: Final = "ladder"
KINDS: Final = (*TRIALS, LADDER)
# 64 bits: among a million trials two different series share a hash with a probability of 3e-8.
_HASH_CHARACTERS: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class TrialRow:
    """One evaluated configuration.

    family : the strategies it is made of, see `family_of`. name : of the run. kind : one of `KINDS`.
    config_hash, config_toml : the effective configuration. data_hash : of the market data.
    sessions (n,) datetime64[D], increasing; returns (n,) simple net return of each, finite; n > 0.
    recorded_at : ISO 8601, UTC. version : of plimsoll. id : its number in the ledger, None until it is recorded.

    Raises
    ------
    DataError
        If a field is not as told here.
    """

    family: str
    name: str
    kind: str
    config_hash: str
    data_hash: str
    config_toml: str
    sessions: Dates
    returns: Floats
    recorded_at: str
    version: str
    id: int | None = None

    def __post_init__(self) -> None:
        """Refuse what later statistics could not use."""
        where = f"trial {self.name!r}"
        n = len(checked(self.returns, f"{where} returns"))
        if n == 0 or self.sessions.shape != (n,):
            raise DataError(f"{n} returns on {len(self.sessions)} sessions", where=where, fix="give one to each")
        if self.sessions.dtype != np.dtype("datetime64[D]") or not (self.sessions[1:] > self.sessions[:-1]).all():
            raise DataError("its sessions are not increasing days", where=where, fix="sort them, each once")
        if self.kind not in KINDS:
            raise DataError(f"unknown kind {self.kind!r}", where=where, fix=f"known: {', '.join(KINDS)}")
        if not _is_utc(self.recorded_at):
            raise DataError(f"recorded_at {self.recorded_at!r} is not an ISO 8601 time in UTC", where=where)

    @property
    def axis_hash(self) -> str:
        """Short hash of the sessions."""
        return hashlib.sha256(day_bytes(self.sessions)).hexdigest()[:_HASH_CHARACTERS]

    @property
    def returns_hash(self) -> str:
        """Short hash of the sessions and the returns on them, to the bit."""
        digest = hashlib.sha256(day_bytes(self.sessions))
        digest.update(return_bytes(self.returns))
        return digest.hexdigest()[:_HASH_CHARACTERS]


def _is_utc(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).utcoffset() == timedelta(0)
    except ValueError:
        return False


def day_bytes(sessions: Dates) -> bytes:
    """Return days since 1970-01-01 as little-endian 32-bit integers."""
    return sessions.astype("datetime64[D]").astype("<i4").tobytes()


def days_from(content: bytes) -> Dates:
    """Return the days that `day_bytes` wrote."""
    days: Dates = np.frombuffer(content, dtype="<i4").astype("datetime64[D]")
    return days


def return_bytes(returns: Floats) -> bytes:
    """Return the values as little-endian 64-bit floats."""
    return np.asarray(returns, dtype="<f8").tobytes()


def returns_from(content: bytes) -> Floats:
    """Return the values that `return_bytes` wrote, the same bits."""
    return np.frombuffer(content, dtype="<f8").astype(np.float64, copy=False)


def family_of(config: "Config") -> str:
    """Return what a configuration's trials are counted under.

    The registered name of its strategy (also where it is named as ``package.module:Class``), the specification of one
    that is not registered, several sleeves as their distinct names, sorted and joined by "+".
    """
    return _family([sleeve.strategy for sleeve in config.sleeve])


def _family(strategies: list[str]) -> str:
    from plimsoll.engine.runtime.resolve import registered

    names: Mapping[str, str] = {point.value: name for name, point in registered().items()}
    return "+".join(sorted({names.get(strategy, strategy) for strategy in strategies}))


def row_of(run: "Record", kind: str, recorded_at: str) -> TrialRow:
    """Return the trial that a finished run is.

    kind : one of `TRIALS`. recorded_at : ISO 8601, UTC.

    Raises
    ------
    DataError
        If the run has no session or a return is not a number.
    """
    return TrialRow(
        family=_family([sleeve["strategy"] for sleeve in run.config["sleeve"]]),
        name=run.name,
        kind=kind,
        config_hash=run.config_hash,
        data_hash=run.data_hash,
        config_toml=run.config_toml,
        sessions=run.sessions,
        returns=run.returns.to_numpy(dtype=np.float64),
        recorded_at=recorded_at,
        version=str(run.env["versions"]["plimsoll"]),
    )


def ladder_rows(run: "Record", recorded_at: str) -> list[TrialRow]:
    """Return a row for each rung of a finished run's ladder that ran; nothing where it has none."""
    if run.ladder is None:
        return []
    whole = row_of(run, LADDER, recorded_at)
    return [
        replace(
            whole,
            name=f"{run.name}/{rung.name}",
            config_hash=rung.config_hash,
            config_toml=rung.config_toml,
            returns=run.compounded(rung.ret),
        )
        for rung in run.ladder.rungs
        if not rung.why
    ]
