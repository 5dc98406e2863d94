"""The settings of a sweep as trials: every one that ran counts, the best no more than the others."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from plimsoll.engine.errors import OutputError
from plimsoll.engine.research.sweep.sweep import Recording, SettingTrial
from plimsoll.engine.trials.ledger import open_ledger
from plimsoll.engine.trials.row import TrialRow, family_of


def sweep_recorder(
    setting: str | Path | None, env: Mapping[str, str], clock: Callable[[], datetime], failed: Callable[[str], None]
) -> Recording | None:
    """Return what records a finished sweep in the ledger in force; None where it is switched off.

    A ledger that cannot be written costs no sweep: `failed` is told why in one line. clock : aware, UTC.

    Raises
    ------
    OutputError
        If the setting names no ledger at all.
    """
    ledger = open_ledger(setting, env)
    if ledger is None:
        return None

    def record(trials: Iterator[SettingTrial]) -> None:
        moment = clock().isoformat(timespec="seconds")
        try:
            ledger.record_many(rows_of(trials, moment))
        except OutputError as error:
            failed(str(error))

    return record


def rows_of(trials: Iterator[SettingTrial], recorded_at: str) -> Iterator[TrialRow]:
    """Yield a ledger row for each setting that ran; families are looked up once per combination of strategies."""
    families: dict[tuple[str, ...], str] = {}
    release = version("plimsoll")
    for trial in trials:
        config = trial.config
        specs = tuple(sleeve.strategy for sleeve in config.sleeve)
        if specs not in families:
            families[specs] = family_of(config)
        yield TrialRow(
            family=families[specs],
            name=config.run.name,
            kind="sweep",
            config_hash=config.digest,
            data_hash=trial.data_hash,
            config_toml=config.of_run().toml(),
            sessions=trial.sessions,
            returns=trial.returns,
            recorded_at=recorded_at,
            version=release,
        )
