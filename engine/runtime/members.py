"""Which symbols a run may hold when: the universe file it names, held against what it loads."""

from collections.abc import Collection
from pathlib import Path

from plimsoll.engine.errors import DataError, did_you_mean
from plimsoll.engine.market.universe_file import Universe, read_universe
from plimsoll.engine.runtime.needs import Needs


def members_of(path: Path, needs: Needs, offered: Collection[str]) -> Universe:
    """Read a universe for a run; `offered` is what its source has a series for.

    What no sleeve holds, as a benchmark, a bill series or a symbol that is only watched, need not be in the file.

    Raises
    ------
    DataError
        If the file is unusable, or a symbol that a sleeve may hold is not in it or goes on under another name.
    """
    universe = read_universe(path, offered)
    for symbol in needs.held:
        if symbol not in universe.symbols:
            fix = f"add when it was a member; {did_you_mean(symbol, universe.symbols)}"
            raise DataError(f"{symbol} may be held in this run and is never a member", where=str(path), fix=fix)
        if (heir := universe.heir_of(symbol)) != symbol:
            what = f"{symbol} goes on as {heir}"
            raise DataError(what, where=str(path), fix=f"name {heir} in the run: it has the history of both")
    return universe
