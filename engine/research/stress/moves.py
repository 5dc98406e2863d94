"""What each symbol does in a scenario, session by session: as stated, as its prices did, as its underlying, its class.

The first of these that there is decides, in this order: a stated path; prices of the sessions, where the scenario is
measured on them; a stated return, spread evenly; for a scenario that is not measured, a stated underlying or class;
prices of the sessions; the fund's multiple of its underlying's days; its class. A class that nothing is said of does
not move.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.instruments import instrument
from plimsoll.engine.research.stress.classes import CLASSES, class_of, known_class
from plimsoll.engine.research.stress.scenario import Scenario
from plimsoll.engine.research.stress.window import PriceWindow
from plimsoll.engine.types import Floats

STATED: Final = "stated"
PRICES: Final = "prices"
LEVERAGE: Final = "leverage"
CLASS: Final = "class"
STILL: Final = "still"


class DayPath(NamedTuple):
    """A symbol's way through a scenario.

    ret (S,) total return of each session; gap (S,) the part of it before the open. how : one of the words above;
    of : the symbol or class it follows, "" for its own.
    """

    ret: Floats
    gap: Floats
    how: str
    of: str = ""

    @property
    def total(self) -> float:
        """The return over all sessions."""
        return float(np.prod(1.0 + self.ret)) - 1.0


def spread(total: float, n: int) -> Floats:
    """Return (n,) the equal session returns that compound to `total`."""
    each: Floats = np.full(n, (1.0 + total) ** (1.0 / n) - 1.0 if n > 1 else total)
    return each


def multiplied(path: DayPath, multiple: float, how: str, of: str) -> DayPath:
    """Return a path whose every session is a multiple of another's; nothing loses more than everything.

        R = prod(1 + L q_t) - 1

    Source: Cheng & Madhavan (2009), The dynamics of leveraged and inverse exchange-traded funds; costs left out.
    """
    return DayPath(np.maximum(multiple * path.ret, -1.0), np.maximum(multiple * path.gap, -1.0), how, of)


class Moves:
    """One scenario for the symbols of a run. own : symbol -> asset class; window : prices of its sessions, if any."""

    def __init__(self, scenario: Scenario, own: Mapping[str, str], window: PriceWindow | None = None) -> None:
        self.scenario = scenario
        self.window = window
        self._own = {symbol: known_class(name, "stress.classes") for symbol, name in own.items()}
        self._kept: dict[str, DayPath] = {}

    def shock(self, symbol: str) -> float:
        """Return what a symbol moves from the first close to the last, at once and without trading.

        Raises
        ------
        ConfigError
            If nothing says what the symbol does, and nobody knows its class.
        """
        stated = self.scenario.returns.get(symbol)
        return max(self.path(symbol).total, -1.0) if stated is None else stated

    def path(self, symbol: str) -> DayPath:
        """Return the symbol's way, session by session; raises as `shock`."""
        if symbol not in self._kept:
            self._kept[symbol] = self._path(symbol)
        return self._kept[symbol]

    def _path(self, symbol: str) -> DayPath:
        direct = self._direct(symbol)
        if direct is not None and (direct.how == STATED or self.scenario.measured):
            return direct
        fund, kind = instrument(symbol), class_of(symbol, self._own)
        if fund.underlying and (direct is None or self._says(fund.underlying, kind)):
            return multiplied(self.path(fund.underlying), fund.leverage, LEVERAGE, fund.underlying)
        if direct is not None and not self._says("", kind):
            return direct
        if not kind:
            raise self._unplaced(symbol)
        return self._of_class(kind)

    def _says(self, symbol: str, kind: str) -> bool:
        """Return whether an imagined scenario states what a symbol or a class does."""
        said = self.scenario
        by_symbol = symbol in said.returns or symbol in said.paths
        return not said.measured and (by_symbol or kind in said.classes or kind in said.class_paths)

    def _direct(self, symbol: str) -> DayPath | None:
        """Return what is known of the symbol itself."""
        said, window = self.scenario, self.window
        if symbol in said.paths:
            return _stated(np.array(said.paths[symbol]))
        covered = window is not None and window.covers(symbol)
        if symbol in said.returns and not (covered and said.measured):
            return _stated(spread(said.returns[symbol], said.n))
        if window is not None and covered:
            return DayPath(*window.moves(symbol), PRICES)
        return None

    def _of_class(self, name: str) -> DayPath:
        said = self.scenario
        if name in said.class_paths:
            return _stated(np.array(said.class_paths[name]))._replace(how=CLASS, of=name)
        if name in said.classes:
            return _stated(spread(said.classes[name], said.n))._replace(how=CLASS, of=name)
        kind = CLASSES[name]
        for fund in kind.funds:
            direct = self._direct(fund)
            if direct is not None:
                return direct._replace(how=CLASS, of=name)
        if not kind.parent:
            return DayPath(np.zeros(said.n), np.zeros(said.n), STILL, name)
        parent = self._of_class(kind.parent)
        return multiplied(parent, kind.beta, STILL if parent.how == STILL else CLASS, name)

    def _unplaced(self, symbol: str) -> ConfigError:
        return ConfigError(
            f"nobody knows what {symbol} does",
            where=f"scenario {self.scenario.name!r}",
            cause="it has no prices there, and no asset class is known for it",
            fix=f'write [stress.classes] {symbol} = "us_equity" (or another of: {", ".join(CLASSES)}), or name it in a '
            "scenario file",
        )


def _stated(ret: Floats) -> DayPath:
    """Return a stated path; all of a session's move comes overnight, so that nobody trades before it."""
    return DayPath(ret, ret, STATED)
