"""Settings through the compiled loop; what several of them share is made once."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from threading import Lock, local
from typing import Final

from plimsoll.engine.config.schema import Config, SleeveSection
from plimsoll.engine.errors import InputError
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.span import until
from plimsoll.engine.research.sweep.evaluate import (
    Evaluator,
    PythonEvaluator,
    SessionReturns,
    SettingFailure,
    SettingOutcome,
    closes,
    compounded,
)
from plimsoll.engine.research.sweep.maker import Maker
from plimsoll.engine.runtime.assemble import Setup, assemble
from plimsoll.engine.runtime.backtest import Track
from plimsoll.engine.runtime.compiled.brief import Brief, run_brief
from plimsoll.engine.runtime.compiled.engine import refusal, run_signals
from plimsoll.engine.runtime.compiled.kept import run_kept
from plimsoll.engine.runtime.compiled.workspace import Workspace
from plimsoll.engine.runtime.needs import available, needs_of
from plimsoll.engine.runtime.prepare import Market, prepare
from plimsoll.engine.sleeve.signals import Signal, signal_of
from plimsoll.engine.sleeve.sleeve import Sleeve
from plimsoll.engine.sleeve.strategy import Strategy, scan_of

# Bytes of signals kept for settings that share a sleeve.
SIGNAL_BYTES: Final = 512 * 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """A run that kept every row: its setup, the market it was put on, what the loop left, its sleeves' signals."""

    setup: Setup
    market: Market
    track: Track
    signals: tuple[Signal, ...]


class CompiledEvaluator:
    """Runs settings through the compiled loop, and those that have no compiled form through the ordinary one.

    Kept between settings: the panel's derived series, and the signals of sleeves that several settings share, because
    a signal depends on the strategy, its parameters and the market alone.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._maker = Maker()
        self._ordinary = PythonEvaluator(panel)
        self._markets: dict[str, Market] = {}
        self._offered = available(panel)
        self._signals: dict[str, Signal] = {}
        self._spaces = local()
        self._lock = Lock()  # of `_signals` and `_locks`; each signal has a lock of its own while it is made
        self._locks: dict[str, Lock] = {}
        self._series = SessionReturns()

    def evaluate(self, settings: Sequence[Config]) -> list[SettingOutcome | SettingFailure]:
        """Run the settings; see `Evaluator`."""
        found: list[SettingOutcome | SettingFailure] = []
        while len(found) < len(settings):
            found.append(self._one(settings[len(found)]))
            alike = self._alike(settings[len(found) :])
            if len(alike) > 1:
                last = self._spaces.last
                rest = zip(settings[len(found) :], last[2].run_all(alike), strict=False)
                found += [self._one(one) if done is None else self._outcome(last[1], *done) for one, done in rest]
        return found

    def _alike(self, settings: Sequence[Config]) -> list[Strategy]:
        """Return the strategies of those first settings that this thread's workspace takes through together."""
        last = getattr(self._spaces, "last", None)
        if last is None or not last[2].blocks:
            return []
        alike: list[Strategy] = []
        for config in settings:
            try:
                strategies = self._maker.all(config)
            except InputError:
                break
            if not self._fits_last(last, config, strategies):
                break
            alike += strategies.values()
        return alike

    def fresh(self) -> Evaluator:
        """Return one on the same panel that has kept nothing."""
        return CompiledEvaluator(self._panel)

    def replay(self, config: Config, *, whole: bool = False) -> Replayed:
        """Run a setting once more and keep every row of it.

        whole : its sleeves are taken through the span themselves, so that the run can be gone on with from where it
        ends; settings that share a sleeve have its signals from there. Else those that are kept will do.

        Raises
        ------
        InputError
            As a backtest of it does.
        """
        key, market = self._market(config, self._maker.all(config))
        setup = assemble(config, market)
        if refusal(setup):
            return Replayed(setup, market, *run_kept("python", setup))
        if config.integrator.preset == "direct":
            return Replayed(setup, market, *run_kept("compiled", setup))
        if whole:
            for sleeve in setup.system.sleeves:
                self._signals.pop(self._signal_key(key, setup, sleeve), None)
        signals = tuple(self._signal(key, setup, sleeve) for sleeve in setup.system.sleeves)
        return Replayed(setup, market, run_signals(setup, signals), signals)

    def _one(self, config: Config) -> SettingOutcome | SettingFailure:
        try:
            strategies = self._maker.all(config)
            again = self._again(config, strategies)
            if again is not None:
                return again
            key, market = self._market(config, strategies)
            setup = assemble(config, market)
            if refusal(setup):
                return self._ordinary.evaluate([config])[0]
            if Workspace.fits(setup):
                self._spaces.last = (_frame(config), setup, Workspace(setup))
                done = self._spaces.last[2].run(setup.system.sleeves[0].strategy)
                if done is not None:
                    return self._outcome(setup, *done)
                setup = assemble(config, market)  # the workspace has used up the sleeve of the other one
            signals = [self._signal(key, setup, sleeve) for sleeve in setup.system.sleeves]
            return self._outcome(setup, run_brief(setup, signals), setup.first)
        except InputError as error:
            return SettingFailure(str(error))

    def _again(self, config: Config, strategies: dict[str, Strategy]) -> SettingOutcome | None:
        """Run a setting in this thread's workspace if it differs from the last one in parameters alone, else None."""
        last = getattr(self._spaces, "last", None)
        if last is None or not self._fits_last(last, config, strategies):
            return None
        done = last[2].run(next(iter(strategies.values())))
        return None if done is None else self._outcome(last[1], *done)

    def _fits_last(
        self, last: tuple[Config, Setup, Workspace], config: Config, strategies: dict[str, Strategy]
    ) -> bool:  # fmt: skip
        """Return whether a setting differs from a workspace's first one in parameters alone."""
        strategy = next(iter(strategies.values()))
        return last[0] == _frame(config) and last[2].takes(strategy) and not strategy.unavailable(self._offered)

    def _outcome(self, setup: Setup, brief: Brief, first: int) -> SettingOutcome:
        clock = setup.panel.clock
        span = slice(first, first + len(brief.ret))
        rows = closes(clock.last_bar[span])
        return SettingOutcome(
            first_session=int(clock.session_index[first]),
            returns=compounded(brief.ret, rows),
            gross=brief.gross[rows],
            traded=brief.traded,
            costs=brief.costs,
            benchmark=self._series.benchmark(setup, span),
            bill=self._series.bill(setup, span),
            final_equity=brief.final_equity,
            orders=brief.orders,
            fills=brief.fills,
            decisions=brief.decisions,
            margin_calls=brief.margin_calls,
            ruined=brief.ruined,
        )

    def _market(self, config: Config, strategies: dict[str, Strategy]) -> tuple[str, Market]:
        """Return the derived market with the setting's own strategies on it, and what tells it from others."""
        refused = {name: one.unavailable(self._offered) for name, one in strategies.items()}
        parts = (
            config.run.end,
            config.data,
            config.financing.cash_rate,
            config.financing.cash_rate_after,
            config.account.flows,
            needs_of(config, strategies),
        )
        key = repr((parts, refused))
        if key not in self._markets:
            panel = self._panel if config.run.end is None else until(self._panel, config.run.end)
            self._markets[key] = prepare(config, panel, strategies)
        market = self._markets[key]
        return key, replace(market, strategies={name: strategies[name] for name in market.strategies})

    def _signal(self, market: str, setup: Setup, sleeve: Sleeve) -> Signal:
        """Return a sleeve's signals; they depend on strategy, parameters and market, and are made once.

        The sleeve's name counts, because a failure tells it.
        """
        key = self._signal_key(market, setup, sleeve)
        n_bars, through = setup.panel.n_bars, _through(setup)
        with self._lock:
            lock = self._locks.setdefault(key, Lock())
        with lock:
            found = self._signals.get(key)
            if found is None:
                found = signal_of(sleeve, setup.system.cursor, n_bars, through)
                with self._lock:
                    self._signals[key] = found
                    self._locks.pop(key, None)  # who waits for it finds the signal
                    while sum(one.held.nbytes for one in self._signals.values()) > SIGNAL_BYTES:
                        self._signals.pop(next(iter(self._signals)))
            return found

    def _signal_key(self, market: str, setup: Setup, sleeve: Sleeve) -> str:
        section = next(one for one in setup.config.sleeve if one.name == sleeve.name)
        params = json.dumps(sleeve.strategy.params.model_dump(mode="json"), sort_keys=True)
        return repr((sleeve.name, section.strategy, section.on_error, params, _through(setup), market))


def _through(setup: Setup) -> int:
    """Return the bar up to which a sleeve's signals depend on nothing but the market."""
    return setup.first if setup.config.integrator.preset == "direct" else setup.panel.n_bars


def _frame(config: Config) -> Config:
    """Return a configuration without its sleeves' parameters: what settings in one workspace share."""
    return config.model_copy(update={"sleeve": tuple(s.model_copy(update={"params": {}}) for s in config.sleeve)})


def fits_threads(settings: Iterable[Config], maker: Maker) -> bool:
    """Return whether settings run in compiled code for the most part, so that threads do not wait for each other.

    That is so where each sleeve either has a kernel or is the same in all settings, and the preset has a compiled loop.
    """
    firsts: dict[str, SleeveSection] = {}
    varied: set[str] = set()
    for config in settings:
        if config.integrator.preset == "legacy":
            return False
        for sleeve in config.sleeve:
            first = firsts.setdefault(sleeve.name, sleeve)
            if sleeve.name in varied or (
                first is sleeve or (first.strategy, first.params) == (sleeve.strategy, sleeve.params)
            ):
                continue
            varied.add(sleeve.name)
            if scan_of(maker.sleeve(first, config.run.modules)) is None:
                return False
    return True


def evaluator_for(panel: Panel) -> Evaluator:
    """Return the fastest evaluator there is for settings on `panel`."""
    return CompiledEvaluator(panel)
