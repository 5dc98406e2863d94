"""One table of text as it lies on disk: its bytes, its separator, its header if it has one."""

import csv
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from plimsoll.engine.errors import DataError

SUFFIXES: Final = (".csv", ".txt", ".csv.gz", ".txt.gz", ".zip")
# LEAN keeps what happened to a symbol beside its bars; the reader of the bars looks there itself.
BESIDE: Final = ("factor_files", "map_files")
# A cell that is data rather than a name; a header may hold a few, such as "1. open".
_DATUM: Final = re.compile(r"[-+$]?\.?\d.*")


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    r"""A table of text.

    path : the file. member : which of a zip's, "". data : UTF-8, lines end in \n, no byte-order mark.
    header : its names as written, () if the first line is data. names : the same in lower case without spaces around.
    rows : two data rows, the first ones, as cells. skip : lines before the data.
    """

    path: Path
    member: str
    data: bytes
    delimiter: str
    header: tuple[str, ...]
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    skip: int

    @property
    def where(self) -> str:
        """The file, for messages."""
        return f"{self.path}:{self.member}" if self.member else str(self.path)

    @property
    def stem(self) -> str:
        """The file's name without .gz and what stands after its last point."""
        name = self.path.name.removesuffix(".gz")
        return name.rpartition(".")[0] or name


def files_in(given: Path) -> list[Path]:
    """Return a file, or the files of a folder and those below it that may be tables, sorted.

    Raises
    ------
    DataError
        If there is no such file or folder, or nothing in it.
    """
    if given.is_file():
        return [given]
    if not given.is_dir():
        raise DataError("no such file or folder", where=str(given), fix="check the path")
    found = [
        path
        for path in sorted(given.rglob("*"))
        if path.is_file()
        and path.name.lower().endswith(SUFFIXES)
        and not any(part.startswith(".") or part in BESIDE for part in path.relative_to(given).parts)
    ]
    if not found:
        raise DataError("nothing to import in this folder", where=str(given), fix=f"it takes {', '.join(SUFFIXES)}")
    return found


def open_sheets(path: Path) -> Iterator[Sheet]:
    """Yield the tables of a file: one, or one for each member of a zip.

    Raises
    ------
    DataError
        If it cannot be read, is no text, or is empty.
    """
    try:
        data = path.read_bytes()
        if path.suffix == ".zip":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for name in sorted(one for one in archive.namelist() if not one.endswith("/")):
                    yield sheet_of(path, archive.read(name), name)
            return
        if path.suffix == ".gz":
            data = gzip.decompress(data)
    except (gzip.BadGzipFile, zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise DataError("not a complete archive", where=str(path), fix="fetch the file again") from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path)) from error
    yield sheet_of(path, data)


def sheet_of(path: Path, data: bytes, member: str = "") -> Sheet:
    """Return the table in some bytes.

    Raises
    ------
    DataError
        If they are no text or hold nothing.
    """
    where = f"{path}:{member}" if member else str(path)
    data = _plain(data, where)
    end = data.find(b"\n")
    first = (data if end < 0 else data[:end]).decode()
    if not first.strip():
        cause = "the file is empty" if not data[: 1 << 16].strip() else "the first line is blank"
        raise DataError(cause, where=where)
    delimiter = max(",;\t|", key=first.count)
    lines = [tuple(cell.strip() for cell in row) for row in _rows(data, delimiter, where)]
    filled = [cell for cell in lines[0] if cell]
    has_header = 2 * sum(_DATUM.fullmatch(cell) is not None for cell in filled) <= len(filled)
    if has_header and len(lines) == 1:
        raise DataError("the file has a header but no rows", where=where, fix="it needs a line per bar")
    header = lines[0] if has_header else ()
    rows = tuple(lines[1:3] if has_header else lines[:2])
    return Sheet(path, member, data, delimiter, header, tuple(name.lower() for name in header), rows, int(has_header))


def _plain(data: bytes, where: str) -> bytes:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16").encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.isascii():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            what = f"line {line}: byte 0x{data[error.start]:02x} is not UTF-8"
            raise DataError(what, where=where, fix="save the file as UTF-8") from error
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return data


def _rows(data: bytes, delimiter: str, where: str) -> list[list[str]]:
    head = data[: 1 << 16].decode(errors="ignore")
    try:
        rows = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        return [row for row, _ in zip(rows, range(3), strict=False)]
    except csv.Error as error:
        raise DataError(f"line 1: {error}", where=where, cause="a quotation mark that is never closed?") from None
