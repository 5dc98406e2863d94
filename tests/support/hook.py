"""A webhook on this machine that answers as it is told to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "T0CANARY/B0CANARY/verysecretcanarytoken"


class Hook:
    """What it got; how it answers: a status each time, "hang" until it is released, or a redirect to `elsewhere`.

    The last answer is given again and again.
    """

    def __init__(self) -> None:
        self.answers: list[int | str] = [200]
        self.got: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.release = threading.Event()
        self.reached = threading.Event()
        self.elsewhere = ""
        self.port = 0

    @property
    def url(self) -> str:
        """Its address, token and all."""
        return f"http://127.0.0.1:{self.port}/services/{TOKEN}"

    def answer(self) -> int | str:
        """Return the next answer."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def texts(self) -> list[str]:
        """Return the texts that it got."""
        return [one["text"] for one in self.got]


@contextmanager
def hook() -> Iterator[Hook]:
    """Run one on a port of its own."""
    there = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            there.paths.append(self.path)
            there.headers.append(dict(self.headers))
            there.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            there.reached.set()
            answer = there.answer()
            if answer == "hang":
                there.release.wait(10)
                return
            self.send_response(302 if answer == "redirect" else int(answer))
            if answer == "redirect":
                self.send_header("Location", there.elsewhere)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield there
    finally:
        there.release.set()
        server.shutdown()
        thread.join()
        server.server_close()
