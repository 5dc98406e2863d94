"""Files that are whole or not there: atomic replacement, appending, and one lock for all who write."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from plimsoll.engine.errors import OutputError

_UNFINISHED: Final = ".unfinished"
_POLL_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Disk:
    """The operations that can fail half-way; tests put failing ones in their place.

    write, fsync, replace, truncate : as in `os`. wait : sleeps between two attempts at the lock, seconds.
    """

    write: Callable[[int, memoryview], int] = os.write
    fsync: Callable[[int], None] = os.fsync
    replace: Callable[[Path, Path], None] = os.replace
    truncate: Callable[[int, int], None] = os.ftruncate
    wait: Callable[[float], None] = time.sleep

    def put(self, path: Path, data: bytes) -> None:
        """Replace a file as a whole; whoever opens it sees the old bytes or the new ones, after a power cut too.

        Raises
        ------
        OutputError
            If it cannot be written; the old file is as it was.
        """
        new = path.with_name(f".{path.name}{_UNFINISHED}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            try:
                self._all(handle, data)
                self.fsync(handle)
            finally:
                os.close(handle)
            self.replace(new, path)
            self._sync_folder(path.parent)
        except OSError as error:
            with suppress(OSError):
                new.unlink()
            raise _refusal(path, error) from error

    def append(self, path: Path, data: bytes) -> None:
        """Add bytes at the end of a file, durably; on failure it is cut back to what it was.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = not path.exists()
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                before = os.fstat(handle).st_size
                try:
                    self._all(handle, data)
                    self.fsync(handle)
                except OSError:
                    with suppress(OSError):
                        self.truncate(handle, before)
                    raise
            finally:
                os.close(handle)
            if fresh:
                self._sync_folder(path.parent)
        except OSError as error:
            raise _refusal(path, error) from error

    def cut(self, path: Path, size: int) -> None:
        """Cut a file to `size` bytes.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        try:
            handle = os.open(path, os.O_WRONLY)
            try:
                self.truncate(handle, size)
                self.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise _refusal(path, error) from error

    def remove(self, path: Path) -> None:
        """Remove a file if it is there.

        Raises
        ------
        OutputError
            If it cannot be removed.
        """
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise _refusal(path, error) from error

    @contextmanager
    def locked(self, folder: Path, *, attempts: int = 1500) -> Iterator[None]:
        """Hold the folder's lock; it ends with the process that holds it, however that ends.

        attempts : how often to try, 20 ms apart.

        Raises
        ------
        OutputError
            If another process keeps it for all attempts, or the folder cannot be written.
        """
        path = folder / ".lock"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise _refusal(folder, error) from error
        try:
            for left in reversed(range(attempts)):
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if not left:
                        cause = "another process is writing, or was stopped while it did"
                        raise OutputError("the catalog is locked", where=str(folder), cause=cause) from None
                    self.wait(_POLL_S)
            yield
        finally:
            os.close(handle)

    def _all(self, handle: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self.write(handle, view) :]

    def _sync_folder(self, folder: Path) -> None:
        handle = os.open(folder, os.O_RDONLY)
        try:
            self.fsync(handle)
        finally:
            os.close(handle)


def _refusal(path: Path, error: OSError) -> OutputError:
    what = f"cannot be written: {error.strerror or error}"
    return OutputError(what, where=str(path), fix="make room, or point --catalog to another folder")
