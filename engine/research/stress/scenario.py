"""A scenario: what a market did, or is imagined to do, and the TOML that says so."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
from pydantic import Field, ValidationError, field_validator, model_validator

from plimsoll.engine.config.layers import read_toml
from plimsoll.engine.config.section import Section, config_error
from plimsoll.engine.errors import ConfigError, InputError, did_you_mean
from plimsoll.engine.market.calendar import session_mask, sessions
from plimsoll.engine.research.stress.classes import CLASSES

MAX_SESSIONS: Final = 1000
NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
SYMBOL: Final = r"^[A-Za-z0-9][A-Za-z0-9._/-]*$"
# A loss is at most everything; a gain beyond tenfold is a figure in per cent.
Move = Annotated[float, Field(strict=True, ge=-1.0, le=10.0)]
Level = Annotated[float, Field(strict=True, gt=0.0)]
Symbol = Annotated[str, Field(pattern=SYMBOL, max_length=32)]


class IndicatorMove(Section):
    """An indicator's level at the first close, at its highest, and at the last close."""

    start: Level
    peak: Level
    end: Level


class Scenario(Section):
    """One scenario. Moves are simple total returns as fractions (-0.2 = down 20%).

    start, end : the close it begins from and the last one. n : how many sessions lie between.
    returns, classes : over the whole of it, by symbol and by asset class. paths, class_paths : of each session.
    indicators : closes of each session, or three levels. measured : the returns are those of the funds themselves from
    start to end, so that prices of the same sessions are the same thing in more detail.
    """

    name: str = Field(pattern=NAME, max_length=64)
    title: str = Field("", max_length=80)
    source: str = Field("", max_length=1000)
    start: date | None = None
    end: date | None = None
    sessions: int | None = Field(None, ge=1, le=MAX_SESSIONS)
    measured: bool = False
    returns: dict[Symbol, Move] = Field(default_factory=dict)
    classes: dict[str, Move] = Field(default_factory=dict)
    paths: dict[Symbol, tuple[Move, ...]] = Field(default_factory=dict)
    class_paths: dict[str, tuple[Move, ...]] = Field(default_factory=dict)
    indicators: dict[Symbol, tuple[Level, ...] | IndicatorMove] = Field(default_factory=dict)

    @field_validator("title", "source")
    @classmethod
    def _printable(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("only printable characters in one line are expected here")
        return value

    @field_validator("classes", "class_paths")
    @classmethod
    def _known_classes(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if name not in CLASSES:
                raise ValueError(f"unknown asset class {name!r}; {did_you_mean(name, CLASSES)}")
        return value

    @model_validator(mode="after")
    def _fits(self) -> "Scenario":
        if (self.start is None) != (self.end is None):
            raise ValueError("'start' and 'end' go together")
        if self.start is None and self.measured:
            raise ValueError("'measured' needs 'start' and 'end'")
        if not (self.returns or self.classes or self.paths or self.class_paths or self.start is not None):
            raise ValueError("nothing moves: give 'returns', 'classes', 'paths', 'class_paths', or 'start' and 'end'")
        for kind in ("returns", "classes"):
            other = "paths" if kind == "returns" else "class_paths"
            if twice := sorted(getattr(self, kind).keys() & getattr(self, other).keys()):
                raise ValueError(f"{twice[0]!r} is in both '{kind}' and '{other}'")
        self._check_lengths()
        return self

    def _check_lengths(self) -> None:
        said = {f"paths.{k}": len(v) for k, v in self.paths.items()}
        said |= {f"class_paths.{k}": len(v) for k, v in self.class_paths.items()}
        said |= {f"indicators.{k}": len(v) for k, v in self.indicators.items() if isinstance(v, tuple)}
        if self.sessions is not None:
            said["sessions"] = self.sessions
        if self.start is not None and self.end is not None:
            said["start to end"] = _between(self.start, self.end)
        lengths = set(said.values())
        if len(lengths) > 1:
            (one, n), (other, m) = next(
                ((a, b) for a in said.items() for b in said.items() if a[1] != b[1]),
            )
            raise ValueError(f"{one} has {n} sessions and {other} has {m}: they must be the same")
        if lengths and not 1 <= min(lengths) <= MAX_SESSIONS:
            raise ValueError(f"it has {min(lengths)} sessions, 1 to {MAX_SESSIONS} are possible")

    @property
    def n(self) -> int:
        """Sessions of the scenario; one where nothing says otherwise: a shock of a day."""
        if self.start is not None and self.end is not None:
            return _between(self.start, self.end)
        stated = [*self.paths.values(), *self.class_paths.values()]
        stated += [levels for levels in self.indicators.values() if isinstance(levels, tuple)]
        return self.sessions or (len(stated[0]) if stated else 1)

    @property
    def label(self) -> str:
        """What to call it."""
        return self.title or self.name


def _between(start: date, end: date) -> int:
    if end <= start:
        raise ValueError(f"end {end} is not after start {start}")
    for word, day in (("start", start), ("end", end)):
        if not session_mask(np.array([day], dtype="datetime64[D]"))[0]:
            raise ValueError(f"{word} {day} is no session of the exchange: name the session before or after")
    return len(sessions(start, end)) - 1


@lru_cache(maxsize=1)
def built_in() -> tuple[Scenario, ...]:
    """Return the scenarios that come with the package, oldest first."""
    return read_scenarios(Path(__file__).with_name("scenarios.toml"))


def read_scenarios(path: Path) -> tuple[Scenario, ...]:
    """Return the scenarios of a TOML file: one, its keys at the top, or several [[scenario]].

    Raises
    ------
    ConfigError
        If it cannot be read, a key or value is wrong, or two have one name; one line that names it.
    """
    values = read_toml(path)
    listed = values.get("scenario")
    if isinstance(listed, list) and len(values) == 1:
        tables: Sequence[Any] = listed
    else:
        if "scenario" in values:
            fix = "put every scenario into a [[scenario]] of its own, and nothing beside them"
            raise ConfigError("'scenario' stands beside other keys, or is no list", where=str(path), fix=fix)
        tables = [values]
    found = tuple(_scenario(table, f"{path}, scenario {k}") for k, table in enumerate(tables, start=1))
    if not found:
        raise ConfigError("no scenario", where=str(path), fix="write a [[scenario]] with a name and returns")
    check_names(found, str(path))
    return found


def check_names(scenarios: Sequence[Scenario], where: str) -> None:
    """Refuse two scenarios of one name."""
    names = [scenario.name for scenario in scenarios]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"two scenarios are called {name!r}", where=where, fix="give one another name")


def _scenario(values: Any, where: str) -> Scenario:
    if not isinstance(values, Mapping):
        raise ConfigError("a table of keys is expected", where=where)
    try:
        return Scenario.model_validate(values)
    except ValidationError as error:
        raise config_error(error, where, Scenario) from None
    except InputError as error:  # a date that the calendar does not reach
        raise ConfigError(error.what, where=where, fix=error.fix) from None
