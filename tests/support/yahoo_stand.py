"""Yahoo on loopback: a CONNECT proxy that ends TLS itself, so that the real client runs unpatched against it."""

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from urllib.parse import parse_qs, unquote, urlsplit

import trustme

COOKIE = "A3=d=stand; Domain=.yahoo.com; Path=/; Max-Age=31536000; Secure"


@dataclass(frozen=True)
class Reply:
    """What the stand-in answers: status, body, headers; `cut` bytes are left off the end, `hang` never answers."""

    body: bytes = b""
    status: int = 200
    kind: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    cut: int = 0
    hang: bool = False


@dataclass(frozen=True)
class Asked:
    """One chart request: the symbol, its query, and how many chart requests for it came before."""

    symbol: str
    query: dict[str, str]
    nth: int

    @property
    def for_zone(self) -> bool:
        """Whether this is the client's question for the time zone rather than for prices."""
        return self.query.get("range") == "1d"


@dataclass
class YahooStand:
    """A loopback Yahoo; `chart` answers what is asked about prices. `hosts` logs every host that was connected to."""

    folder: Path
    chart: Callable[[Asked], Reply]
    crumb: Reply = field(default_factory=lambda: Reply(b"abc123", kind="text/plain"))
    asked: list[Asked] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)

    def __enter__(self) -> "YahooStand":
        ca = trustme.CA()
        self.ca = self.folder / "ca.pem"
        ca.cert_pem.write_to_path(str(self.ca))
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("*.yahoo.com", "*.finance.yahoo.com").configure_cert(self._tls)
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.proxy = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, ssl.SSLError), connection:
            host = _head(connection).split(" ")[1].split(":")[0]
            with self._lock:
                self.hosts.append(host)
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with self._tls.wrap_socket(connection, server_side=True) as secure:
                while head := _head(secure):
                    reply = self._answer(host, head.split(" ")[1])
                    if reply.hang:
                        self._over.wait()
                        return
                    secure.sendall(_bytes_of(reply))
                    if reply.cut:
                        return

    def _answer(self, host: str, target: str) -> Reply:
        url = urlsplit(target)
        if url.path.startswith("/v8/finance/chart/"):
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            symbol = unquote(url.path.rsplit("/", 1)[1])
            with self._lock:
                asked = Asked(symbol, query, sum(one.symbol == symbol for one in self.asked))
                self.asked.append(asked)
            return self.chart(asked)
        if url.path == "/v1/test/getcrumb":
            return self.crumb
        if host == "fc.yahoo.com":
            return Reply(b"", 404, "text/html", (("Set-Cookie", COOKIE),))
        return Reply(b"<html>nothing here</html>", 404, "text/html")


def _head(connection: socket.socket) -> str:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return ""
        data += more
    return data.decode("latin-1")


def _bytes_of(reply: Reply) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} stand", f"Content-Type: {reply.kind}", f"Content-Length: {len(reply.body)}"]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    whole = "\r\n".join(lines).encode() + b"\r\n\r\n" + reply.body
    return whole[: len(whole) - reply.cut]
