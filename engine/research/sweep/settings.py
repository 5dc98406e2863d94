"""From combinations of a grid to validated configurations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from plimsoll.engine.config.layers import assign
from plimsoll.engine.config.schema import Config, SleeveSection, validate_config
from plimsoll.engine.errors import ConfigError, did_you_mean
from plimsoll.engine.research.sweep.grid import WHERE, Axis, Combination, identity
from plimsoll.engine.research.sweep.maker import Maker
from plimsoll.engine.runtime.needs import Needs, needs_of
from plimsoll.engine.sleeve.strategy import Strategy

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """One configuration of a sweep: its number, the values chosen in the order of the keys,
    all of it, what it loads, and its strategies by sleeve."""

    number: int
    chosen: Combination
    config: Config
    needs: Needs
    strategies: Mapping[str, Strategy]


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
        first: tuple[Combination, ConfigError] | None = None
        for values in combinations:
            try:
                config, strategies = self.made(dict(enumerate(values)))
            except ConfigError as error:
                first = first or (values, error)
                continue
            found.append(Setting(len(found), values, config, needs_of(config, strategies), strategies))
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

    def made(self, changes: Mapping[int, Any]) -> tuple[Config, dict[str, Strategy]]:
        """Return the base with the axes in `changes` at those values, and its strategies.

        Raises
        ------
        ConfigError
            If that is not a valid configuration, or a strategy refuses its parameters.
        """
        frame = self._frame({at: value for at, value in changes.items() if not self._is_param[at]})
        params: dict[int, dict[str, Any]] = {}
        for at, value in changes.items():
            if self._is_param[at]:
                sleeve_at = int(self._paths[at][1])
                params.setdefault(sleeve_at, dict(frame.sleeve[sleeve_at].params))[self._paths[at][3]] = value
        sleeves, strategies = list(frame.sleeve), dict(self._strategies)
        for position, (sleeve, before) in enumerate(zip(frame.sleeve, self.base.sleeve, strict=True)):
            if position in params:
                sleeves[position] = sleeve.model_copy(update={"params": params[position]})
            if position in params or (sleeve is not before and sleeve != before):
                strategies[sleeve.name] = self._strategy(sleeves[position])
        config = frame.model_copy(update={"sleeve": tuple(sleeves)}) if params else frame
        return config, strategies

    def _frame(self, changes: Mapping[int, Any]) -> Config:
        """Return the base with keys other than parameters changed, each combination validated once."""
        if not changes:
            return self.base
        key = identity([[at, changes[at]] for at in sorted(changes)])
        if key not in self._frames:
            values = dict(self._values)
            try:
                for at in sorted(changes):
                    assign(values, list(self._paths[at]), changes[at], f"{WHERE} {self.axes[at].key}")
                self._frames[key] = validate_config(values, WHERE)
            except ConfigError as error:
                self._frames[key] = error
        frame = self._frames[key]
        if isinstance(frame, ConfigError):
            raise frame
        return frame

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
