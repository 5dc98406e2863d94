"""What a user says of prices that files cannot tell."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from plimsoll.engine.types import PriceKind


@dataclass(frozen=True, slots=True)
class Said:
    """The word of the configuration on some symbols.

    prices : symbol -> "raw", "split" or "adjusted", what its prices are.
    confirmed : symbol -> sessions whose extraordinary moves are real.
    """

    prices: Mapping[str, PriceKind] = field(default_factory=dict)
    confirmed: Mapping[str, Collection[date]] = field(default_factory=dict)


NOTHING: Final = Said()
