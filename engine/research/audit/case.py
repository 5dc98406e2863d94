"""What is audited: a configuration on a market, with strategies made anew for every run."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field

from plimsoll.engine.config.schema import Config
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.proof.growing_feed import Reveal, veiled_market
from plimsoll.engine.research.proof.trail import Trail, recorded, trail_of
from plimsoll.engine.research.proof.unseen import Veil
from plimsoll.engine.runtime.assemble import Setup, assemble
from plimsoll.engine.runtime.backtest import Progress, Track, run_loop
from plimsoll.engine.runtime.prepare import Market, make_strategies, prepare
from plimsoll.engine.sleeve.strategy import Strategy

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

    named : whether the panel is what the configuration names; otherwise it came as an object.
    given : strategies that came as objects, by sleeve name; every run gets a copy. Others are made from the
    configuration.
    """

    config: Config
    panel: Panel
    named: bool = True
    given: Mapping[str, Strategy] = field(default_factory=dict)
    stand_in: StandIn | None = None

    def strategies(self) -> dict[str, Strategy]:
        """Return the strategies as they are before any run."""
        return make_strategies(self.config, {name: deepcopy(strategy) for name, strategy in self.given.items()})

    def market(self, strategies: Mapping[str, Strategy] | None = None) -> Market:
        """Return what a run is told of the world; `strategies` take the place of the audited ones."""
        made = self.strategies() if strategies is None else strategies
        return prepare(self.config, self.panel, {name: recorded(strategy) for name, strategy in made.items()})

    def plain_setup(self) -> Setup:
        """Return a run of the strategies themselves, without recorders around them, before its first bar."""
        return assemble(self.config, prepare(self.config, self.panel, self.strategies()))

    def run(self, strategies: Mapping[str, Strategy] | None = None, progress: Progress | None = None) -> Ran:
        """Run as a backtest does; `strategies` take the place of the audited ones.

        Raises
        ------
        InputError
            Whatever the run raises, with a note of the session.
        """
        return self._run(self.market(strategies), None, progress)

    def run_veiled(self, veil: Veil, seed: int, first: int, progress: Progress | None = None) -> Ran:
        """Run while the panel is filled row by row; what has not come yet is veiled.

        first : the first bar traded, as a normal run has found it.
        """
        veiled, reveal = veiled_market(self.market(), first, veil, seed)
        return self._run(veiled, reveal, progress)

    def _run(self, market: Market, reveal: Reveal | None, progress: Progress | None) -> Ran:
        setup = assemble(self.config, market)
        if self.stand_in is not None:
            setup = self.stand_in(setup)
        at = 0

        def before_bar(t: int) -> None:
            nonlocal at
            at = t
            if reveal is not None:
                reveal(t)

        try:
            track = run_loop(setup, progress, stop_at=self.panel.n_bars - 1, before_bar=before_bar)
        except Exception as error:
            error.add_note(str(self.panel.clock.session[at]))
            raise
        return Ran(setup, trail_of(setup, track), track)
