"""The configured system as what decides: replayed from scratch to the last completed session, then asked.

Its state is a function of the prices and of the journal, and of nothing else: no snapshot of it crosses a process.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final

import numpy as np

from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import ConfigError, InputError
from plimsoll.engine.execution.legal_batch import exact, wishes_of
from plimsoll.engine.execution.venue import Venue
from plimsoll.engine.live.account import account_of
from plimsoll.engine.live.advance import Stander, Standing
from plimsoll.engine.live.day_plan import DayPlan, PriceSource, VenueTerms, day_plan
from plimsoll.engine.live.inputs import digest_of_state, inputs_of
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.marks import LiveMarks, MarksSoFar
from plimsoll.engine.live.positions import of_snapshot, part
from plimsoll.engine.live.prices import DecisionPrice, PriceRules, decision_prices
from plimsoll.engine.live.proposal import Asked, Proposal, missed
from plimsoll.engine.market.calendar import previous_session
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.audit.certificate import code_hash_of
from plimsoll.engine.research.validate.verdict import require_verdict
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.backtest import Progress
from plimsoll.engine.runtime.load import load_run, refuse_past
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.sleeve.strategy import Strategy

USUAL_SESSIONS: Final = 20
VIX: Final = "VIX"
ROUNDING: Final = 1e-6  # of a ratio that is a product of ratios


def asking(venue: Venue, rules: PriceRules) -> PriceSource:
    """Return the source of decision prices that asks a venue."""

    def ask(symbols: tuple[str, ...], closes: Mapping[str, float]) -> Mapping[str, DecisionPrice]:
        return decision_prices(symbols, venue.quotes(symbols), closes, venue.clock().now, rules)

    return ask


class SystemDecider:
    """Decides with the sleeves and the integrator of a configuration.

    strategies : those that came as objects, by sleeve. data : prices; None = read as configured, when they are needed,
    through the session that decides and not beyond.
    """

    def __init__(
        self, config: Config, strategies: Mapping[str, Strategy], venue: Venue, journal: Journal, *,
        data: Panel | None = None, progress: Progress | None = None,
    ) -> None:  # fmt: skip
        if config.data.interval != "1d":
            raise ConfigError(f"bars of {config.data.interval}", where="data.interval", fix="only daily bars go live")
        refuse_past(config)
        self._config = config
        self._strategies = strategies
        self._venue = venue
        self._journal = journal
        self._data = data
        self._progress = progress
        self.config_hash = config.digest
        self.code_hash = code_hash_of(make_strategies(config, strategies).values())
        self.plan: DayPlan | None = None
        self._stander, self._marks = Stander(self._fresh), MarksSoFar()
        self._panel: tuple[date, Panel] | None = None

    def work_on(self, venue: Venue, journal: Journal, progress: Progress | None = None) -> None:
        """Go on with a journal that was opened again: the system stands where it stood."""
        self._venue, self._journal, self._progress = venue, journal, progress

    def _standing(self, decided: date) -> Standing:
        def marks_for(setup: Setup, before: LiveMarks | None) -> LiveMarks:
            return self._marks.marks(self._journal, setup.panel, before)

        return self._stander.at(decided, marks_for, self._progress)

    def propose(self, asked: Asked) -> Proposal:
        """Replay to the close before `asked.session` and decide for the account as it is."""
        decided, start = previous_session(asked.session), self._config.run.start
        if start is not None and start > decided:
            return _refused(decided, f"run.start is {start}: the first close that may decide is the one after")
        broker, panel = self._config.broker, self._prices(decided)
        last = _day(panel, panel.n_bars - 1)
        if last < decided:
            name = self._config.data.source
            fix = "pull them first" if name == "catalog" else "bring them up to date"
            return _refused(last, f"the data end on {last}, the last completed session is {decided}: {fix}")
        if panel.synthetic and broker is not None and not broker.is_here:
            return _refused(last, "the prices are synthetic, and the account is not one of this machine: data.source")
        try:  # what held when the process began may have gone since
            require_verdict(self._config, make_strategies(self._config, self._strategies).values(), panel)
        except ConfigError as error:
            return _refused(last, str(error))
        standing = self._standing(decided)
        setup, stood = standing.setup, standing.stood
        panel = setup.panel  # the system's own: with a column for whatever it would read and there is not
        state = digest_of_state(setup.system.save())
        asked = replace(asked, splits=self._pending(panel, asked))  # from here on: those that the closes do not know
        live = setup.config.live or LiveSection()
        rules = PriceRules(live.max_quote_age_seconds, live.max_spread_bps, live.max_gap)
        terms = VenueTerms(
            broker.kind if broker is not None else "alpaca", asked.assets,
            asked.snapshot.buying_power, shorting=asked.snapshot.shorting, fractional=asked.snapshot.fractional,
        )  # fmt: skip
        self.plan = made = day_plan(
            setup, of_snapshot(asked.snapshot), live, venue=terms, prices=asking(self._venue, rules),
            adopt=True if missed(panel, stood.due, asked.last) else None, blind=stood.blind, splits=asked.splits,
        )  # fmt: skip
        return Proposal(
            decided=decided,
            due=made.due,
            wishes=made.wishes,
            closes=_closes(panel, asked.splits),
            adv=_usual(panel),
            pairs=_pairs(setup),
            detail=made.plain(),
            vix=_vix(panel),
            governor=(made.facts["drawdown"], int(made.facts.get("tier", 0))) if "drawdown" in made.facts else None,
            inputs=inputs_of(made, asked, standing.prices, state, standing.marks.digest()),
        )

    def reductions(self, asked: Asked, day_return: float) -> Mapping[str, Decimal]:
        """Ask the system as it stood at the last close what is too much after such a day."""
        decided = previous_session(asked.session)
        panel = self._prices(decided)
        if _day(panel, panel.n_bars - 1) < decided:
            return {}
        setup = self._standing(decided).setup
        panel = setup.panel
        splits = self._pending(panel, asked)
        ratio = np.array([float(splits.get(symbol, 1)) for symbol in panel.symbols])
        closes = dict(zip(panel.symbols, (panel.close[-1] / ratio).tolist(), strict=True))
        found = asking(self._venue, self._rules())(panel.symbols, closes)
        price = np.array([found[symbol].price for symbol in panel.symbols])
        held = part(of_snapshot(asked.snapshot), panel.symbols).book
        mark = np.where(price > 0.0, price, panel.close[-1] / ratio)
        account = account_of(held, asked.snapshot.cash, panel.symbols, mark, setup.terms)
        decision = setup.system.decide(account, price=price, day_return=day_return)
        left: dict[str, Decimal] = {}
        for wish in wishes_of(decision.plan.orders, panel.symbols, held):
            if wish.held * wish.qty < 0:
                left[wish.symbol] = wish.held + wish.qty if abs(wish.qty) < abs(wish.held) else Decimal(0)
        return left

    def _pending(self, panel: Panel, asked: Asked) -> Mapping[str, Decimal]:
        """Return of the splits that were found those that the last close does not know yet.

        Where sessions went by that nobody saw, a split of one of them is in the prices already.
        """
        since = self._journal.split_since(asked.session)
        if since is None:
            return asked.splits
        new = [t for t in range(panel.n_bars) if _day(panel, t) > since]
        left = {}
        for symbol, ratio in asked.splits.items():
            column = panel.symbols.index(symbol) if symbol in panel.symbols else None
            known = 1.0 if column is None else float(np.prod(panel.split[new, column]))
            if abs(float(ratio) / known - 1.0) > ROUNDING:
                left[symbol] = ratio / exact(known)
        return left

    def _rules(self) -> PriceRules:
        live = self._config.live or LiveSection()
        return PriceRules(live.max_quote_age_seconds, live.max_spread_bps, live.max_gap)

    def credits(self, since: date | None, until: date, held: Mapping[str, Decimal]) -> Decimal:
        """Return the dividends in dollars with an ex-date after `since`, through `until`, as far as they are known."""
        if since is None:
            return Decimal(0)
        try:
            panel = self._prices(previous_session(until))
        except InputError:
            return Decimal(0)  # an account is reconciled without prices, too: what came is money that came
        total = 0.0
        for t in range(panel.n_bars - 1, -1, -1):
            day = _day(panel, t)
            if day <= since:
                break
            if day <= until:
                total += sum(float(held.get(s, 0)) * panel.dividend[t, i] for i, s in enumerate(panel.symbols))
        return exact(round(total, 10))

    def _prices(self, decided: date) -> Panel:
        """Return the prices through `decided`, and none later."""
        if self._panel is None or self._panel[0] != decided:
            end = self._config.run.end
            if end is not None and end < decided:
                raise ConfigError(f"run.end is {end}, and {decided} is to decide", where="run.end", fix="leave it out")
            _, panel, _ = load_run(self._config, data=self._data, end=decided)
            if _day(panel, panel.n_bars - 1) < decided:
                return panel  # not kept: the rest may come
            self._panel = decided, panel
        return self._panel[1]

    def _fresh(self, decided: date) -> Setup:
        """Return a system at the start of its history, with prices through `decided`."""
        return build(self._config, self._prices(decided), make_strategies(self._config, self._strategies))


def _vix(panel: Panel) -> float | None:
    if VIX not in panel.indicators:
        return None
    close = float(panel.indicator[-1, panel.indicators.index(VIX)])
    return close if close > 0.0 else None


def _day(panel: Panel, t: int) -> date:
    day: date = panel.clock.session[t].astype("datetime64[D]").item()
    return day


def _closes(panel: Panel, splits: Mapping[str, Decimal]) -> dict[str, Decimal]:
    closes = dict(zip(panel.symbols, panel.close[-1].tolist(), strict=True))
    return {s: exact(close) / splits.get(s, Decimal(1)) for s, close in closes.items() if close > 0.0}


def _usual(panel: Panel) -> dict[str, Decimal]:
    """Return the median dollar volume of the last sessions, of the symbols whose volume is known."""
    dollars = panel.volume[-USUAL_SESSIONS:] * panel.close[-USUAL_SESSIONS:]
    known = [i for i in range(len(panel.symbols)) if np.isfinite(dollars[:, i]).any()]
    usual = {panel.symbols[i]: float(np.nanmedian(dollars[:, i])) for i in known}
    return {symbol: exact(round(value, 2)) for symbol, value in usual.items() if value > 0.0}


def _pairs(setup: Setup) -> dict[str, int]:
    """Return which symbols hedge each other: those of a sleeve that is long and short at once."""
    symbols, found = setup.panel.symbols, dict[str, int]()
    for number, sleeve in enumerate(setup.system.sleeves):
        weights = sleeve.tracker.weights
        if (weights > 0.0).any() and (weights < 0.0).any():
            for column in np.flatnonzero(weights):
                found.setdefault(symbols[int(sleeve.columns[column])], number)
    return found


def _refused(decided: date, why: str) -> Proposal:
    return Proposal(decided, due=False, wishes=(), closes={}, refusal=why)
