"""From a configured address and keys to a venue: the only constructor there is."""

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from plimsoll.brokers.alpaca.address import address_of
from plimsoll.brokers.alpaca.budget import Budget
from plimsoll.brokers.alpaca.keys import read_keys
from plimsoll.brokers.alpaca.practice import Practice
from plimsoll.brokers.alpaca.venue import AlpacaVenue
from plimsoll.brokers.alpaca.wire import TIMEOUT_SECONDS, data_wire, trading_wire
from plimsoll.engine.config.live import BrokerSection
from plimsoll.engine.market.ticker import Spelling


def connect_broker(broker: BrokerSection, env: Mapping[str, str], symbols: Iterable[str] = ()) -> AlpacaVenue:
    """Return the account that a `[broker]` section names; what `plimsoll.brokers` points to."""
    if address_of(broker.url).local:
        return practise(broker, env, symbols)
    return connect(broker.url, env, keys=broker.keys, feed=broker.feed, symbols=symbols)


def connect(
    url: str,
    env: Mapping[str, str],
    *,
    keys: Path | None = None,
    feed: str = "iex",
    symbols: Iterable[str] = (),
    timeout: tuple[float, float] = TIMEOUT_SECONDS,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> AlpacaVenue:
    """Return a paper account, or an exchange on this machine, as a venue. Nothing is sent yet.

    url : `[broker] url`. env : where keys are looked for unless `keys` names a file. symbols : the book's, as it
    writes them. now, sleep : seconds.

    Raises
    ------
    ConfigError
        If the address is neither the paper host nor loopback, or the keys are missing or belong elsewhere.
    """
    address = address_of(url)
    pair = read_keys(env, keys, local=address.local)
    trading, data = trading_wire(address, pair, timeout=timeout), data_wire(address, pair, timeout=timeout)
    budget, spelling = Budget(now, sleep), Spelling(symbols)
    return AlpacaVenue(trading, data, budget, sleep, feed=feed, spelling=spelling)


def practise(broker: BrokerSection, env: Mapping[str, str], symbols: Iterable[str] = ()) -> AlpacaVenue:
    """Return an exchange on this machine as a venue that waits in the exchange's own time."""
    address = address_of(broker.url)
    pair = read_keys(env, broker.keys, local=True)
    trading, data = trading_wire(address, pair), data_wire(address, pair)
    there = Practice(trading)
    budget, spelling = Budget(there.now, there.sleep), Spelling(symbols)
    return AlpacaVenue(trading, data, budget, there.sleep, feed=broker.feed, spelling=spelling, practice=there)
