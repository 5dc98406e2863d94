"""Ask Yahoo for a symbol: starts the child that does, watches the clock, ends it after any failure."""

import json
import os
import select
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Final

from plimsoll.engine.market.fetching import Route, fetch_error
from plimsoll.engine.market.history import History
from plimsoll.engine.market.ticker import is_index, yahoo_name
from plimsoll.engine.market.yahoo.normalise import SOURCE, normalise

EARLIEST: Final = date(1962, 1, 2)
# A symbol takes two chart requests, each sent twice after an error, and cookie and crumb before.
_REQUESTS: Final = 8
_START_UP_S: Final = 30.0


class YahooClient:
    """A way to Yahoo. Use as a context manager; the child lives from the first fetch to the first failure.

    The answers that yfinance keeps, failures among them, end with the child: a retry asks Yahoo again.
    """

    source = SOURCE

    def __init__(self, route: Route) -> None:
        self.route = route
        self._child: subprocess.Popen[bytes] | None = None
        self._scratch = tempfile.TemporaryDirectory(prefix="plimsoll-yahoo-")

    def __enter__(self) -> "YahooClient":
        """Return itself; nothing is started yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the child and remove its folder."""
        self._end()
        self._scratch.cleanup()

    def fetch(self, symbol: str, start: date | None) -> History:
        """Return a symbol's rows as traded from `start` (None = all there is) to now.

        Raises
        ------
        FetchError
            The kind that says why; naming the symbol and what to do.
        """
        asked = {"symbol": yahoo_name(symbol), "start": (start or EARLIEST).isoformat()}
        try:
            answer = self._ask(asked, symbol)
            if "rows" not in answer:
                raise fetch_error(answer["kind"], SOURCE, symbol, answer["text"])
            return normalise(answer["rows"], symbol, index=is_index(symbol))
        except BaseException:
            self._end()
            raise

    def recent(self, symbol: str, start: date) -> History:
        """Return a symbol's rows from `start` on: a second opinion.

        Raises
        ------
        FetchError
            As `fetch`.
        """
        return self.fetch(symbol, start)

    def _ask(self, asked: dict[str, str], symbol: str) -> dict[str, Any]:
        child = self._child or self._start()
        assert child.stdin is not None
        try:
            child.stdin.write(json.dumps(asked).encode() + b"\n")
            child.stdin.flush()
            line = self._line(child, monotonic() + _START_UP_S + _REQUESTS * self.route.timeout_s)
        except TimeoutError:
            text = f"no answer in {_START_UP_S + _REQUESTS * self.route.timeout_s:g} s"
            raise fetch_error("timed_out", SOURCE, symbol, text) from None
        except BrokenPipeError:
            line = b""
        if not line:
            raise fetch_error("garbled", SOURCE, symbol, f"the process that asks died: {self._last_words()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        scratch = Path(self._scratch.name)
        with (scratch / "stderr").open("wb") as stderr:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "plimsoll.engine.market.yahoo.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,  # an interruption is ours to handle
            )
        setting = {
            "proxy": self.route.proxy,
            "ca_file": self.route.ca_file,
            "timeout_s": self.route.timeout_s,
            "scratch": tempfile.mkdtemp(dir=scratch),
        }
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(setting).encode() + b"\n")
        return self._child

    def _line(self, child: subprocess.Popen[bytes], deadline: float) -> bytes:
        """Return one line of the child's, b"" if it ended; TimeoutError at the deadline."""
        assert child.stdout is not None
        data = b""
        while not data.endswith(b"\n"):
            ready, _, _ = select.select([child.stdout], [], [], max(0.0, deadline - monotonic()))
            if not ready:
                raise TimeoutError
            more = os.read(child.stdout.fileno(), 1 << 20)
            if not more:
                return b""
            data += more
        return data

    def _last_words(self) -> str:
        lines = (Path(self._scratch.name) / "stderr").read_text(errors="replace").strip().splitlines()
        return lines[-1][:160] if lines else "without a word"

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:  # what was still to be written to it
                    continue
        child.wait()
