"""From a `[broker]` section to a venue: found by its name, for the engine knows no broker."""

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Final, cast

from plimsoll.engine.config.live import BrokerSection
from plimsoll.engine.errors import ConfigError, did_you_mean
from plimsoll.engine.execution.venue import Venue

GROUP: Final = "plimsoll.brokers"
Opener = Callable[[BrokerSection, Mapping[str, str]], Venue]


def open_venue(section: BrokerSection, env: Mapping[str, str]) -> Venue:
    """Return the configured account as a venue; nothing is sent yet.

    env : where keys are looked for, unless `broker.keys` names a file.

    Raises
    ------
    ConfigError
        If no such broker is registered, its package is missing, or it refuses the address or the keys.
    """
    point = _registered(section.kind)
    try:
        opener = cast("Opener", point.load())
    except ModuleNotFoundError as error:
        raise ConfigError(f"{section.kind!r} needs {error.name}", where="broker.kind", fix="install it") from error
    return opener(section, env)


def _registered(kind: str) -> EntryPoint:
    found = {point.name: point for point in entry_points(group=GROUP)}
    if kind not in found:
        raise ConfigError(f"no broker {kind!r} is registered", where="broker.kind", fix=did_you_mean(kind, found))
    return found[kind]
