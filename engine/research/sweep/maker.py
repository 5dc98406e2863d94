"""Strategies made many times over: each class is looked up once."""

from pathlib import Path

from plimsoll.engine.config.schema import Config, SleeveSection
from plimsoll.engine.runtime.resolve import make_strategy, strategy_class
from plimsoll.engine.sleeve.strategy import Strategy


class Maker:
    """Makes the strategies of configurations as `plimsoll.engine.runtime.prepare.make_strategies` does.

    Looking a registered name up reads the installed packages' entry points, which takes longer than making a strategy.
    """

    def __init__(self) -> None:
        self._classes: dict[tuple[str, Path | None], type[Strategy]] = {}

    def sleeve(self, sleeve: SleeveSection, modules: Path | None) -> Strategy:
        """Return the strategy of one sleeve; `modules` is the configuration's folder of them.

        Raises
        ------
        ConfigError
            As `plimsoll.engine.runtime.resolve.make_strategy`.
        """
        where, key = f"sleeve {sleeve.name!r}", (sleeve.strategy, modules)
        if key not in self._classes:
            self._classes[key] = strategy_class(sleeve.strategy, where=where, modules=modules)
        return make_strategy(self._classes[key], sleeve.params, where=where)

    def all(self, config: Config) -> dict[str, Strategy]:
        """Return the strategy of every sleeve by its name."""
        return {sleeve.name: self.sleeve(sleeve, config.run.modules) for sleeve in config.sleeve}
