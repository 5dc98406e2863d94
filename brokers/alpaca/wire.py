"""The official client, hardened: one request, one answer, nothing repeated, nothing followed, nothing guessed.

alpaca-py 0.44.0 by itself sends an order again after 429 and 504, has no timeouts, takes a redirect's body for an
answer, and its exceptions hold the secret. Here it is used for addresses, authentication and transport only; what came
back is read from the response itself.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from alpaca.common.exceptions import APIError
from alpaca.common.rest import RESTClient
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.trading.client import TradingClient
from requests.adapters import HTTPAdapter

from plimsoll.brokers.alpaca.address import Address
from plimsoll.brokers.alpaca.keys import Keys
from plimsoll.brokers.alpaca.reply import Method, NoReply, Reply, read_reply
from plimsoll.engine.errors import EngineError

TIMEOUT_SECONDS: Final = (5.0, 15.0)  # to connect, to read
_DIGITS: Final = 10  # a count, and seconds since 1970, have no more
_TOLD: Final = ("X-Ratelimit-Remaining", "Retry-After", "X-Ratelimit-Reset")


class TimedAdapter(HTTPAdapter):
    """The transport of a session whose owner names no timeouts: these hold, in seconds to connect and to read."""

    def __init__(self, timeout: tuple[float, float]) -> None:
        super().__init__(max_retries=0)
        self._timeout = timeout

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: dict[str, str] | None = None,
    ) -> requests.Response:
        """Send one request; no answer in time raises `requests.Timeout`."""
        return super().send(request, stream, timeout or self._timeout, verify, cert, proxies)


class Wire:
    """One hardened client, a `Line`; not for two threads at once."""

    def __init__(self, client: RESTClient, hosts: frozenset[str], timeout: tuple[float, float]) -> None:
        session = getattr(client, "_session", None)
        if not isinstance(session, requests.Session) or not hasattr(client, "_retry"):
            raise EngineError("this version of alpaca-py cannot be hardened: its session or its retries have moved")
        client._retry = 0  # the constructor ignores 0
        session.trust_env = False
        session.max_redirects = 0
        for scheme in ("https://", "http://"):
            session.mount(scheme, TimedAdapter(timeout))
        session.hooks["response"].append(self._seen)
        session.auth = self._guard
        self._client = client
        self._hosts = hosts
        self._response: requests.Response | None = None
        self._must_hold = ""

    def send(
        self, method: Method, path: str, data: Mapping[str, Any] | None = None, *, must_hold: str = ""
    ) -> Reply | NoReply:
        """Send one request, once.

        must_hold : text that the body must contain when it leaves, so that no order goes out without its id.
        """
        self._response, self._must_hold = None, must_hold
        client = self._client
        call: dict[Method, Callable[[str, dict[str, Any]], object]] = {
            "GET": client.get,
            "POST": client.post,
            "PATCH": client.patch,
            "DELETE": client.delete,
        }
        try:
            call[method](path, dict(data or {}))
        except (APIError, requests.JSONDecodeError, requests.TooManyRedirects, RecursionError):
            pass  # read below from the response itself; the exception holds the keys and goes no further
        except (requests.RequestException, ValueError) as error:
            return NoReply(type(error).__name__)
        return self._answer()

    def _answer(self) -> Reply | NoReply:
        response, self._response = self._response, None
        return NoReply("no response") if response is None else _read(response)

    def _seen(self, response: requests.Response, *_: Any, **__: Any) -> None:
        if response.encoding is None:
            response.encoding = "utf-8"  # JSON is; else the client guesses at every answer, which takes milliseconds
        self._response = response

    def _guard(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Look at a request as it will go over the wire."""
        host = urlsplit(str(request.url)).hostname
        if host not in self._hosts:
            raise EngineError(f"a request to {host} was stopped")
        body = request.body if isinstance(request.body, (bytes, str)) else b""
        text = body.decode() if isinstance(body, bytes) else body
        if self._must_hold and self._must_hold not in text:
            raise EngineError("an order without its client id was stopped")
        return request


def _read(response: requests.Response) -> Reply:
    headers = response.headers
    remaining, after, reset = (_count(headers.get(name, "")) for name in _TOLD)
    wait = None if after is None else float(after)
    if wait is None and reset is not None:
        with suppress(ValueError, OverflowError):  # by the venue's own clock: ours may be another one
            wait = max(reset - parsedate_to_datetime(headers.get("Date", "")).timestamp(), 0.0)
    return read_reply(response.status_code, response.content, remaining, wait)


def _count(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= _DIGITS else None


def trading_wire(address: Address, keys: Keys, *, timeout: tuple[float, float] = TIMEOUT_SECONDS) -> Wire:
    """Return the one way to an account there is here: `address` can only be the paper host or this machine."""
    key, secret = keys.key.get_secret_value(), keys.secret.get_secret_value()
    client = TradingClient(key, secret, paper=True, raw_data=True, url_override=address.trading)
    return Wire(client, address.hosts, timeout)


def data_wire(address: Address, keys: Keys, *, timeout: tuple[float, float] = TIMEOUT_SECONDS) -> Wire:
    """Return the way to quotes and trades."""
    key, secret = keys.key.get_secret_value(), keys.secret.get_secret_value()
    client = StockHistoricalDataClient(key, secret, raw_data=True, url_override=address.data)
    return Wire(client, address.hosts, timeout)
