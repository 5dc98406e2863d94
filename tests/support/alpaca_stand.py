"""Alpaca's market data on loopback: enough of it for the real client of alpaca-py."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.yahoo_stand import Reply

from plimsoll.engine.market.history import History


@dataclass
class AlpacaStand:
    """A loopback Alpaca; `bars` and `actions` answer, given the query."""

    bars: Callable[[dict[str, str]], Reply]
    actions: Callable[[dict[str, str]], Reply] = lambda query: Reply(b'{"corporate_actions":{},"next_page_token":null}')
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __enter__(self) -> "AlpacaStand":
        self._over = threading.Event()
        stand = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                query = {key: values[0] for key, values in parse_qs(url.query).items()}
                stand.asked.append((url.path, query))
                known = {"/v2/stocks/bars": stand.bars, "/v1/corporate-actions": stand.actions}
                reply = known.get(url.path, lambda query: Reply(b"{}", 404))(query)
                if reply.hang:
                    stand._over.wait()
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.kind)
                self.send_header("Content-Length", str(len(reply.body)))
                for name, value in reply.headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body[: len(reply.body) - reply.cut])
                self.close_connection = bool(reply.cut)

            def log_message(self, *arguments: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()


def bars_of(history: History, *, name: str = "", token: str | None = None, hour: str = "05:00:00") -> Reply:
    """Alpaca's answer for rows as traded."""
    rows = [
        {"t": f"{day}T{hour}Z", "o": o, "h": h, "l": low, "c": c, "v": v, "n": 1, "vw": c}
        for day, o, h, low, c, v in zip(
            history.session, history.open, history.high, history.low, history.close, history.volume, strict=True
        )
    ]
    return Reply(json.dumps({"bars": {name or history.symbol: rows}, "next_page_token": token}).encode())
