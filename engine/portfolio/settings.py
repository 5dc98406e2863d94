"""From the configuration of the stages to what their kernels take."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, get_type_hints

import numpy as np

from plimsoll.engine.config.schema import Config, IntegratorSection, SleeveSection
from plimsoll.engine.config.stages import AllocateSection, StageSection
from plimsoll.engine.errors import ConfigError, did_you_mean
from plimsoll.engine.execution.terms import leverage_of
from plimsoll.engine.kernels.estimate import moments
from plimsoll.engine.market.panel import BarClock, Panel
from plimsoll.engine.portfolio.alarm_draws import alarm_draws
from plimsoll.engine.portfolio.book_decide import Rules
from plimsoll.engine.portfolio.book_observe import Watch
from plimsoll.engine.portfolio.stages import (
    s0_normalize,
    s1_allocate,
    s3_vol_target,
    s4_caps,
    s5_governor,
    s6_regime,
    s7_turnover,
    s8_ladder,
)
from plimsoll.engine.portfolio.stages.s2_net import wrapper_arrays
from plimsoll.engine.portfolio.stages.s4_caps import CLOSE, FREE, NO_NEW
from plimsoll.engine.sleeve.sleeve import Sleeve
from plimsoll.engine.types import Bools, Codes, Floats

P = TypeVar("P")

_ROLES = {"defensive": 1.0, "cyclical": -1.0, "other": 0.0}
MIN_OVERLAP = 20  # sessions of common observations a pair of histories needs for a correlation
# What a stage does as this project rules, where the configuration leaves it open.
RELEASE_SESSIONS = 20
LEAST_SHARE = 1e-6


def decay_of(half_life: float) -> float:
    """Return the weight of an observation relative to the next one."""
    return float(0.5 ** (1.0 / half_life))


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a book's kernels are told: what `observe` and what `decide` reads, the window of a factor model."""

    watch: Watch
    rules: Rules
    factors: int
    window: int


def make_settings(config: Config, panel: Panel, sleeves: Sequence[Sleeve], maintenance: Floats) -> Settings:
    """Return the settings of a book.

    Raises
    ------
    ConfigError
        If a restricted symbol is not in the run.
    """
    section_of = {sleeve.name: sleeve for sleeve in config.sleeve}
    active = np.column_stack([_status(section_of[sleeve.name], panel.clock) for sleeve in sleeves])
    watch, rules = _watch(config, panel, sleeves, active), _rules(config, panel, active, maintenance)
    factors, window = _factor_model(config, panel)
    return Settings(watch, rules, factors, window)


def _watch(config: Config, panel: Panel, sleeves: Sequence[Sleeve], active: Codes) -> Watch:
    stage, clock = config.integrator, panel.clock
    bars, is_cash = clock.bars_per_session, _is_cash(config, panel)
    section_of = {sleeve.name: sleeve for sleeve in config.sleeve}
    own = [section_of[sleeve.name] for sleeve in sleeves]
    stocks, bonds, fear = _regime_columns(config, panel)
    low, high = stage.regime.band
    normals, normals_at = alarm_draws(config.run.seed, len(sleeves), clock, drawn=stage.alarm is None)
    return Watch(
        normalize=by_name(
            s0_normalize.Params, stage.normalize, min_obs=stage.normalize.min_obs * bars,
            decay=decay_of(stage.normalize.half_life_sessions * bars),
            unit_gross=stage.normalize.mode == "unit_gross", bars_per_year=clock.bars_per_year,
            sleeve_vol=np.inf if stage.normalize.scaling == "none" else stage.normalize.sleeve_vol,
        ),
        allocate=allocate_params(
            stage.allocate, stage.normalize.min_obs, bars, literal=stage.literal, alarm=stage.alarm
        ),
        governor=by_name(s5_governor.Params, stage.governor, product=stage.governor.combine == "product"),
        regime=by_name(
            s6_regime.Params, stage.regime, neutral=stage.vol_target.target, low=low, high=high, decay=decay_of(63.0),
            signed=not _as_ruled(stage, stage.regime.correlation, "positive"),
            by_signal=not _as_ruled(stage, stage.regime.confidence, "label"),
            all_dwell=not _as_ruled(stage, stage.regime.dwell, "better"),
        ),
        regime_tilt=stage.regime.tilt_max,
        runoff_sessions=float(stage.allocate.runoff_sessions),
        ladder=_ladder(config),
        hysteresis=stage.ladder.hysteresis,
        is_cash=is_cash,
        limits=_limits(stage, own, sleeves),
        release=_release(stage, own),
        member=_ranked(stage, panel, sleeves) & ~is_cash,
        role=np.array([_ROLES[one.role or sleeve.strategy.role] for one, sleeve in zip(own, sleeves, strict=True)]),
        active=active,
        changes=_changes(active, clock),
        allocate_at=_cadence(stage.allocate.every, clock),
        stocks=stocks,
        bonds=bonds,
        fear=fear,
        skill_decay=decay_of(63.0 * bars),
        skill_warmup=float(stage.allocate.skill_warmup_sessions * bars),
        asset_moments=moments.params(stage.vol_target.half_life_sessions * bars),
        sleeve_moments=moments.params(stage.allocate.half_life_sessions * bars),
        normals=normals,
        normals_at=normals_at,
    )  # fmt: skip


def _limits(stage: IntegratorSection, own: Sequence[SleeveSection], sleeves: Sequence[Sleeve]) -> s0_normalize.Limits:
    """Return what each sleeve is fully convinced at and scaled by at most: its section's, else its strategy's."""
    fuller = (stage.normalize.conviction or ("gross" if stage.literal else "fuller")) == "fuller"
    both = list(zip(own, sleeves, strict=True))
    vols = [(one.full_vol or sleeve.strategy.full_vol or np.inf) if fuller else np.inf for one, sleeve in both]
    return s0_normalize.Limits(
        full_gross=np.array([one.full_gross or sleeve.strategy.full_gross for one, sleeve in both]),
        full_vol=np.array(vols),
        max_scale=np.array([one.max_scale or stage.normalize.max_scale for one in own]),
    )


def _release(stage: IntegratorSection, own: Sequence[SleeveSection]) -> Floats:
    """Return the sessions (S,) until an idle sleeve's slot is lent; 0 = never."""
    given = stage.allocate.release_idle_sessions
    book = given if given is not None else (0 if stage.literal else RELEASE_SESSIONS)
    each = [book if one.release_idle_sessions is None else one.release_idle_sessions for one in own]
    return np.array(each, dtype=np.float64)


def _ranked(stage: IntegratorSection, panel: Panel, sleeves: Sequence[Sleeve]) -> Bools:
    """Return (S, N) the symbols whose ranks make each sleeve's skill."""
    on = stage.allocate.skill_on or ("watched" if stage.literal else "holdable")
    chosen = np.zeros((len(sleeves), panel.n_symbols), dtype=np.bool_)
    for row, sleeve in enumerate(sleeves):
        chosen[row, sleeve.columns] = True
        if on == "holdable":
            chosen[row, _columns(sleeve.strategy.watched, panel)] = False
    return chosen


def _rules(config: Config, panel: Panel, active: Codes, maintenance: Floats) -> Rules:
    stage, bars, bars_per_year = config.integrator, panel.clock.bars_per_session, panel.clock.bars_per_year
    wrapper_member, wrapper_group = wrapper_arrays(stage.net.wrappers, panel.symbols)
    factors, window = _factor_model(config, panel)
    return Rules(
        vol_target=by_name(
            s3_vol_target.Params, stage.vol_target, min_overlap=MIN_OVERLAP * bars, bars_per_year=bars_per_year,
            factors=factors, window=window,
        ),
        caps=by_name(s4_caps.Params, stage.caps),
        groups=_groups(config, panel),
        hedges=bool(stage.caps.hedges),
        turnover=by_name(
            s7_turnover.Params, stage.turnover, band=config.band, capacity=stage.caps.capacity,
            below_one=not _as_ruled(stage, stage.turnover.lift, "falling"),
            any_net=_as_ruled(stage, stage.turnover.net_excess, "any"),
        ),
        day_loss=stage.governor.day_loss,
        sigma_neutral=stage.vol_target.target,
        runoff_sessions=float(stage.allocate.runoff_sessions),
        min_symbol_obs=float(stage.net.min_obs * bars),
        bars_per_year=bars_per_year,
        ladder=_ladder(config),
        is_cash=_is_cash(config, panel),
        cash_columns=np.array(_columns(stage.normalize.cash_equivalents, panel), dtype=np.int64),
        active=active,
        wrapper_member=wrapper_member,
        wrapper_group=wrapper_group,
        restriction=_restrictions(config, panel),
        maintenance=maintenance,
    )  # fmt: skip


def _as_ruled(stage: IntegratorSection, given: str | bool | None, word: str | bool) -> bool:
    """Return whether a stage is read as ruled: its key says so, or says nothing and nothing is read to the letter."""
    return given == word if given is not None else not stage.literal


def _groups(config: Config, panel: Panel) -> s4_caps.Groups:
    caps, plain = config.integrator.caps, np.ones(panel.n_symbols)
    cluster = np.full(panel.n_symbols, -1, dtype=np.int64)
    for number, group in enumerate(caps.clusters.values()):
        cluster[_columns(group, panel)] = number
    leverage = leverage_of(config.account.leverage, panel.symbols)
    return s4_caps.Groups(
        cluster=cluster,
        n_clusters=len(caps.clusters),
        per_name=leverage if caps.look_through_names else plain,
        per_cluster=leverage if _as_ruled(config.integrator, caps.look_through, True) else plain,
    )


def _columns(symbols: Sequence[str], panel: Panel) -> list[int]:
    """Return the columns of those symbols that are in the run, in their order."""
    return [panel.symbols.index(symbol) for symbol in symbols if symbol in panel.symbols]


def _is_cash(config: Config, panel: Panel) -> Bools:
    is_cash = np.zeros(panel.n_symbols, dtype=np.bool_)
    is_cash[_columns(config.integrator.normalize.cash_equivalents, panel)] = True
    return is_cash


def _ladder(config: Config) -> Floats:
    """Return the rungs of stage 8 by the names of their columns."""
    tiers = config.integrator.ladder.tiers
    return np.array([[getattr(tier, name) for name in s8_ladder.COLUMNS] for tier in tiers], dtype=np.float64)


def by_name(kind: Callable[..., P], section: StageSection, **given: float) -> P:
    """Return the parameters of a stage: what is given here, and the section's own fields for all others of that name.

    A field that is declared as a float becomes one, so that a kernel meets one type whatever was written.

    Raises
    ------
    AttributeError, TypeError
        If a field is nowhere, or what is given is not a field.
    """
    fields = get_type_hints(kind)
    values = {name: given[name] if name in given else getattr(section, name) for name in fields} | given
    return kind(**{name: float(value) if fields.get(name) is float else value for name, value in values.items()})


def allocate_params(
    section: AllocateSection, young_obs: int, bars: int = 1, *, literal: bool = False, alarm: float | None = None
) -> s1_allocate.Params:
    """Return the parameters of stage 1; young_obs is the least history in sessions before anybody has `min_obs`.

    bars : of a session; what is configured in sessions is told to the kernels in bars. literal : how the requirement is
    read where the section says nothing. alarm : the threshold, None = it is drawn.
    """
    rung = s1_allocate.RUNGS.index(section.method)
    least = section.least_share if section.least_share is not None else (0.0 if literal else LEAST_SHARE)
    towards = 1.0 if section.shrinkage_target == "constant_correlation" else 0.0
    return by_name(
        s1_allocate.Params, section, method=rung, towards=towards, min_obs=section.min_obs * bars,
        young_obs=young_obs * bars, min_overlap=MIN_OVERLAP * bars, least_share=least,
        alarm=np.nan if alarm is None else alarm,
    )  # fmt: skip


def _factor_model(config: Config, panel: Panel) -> tuple[int, int]:
    """Return the number of factors, 0 = no such model, and the bars it is estimated over."""
    section = config.integrator.vol_target
    factors = section.factors if section.covariance == "factor" else 0
    return factors, section.window_sessions * panel.clock.bars_per_session


def _status(section: SleeveSection, clock: BarClock) -> Codes:
    """Return (T,) int8: 1 promoted, 0 incubating, -1 quarantined."""
    codes = {"promoted": (0, 1), "incubating": (0, 0), "quarantined": (1, -1)}
    before, after = codes[section.status]
    if section.since is None:
        return np.full(len(clock), after, dtype=np.int8)
    return np.where(clock.session >= np.datetime64(section.since), after, before).astype(np.int8)


def _changes(active: Codes, clock: BarClock) -> Bools:
    """Return (T,) the closes whose statuses differ from those at the close before, and the first one."""
    closes = np.flatnonzero(clock.last_bar)
    changes = np.zeros(len(clock), dtype=np.bool_)
    changes[closes[:1]] = True
    changes[closes[1:]] = (active[closes[1:]] != active[closes[:-1]]).any(axis=1)
    return changes


def _cadence(every: int | str, clock: BarClock) -> Bools:
    """Return (T,) the bars at which stage 1 allocates: the last bar of every n-th session, or of the week."""
    if every == "week":
        weekly: Bools = clock.week_last & clock.last_bar
        return weekly
    due: Bools = (clock.session_index % int(every) == 0) & clock.last_bar
    return due


def _restrictions(config: Config, panel: Panel) -> Codes:
    if not config.restricted:
        return np.empty((0, panel.n_symbols), dtype=np.int8)
    table = np.full((panel.n_bars, panel.n_symbols), FREE, dtype=np.int8)
    for symbol, rule in config.restricted.items():
        if symbol not in panel.symbols:
            raise ConfigError(
                f"symbol {symbol!r} is not in this run", where="restricted", fix=did_you_mean(symbol, panel.symbols)
            )
        during = np.ones(panel.n_bars, dtype=np.bool_)
        if rule.start is not None:
            during &= panel.clock.session >= np.datetime64(rule.start)
        if rule.end is not None:
            during &= panel.clock.session <= np.datetime64(rule.end)
        table[during, panel.column(symbol)] = NO_NEW if rule.rule == "no_new" else CLOSE
    return table


def _regime_columns(config: Config, panel: Panel) -> tuple[int, int, int]:
    """Return the columns of stocks, bonds and the fear index; -1 where an input is missing and the regime off."""
    section = config.integrator.regime
    if not section.enabled or section.fear not in panel.indicators:
        return -1, -1, -1
    if section.stocks not in panel.symbols or section.bonds not in panel.symbols:
        return -1, -1, -1
    return panel.column(section.stocks), panel.column(section.bonds), panel.indicators.index(section.fear)
