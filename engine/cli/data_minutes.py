"""`plimsoll data pull --interval`: minutes from Alpaca into a folder."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from plimsoll.engine.cli.data import data_host
from plimsoll.engine.cli.data_import import print_imported
from plimsoll.engine.cli.progress import progress_bar
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.verbs.data_minutes import pull_minutes


@dataclass(frozen=True, slots=True)
class MinuteOptions:
    """What of bars shorter than a day is asked for."""

    symbols: tuple[str, ...]
    config: Path | None
    source: str
    interval: str
    start: str | None
    end: str | None
    out: Path | None
    force: bool


def run_minutes(asked: MinuteOptions, confirm: Sequence[str], timeout_s: float, *, as_json: bool) -> bool:
    """Pull, print what became of each symbol; return whether everything was written.

    Raises
    ------
    InputError
        As `pull_minutes`, or if an option is missing or has no meaning here.
    """
    if asked.interval == "1d":
        raise ConfigError(
            "daily bars go into the catalog", where="--out, --to", fix="leave both out, or say --interval 5m"
        )
    if asked.source != "alpaca":
        raise ConfigError("minutes come from Alpaca alone", where="--interval", fix="say --source alpaca")
    if asked.config is not None:
        raise ConfigError("it is of daily bars", where="--for", fix="name the symbols instead")
    if asked.out is None or asked.start is None:
        missing = "--out DIR" if asked.out is None else "--from DATE"
        raise ConfigError(f"{missing} is missing", where="--interval", fix=f"say {missing}")
    with progress_bar("pull", shown=not as_json, unit="symbols") as progress:
        pulled = pull_minutes(
            asked.symbols, asked.interval, start=asked.start, end=asked.end, out=asked.out, confirm=confirm,
            timeout_s=timeout_s, force=asked.force, progress=progress, host=data_host(),
        )  # fmt: skip
    words = ["--interval", asked.interval, "--source", asked.source, "--from", asked.start]
    words += ["--to", asked.end] if asked.end is not None else []
    words += ["--out", str(asked.out), *(["--force"] if asked.force else [])]
    print_imported(pulled, as_json=as_json, command=lambda one: f"plimsoll data pull {one.symbol} {shlex.join(words)}")
    return pulled.complete
