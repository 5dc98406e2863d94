"""What a user says of prices and stamps that files cannot tell."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

from plimsoll.engine.types import PriceKind


@dataclass(frozen=True, slots=True)
class Said:
    """The word of the configuration on some symbols.

    prices : symbol -> "raw", "split" or "adjusted", what its prices are.
    confirmed : symbol -> sessions whose extraordinary moves are real.
    label : whether the files stamp an intraday bar with its start, "left", or its end, "right".
    extended_hours : what becomes of rows of files beyond regular hours: refused, or dropped and counted.
    """

    prices: Mapping[str, PriceKind] = field(default_factory=dict)
    confirmed: Mapping[str, Collection[date]] = field(default_factory=dict)
    label: Literal["left", "right"] = "left"
    extended_hours: Literal["refuse", "drop"] = "refuse"


NOTHING: Final = Said()
