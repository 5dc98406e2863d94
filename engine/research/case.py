"""What is audited: a configuration on a market, with strategies made anew for every run."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace

from engine.config import Config
from engine.market.panel import Panel
from engine.research.reveal import veiled_market
from engine.research.trail import Trail, recorded, trail_of
from engine.research.veil import Veil
from engine.runtime.backtest import Progress, Track, run_loop
from engine.runtime.setup import Market, Setup, assemble, make_strategies, prepare
from engine.strategy import Strategy

# Puts a broker, an integrator or a planner of one's own in the place of a built one.
StandIn = Callable[[Setup], Setup]


@dataclass(frozen=True, slots=True)
class Ran:
    """A finished run: what it was made of, what it left behind, the decisions it took."""

    setup: Setup
    trail: Trail
    track: Track

    @property
    def last(self) -> int:
        """The last bar of the data."""
        return self.setup.panel.n_bars - 1


@dataclass(frozen=True, slots=True)
class Case:
    """A configuration, the panel it runs on as it was loaded, and what takes a place in it.

    given : strategies that came as objects, by sleeve name; every run gets a copy. Others are made from the
    configuration.
    """

    config: Config
    panel: Panel
    given: Mapping[str, Strategy] = field(default_factory=dict)
    stand_in: StandIn | None = None

    def strategies(self) -> dict[str, Strategy]:
        """Return the strategies as they are before any run."""
        return make_strategies(self.config, {name: deepcopy(strategy) for name, strategy in self.given.items()})

    def market(self, strategies: Mapping[str, Strategy] | None = None) -> Market:
        """Return what a run is told of the world; `strategies` take the place of the audited ones."""
        made = self.strategies() if strategies is None else strategies
        return prepare(self.config, self.panel, {name: recorded(strategy) for name, strategy in made.items()})

    def run(self, strategies: Mapping[str, Strategy] | None = None, progress: Progress | None = None) -> Ran:
        """Run as a backtest does.

        Raises
        ------
        InputError
            Whatever the run raises.
        """
        setup = self._setup(self.market(strategies))
        return _ran(setup, run_loop(setup, progress))

    def run_veiled(self, veil: Veil, seed: int, first: int, progress: Progress | None = None) -> Ran:
        """Run while the panel is filled row by row; what has not come yet is veiled.

        first : the first bar traded, as a normal run has found it.
        """
        truth = self.market()
        veiled, reveal = veiled_market(truth, first, veil, seed)
        setup = self._setup(veiled)
        return _ran(setup, run_loop(setup, progress, stop_at=self.panel.n_bars - 1, before_bar=reveal))

    def _setup(self, market: Market) -> Setup:
        setup = assemble(self.config, market)
        return setup if self.stand_in is None else self.stand_in(setup)


def _ran(setup: Setup, track: Track) -> Ran:
    return Ran(setup, trail_of(setup, track), track)
