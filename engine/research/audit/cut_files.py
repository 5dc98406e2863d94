"""Lay out what a reload finds on disk: data that end early, where the configuration says they are."""

import os
import shutil
from pathlib import Path
from typing import Any, Final

from plimsoll.engine.config.schema import Config
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.panel_folder import save_panel
from plimsoll.engine.market.source import open_source
from plimsoll.engine.market.span import first_bars
from plimsoll.engine.market.universe_file import write_cut_universe
from plimsoll.engine.runtime.members import members_of
from plimsoll.engine.runtime.needs import Needs

PANEL: Final = "panel"
# Below how many folders the working folder may lie, so that a data path such as ../../prices leads somewhere.
_DEPTH: Final = 8


def working_folder(root: Path) -> Path:
    """Make and return the folder a reload works in, deep enough below `root` for paths that lead upwards."""
    folder = root.joinpath(*(f"{level}" for level in range(_DEPTH)))
    folder.mkdir(parents=True)
    return folder


def cut_config(config: Config, cut: str, root: Path, here: Path, needs: Needs | None) -> dict[str, Any]:
    """Return the configuration of a reload through session `cut`, and write the data it names, cut off there.

    Parameters
    ----------
    root : path
        The reload's own folder.
    here : path
        Its working folder.
    needs : Needs
        The series the run loads; None if it does not load what the configuration names.
    """
    plain = config.plain()
    plain["run"]["end"] = cut
    if config.run.modules is not None:
        plain["run"]["modules"] = str(config.run.modules.absolute())
    if needs is not None:
        data = config.data
        there = here / "data" if data.path is None else _below(data.path, root, here)
        there.mkdir(parents=True, exist_ok=True)
        names = needs.symbols + needs.required_indicators + needs.optional + needs.indicators
        source = open_source(data.source, data.path, as_of=data.as_of)
        if data.universe_file is not None:
            universe = members_of(data.universe_file, needs, source.offers(data.interval).symbols)
            names += universe.former_names(names)
            file = _below(data.universe_file, root, here)
            file.parent.mkdir(parents=True, exist_ok=True)
            write_cut_universe(universe, file, names, cut)
            plain["data"]["universe_file"] = os.path.relpath(file, here)
        if source.cut(names, there, interval=data.interval, last=cut):
            plain["data"]["path"] = os.path.relpath(there, here)
    if config.account.flows is not None:
        there = _below(config.account.flows, root, here)
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(config.account.flows, there)  # a schedule, known ahead
        plain["account"]["flows"] = os.path.relpath(there, here)
    return plain


def write_panel(panel: Panel, n_bars: int, here: Path) -> str:
    """Write the first bars of a panel that no configuration can name; return the folder they are in."""
    return str(save_panel(first_bars(panel, n_bars), here / PANEL))


def _below(path: Path, root: Path, here: Path) -> Path:
    """Return where a path as seen from this process lies for a reload: the same steps from its working folder."""
    steps = os.path.relpath(path.absolute(), Path.cwd())
    there = Path(os.path.normpath(here / steps))
    return there if there.is_relative_to(root) and there != root else here / path.name
