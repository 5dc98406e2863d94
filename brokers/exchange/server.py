"""The HTTP face: aiohttp between a socket on the loopback interface and a desk, and nothing else."""

import asyncio
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from ipaddress import ip_address
from types import TracebackType
from typing import Final, Self, TypeVar

from aiohttp import web

from plimsoll.brokers.exchange.desk.desk import Desk
from plimsoll.brokers.exchange.desk.message import Request
from plimsoll.engine.errors import ConfigError

_LOCAL_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
_Answer = TypeVar("_Answer")


def check_address(host: str) -> str:
    """Return the address if it is the machine's own loopback; ConfigError otherwise."""
    try:
        own = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        own = False
    if not own:
        raise ConfigError(
            f"the exchange serves this machine only, not {host!r}", where="--host", fix="use 127.0.0.1 or ::1"
        )
    return host


class Face:
    """A socket that hands every request to a desk. Start and stop it within one event loop."""

    def __init__(self, desk: Desk, host: str = "127.0.0.1", port: int = 0) -> None:
        self._desk = desk
        self._host = check_address(host)
        self._port = port
        self._closing = asyncio.Event()
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.1)
        self.url = ""

    async def start(self) -> None:
        """Listen; `url` is known afterwards.

        Raises
        ------
        ConfigError
            If the port is taken.
        """
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise ConfigError(
                f"cannot listen on {self._host}:{self._port}: {error.strerror}", where="--port"
            ) from error
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.url = f"http://{host}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Let go of requests that hang, and close."""
        self._closing.set()
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if re.sub(r":\d+$", "", request.host) not in _LOCAL_NAMES:
            return web.Response(status=421, text="this host is not served here")
        reply = self._desk.answer(
            Request(
                request.method,
                request.path,
                dict(request.query),
                {name.lower(): value for name, value in request.headers.items()},
                await request.read(),
            )
        )
        if reply.ending == "hang":
            await self._closing.wait()
        if reply.ending != "send":
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        body = reply.body()
        headers = {**reply.headers, "Content-Type": reply.content_type} if body else reply.headers
        return web.Response(status=reply.status, text=body or None, headers=headers)


class ExchangeServer:
    """A face in a thread of its own, for tests and notebooks; a context manager.

    `url` is where it listens. The exchange lives in that thread: reach into it with `run`.
    """

    def __init__(self, desk: Desk, host: str = "127.0.0.1", port: int = 0) -> None:
        self.desk = desk
        self._where = (check_address(host), port)
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._serve, name="exchange", daemon=True)
        self._started: Future[str] = Future()
        self.url = ""

    def __enter__(self) -> Self:
        """Start and wait until it listens."""
        self._thread.start()
        self.url = self._started.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; requests that hang are cut."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def run(self, what: Callable[[Desk], _Answer]) -> _Answer:
        """Call `what` with the desk between two requests and return its answer."""
        done: Future[_Answer] = Future()

        def call() -> None:
            try:
                done.set_result(what(self.desk))
            except BaseException as error:  # noqa: BLE001  (it is raised where it was asked for)
                done.set_exception(error)

        self._loop.call_soon_threadsafe(call)
        return done.result()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._until_stopped())
        finally:
            self._loop.close()

    async def _until_stopped(self) -> None:
        face = Face(self.desk, *self._where)
        try:
            await face.start()
        except BaseException as error:  # noqa: BLE001  (whoever waits for the start must learn of it)
            self._started.set_exception(error)
            return
        self._started.set_result(face.url)
        await self._stop.wait()
        await face.stop()
