"""Every error a user can meet.

    PlimsollError
    ├── InputError            exit code 2: the user can mend it
    │   ├── ConfigError       a key, a type, a value of the configuration
    │   ├── DataError         a file, a row, a price, a date
    │   ├── StrategyError     a strategy raised or answered something impossible
    │   ├── OutputError       a run folder, a table or a trial ledger that cannot be written or used
    │   ├── WorkerError       a worker process or a cluster was lost
    │   └── VenueError        a broker or exchange gave no answer that can be used
    └── EngineError           a broken invariant: ours to mend

Each message is one line: where, what, the likely cause, what to do.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class PlimsollError(Exception):
    """Root of everything this package raises on purpose."""


class EngineError(PlimsollError):
    """An invariant does not hold; never the user's fault."""


class InputError(PlimsollError):
    """Bad input, told in one line.

    Parameters
    ----------
    what : str
        The problem, with the offending value.
    where : str, optional
        File, section, symbol or session it was found at.
    cause : str, optional
        The likely cause.
    fix : str, optional
        What to do about it.
    """

    def __init__(self, what: str, *, where: str = "", cause: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.cause = cause
        self.fix = fix

    def __str__(self) -> str:
        """Join the parts into the one line that is printed."""
        line = f"{self.where}: {self.what}" if self.where else self.what
        if self.cause:
            line += f" ({self.cause})"
        if self.fix:
            line += f"; {self.fix}"
        return " ".join(line.split())


class ConfigError(InputError):
    """A key, a type or a value of the configuration."""


class DataError(InputError):
    """A file, a row, a price or a date of the market data."""


class StrategyError(InputError):
    """A strategy raised, or answered something that cannot be traded."""


class OutputError(InputError):
    """A run folder, a table or a trial ledger that cannot be written or used."""


class VenueError(InputError):
    """A broker or an exchange gave no answer that can be used: nothing may be concluded from it."""


class WorkerError(InputError):
    """A worker process or a cluster that was lost or cannot be reached."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Say which known word was probably meant, or list the known ones.

    Returns text that completes an error line: ``did you mean 'lookback_bars'?`` or ``known: a, b, c``.
    """
    names = sorted(set(known))
    folded = {name.lower(): name for name in names}
    close = get_close_matches(word.lower(), list(folded), n=1, cutoff=0.6)
    if close:
        return f"did you mean {folded[close[0]]!r}?"
    shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return f"known: {shown}" if names else "none is known"
