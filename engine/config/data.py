"""Where prices come from, and how they are read."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from plimsoll.engine.config.as_of import as_of_text
from plimsoll.engine.config.interval import INTERVAL, canonical_interval
from plimsoll.engine.config.section import Section
from plimsoll.engine.types import PriceKind


class DataSection(Section):
    """Where prices come from."""

    source: str = Field("sample", min_length=1)
    """Where prices come from: sample, csv, catalog, or another registered source."""
    path: Path | None = None
    """Folder of a source that reads files."""
    indicators: tuple[str, ...] = ()
    """Series that strategies may read but nobody trades, as VIX."""
    interval: str = Field("1d", pattern=INTERVAL)
    """Length of the bars the files hold: 1d, or minutes as 5min, 5m, 1h."""
    resample: str | None = Field(None, pattern=INTERVAL)
    """Longer bars made of them, which the run sees; None = the bars themselves."""
    label: Literal["left", "right"] | None = None
    """What the stamp of an intraday bar is: its start (left) or its end; None = left."""
    universe_file: Path | None = None
    """CSV of symbol,from,to,reason: who was a member when."""
    extended_hours: Literal["drop"] | None = None
    """drop: rows outside regular hours are left out; None = they are refused."""
    extend_leveraged: tuple[str, ...] = ()
    """Funds given a modelled history before their inception, marked as such."""
    prices: dict[str, PriceKind] = Field(default_factory=dict)
    """What a symbol's prices are, where files cannot tell."""
    confirmed: dict[str, tuple[date, ...]] = Field(default_factory=dict)
    """Sessions whose extraordinary moves are real."""
    as_of: Annotated[str, BeforeValidator(as_of_text)] | None = None
    """The data as they were known then; a date is its end in New York; None = now."""

    @field_validator("interval", "resample", mode="before")
    @classmethod
    def _canonical(cls, value: Any) -> Any:
        return canonical_interval(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _of_intraday_bars(self) -> "DataSection":
        if self.interval == "1d":
            for name in ("resample", "label", "extended_hours"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name!r} has no effect on daily bars: say their interval, or leave it out")
        elif self.resample is not None and self.resample != "1d":
            have, wanted = int(self.interval.removesuffix("min")), int(self.resample.removesuffix("min"))
            if wanted % have or wanted == have:
                raise ValueError(f"resample = {self.resample!r} is no multiple of interval = {self.interval!r}")
        return self
