"""The run folder: every table and page of a run, written whole or not at all."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from plimsoll.engine.errors import OutputError
from plimsoll.engine.report.beside_file import BESIDE, beside_frame
from plimsoll.engine.report.metrics.ladder import ladder_frame
from plimsoll.engine.report.metrics.table import plain
from plimsoll.engine.report.table_files import table_files
from plimsoll.engine.report.tearsheet.page import tearsheet_html
from plimsoll.engine.runtime.record import Record

# Written last: a folder that has it is complete.
MARKER: Final = "metrics.json"
TABLES: Final = ("equity", "weights", "targets", "orders", "fills", "sleeves", "diagnostics", "trace")
ONLY_PARQUET: Final = ("diagnostics", "trace")
# What follows from the others, and from the market of the run.
REWORKED: Final = ("trades", "pnl_by_symbol", "pnl_by_sleeve")


def write_folder(
    record: Record,
    metrics: Mapping[str, Any],
    folder: Path,
    *,
    force: bool = False,
    created: str | None = None,
    extras: Mapping[str, bytes] | None = None,
) -> Path:
    """Write the run folder and return its path.

    Everything is written to a temporary sibling first. A folder that is new or empty then appears in one rename; in
    one that is not, each file is replaced by a rename, `metrics.json` last, and files that no run wrote stay.

    Parameters
    ----------
    force : bool
        Allow a folder that is not empty.
    created : str, optional
        Time stamp for `env.json` and the certificate, the only places that hold one.
    extras : mapping of str to bytes, optional
        Further files by name, for example the log.

    Raises
    ------
    OutputError
        If the folder is not empty and `force` is not given, or cannot be written.
    """
    folder = Path(folder)
    check_target(folder, force=force)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
            fresh = Path(scratch) / "run"
            fresh.mkdir()
            for name, content in folder_files(record, metrics, created).items():
                (fresh / name).write_bytes(content)
            for name, content in (extras or {}).items():
                (fresh / name).write_bytes(content)
            _move_into_place(fresh, folder)
    except OSError as error:
        raise OutputError(
            f"the run folder cannot be written: {error.strerror or error}",
            where=str(folder),
            fix="choose another folder with --out, or free space and permissions",
        ) from error
    return folder


def check_target(folder: Path, *, force: bool) -> None:
    """Refuse a target that is a file, or a folder with something in it unless `force`; before a long run, too.

    Raises
    ------
    OutputError
        As above.
    """
    try:
        occupied = folder.is_dir() and any(folder.iterdir())
        taken = os.path.lexists(folder) and not folder.is_dir()
    except OSError as error:
        raise OutputError(f"cannot be read: {error.strerror or error}", where=str(folder)) from error
    if taken:
        raise OutputError("is a file, not a folder", where=str(folder), fix="choose another folder with --out")
    if occupied and not force:
        raise OutputError(
            "the folder is not empty",
            where=str(folder),
            cause="it may hold an earlier run",
            fix="choose another folder, or pass --force to overwrite the run in it",
        )


def folder_files(record: Record, metrics: Mapping[str, Any], created: str | None = None) -> dict[str, bytes]:
    """Return file name -> content of the whole run folder, `metrics.json` last."""
    files: dict[str, bytes] = {}
    for name in TABLES:
        files |= table_files(name, getattr(record, name), only_parquet=name in ONLY_PARQUET)
    for name in REWORKED:
        files |= table_files(name, getattr(record, name))
    if record.ladder is not None and (shared := ladder_frame(record)) is not None:
        files |= table_files("ladder", shared)
    if (beside := beside_frame(record)) is not None:
        files |= table_files(BESIDE, beside)
    files["config.toml"] = f'# config_hash = "{record.config_hash}"\n{record.config_toml}'.encode()
    stamp = {} if created is None else {"created": created}
    facts = {"run_id": record.run_id, "config_hash": record.config_hash, "data_hash": record.data_hash}
    files["env.json"] = json_bytes({**record.env, **facts, **stamp})
    if record.certificate is not None:
        files["certificate.json"] = json_bytes({**record.certificate, **stamp})
    files["report.html"] = tearsheet_html(record, metrics).encode()
    files[MARKER] = json_bytes(metrics)
    return files


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """Return indented strict JSON: null where a number is not finite, never NaN or Infinity."""
    return (json.dumps(plain(dict(value)), indent=2, allow_nan=False, ensure_ascii=False) + "\n").encode()


def _move_into_place(fresh: Path, folder: Path) -> None:
    if folder.is_symlink() or (folder.is_dir() and any(folder.iterdir())):
        _replace_files(fresh, folder)
        return
    if folder.is_dir():
        folder.rmdir()
    fresh.rename(folder)


def _replace_files(fresh: Path, folder: Path) -> None:
    (folder / MARKER).unlink(missing_ok=True)
    names = sorted((path.name for path in fresh.iterdir()), key=lambda name: (name == MARKER, name))
    for stale in (name + suffix for name in (*TABLES, *REWORKED, "ladder", BESIDE) for suffix in (".csv", ".parquet")):
        if stale not in names:
            (folder / stale).unlink(missing_ok=True)
    for name in names:
        (fresh / name).replace(folder / name)
