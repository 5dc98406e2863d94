"""The books of a run that are shocked: its last, its mean, and the one that a scenario hits hardest."""

from dataclasses import dataclass

import numpy as np

from plimsoll.engine.research.stress.go_on import Stand
from plimsoll.engine.research.stress.moves import Moves
from plimsoll.engine.types import Floats


@dataclass(frozen=True, slots=True)
class Books:
    """Weights held at the closes of a run; the rest of each is cash.

    held (T, N) : every close of the traded span. day (T,) : its date.
    """

    symbols: tuple[str, ...]
    held: Floats
    day: tuple[str, ...]

    @property
    def last(self) -> Floats:
        """(N,) the last close's."""
        book: Floats = self.held[-1]
        return book

    @property
    def mean(self) -> Floats:
        """(N,) the mean over closes."""
        book: Floats = self.held.mean(axis=0)
        return book

    def ever(self) -> tuple[str, ...]:
        """Return the symbols that any close held."""
        return tuple(s for s, used in zip(self.symbols, (self.held != 0.0).any(axis=0), strict=True) if used)


@dataclass(frozen=True, slots=True)
class Shock:
    """What an instant move does to the books without any trade: returns, < 0 is a loss.

    worst_day : the close whose book would lose most. moves : by symbol ever held, the shock itself.
    """

    last: float
    mean: float
    worst: float
    worst_day: str
    moves: dict[str, float]


def books_of(stand: Stand) -> Books:
    """Return the books of a finished run, those of session closes."""
    setup = stand.setup
    rows = np.arange(setup.first, stand.last + 1)
    rows = rows[setup.panel.clock.last_bar[rows] | (rows == stand.last)]
    days = tuple(str(day) for day in setup.panel.clock.session[rows])
    return Books(setup.panel.symbols, setup.broker.held[rows], days)


def shock(books: Books, moves: Moves) -> Shock:
    """Return what a scenario's moves, all at once, do to the books.

        R = sum_i w_i m_i

    Raises
    ------
    ConfigError
        If nothing says what a symbol does that some book holds.
    """
    found = {symbol: moves.shock(symbol) for symbol in books.ever()}
    each = books.held @ np.array([found.get(symbol, 0.0) for symbol in books.symbols])
    at = int(np.argmin(each))
    mean = float(books.mean @ np.array([found.get(symbol, 0.0) for symbol in books.symbols]))
    return Shock(float(each[-1]), mean, float(each[at]), books.day[at], found)
