"""The day's orders: the system at its last completed bar, the account as it is, what a venue takes; nothing is sent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

import numpy as np

from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.core import Decision
from plimsoll.engine.execution.broker import Account
from plimsoll.engine.execution.legal_batch import exact, money, wishes_of
from plimsoll.engine.execution.legalise import Change, Desk, Legalised, LegalOrder, Wish, afford, legalise, rules_on
from plimsoll.engine.execution.venue import Asset
from plimsoll.engine.kernels.account.ledger import OVERDRAWN, RUIN
from plimsoll.engine.kernels.derive import OUTSIDE
from plimsoll.engine.live.account import account_of
from plimsoll.engine.live.positions import Holdings, Split, part
from plimsoll.engine.live.prices import DecisionPrice, closes_only
from plimsoll.engine.market.calendar import next_session
from plimsoll.engine.portfolio.integrator import Mark
from plimsoll.engine.research.explain import Explanation, explain_decision
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.backtest import MarkOf, Progress, as_simulated, overdrawn, run_loop
from plimsoll.engine.types import Floats

NO_SPLITS: Final[Mapping[str, Decimal]] = {}
PriceSource = Callable[[tuple[str, ...], Mapping[str, float]], Mapping[str, DecisionPrice]]


@dataclass(frozen=True, slots=True)
class VenueTerms:
    """What is known of where the orders will go; by default nothing but its rules.

    assets : flags by symbol, None = not asked. buying_power : dollars, None = not asked.
    """

    name: str = "alpaca"
    assets: Mapping[str, Asset] | None = None
    buying_power: Decimal | None = None
    shorting: bool = True
    fractional: bool = True


@dataclass(frozen=True, slots=True)
class DayPlan:
    """Orders and everything that explains them.

    decided : the session whose close decided. executes : the session they are for. adopted : the account takes over the
    sleeves' standing portfolios. due : whether this close called for a decision at all. explained : per symbol held,
    wanted or traded. unpriced : symbols that are not traded for want of a price. beside : what the account holds that
    is not the book's. wishes : what was to be ordered, before any rule. blind : sleeves that were not asked, for an
    indicator of theirs has no value at the decision bar. prices, held : the decision prices, and the book's holdings
    that were decided on. refusal : why there are no orders although there might be, "" if nothing stood in the way.
    """

    name: str
    decided: date
    executes: date
    due: bool
    adopted: bool
    forced: bool
    equity: float
    cash: float
    orders: tuple[LegalOrder, ...]
    changes: tuple[Change, ...]
    explained: Mapping[str, Explanation]
    unpriced: tuple[DecisionPrice, ...]
    beside: Mapping[str, Decimal]
    blind: tuple[str, ...]
    source: str
    notes: tuple[str, ...]
    wishes: tuple[Wish, ...] = ()
    prices: Mapping[str, DecisionPrice] = field(default_factory=dict)
    held: Mapping[str, Decimal] = field(default_factory=dict)
    refusal: str = ""
    facts: Mapping[str, float] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return plain values for JSON: quantities and money as text, digit by digit."""
        return {
            "name": self.name,
            "decided": self.decided.isoformat(),
            "executes": self.executes.isoformat(),
            "due": self.due,
            "adopted": self.adopted,
            "forced": self.forced,
            "equity": round(self.equity, 2),
            "cash": round(self.cash, 2),
            "positions": self.source,
            "orders": [{**order_row(order), "why": why_of(self.explained.get(order.symbol))} for order in self.orders],
            "changes": [_change_row(change) for change in self.changes],
            "not_traded": {one.symbol: one.why for one in self.unpriced},
            "beside": {symbol: f"{qty:f}" for symbol, qty in sorted(self.beside.items())},
            "blind_sleeves": list(self.blind),
            "refused": self.refusal,
            "notes": list(self.notes),
        }


def order_row(order: LegalOrder) -> dict[str, Any]:
    """Return an order as text that a person or a program can execute."""
    return {
        "wave": order.wave,
        "symbol": order.symbol,
        "side": order.side,
        "qty": f"{order.qty.normalize():f}",
        "type": order.kind,
        "limit": "" if order.limit is None else f"{order.limit:f}",
        "price": f"{order.price:.6f}".rstrip("0").rstrip("."),
        "notional": f"{order.notional:.2f}",
    }


def _change_row(change: Change) -> dict[str, str]:
    asked, left = (f"{qty.normalize():f}" for qty in (change.asked, change.left))
    return {"symbol": change.symbol, "rule": change.rule, "asked": asked, "left": left, "why": change.why}


def why_of(found: Explanation | None) -> str:
    """Return in one line where a symbol's order comes from."""
    if found is None:
        return ""
    reasons = "".join(f"; {said}" for said in (found.moved_by, found.note) if said)
    return f"held {found.held:.2%}, wanted {found.final:.2%}{reasons}"


@dataclass(frozen=True, slots=True)
class Stood:
    """How a system came to its last bar. blind : sleeves not asked there. due : bars before it that decided."""

    blind: tuple[str, ...]
    due: tuple[int, ...]


def stand_at_last_bar(setup: Setup, progress: Progress | None = None, *, mark_of: MarkOf = as_simulated) -> Stood:
    """Bring a system to its last bar.

    The simulated account of the configuration supplies the marks that the governor remembers, except where `mark_of`
    knows better: it is asked at each bar with the simulated one. A sleeve that reads an
    indicator without a value at the last bar keeps its drifted weights: what it would answer nobody can know.

    Raises
    ------
    StrategyError, DataError
        As a backtest raises them.
    """
    last, first = setup.panel.n_bars - 1, setup.first
    track = run_loop(setup, progress, stop_at=last - 1, mark_of=mark_of, keep=0)
    broker, system = setup.broker, setup.system
    code = 0
    if last >= first:
        code = broker.advance(last)
        if code == OVERDRAWN:
            raise overdrawn(setup, last)
    else:
        broker.mark_start(last)
    marked = system.integrator.needs_mark and last >= first - 1 and code != RUIN
    mark = mark_of(last, Mark(*broker.mark())) if marked else None
    blind = blind_sleeves(setup, last)
    system.observe(last, mark, blind=frozenset(blind))
    return Stood(blind, tuple(track.due))


def blind_sleeves(setup: Setup, t: int) -> tuple[str, ...]:
    """Return the sleeves that read an indicator without a value at bar t."""
    panel = setup.panel
    unknown = {name for k, name in enumerate(panel.indicators) if np.isnan(panel.indicator[t, k])}
    return tuple(one.name for one in setup.system.sleeves if unknown & set(one.strategy.indicators))


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision on an account as it is. decision : None where nothing was due; wishes : its orders before any rule."""

    account: Account
    adopted: bool
    due: bool
    decision: Decision | None
    prices: Mapping[str, DecisionPrice]
    parted: Split
    wishes: tuple[Wish, ...]


def decide_on(
    setup: Setup,
    holdings: Holdings,
    *,
    prices: PriceSource | None = None,
    adopt: bool | None = None,
    splits: Mapping[str, Decimal] = NO_SPLITS,
) -> Decided:
    """Return what the system at its last bar decides for an account; a pure function of its arguments.

    The parameters are those of `day_plan`, and so is what is raised.
    """
    panel, system, t = setup.panel, setup.system, setup.system.t
    symbols = panel.symbols
    parted = part(holdings, symbols)
    ratio = np.array([float(splits.get(symbol, 1)) for symbol in symbols])
    closes = dict(zip(symbols, (panel.close[t] / ratio).tolist(), strict=True))
    found = closes_only(closes) if prices is None else prices(symbols, closes)
    price = np.array([found[symbol].price for symbol in symbols])
    account = account_of(parted.book, holdings.cash, symbols, _marks(setup, t, price, ratio), setup.terms)
    taken_over = not any(parted.book.values()) if adopt is None else adopt
    leaving = bool(((setup.feed.status[t] == OUTSIDE) & (account.shares != 0.0)).any())
    due = system.due() or taken_over or account.margin_call or leaving
    decision = system.decide(account, adopt=taken_over, price=price) if due else None
    wishes = () if decision is None else tuple(wishes_of(decision.plan.orders, symbols, parted.book))
    return Decided(account, taken_over, due, decision, found, parted, wishes)


def day_plan(
    setup: Setup,
    holdings: Holdings,
    live: LiveSection,
    *,
    venue: VenueTerms = VenueTerms(),
    prices: PriceSource | None = None,
    adopt: bool | None = None,
    blind: tuple[str, ...] = (),
    splits: Mapping[str, Decimal] = NO_SPLITS,
) -> DayPlan:
    """Return the orders that take an account where the system at its last bar wants it.

    setup : a system that stands at its last bar, see `stand_at_last_bar`. prices : asked for decision prices; None =
    the last closes. adopt : whether the account takes over the sleeves' standing portfolios; None = if it holds nothing
    of the book's. splits : shares after for one before, of what was split since the last close; the holdings are after.

    Raises
    ------
    DataError
        If something held has no price.
    StrategyError
        If a cash account would have to sell short.
    """
    panel, t = setup.panel, setup.system.t
    made = decide_on(setup, holdings, prices=prices, adopt=adopt, splits=splits)
    account, found, decision = made.account, made.prices, made.decision
    legal, explained = Legalised((), ()), {}
    if decision is not None:
        explained = {
            one.symbol: one for one in explain_decision(setup, decision, account=account, adopt=made.adopted)
        }  # fmt: skip
        legal = _legal(setup, decision, made.wishes, holdings, account.equity, live, venue)
    wanted = {s for s, one in explained.items() if one.held or one.final or one.order} | set(made.parted.book)
    executes = next_session(_session(setup, t))
    return DayPlan(
        name=setup.config.run.name,
        decided=_session(setup, t),
        executes=executes,
        due=made.due,
        adopted=made.adopted,
        forced=account.margin_call,
        equity=account.equity,
        cash=account.cash,
        orders=legal.orders,
        changes=legal.changes,
        explained=explained,
        unpriced=tuple(found[s] for s in panel.symbols if s in wanted and found[s].kind == "none"),
        beside=made.parted.beside,
        blind=blind,
        source=holdings.source,
        notes=tuple(warning.text for warning in setup.warnings),
        facts=_facts(setup, made.decision),
        wishes=made.wishes,
        prices=found,
        held=made.parted.book,
    )


def _legal(
    setup: Setup, decision: Decision, wishes: Sequence[Wish], holdings: Holdings, equity: float,
    live: LiveSection, venue: VenueTerms,
) -> Legalised:  # fmt: skip
    rules = rules_on(venue.name, next_session(_session(setup, decision.t)))
    desk = Desk(
        rules, venue.assets, exact(live.collar), shorting=venue.shorting, fractional=venue.fractional,
        buffer=exact(live.cash_buffer),
    )  # fmt: skip
    legal = legalise(wishes, desk)
    if not setup.terms.margin_account:  # else the planner has bound it by the initial margin of the whole book
        legal = afford(legal, money(legal, holdings.cash, exact(equity), desk), desk)
    if venue.buying_power is not None:
        legal = afford(legal, money(legal, venue.buying_power, exact(equity), desk), desk, at_limits=True)
    return legal


def _facts(setup: Setup, decision: Decision | None) -> dict[str, float]:
    if decision is None:
        return {}
    return dict(zip(setup.system.integrator.facts, decision.target.facts.tolist(), strict=True))


def _marks(setup: Setup, t: int, price: Floats, ratio: Floats) -> Floats:
    """Return (N,) the decision price of each symbol, or its last known close where there is none."""
    marks = price.copy()
    for i in np.flatnonzero(~(price > 0.0)):
        known = np.flatnonzero(~np.isnan(setup.panel.close[: t + 1, i]))
        marks[i] = setup.panel.close[known[-1], i] / ratio[i] if len(known) else np.nan
    return marks


def _session(setup: Setup, t: int) -> date:
    day: date = setup.panel.clock.session[t].astype("datetime64[D]").item()
    return day


def refused(plan: DayPlan, why: str) -> DayPlan:
    """Return a plan without orders, saying why there are none."""
    return replace(plan, orders=(), changes=(), refusal=why)
