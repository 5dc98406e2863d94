"""Lay out what a reload finds on disk: data that end early, where the configuration says they are."""

import csv
import gzip
import os
import pickle
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from plimsoll.engine.config.schema import Config
from plimsoll.engine.market.catalog.source import CatalogSource
from plimsoll.engine.market.csv.file import open_csv
from plimsoll.engine.market.csv.source import file_of, symbols_in
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.span import first_bars
from plimsoll.engine.runtime.needs import Needs

PANEL: Final = "panel"
# Below how many folders the working folder may lie, so that a data path such as ../../prices leads somewhere.
_DEPTH: Final = 8


def working_folder(root: Path) -> Path:
    """Make and return the folder a reload works in, deep enough below `root` for paths that lead upwards."""
    folder = root.joinpath(*(f"{level}" for level in range(_DEPTH)))
    folder.mkdir(parents=True)
    return folder


def cut_config(
    config: Config, cut: str, root: Path, here: Path, needs: Needs | None, adjusted: Collection[str] = ()
) -> dict[str, Any]:
    """Return the configuration of a reload through session `cut`, and write the data it names, cut off there.

    Parameters
    ----------
    root : path
        The reload's own folder.
    here : path
        Its working folder.
    needs : Needs
        The series the run loads; None if it does not load what the configuration names.
    adjusted : collection of str
        Symbols whose whole file is read from adjusted closes: what is left of it must be read so, too.
    """
    plain = config.plain()
    plain["run"]["end"] = cut
    if needs is not None and config.data.source == "csv" and config.data.path is not None:
        there = _below(config.data.path, root, here)
        there.mkdir(parents=True, exist_ok=True)
        names = needs.symbols + needs.required_indicators + needs.optional + needs.indicators
        offered = symbols_in(config.data.path, config.data.interval)
        for name in (one for one in names if one in offered):
            file = file_of(config.data.path, name, config.data.interval)
            _write_cut(file, there / file.name, cut, adjusted=name in adjusted)
        plain["data"]["path"] = os.path.relpath(there, here)
    if needs is not None and config.data.source == "catalog":
        source = CatalogSource(config.data.path) if config.data.path is not None else CatalogSource()
        there = _below(source.path, root, here)
        names = needs.symbols + needs.required_indicators + needs.optional + needs.indicators
        source.cut(names, there, interval=config.data.interval, last=cut)
        plain["data"]["path"] = os.path.relpath(there, here)
    if config.account.flows is not None:
        there = _below(config.account.flows, root, here)
        there.parent.mkdir(parents=True, exist_ok=True)
        _write_cut(config.account.flows, there, cut, made_up=False)
        plain["account"]["flows"] = os.path.relpath(there, here)
    return plain


def write_panel(panel: Panel, n_bars: int, here: Path) -> str:
    """Write the first bars of a panel that no configuration can name; return the file's path."""
    file = here / PANEL
    file.write_bytes(pickle.dumps(first_bars(panel, n_bars)))
    return str(file)


def _below(path: Path, root: Path, here: Path) -> Path:
    """Return where a path as seen from this process lies for a reload: the same steps from its working folder."""
    steps = os.path.relpath(path.absolute(), Path.cwd())
    there = Path(os.path.normpath(here / steps))
    return there if there.is_relative_to(root) and there != root else here / path.name


def _write_cut(source: Path, target: Path, cut: str, *, adjusted: bool = False, made_up: bool = True) -> None:
    """Copy the header and the rows through `cut`; a table of prices that would be left empty gets a row beyond it.

    Such a row holds ones only; it is there because a file without rows is refused, and the run's last session leaves
    it out. `adjusted` keeps of the first row the adjusted close alone, which is how such a file is recognised.
    """
    file = open_csv(source)
    column = next(file.names.index(name) for name in ("date", "datetime") if name in file.names)
    header, *lines = file.data.decode("utf-8").splitlines()
    kept = [line for line in lines if line.strip() and _day(line, column) <= cut]
    if not kept and made_up:
        cells = ["1"] * len(file.names)
        cells[column] = "9999-12-31" if file.names[column] == "date" else "9999-12-31 09:30:00"
        kept = [",".join(cells)]
    elif kept and adjusted:
        cells = next(csv.reader([kept[0]]))
        said = (file.names[column], "adj_close")
        kept[0] = ",".join(cell if name in said else "" for name, cell in zip(file.names, cells, strict=True))
    data = ("\n".join([header, *kept]) + "\n").encode()
    target.write_bytes(gzip.compress(data, mtime=0) if source.suffix == ".gz" else data)


def _day(line: str, column: int) -> str:
    cell = line.split(",", column + 1)[column] if '"' not in line else next(csv.reader([line]))[column]
    return cell.strip()[:10]
