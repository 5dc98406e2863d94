"""From a configured broker to a venue: the entry points of the group `plimsoll.brokers`."""

from collections.abc import Iterable, Mapping
from typing import Final

from plimsoll.engine.config.live import BrokerSection
from plimsoll.engine.errors import ConfigError, did_you_mean
from plimsoll.engine.execution.venue import Venue
from plimsoll.engine.plugins import plugins

GROUP: Final = "plimsoll.brokers"


def open_venue(broker: BrokerSection, env: Mapping[str, str], symbols: Iterable[str] = ()) -> Venue:
    """Return the configured account; nothing is sent yet.

    env : where keys are looked for. symbols : the book's; the venue tells of them as the book writes them.

    Raises
    ------
    ConfigError
        If there is no broker of that kind, its address is refused, or keys are missing.
    """
    known = plugins(GROUP)
    if broker.kind not in known:
        raise ConfigError(f"no broker {broker.kind!r}", where="broker.kind", fix=did_you_mean(broker.kind, known))
    venue: Venue = known[broker.kind].load()(broker, env, tuple(symbols))
    return venue
