"""The folder of a sweep: what it may hold before, what is kept meanwhile, and how the end is marked."""

import json
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from plimsoll.engine.errors import OutputError
from plimsoll.engine.report.folder import check_target, json_bytes

DEFINITION: Final = "sweep.json"
# Written last: a folder that has it holds a finished sweep.
MARKER: Final = "summary.json"
PARTS: Final = "parts"
LOCK: Final = ".lock"


class FinishedError(OutputError):
    """The folder holds what was asked for, whole."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What works in portions and keeps them: its name, what it does, what is written first and last, all it writes."""

    name: str
    doing: str
    definition: str
    marker: str
    files: tuple[str, ...]
    folders: tuple[str, ...]

    @property
    def begun(self) -> frozenset[str]:
        """All there is where it was killed before it could say what it is."""
        return frozenset({LOCK, PARTS, f".{self.definition}"})


SWEEP: Final = Kind(
    "sweep", "sweeping into", DEFINITION, MARKER,
    (MARKER, DEFINITION, "sweep.csv", "sweep.parquet", "returns.parquet", "report.html", "config.toml", "env.json"),
    (PARTS, "best"),
)  # fmt: skip


def check_folder(folder: Path, definition: Mapping[str, Any], *, force: bool, kind: Kind = SWEEP) -> bool:
    """Return whether an interrupted sweep, or other kind, of this definition waits in the folder.

    Raises
    ------
    OutputError
        Unless `force`: if it holds a finished sweep, another one, or anything else.
    """
    found = _read(folder / kind.definition)
    if found is None or force:
        if not force and folder.is_dir() and {path.name for path in folder.iterdir()} <= kind.begun:
            return False
        check_target(folder, force=force)
        return False
    if found != json.loads(json_bytes(definition)):
        differing = sorted(key for key in {*found, *definition} if found.get(key) != definition.get(key))
        raise OutputError(
            f"the folder holds another {kind.name} (its {', '.join(differing) or kind.definition} differs)",
            where=str(folder),
            fix="choose another folder with --out, or pass --force to overwrite it",
        )
    if (folder / kind.marker).exists():
        raise FinishedError(
            f"this {kind.name} is finished",
            where=str(folder),
            fix="choose another folder with --out, or pass --force to run it anew",
        )
    return True


@contextmanager
def held_folder(folder: Path, definition: Mapping[str, Any], *, force: bool, kind: Kind = SWEEP) -> Iterator[Path]:
    """Open the folder of a sweep, or other kind, for writing and yield where its parts go; nobody else may meanwhile.

    Raises
    ------
    OutputError
        As `check_folder`; if another process sweeps into it, or it cannot be written.
    """
    resumes = check_folder(folder, definition, force=force, kind=kind)
    parts = folder / PARTS
    try:
        parts.mkdir(parents=True, exist_ok=True)
        with (folder / LOCK).open("w") as lock:
            _lock(lock.fileno(), folder, kind)
            _clear(folder, kind, kept=(kind.definition, PARTS) if resumes else ())
            if not resumes:
                parts.mkdir()
                write_file(folder / kind.definition, json_bytes(definition))
            try:
                yield parts
            except BaseException:
                if not any(parts.glob("*.npz")):
                    _forget(folder, kind)
                raise
            shutil.rmtree(parts)
            (folder / LOCK).unlink()
    except OSError as error:
        raise OutputError(
            f"the {kind.name}'s folder cannot be written: {error.strerror or error}",
            where=str(folder),
            fix="free space and permissions, then run the same command again",
        ) from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file aside and rename it, so that a file with its name is whole."""
    with files_aside(path) as (file,):
        file.write(content)


@contextmanager
def files_aside(*paths: Path) -> Iterator[tuple[BinaryIO, ...]]:
    """Open files aside and rename them when all is written, so that a file with its name is whole."""
    asides = [path.with_name(f".{path.name}") for path in paths]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
    try:
        with ExitStack() as opened:
            yield tuple(opened.enter_context(aside.open("wb")) for aside in asides)
    except BaseException:
        for aside in asides:
            aside.unlink(missing_ok=True)
        raise
    for aside, path in zip(asides, paths, strict=True):
        aside.replace(path)


def _read(path: Path) -> dict[str, Any] | None:
    """Return the definition in a folder; None if there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _clear(folder: Path, kind: Kind, kept: Collection[str]) -> None:
    """Remove what an earlier sweep left but for what is kept; the mark of its end first, what no sweep wrote stays.

    One that was cut off while it wrote its results has chosen its best, by a figure that need not be this one's.
    """
    for name in (name for name in kind.files if name not in kept):
        (folder / name).unlink(missing_ok=True)
    for name in (name for name in kind.folders if name not in kept):
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)


def _forget(folder: Path, kind: Kind) -> None:
    """Leave no trace of a sweep that ended before its first block did."""
    shutil.rmtree(folder / PARTS)
    for name in (kind.definition, LOCK):
        (folder / name).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _lock(descriptor: int, folder: Path, kind: Kind) -> None:
    """Hold the folder until this process ends, however it ends."""
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutputError(
            f"another process is {kind.doing} this folder", where=str(folder), fix="wait for it"
        ) from None
