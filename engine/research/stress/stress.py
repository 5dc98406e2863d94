"""The stress test of a finished run: scenarios at once and replayed, Student-t and drawn paths."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.instruments import instrument
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.stress.books import Books, books_of, shock
from plimsoll.engine.research.stress.bootstrap import LEAST_SESSIONS, SESSIONS, bootstrap_tail, stationary_draws
from plimsoll.engine.research.stress.classes import class_of, is_equity_like
from plimsoll.engine.research.stress.go_on import Stand, stand_at_end
from plimsoll.engine.research.stress.lengthen import Way, levels_of, trading
from plimsoll.engine.research.stress.monte_carlo import stressed_covariance, student_tail
from plimsoll.engine.research.stress.moves import PRICES, DayPath, Moves
from plimsoll.engine.research.stress.replay import Replay, is_governed, replay
from plimsoll.engine.research.stress.report import StressReport
from plimsoll.engine.research.stress.scenario import Scenario, check_names
from plimsoll.engine.research.stress.tail import Tail
from plimsoll.engine.research.stress.verdict import Outcome
from plimsoll.engine.research.stress.window import PriceWindow, window_of
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.backtest import Track
from plimsoll.engine.runtime.prepare import Market
from plimsoll.engine.types import Bools, Floats

Told = Callable[[int, int], None]
_DRAWN: Final = "drawn"


@dataclass(frozen=True, slots=True)
class Case:
    """A finished run to be stressed, and the prices that scenarios are looked up in.

    history : a panel with the run's symbols that may reach beyond its last bar.
    """

    stand: Stand
    history: Panel
    feed: Feed

    @property
    def own(self) -> dict[str, str]:
        """The configuration's own asset classes."""
        return self.stand.setup.config.stress.classes

    @property
    def is_cash(self) -> Bools:
        """(N,) columns that are cash in all but name."""
        symbols = self.stand.setup.panel.symbols
        return np.array([class_of(symbol, self.own) == "cash" for symbol in symbols], dtype=np.bool_)


def case_of(setup: Setup, market: Market, track: Track, history: Panel | None = None) -> Case:
    """Return a finished run as a case; history : by default the run's own prices.

    Raises
    ------
    DataError
        If bars are not daily, or the run was ruined.
    """
    if setup.panel.clock.interval != "1d":
        fix = "stress the same sleeves with data.interval = '1d'"
        raise DataError(
            f"bars of {setup.panel.clock.interval}: a scenario is a path of sessions", where="stress", fix=fix
        )
    stand = stand_at_end(setup, market, track)
    return Case(stand, setup.panel, setup.feed) if history is None else Case(stand, history, Feed(history))


def run_stress(
    case: Case, scenarios: Sequence[Scenario], *, seed: int, system_paths: int = 0, progress: Told | None = None
) -> StressReport:
    """Return what scenarios, Student-t and drawn paths do to a finished run.

    system_paths : how many drawn paths go through the whole system; each costs as much as a scenario of 63 sessions.

    Raises
    ------
    InputError
        If two scenarios have one name, or a symbol cannot be placed in one.
    """
    check_names(scenarios, "stress")
    setup, books = case.stand.setup, books_of(case.stand)
    steps, outcomes = len(scenarios) + system_paths + 1, []
    for scenario in scenarios:
        outcomes.append(_outcome(case, books, scenario))
        if progress is not None:
            progress(len(outcomes), steps)
    returns, why = _common(setup.feed, _held(books))
    return StressReport(
        name=setup.config.run.name,
        config_hash=setup.config.digest,
        data_hash=setup.panel.data_hash,
        synthetic=setup.panel.synthetic,
        last=str(setup.panel.clock.session[-1]),
        cap=setup.config.integrator.governor.flat,
        governed=is_governed(setup.system.integrator.facts),
        seed=seed,
        outcomes=tuple(outcomes),
        student=_student(case, books, seed),
        drawn=() if why else _drawn(case, books, returns, seed),
        drawn_from=len(returns),
        drawn_why=why,
        system=tuple(_through_system(case, seed, k) for k in range(system_paths)),
    )


def _outcome(case: Case, books: Books, scenario: Scenario) -> Outcome:
    window = window_of(case.history, case.feed, scenario.start, scenario.end)
    moves, panel = Moves(scenario, case.own, window), case.stand.setup.panel
    shocked = shock(books, moves)
    paths = {symbol: moves.path(symbol) for symbol in trading(case.stand.setup.feed)}
    levels = levels_of(panel.indicators, scenario.indicators, window, scenario.n, measured=scenario.measured)
    how: dict[str, list[str]] = {}
    for symbol in shocked.moves:
        stated = symbol in scenario.returns
        how.setdefault("stated" if stated else moves.path(symbol).how, []).append(symbol)
    return Outcome(
        scenario,
        shocked,
        replay(case.stand, Way(scenario.n, paths, levels, window), case.is_cash),
        {kind: tuple(symbols) for kind, symbols in sorted(how.items())},
        tuple(symbol for symbol, path in paths.items() if path.how != PRICES),
    )


def _held(books: Books) -> list[tuple[str, Floats]]:
    return [("last", books.last), ("mean", books.mean)]


def _student(case: Case, books: Books, seed: int) -> tuple[Tail, ...]:
    """Return the tails of the last and the mean book over Student-t sessions."""
    found, feed, cap = [], case.stand.setup.feed, case.stand.setup.config.integrator.governor.flat
    alive = set(trading(feed))
    for name, weights in _held(books):
        columns = [i for i in np.flatnonzero(weights) if books.symbols[i] in alive]
        rows = feed.ret[:, columns]
        side = np.array([_side(books.symbols[i], case) for i in columns])
        found.append(student_tail(name, weights[columns], stressed_covariance(rows, side), cap, seed))
    return tuple(found)


def _side(symbol: str, case: Case) -> float:
    return float(np.sign(instrument(symbol).leverage)) if is_equity_like(symbol, case.own) else 0.0


def _common(feed: Feed, books: Sequence[tuple[str, Floats]]) -> tuple[Floats, str]:
    """Return (R, N) the sessions on which everything in the books has a return, and why they cannot be drawn from."""
    held = np.flatnonzero(np.any([weights != 0.0 for _, weights in books], axis=0))
    alive = {feed.panel.symbols.index(symbol) for symbol in trading(feed)}
    held = np.array([i for i in held if i in alive], dtype=np.int64)
    rows = np.flatnonzero(~np.isnan(feed.ret[:, held]).any(axis=1))
    returns = np.nan_to_num(feed.ret[rows], nan=0.0)
    if len(rows) >= LEAST_SESSIONS:
        return returns, ""
    return returns, f"everything held has a return on {len(rows)} sessions only, {LEAST_SESSIONS} are needed"


def _drawn(case: Case, books: Books, returns: Floats, seed: int) -> tuple[Tail, ...]:
    cap = case.stand.setup.config.integrator.governor.flat
    return tuple(
        bootstrap_tail(name, weights[used], returns[:, used], cap, seed)
        for name, weights in _held(books)
        for used in [np.flatnonzero(weights)]
    )


def _through_system(case: Case, seed: int, k: int) -> Replay:
    """Replay path k of drawn sessions, prices and indicators together."""
    panel, feed = case.stand.setup.panel, case.stand.setup.feed
    alive = trading(feed)
    columns = [panel.column(symbol) for symbol in alive]
    window = PriceWindow(panel, feed, panel.clock.session[0].astype(object), 0, panel.n_bars - 1)
    rows = np.flatnonzero(~np.isnan(feed.ret[1:, columns]).any(axis=1))
    if len(rows) < LEAST_SESSIONS:
        what = f"everything that trades has a return on {len(rows)} sessions only"
        raise DataError(what, where="stress --paths", fix=f"{LEAST_SESSIONS} are needed: leave it out")
    chosen = rows[stationary_draws(len(rows), 1, SESSIONS, np.random.default_rng([seed, k]))[0]]
    paths = {}
    for symbol in alive:
        ret, gap = window.moves(symbol)
        paths[symbol] = DayPath(ret[chosen], gap[chosen], _DRAWN)
    levels = {}
    for name in panel.indicators:
        found = window.levels(name)
        if found is not None:
            levels[name] = found[chosen]
    return replay(case.stand, Way(SESSIONS, paths, levels), case.is_cash)
