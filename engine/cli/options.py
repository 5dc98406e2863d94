"""What several commands share: the options that say what is run, where a folder goes, who is told."""

import os
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from plimsoll.engine.config.schema import Config
from plimsoll.engine.runtime.load import configured
from plimsoll.engine.verbs.host import PROGRAM, Host


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What `--data`, `--from`, `--to`, `--set` and `--as-of` say."""

    data: Path | None
    start: str | None
    end: str | None
    sets: tuple[str, ...]
    as_of: str | None = None


def effective_config(path: Path, options: RunOptions) -> Config:
    """Layer file, environment, `--set` and the shorthand options; the last word wins."""
    config, _ = configured(
        path, data=options.data, start=options.start, end=options.end, sets=options.sets, as_of=options.as_of,
        env=os.environ,
    )  # fmt: skip
    return config


def command_host(*, quiet: bool) -> Host:
    """Return the process of a command: what is told goes to stderr, notices not where only a path is wanted."""
    return Host(
        PROGRAM.env,
        notice=PROGRAM.notice if quiet else _write,
        warning=lambda line: _write(f"warning: {line}"),
    )


def default_folder(now: datetime, *parts: str) -> Path:
    """Return `runs/<utc>-<parts>`, made unique if two begin in the same second."""
    stem = "-".join((f"{now:%Y%m%dT%H%M%SZ}", *parts))
    folder, copy = Path("runs") / stem, 1
    while folder.exists():
        copy += 1
        folder = Path("runs") / f"{stem}-{copy}"
    return folder


def _write(line: str) -> None:
    sys.stderr.write(f"{line}\n")
