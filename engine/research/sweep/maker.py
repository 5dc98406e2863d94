"""Strategies made many times over: each class is looked up once."""

from collections.abc import Mapping
from typing import Any

from plimsoll.engine.config.schema import Config, SleeveSection
from plimsoll.engine.runtime.resolve import make_strategy, strategy_class
from plimsoll.engine.sleeve.strategy import Strategy


class Maker:
    """Makes the strategies of configurations as `plimsoll.engine.runtime.assemble.make_strategies` does.

    Looking a registered name up reads the installed packages' entry points, which takes longer than making a strategy.
    """

    def __init__(self) -> None:
        self._classes: dict[str, type[Strategy]] = {}

    def sleeve(self, sleeve: SleeveSection, params: Mapping[str, Any] | None = None) -> Strategy:
        """Return the strategy of one sleeve, with `params` in place of its own where given.

        Raises
        ------
        ConfigError
            As `plimsoll.engine.runtime.resolve.make_strategy`.
        """
        where = f"sleeve {sleeve.name!r}"
        if sleeve.strategy not in self._classes:
            self._classes[sleeve.strategy] = strategy_class(sleeve.strategy, where=where)
        return make_strategy(self._classes[sleeve.strategy], sleeve.params if params is None else params, where=where)

    def all(self, config: Config) -> dict[str, Strategy]:
        """Return the strategy of every sleeve by its name."""
        return {sleeve.name: self.sleeve(sleeve) for sleeve in config.sleeve}
