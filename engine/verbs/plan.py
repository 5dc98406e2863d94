"""The orders a configuration would send now; nothing is sent."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

from plimsoll.engine.config.as_of import moment_of
from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.live.day_plan import DayPlan, PriceSource, VenueTerms, day_plan, refused, stand_at_last_bar
from plimsoll.engine.live.decide import asking
from plimsoll.engine.live.emit import Emission
from plimsoll.engine.live.positions import Holdings, of_snapshot, read_positions
from plimsoll.engine.live.prices import PriceRules
from plimsoll.engine.live.proposal import missed
from plimsoll.engine.market.calendar import previous_session
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.pull.completed import last_completed
from plimsoll.engine.research.validate.verdict import require_verdict
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.backtest import Progress
from plimsoll.engine.runtime.load import AsOf, Runnable, load_run
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.runtime.venues import open_venue
from plimsoll.engine.sleeve.strategy import Strategy
from plimsoll.engine.verbs.host import PROGRAM, Host

PAPER = "paper"


def plan(
    what: Runnable,
    *,
    positions: Path | str | None = None,
    account: str | None = None,
    data: Panel | Path | str | None = None,
    end: date | str | None = None,
    sets: Iterable[str] = (),
    as_of: AsOf = None,
    adopt: bool | None = None,
    progress: Progress | None = None,
    host: Host = PROGRAM,
) -> DayPlan:
    """Return the day's orders for an account, decided at the last completed session. Nothing is sent.

    Parameters
    ----------
    what, data, sets, as_of
        As for `backtest`; as of a moment, the plan is the one of that moment's last completed session.
    positions : path, optional
        A CSV of ``symbol,qty`` with a row CASH: what the account holds. Prices are the last closes.
    account : {"paper"}, optional
        Read the account, its quotes and its rules from the configured `[broker]` instead. One of the two is needed.
    end : date or ISO text, optional
        Plan as of the close of an earlier session, the last one through that day; by default of the last completed
        one. Data that end before it are refused.
    adopt : bool, optional
        Take over the sleeves' standing portfolios; by default where the account holds nothing of the book's.

    Raises
    ------
    InputError
        If anything about the input is wrong.
    """
    loaded = load_run(what, data=data, start=None, end=end, sets=sets, as_of=as_of, now=host.clock())
    config, setup = _assembled(loaded)
    live = config.live or LiveSection()
    venue, prices, holdings = VenueTerms(), None, None
    if account is not None:
        holdings, venue, prices = _of_account(account, config, setup, live, host)
    elif positions is not None:
        holdings = read_positions(Path(positions))
    if holdings is None:
        raise ConfigError("whose orders?", where="plan", fix="pass --positions FILE, or --account paper")
    stood = stand_at_last_bar(setup, progress)
    made = day_plan(setup, holdings, live, venue=venue, prices=prices, adopt=adopt, blind=stood.blind)
    stale = stale_text(made.decided, _asked_at(config, host), config, None if end is None else config.run.end)
    return refused(made, stale) if stale else made


def plan_to_emit(
    config: Config, positions: Path, last: Emission | None, *, progress: Progress | None = None, host: Host = PROGRAM
) -> DayPlan:
    """Return the orders for positions that somebody keeps, after those that were emitted last.

    An answer is due until it was executed: what nobody emitted, or was confirmed in part where orders are carried over,
    is made up for as on an account. Refused where the positions cannot be those of now, see `Emission.in_the_way`.

    Raises
    ------
    InputError
        If anything about the input is wrong.
    """
    config, setup = _assembled(load_run(config, now=host.clock()))
    holdings, live = read_positions(positions), config.live or LiveSection()
    stood = stand_at_last_bar(setup, progress)
    owed = last is not None and last.short and config.execution.unfilled == "carry"
    owed = owed or missed(setup.panel, stood.due, None if last is None else last.answered)
    made = day_plan(setup, holdings, live, adopt=True if owed else None, blind=stood.blind)
    why = stale_text(made.decided, host.clock(), config)
    why = why or ("" if last is None else last.in_the_way(holdings, setup.panel))
    return refused(made, why) if why else made


def _assembled(loaded: tuple[Config, Panel, Mapping[str, Strategy]]) -> tuple[Config, Setup]:
    config, panel, objects = loaded
    strategies = make_strategies(config, objects)
    require_verdict(config, strategies.values(), panel)
    return config, build(config, panel, strategies)


def _asked_at(config: Config, host: Host) -> datetime:
    return host.clock() if config.data.as_of is None else moment_of(config.data.as_of)


def stale_text(decided: date, now: datetime, config: Config, through: date | None = None) -> str:
    """Return why data that end at `decided` are no ground for a decision now, "" if they are.

    through : the day as of whose last session it is asked for, None = now.
    """
    completed = last_completed(now)
    if through is not None:
        completed = min(completed, previous_session(through + timedelta(days=1)))
    if decided >= completed:
        return ""
    name = config.data.source
    fix = "pull them first" if name == "catalog" else "bring the files up to date"
    asked = "the last completed session" if through is None else f"the last session through {through}"
    return f"the data end on {decided}, {asked} is {completed}: {fix}, or pass --to {decided}"


def _of_account(
    account: str, config: Config, setup: Setup, live: LiveSection, host: Host
) -> tuple[Holdings, VenueTerms, PriceSource]:
    if account != PAPER:
        raise ConfigError(f"account {account!r}", where="plan", fix=f"the only one there is: {PAPER}")
    if config.broker is None:
        raise ConfigError("no [broker] section", where="plan --account", fix="name the account, see config/paper.toml")
    venue = open_venue(config.broker, host.env, setup.panel.symbols)
    snapshot = venue.snapshot()
    if config.broker.account is not None and snapshot.account != config.broker.account:
        fix = f"broker.account names {config.broker.account}: use its keys"
        raise ConfigError(f"the keys are of account {snapshot.account}", where="broker.account", fix=fix)
    known = VenueTerms(
        config.broker.kind, venue.assets(setup.panel.symbols), snapshot.buying_power,
        shorting=snapshot.shorting, fractional=snapshot.fractional,
    )  # fmt: skip
    rules = PriceRules(live.max_quote_age_seconds, live.max_spread_bps, live.max_gap)
    return of_snapshot(snapshot), known, asking(venue, rules)
