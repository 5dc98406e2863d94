"""What a verdict is of: the strategies' source, the configuration, the data up to the last session it saw."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

import numpy as np

from plimsoll.engine.config.schema import Config
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.span import until
from plimsoll.engine.research.audit.certificate import code_hash_of
from plimsoll.engine.sleeve.strategy import Strategy

# Where the prices come from and where they end is told by the data themselves.
ASIDE: Final = ("broker", "report", "stress", "validate", "gate", "live")


@dataclass(frozen=True, slots=True)
class Checksum:
    """SHA-256, in hex, of strategy source, configuration and data."""

    strategies: str
    configuration: str
    data: str

    def plain(self) -> dict[str, str]:
        """Return the three, and one over all of them."""
        parts = asdict(self)
        whole = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return {**parts, "all": whole}


def checksum_of(config: Config, strategies: Iterable[Strategy], panel: Panel, last: date) -> Checksum:
    """Return the checksum of a configuration on a panel cut after the session of `last`.

    What the market did since does not age a verdict; a history that is another one now does.
    """
    return Checksum(code_hash_of(strategies), configuration_hash(config), until(panel, last).data_hash)


def configuration_hash(config: Config) -> str:
    """Return the SHA-256 of what the run depends on, whatever its data are called and wherever it ends."""
    plain = config.plain()
    for key in ASIDE:
        plain.pop(key, None)
    for section, keys in {"run": ("end", "modules", "name"), "data": ("path", "source")}.items():
        for key in keys:
            plain[section].pop(key, None)
    if config.integrator.alarm is not None:  # in force is what counts, as for a run's own hash
        plain["integrator"]["allocate"]["alarm"] = config.integrator.alarm
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def last_session(panel: Panel) -> date:
    """Return the last session of a panel."""
    day: date = np.datetime64(panel.clock.session[-1], "D").item()
    return day
