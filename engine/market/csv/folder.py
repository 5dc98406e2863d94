"""The source `csv`: a folder of `<SYMBOL>.csv` files."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.csv.cut import write_cut
from plimsoll.engine.market.csv.source import file_of, load_csv, symbols_in
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.said import NOTHING, Said
from plimsoll.engine.market.source import Offer


class CsvFolder:
    """A folder of CSV files; see `plimsoll.engine.market.source.Source`. A file is a symbol's or an indicator's.

    Raises
    ------
    ConfigError
        If no path is given.
    """

    seeded = False

    def __init__(self, path: Path | None) -> None:
        if path is None:
            raise ConfigError("source 'csv' needs a path", where="data.path", fix="name the folder, or pass --data DIR")
        self.path = path

    def offers(self, interval: str) -> Offer:
        """Return the names of the files."""
        names = frozenset(symbols_in(self.path, interval))
        return Offer(names, names)

    def load(
        self,
        symbols: Sequence[str],
        indicators: Sequence[str],
        *,
        interval: str,
        start: date | None = None,
        end: date | None = None,
        seed: int = 0,
        said: Said = NOTHING,
    ) -> Panel:
        """Read the files; see `load_csv`."""
        return load_csv(self.path, symbols, indicators, interval=interval, start=start, end=end, said=said)

    def cut(self, names: Sequence[str], folder: Path, *, interval: str, last: str) -> bool:
        """Copy the files with their rows through `last`."""
        offered = symbols_in(self.path, interval)
        for name in (one for one in names if one in offered):
            file = file_of(self.path, name, interval)
            write_cut(file, folder / file.name, last)
        return True
