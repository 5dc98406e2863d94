"""What a verb is told of the process it runs in, and whom it tells."""

import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final


def _now() -> datetime:
    return datetime.now(UTC)


def _keep_quiet(_: str) -> None:
    """Say nothing."""


def _warn(line: str) -> None:
    warnings.warn(line, RuntimeWarning, stacklevel=4)


@dataclass(frozen=True, slots=True)
class Host:
    """The process a verb runs in.

    env : its environment, asked for the trial ledger and the catalog in force, for keys and proxies. clock : the time
    now, aware, UTC.
    notice : is told in one line what takes long or goes on from before. warning : is told in one line what went
    wrong beside the work, which is done and good.
    """

    env: Mapping[str, str] = field(repr=False)  # it has keys, and `help` on a verb prints its defaults
    clock: Callable[[], datetime] = _now
    notice: Callable[[str], None] = _keep_quiet
    warning: Callable[[str], None] = _warn


# The caller of a verb is a program: it hears of warnings as RuntimeWarning, and of nothing else.
PROGRAM: Final = Host(os.environ)
