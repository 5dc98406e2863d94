"""Tables in files of the user's choice."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from plimsoll.engine.errors import OutputError, did_you_mean
from plimsoll.engine.report.table_files import file_bytes

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES: Final = (".csv", ".parquet")


def check_suffix(path: Path) -> None:
    """Refuse a file name that does not say which kind of table is wanted.

    Raises
    ------
    OutputError
        If it ends in neither `.csv` nor `.parquet`.
    """
    if path.suffix.lower() not in SUFFIXES:
        fix = f"end the name with {' or '.join(SUFFIXES)}; {did_you_mean(path.suffix, SUFFIXES)}"
        raise OutputError("is no kind of table that can be written", where=str(path), fix=fix)


def export_table(frame: "pd.DataFrame", path: Path) -> None:
    """Write `frame` as CSV or Parquet, whichever the name of the file says, whole or not at all.

    A named index becomes the first column; a file that is there is replaced.

    Raises
    ------
    OutputError
        If the name ends in neither `.csv` nor `.parquet`, or the file cannot be written.
    """
    check_suffix(path)
    write_files({path: file_bytes(frame, path.suffix.lower())})


def check_free(path: Path, *, force: bool) -> None:
    """Refuse a file that is there unless `force`, and a folder in its place; before long work, too.

    Raises
    ------
    OutputError
        As above.
    """
    if path.is_dir():
        raise OutputError("is a folder, not a file", where=str(path), fix="name a file")
    if os.path.lexists(path) and not force:
        fix = "choose another file with --out, or pass --force to overwrite it"
        raise OutputError("exists already", where=str(path), fix=fix)


def write_files(contents: Mapping[Path, bytes]) -> None:
    """Write files of one folder, each whole or not at all, in their order; those that are there are replaced.

    All of them are on the disk beside their places before the first is moved into its own, and what it belongs with
    is taken away before: an earlier file never stands beside a later one.

    Raises
    ------
    OutputError
        If one cannot be written.
    """
    path = next(iter(contents))
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as scratch:
            fresh = {target: Path(scratch) / str(number) for number, target in enumerate(contents)}
            for target, file in fresh.items():
                file.write_bytes(contents[target])
            for target in list(contents)[1:]:
                target.unlink(missing_ok=True)
            for target, file in fresh.items():
                file.replace(target)
    except OSError as error:
        fix = "choose another file, or make its folder and free space and permissions"
        raise OutputError(f"cannot be written: {error.strerror or error}", where=str(path), fix=fix) from error
