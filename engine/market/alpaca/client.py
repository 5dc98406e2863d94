"""Ask Alpaca for a symbol: raw payloads only, every request with a time limit, no retry and no redirect of its own."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.alpaca.normalise import SOURCE, MinuteBars, normalise, normalise_minutes
from plimsoll.engine.market.fetching import FetchError, Route, fetch_error
from plimsoll.engine.market.history import History
from plimsoll.engine.market.ticker import alpaca_name

HOST: Final = "https://data.alpaca.markets"
EARLIEST: Final = date(2016, 1, 1)
# Without a subscription the consolidated tape is given once it is a quarter of an hour old.
DELAY: Final = timedelta(minutes=16)
NAMES: Final = (("APCA_API_KEY_ID", "APCA_API_SECRET_KEY"), ("ALPACA_API_KEY", "ALPACA_SECRET_KEY"))
_NEW_YORK: Final = ZoneInfo("America/New_York")
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """An API key and its secret; never shown."""

    key: str
    secret: str

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "Keys | None":
        """Return what the environment holds under either of the two usual pairs of names, None if nothing."""
        for key, secret in NAMES:
            if env.get(key) and env.get(secret):
                return cls(env[key], env[secret])
        return None


class AlpacaClient:
    """A way to Alpaca's market data. One for each thread.

    url : Alpaca's data host, or one on loopback. now : the time; nothing younger than the free delay is asked for.

    Raises
    ------
    ConfigError
        If `url` is another host.
    """

    source = SOURCE

    def __init__(self, keys: Keys, route: Route, now: Callable[[], datetime], url: str = HOST) -> None:
        with warnings.catch_warnings():
            # the package imports its streams, and with them what its websocket library wants to retire
            warnings.filterwarnings("ignore", message="websockets.legacy is deprecated")
            from alpaca.data.historical import StockHistoricalDataClient
            from alpaca.data.historical.corporate_actions import CorporateActionsClient

        if url != HOST and urlsplit(url).hostname not in _LOOPBACK:
            raise ConfigError(f"{url!r} is neither Alpaca's data host nor on loopback", fix=f"use {HOST}")
        self._now = now
        self._bars = StockHistoricalDataClient(keys.key, keys.secret, raw_data=True, url_override=url)
        self._actions = CorporateActionsClient(keys.key, keys.secret, raw_data=True, url_override=url)
        for client in (self._bars, self._actions):
            _harden(client, route)

    def fetch(self, symbol: str, start: date | None) -> History:
        """Return a symbol's rows as traded, actions included, from `start` (None = all there is) to now.

        Raises
        ------
        FetchError
            The kind that says why; naming the symbol and what to do.
        """
        name, first = self._name(symbol), start or EARLIEST
        with _typed(symbol):
            told = self._bars.get_stock_bars(self._request(name, first))
            actions = self._told_actions(name, first)
        return normalise(told, actions, symbol, name)

    def minutes(self, symbol: str, minutes: int, start: date, until: date | None = None) -> MinuteBars:
        """Return a symbol's bars of so many minutes as traded, from `start` through `until` (None = now).

        Raises
        ------
        FetchError
            As `fetch`.
        """
        name = self._name(symbol)
        with _typed(symbol):
            told = self._bars.get_stock_bars(self._request(name, start, minutes, until))
            actions = self._told_actions(name, start)
        return normalise_minutes(told, actions, symbol, name)

    def _told_actions(self, name: str, first: date) -> Any:
        from alpaca.data.enums import CorporateActionsType
        from alpaca.data.requests import CorporateActionsRequest

        kinds = ("forward_split", "reverse_split", "unit_split", "stock_dividend", "spin_off", "cash_dividend")
        asked = CorporateActionsRequest(
            symbols=[name],
            types=[CorporateActionsType(kind) for kind in kinds],
            start=first,
            end=self._now().date(),
            limit=None,  # its default of 1,000 ends the paging there, without a word
        )
        return self._actions.get_corporate_actions(asked)

    def recent(self, symbol: str, start: date) -> History:
        """Return a symbol's rows from `start` on without actions: a second opinion.

        Raises
        ------
        FetchError
            As `fetch`.
        """
        name = self._name(symbol)
        with _typed(symbol):
            told = self._bars.get_stock_bars(self._request(name, start))
        return normalise(told, {}, symbol, name)

    def _name(self, symbol: str) -> str:
        name = alpaca_name(symbol)
        if name is None:
            raise fetch_error("no_such_data", SOURCE, symbol, "Alpaca has no indices")
        return name

    def _request(self, name: str, start: date, minutes: int | None = None, until: date | None = None) -> Any:
        from alpaca.data.enums import Adjustment
        from alpaca.data.requests import StockBarsRequest
        from alpaca.data.timeframe import TimeFrame, TimeFrameUnit

        end = self._now().astimezone(UTC) - DELAY
        if until is not None:
            end = min(end, datetime(until.year, until.month, until.day, tzinfo=_NEW_YORK) + timedelta(days=1))
        # no feed: then the best tape that the subscription covers is taken, not one exchange's
        return StockBarsRequest(
            symbol_or_symbols=name,
            timeframe=TimeFrame.Day if minutes is None else TimeFrame(minutes, TimeFrameUnit.Minute),
            start=datetime(start.year, start.month, start.day, tzinfo=UTC),
            end=end,
            adjustment=Adjustment.RAW,
        )


def _harden(client: Any, route: Route) -> None:
    """Take retries, redirects, environment and endless waiting from a client of alpaca-py."""
    session = client._session
    if not isinstance(client._retry, int):
        raise ConfigError("this alpaca-py is built otherwise", fix="install the version of requirements.lock")
    client._retry = 0
    session.trust_env = False
    session.verify = route.ca_file or True
    session.proxies = {"https": route.proxy} if route.proxy else {}
    session.request = partial(session.request, timeout=(route.timeout_s, route.timeout_s))
    session.hooks["response"].append(_checked)


class _AnswerError(Exception):
    """An answer that is no success: its kind and words."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def _checked(answer: Any, **_: Any) -> None:
    """Raise about any answer but 200: to alpaca-py a redirect is a success, and an HTML error has no message."""
    status = int(answer.status_code)
    if status == 200:
        return
    try:
        message = str(answer.json()["message"])[:160]
    except (ValueError, KeyError, TypeError):
        message = "no message"
    kinds = {401: "denied", 403: "denied", 429: "rate_limited", 400: "no_such_data", 404: "no_such_data"}
    kind = kinds.get(status, "outage" if status >= 500 else "no_such_data" if status == 422 else "garbled")
    raise _AnswerError(kind, f"HTTP {status}, {message}")


@contextmanager
def _typed(symbol: str) -> Iterator[None]:
    """Turn whatever comes out of alpaca-py and requests into one typed error; their own hold the secret."""
    from requests import exceptions as broken

    try:
        yield
    except FetchError:
        raise
    except _AnswerError as error:
        kind, text = error.kind, str(error)
    except broken.Timeout:
        kind, text = "timed_out", "no answer in the time allowed"
    except (broken.ChunkedEncodingError, broken.ContentDecodingError, broken.InvalidJSONError) as error:
        kind, text = "garbled", f"an answer that cannot be read ({type(error).__name__})"
    except broken.ConnectionError as error:
        reached = "aborted" in str(error).lower()
        kind, text = ("garbled", "the connection was cut") if reached else ("unreachable", "no connection")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        kind, text = "garbled", f"an answer of another shape ({type(error).__name__})"
    else:
        return
    raise fetch_error(kind, SOURCE, symbol, text) from None
