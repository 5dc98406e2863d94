"""From combinations of a grid to validated configurations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from threading import Lock
from typing import Any, Final, Protocol

from pydantic import ValidationError

from plimsoll.engine.config.layers import assign
from plimsoll.engine.config.schema import Config, SleeveSection, validate_config
from plimsoll.engine.errors import ConfigError, did_you_mean
from plimsoll.engine.research.sweep.grid import WHERE, Axis, Combination, identity
from plimsoll.engine.research.sweep.maker import Maker
from plimsoll.engine.runtime.needs import Needs, needs_of
from plimsoll.engine.sleeve.strategy import Strategy

Path = tuple[str, ...]
# Configurations without their varied parameters that a maker keeps for good, the first ones: whoever goes through all
# settings again finds as many of them there. Of the others it keeps the latest, and validates them once a pass.
FRAMES: Final = 4_096
LATEST: Final = 64


class Makes(Protocol):
    """Makes a configuration of the values chosen for it; several threads may ask at once."""

    def config_of(self, chosen: Combination) -> Config:
        """Return the configuration."""

    def made_of(self, chosen: Combination) -> tuple[Config, Mapping[str, Strategy]]:
        """Return the configuration, and its strategies by sleeve."""


@dataclass(frozen=True, slots=True)
class Given:
    """A configuration that is there already, whatever is chosen."""

    config: Config
    strategies: Mapping[str, Strategy]

    def config_of(self, _: Combination) -> Config:
        """Return it."""
        return self.config

    def made_of(self, _: Combination) -> tuple[Config, Mapping[str, Strategy]]:
        """Return it, and its strategies by sleeve."""
        return self.config, self.strategies


@dataclass(frozen=True, slots=True)
class Loads:
    """What a setting loads: its needs, up to when, and the seed of a generated market."""

    needs: Needs
    end: date | None
    seed: int


@dataclass(frozen=True, slots=True)
class Setting:
    """One configuration of a sweep: its number, the values chosen in the order of the keys, what it loads, its maker.

    The configuration is made whenever it is asked for: held, a hundred thousand of them are hundreds of megabytes.
    """

    number: int
    chosen: Combination
    loads: Loads
    maker: Makes

    @property
    def config(self) -> Config:
        """All of it."""
        return self.maker.config_of(self.chosen)

    def made(self) -> tuple[Config, Mapping[str, Strategy]]:
        """Return the configuration, and its strategies by sleeve."""
        return self.maker.made_of(self.chosen)

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process gets the configuration itself, not who makes it."""
        return Setting, (self.number, self.chosen, self.loads, Given(self.config, {}))


def loads_of(config: Config, strategies: Mapping[str, Strategy]) -> Loads:
    """Return what a configuration loads."""
    return Loads(needs_of(config, strategies), config.run.end, config.run.seed)


class SettingMaker:
    """Validates single values and combinations against a base configuration.

    Only what a combination changes is validated anew: keys of `params` are checked by the strategy they belong to,
    all others by the configuration, once per combination of theirs.
    """

    def __init__(self, base: Config, axes: Sequence[Axis]) -> None:
        self.base = base
        self.axes = axes
        self._values = base.plain()
        self._maker = Maker()
        self._strategies = self._maker.all(base)
        self._paths = [path_of(base, axis.key) for axis in axes]
        self._is_param = [len(path) == 4 and path[0] == "sleeve" and path[2] == "params" for path in self._paths]
        self._frames: dict[str, Config | ConfigError] = {}
        self._latest: dict[str, Config | ConfigError] = {}
        self._lock = Lock()  # of both
        _refuse_overlap(axes, self._paths)

    def check_values(self) -> None:
        """Check every value on its own, before their combinations.

        A value that does not fit the base alone (`end` before the base's `start`) may fit with another key's value:
        then the combinations decide.

        Raises
        ------
        ConfigError
            Where a key does not exist, a value is of the wrong type or out of its bounds, or a key changes nothing.
        """
        unchanged = self._effect({})
        for at, axis in enumerate(self.axes):
            seen: dict[str, Any] = {}
            for value in axis.samples:
                try:
                    effect = self._effect({at: value})
                except ConfigError as error:
                    if len(self.axes) > 1 and _concerns_several(error):
                        continue
                    raise
                if effect in seen:
                    raise ConfigError(f"{axis.key} = {value!r} is the same as {seen[effect]!r}", where=WHERE)
                seen[effect] = value
            if set(seen) == {unchanged} and len(axis.samples) == 1:
                fix = "leave it out, or vary it"
                raise ConfigError(
                    f"{axis.key} = {axis.samples[0]!r} is what the configuration says", where=WHERE, fix=fix
                )

    def settings(self, combinations: Sequence[Combination], *, skip_invalid: bool) -> tuple[list[Setting], int]:
        """Return a setting per valid combination, and how many were left out.

        Raises
        ------
        ConfigError
            If some are invalid and `skip_invalid` is not given, or all are.
        """
        found: list[Setting] = []
        distinct: dict[Loads, Loads] = {}
        first: tuple[Combination, ConfigError] | None = None
        for values in combinations:
            try:
                loads = loads_of(*self.made_of(values))
            except ConfigError as error:
                first = first or (values, error)
                continue
            found.append(Setting(len(found), values, distinct.setdefault(loads, loads), self))
        skipped = len(combinations) - len(found)
        if first is not None and (not skip_invalid or not found):
            named = ", ".join(f"{axis.key}={value}" for axis, value in zip(self.axes, first[0], strict=True))
            raise ConfigError(
                f"{skipped:,} of {len(combinations):,} combinations are not valid, "
                f"the first is {named}: {first[1].what}",
                where=WHERE,
                fix="" if skip_invalid else "leave them out with --skip-invalid",
            )
        return found, skipped

    def number_of_base(self, settings: Sequence[Setting]) -> int | None:
        """Return the number of the setting that is the base configuration itself; None where none is."""
        known: dict[tuple[int, str], bool] = {}

        def changes(at: int, value: Any) -> bool:
            if self.axes[at].span is not None:
                return self._changes(at, value)
            key = at, identity(value)
            if key not in known:
                known[key] = self._changes(at, value)
            return known[key]

        for setting in settings:
            if not any(changes(at, value) for at, value in enumerate(setting.chosen)):
                return setting.number
        return None

    def _changes(self, at: int, value: Any) -> bool:
        try:
            return self.made({at: value})[0] != self.base
        except ConfigError:
            return True

    def config_of(self, chosen: Combination) -> Config:
        """Return the base with every axis at the value chosen; whether a strategy takes its parameters is not asked.

        Raises
        ------
        ConfigError
            If that is not a valid configuration.
        """
        return self._config(dict(enumerate(chosen)))

    def made_of(self, chosen: Combination) -> tuple[Config, dict[str, Strategy]]:
        """Return the base with every axis at the value chosen, as `made` does."""
        return self.made(dict(enumerate(chosen)))

    def made(self, changes: Mapping[int, Any]) -> tuple[Config, dict[str, Strategy]]:
        """Return the base with the axes in `changes` at those values, and its strategies.

        Raises
        ------
        ConfigError
            If that is not a valid configuration, or a strategy refuses its parameters.
        """
        config = self._config(changes)
        chosen = {int(self._paths[at][1]) for at in changes if self._is_param[at]}
        strategies: dict[str, Strategy] = {}
        for position, (sleeve, before) in enumerate(zip_longest(config.sleeve, self.base.sleeve)):
            if sleeve is None:
                break  # the list of sleeves is what varies, and this one is shorter
            same = position not in chosen and (sleeve is before or sleeve == before)
            strategies[sleeve.name] = self._strategies[sleeve.name] if same else self._strategy(sleeve)
        return config, strategies

    def _config(self, changes: Mapping[int, Any]) -> Config:
        frame = self._frame({at: value for at, value in changes.items() if not self._is_param[at]})
        params: dict[int, dict[str, Any]] = {}
        for at, value in changes.items():
            if self._is_param[at]:
                sleeve_at = int(self._paths[at][1])
                params.setdefault(sleeve_at, dict(frame.sleeve[sleeve_at].params))[self._paths[at][3]] = value
        if not params:
            return frame
        sleeves = list(frame.sleeve)
        for position, chosen in params.items():
            sleeves[position] = sleeves[position].model_copy(update={"params": chosen})
        return frame.model_copy(update={"sleeve": tuple(sleeves)})

    def _frame(self, changes: Mapping[int, Any]) -> Config:
        """Return the base with keys other than parameters changed, each combination validated once."""
        if not changes:
            return self.base
        key = identity([[at, changes[at]] for at in sorted(changes)])
        with self._lock:
            frame = self._frames.get(key) or self._latest.get(key)
            if frame is None:
                frame = self._validated(changes)
                kept = self._frames if len(self._frames) < FRAMES else self._latest
                kept[key] = frame
                if len(self._latest) > LATEST:
                    self._latest.pop(next(iter(self._latest)))
        if isinstance(frame, ConfigError):
            raise frame.with_traceback(None)  # or it holds whatever it was raised through, every time
        return frame

    def _validated(self, changes: Mapping[int, Any]) -> Config | ConfigError:
        values = dict(self._values)
        try:
            for at in sorted(changes):
                assign(values, list(self._paths[at]), changes[at], f"{WHERE} {self.axes[at].key}")
            return validate_config(values, WHERE)
        except ConfigError as error:
            return error

    def _strategy(self, sleeve: SleeveSection) -> Strategy:
        try:
            return self._maker.sleeve(sleeve, self.base.run.modules)
        except ConfigError as error:
            where = f"{WHERE} {error.where}"
            raise ConfigError(error.what, where=where, cause=error.cause, fix=error.fix) from error

    def _effect(self, changes: Mapping[int, Any]) -> str:
        """Return text that two configurations share if they run the same."""
        config, strategies = self.made(changes)
        plain = config.plain()
        for sleeve in plain["sleeve"]:
            sleeve["params"] = strategies[sleeve["name"]].params.model_dump(mode="json")
        return identity(plain)


def path_of(base: Config, key: str) -> Path:
    """Return where a key leads, a sleeve entered by its position.

    Raises
    ------
    ConfigError
        If there is no such sleeve, or the key is none that can be varied.
    """
    path = key.split(".")
    if path == ["run"]:
        raise ConfigError("run cannot be varied as a whole", where=WHERE, fix="name its keys, as in run.cash=1e4,1e5")
    if path[0] == "data" or path in (["run", "name"], ["run", "modules"]):
        fix = "run a sweep per data set" if path[0] == "data" else "leave it out"
        raise ConfigError(f"{key} cannot be varied: it would be another experiment", where=WHERE, fix=fix)
    if path[0] == "sleeve" and len(path) > 1:
        names = [sleeve.name for sleeve in base.sleeve]
        known = [*names, *(str(position) for position in range(len(names)))]
        if path[1] not in known:
            raise ConfigError(f"no sleeve {path[1]!r} in {key}", where=WHERE, fix=did_you_mean(path[1], names))
        path[1] = str(known.index(path[1]) % len(names))
        if path[2:] == ["name"]:
            raise ConfigError(f"{key} cannot be varied: it changes nothing but a name", where=WHERE, fix="leave it out")
    return tuple(path)


def _refuse_overlap(axes: Sequence[Axis], paths: Sequence[Path]) -> None:
    """Refuse a key that comes twice, or that lies within another."""
    for at, path in enumerate(paths):
        for before, other in enumerate(paths[:at]):
            if path == other:
                raise ConfigError(f"{axes[at].key} comes twice", where=WHERE, fix="name all its values in one list")
            if path[: len(other)] == other or other[: len(path)] == path:
                raise ConfigError(f"{axes[at].key} and {axes[before].key} overlap", where=WHERE)


def _concerns_several(error: ConfigError) -> bool:
    """Whether a refusal came from a rule across the keys of a section, not from one key's own type or bounds."""
    first = error.__cause__ if isinstance(error.__cause__, ConfigError) else error
    found = first.__context__
    return isinstance(found, ValidationError) and all(
        problem["type"] == "value_error" and isinstance(problem["input"], dict) for problem in found.errors()
    )
