"""One table in a file of the user's choice."""

import tempfile
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
    content = file_bytes(frame, path.suffix.lower())
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as scratch:
            fresh = Path(scratch) / "table"
            fresh.write_bytes(content)
            fresh.replace(path)
    except OSError as error:
        fix = "choose another file, or make its folder and free space and permissions"
        raise OutputError(f"cannot be written: {error.strerror or error}", where=str(path), fix=fix) from error
