"""A panel as a folder of `.npy` files that several processes map into memory instead of each holding a copy."""

import io
import json
import tarfile
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.panel import BarClock, DataWarning, Panel

_ARRAYS: Final = ("block", "high", "low", "indicator", "outside")
# Written last: a folder that has it is complete.
_FACTS: Final = "facts.json"


def save_panel(panel: Panel, folder: Path) -> Path:
    """Write a panel into a new folder and return it."""
    folder.mkdir(parents=True)
    for name in _ARRAYS:
        np.save(folder / f"{name}.npy", getattr(panel, name), allow_pickle=False)
    scalars: dict[str, Any] = {}
    for field in fields(BarClock):
        value = getattr(panel.clock, field.name)
        if isinstance(value, np.ndarray):
            np.save(folder / f"clock_{field.name}.npy", value, allow_pickle=False)
        else:
            scalars[field.name] = value
    facts = {field.name: getattr(panel, field.name) for field in fields(Panel) if field.name not in (*_ARRAYS, "clock")}
    facts |= {"warnings": [asdict(warning) for warning in panel.warnings], "clock": scalars}
    (folder / _FACTS).write_text(json.dumps(facts))
    return folder


def open_panel(folder: Path) -> Panel:
    """Return the panel in a folder, its arrays mapped.

    They are mapped copy-on-write: nothing can reach the file, all processes share its pages, and the kernels see the
    same type of array as ever (a read-only one would be compiled for anew).

    Raises
    ------
    DataError
        If there is no complete panel.
    """
    try:
        facts = json.loads((folder / _FACTS).read_text())
        clock = facts.pop("clock")
        for path in sorted(folder.glob("clock_*.npy")):
            clock[path.stem.removeprefix("clock_")] = np.load(path, allow_pickle=False)
        arrays = {name: _mapped(folder / f"{name}.npy") for name in _ARRAYS}
        facts["warnings"] = [DataWarning(**warning) for warning in facts["warnings"]]
        tuples = {name: tuple(value) for name, value in facts.items() if isinstance(value, list)}
        return Panel(**{**facts, **tuples, **arrays, "clock": BarClock(**clock)})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"not a panel: {error}", where=str(folder)) from error


def pack(folder: Path) -> bytes:
    """Return the files of a folder as one block of bytes to send elsewhere."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, arcname=path.name)
    return sink.getvalue()


def unpack(content: bytes, folder: Path) -> Path:
    """Write what `pack` returned into a folder and return it."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _mapped(path: Path) -> Any:
    array = np.load(path, mmap_mode="c", allow_pickle=False) if path.stat().st_size else np.load(path)
    return np.asarray(array)
