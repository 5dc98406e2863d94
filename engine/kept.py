"""What one process finds out and the next need not: facts kept in the user's cache folder, named by what made them.

A fact is found again by a key over everything it follows from. What cannot be read, is torn, or stands under another
key is as if it were not there; what cannot be written is found out again by the next process.
"""

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

_HEX: Final = 64  # characters of a SHA-256


def cache_folder() -> Path:
    """Return the user's cache folder (`PLIMSOLL_CACHE_DIR` overrides it); it may not exist yet."""
    chosen = os.environ.get("PLIMSOLL_CACHE_DIR")
    if chosen:
        return Path(chosen)
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", str(Path.home())))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "plimsoll"


def stamp_of(files: Iterable[Path], *words: str) -> str:
    """Return a key over path, size and time of change of `files`, and over `words`.

    Raises
    ------
    OSError
        If one of the files cannot be looked at.
    """
    digest = hashlib.sha256(repr(words).encode())
    for path in sorted(files):
        seen = path.stat()
        digest.update(repr((str(path), seen.st_size, seen.st_mtime_ns)).encode())
    return digest.hexdigest()


def recall(name: str, key: str) -> bytes | None:
    """Return what was kept as `name` under `key`; None if there is nothing, or it is not what was written."""
    try:
        content = _file(name).read_bytes()
    except OSError:
        return None
    head, payload = content[: 2 * _HEX], content[2 * _HEX :]
    return payload if head == _head(key, payload) else None


def keep(name: str, key: str, payload: bytes) -> None:
    """Keep `payload` as `name` under `key`, in the place of whatever was kept by that name; a full disk is no error."""
    path = _file(name)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(prefix=f".{name}-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(_head(key, payload) + payload)
            Path(scratch).replace(path)  # a reader sees the old one or the new one
        except OSError:
            Path(scratch).unlink(missing_ok=True)


def facts_folder() -> Path:
    """Return the folder of what is kept here."""
    return cache_folder() / "facts"


def _file(name: str) -> Path:
    return facts_folder() / name


def _head(key: str, payload: bytes) -> bytes:
    """Return 128 characters that belong to this payload under this key alone."""
    return b"".join(hashlib.sha256(part).hexdigest().encode() for part in (key.encode(), payload))
