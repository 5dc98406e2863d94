"""The promotion gate in front of what runs a configuration."""

from collections.abc import Mapping

from plimsoll.engine.config.schema import Config
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.validate.verdict import asks_for_verdict, require_verdict
from plimsoll.engine.runtime.load import load_run
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.sleeve.strategy import Strategy


def pass_gate(config: Config, strategies: Mapping[str, Strategy], data: Panel | None = None) -> None:
    """Refuse a configuration whose gate asks for a verdict that it has not; the prices are read for that alone.

    strategies : those that came as objects, by sleeve. data : prices, None = read as configured.

    Raises
    ------
    InputError
        As `require_verdict`, or if the prices cannot be read.
    """
    if asks_for_verdict(config):
        _, panel, _ = load_run(config, data=data)
        require_verdict(config, make_strategies(config, strategies).values(), panel)
