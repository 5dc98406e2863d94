"""From the configuration of the stages to what their kernels take."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plimsoll.engine.config.schema import Config, SleeveSection
from plimsoll.engine.errors import ConfigError, did_you_mean
from plimsoll.engine.kernels.estimate import moments
from plimsoll.engine.market.panel import BarClock, Panel
from plimsoll.engine.portfolio.book_decide import Caps, Rules, Turnover
from plimsoll.engine.portfolio.book_observe import Watch
from plimsoll.engine.portfolio.stages import s0_normalize, s1_allocate, s3_vol_target, s5_governor, s6_regime
from plimsoll.engine.portfolio.stages.s2_net import wrapper_arrays
from plimsoll.engine.portfolio.stages.s4_caps import CLOSE, FREE, NO_NEW
from plimsoll.engine.sleeve.sleeve import Sleeve
from plimsoll.engine.types import Bools, Codes, Floats

_ROLES = {"defensive": 1.0, "cyclical": -1.0, "other": 0.0}


def decay_of(half_life: float) -> float:
    """Return the weight of an observation relative to the next one."""
    return float(0.5 ** (1.0 / half_life))


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a book's kernels are told: what `observe` and what `decide` reads, the window of a factor model."""

    watch: Watch
    rules: Rules
    min_variance: bool
    factors: int
    window: int


def make_settings(config: Config, panel: Panel, sleeves: Sequence[Sleeve], maintenance: Floats) -> Settings:
    """Return the settings of a book; what is configured in sessions is told to the kernels in bars.

    Raises
    ------
    ConfigError
        If a restricted symbol is not in the run.
    """
    stage = config.integrator
    bars = panel.clock.bars_per_session
    by_name = {sleeve.name: sleeve for sleeve in config.sleeve}
    sections = [by_name[sleeve.name] for sleeve in sleeves]
    clusters = [[panel.symbols.index(s) for s in group if s in panel.symbols] for group in stage.caps.clusters.values()]
    cluster = np.full(panel.n_symbols, -1, dtype=np.int64)
    for number, columns in enumerate(clusters):
        cluster[columns] = number
    wrapper_member, wrapper_group = wrapper_arrays(stage.net.wrappers, panel.symbols)
    cash = [panel.symbols.index(s) for s in stage.normalize.cash_equivalents if s in panel.symbols]
    is_cash = np.zeros(panel.n_symbols, dtype=np.bool_)
    is_cash[cash] = True
    member = np.zeros((len(sleeves), panel.n_symbols), dtype=np.bool_)
    for row, sleeve in enumerate(sleeves):
        member[row, sleeve.columns] = True
    member[:, is_cash] = False
    active = np.column_stack([_status(section, panel.clock) for section in sections])
    ladder = np.array(
        [[t.min_equity, t.gross, t.name, t.min_ticket_usd, t.dust_usd, t.max_names] for t in stage.ladder.tiers]
    )
    stocks, bonds, fear = _regime_columns(config, panel)
    watch = Watch(
        normalize=_normalize_params(config, panel.clock),
        allocate=s1_allocate.numbers_of(_allocate_params(config, bars)),
        governor=_governor_params(config),
        regime=_regime_params(config),
        regime_tilt=stage.regime.tilt_max,
        runoff_sessions=float(stage.allocate.runoff_sessions),
        ladder=ladder,
        hysteresis=stage.ladder.hysteresis,
        is_cash=is_cash,
        full_gross=np.array(
            [s.full_gross or sleeve.strategy.full_gross for s, sleeve in zip(sections, sleeves, strict=True)]
        ),
        member=member,
        role=np.array([_ROLES[s.role or sleeve.strategy.role] for s, sleeve in zip(sections, sleeves, strict=True)]),
        active=active,
        changes=_changes(active, panel.clock),
        allocate_at=_cadence(stage.allocate.every, panel.clock),
        stocks=stocks,
        bonds=bonds,
        fear=fear,
        skill_decay=decay_of(63.0 * bars),
        skill_warmup=float(stage.allocate.skill_warmup_sessions * bars),
        asset_moments=moments.params(stage.vol_target.half_life_sessions * bars),
        sleeve_moments=moments.params(stage.allocate.half_life_sessions * bars),
    )
    turn = stage.turnover
    rules = Rules(
        vol_target=s3_vol_target.Params(
            stage.vol_target.l_min,
            stage.vol_target.l_max,
            20 * bars,
            panel.clock.bars_per_year,
            *_factor_model(config, panel),
        ),
        caps=Caps(stage.caps.name, stage.caps.cluster, stage.caps.gross, stage.caps.net),
        turnover=Turnover(
            config.band, turn.kelly, turn.edge_ratio, turn.park_cash, turn.park_band, stage.caps.capacity
        ),
        sigma_neutral=watch.regime.neutral,
        runoff_sessions=watch.runoff_sessions,
        min_symbol_obs=float(stage.net.min_obs * bars),
        bars_per_year=panel.clock.bars_per_year,
        ladder=ladder,
        is_cash=is_cash,
        cash_columns=np.array(cash, dtype=np.int64),
        active=active,
        wrapper_member=wrapper_member,
        wrapper_group=wrapper_group,
        cluster=cluster,
        n_clusters=len(clusters),
        restriction=_restrictions(config, panel),
        maintenance=maintenance,
    )
    return Settings(watch, rules, stage.allocate.method == "min_variance", *_factor_model(config, panel))


def _factor_model(config: Config, panel: Panel) -> tuple[int, int]:
    """Return the number of factors, 0 = no such model, and the bars it is estimated over."""
    section = config.integrator.vol_target
    factors = section.factors if section.covariance == "factor" else 0
    return factors, section.window_sessions * panel.clock.bars_per_session


def _normalize_params(config: Config, clock: BarClock) -> s0_normalize.Params:
    section = config.integrator.normalize
    return s0_normalize.Params(
        section.sleeve_vol,
        section.vol_floor,
        section.max_scale,
        section.min_obs * clock.bars_per_session,
        decay_of(section.half_life_sessions * clock.bars_per_session),
        section.mode == "unit_gross",
        clock.bars_per_year,
    )


def _regime_params(config: Config) -> s6_regime.Params:
    section = config.integrator.regime
    return s6_regime.Params(
        section.neutral,
        section.risk_on,
        section.transition,
        section.crisis,
        *section.band,
        section.dwell_sessions,
        decay_of(63.0),
    )


def _allocate_params(config: Config, bars: int) -> s1_allocate.Params:
    section = config.integrator.allocate
    return s1_allocate.Params(
        method=section.method,
        cap=section.cap,
        kappa=section.skill_kappa,
        smoothing=section.smoothing,
        apply_threshold=section.apply_threshold,
        alarm=section.alarm,
        max_intensity=section.max_shrinkage,
        min_obs=section.min_obs * bars,
        young_obs=config.integrator.normalize.min_obs * bars,
        min_overlap=20 * bars,
        ramp_sessions=section.ramp_sessions,
        ramp_start=section.ramp_start,
        runoff_sessions=section.runoff_sessions,
        erc_blend=section.erc_blend_max,
    )


def _governor_params(config: Config) -> s5_governor.Params:
    section = config.integrator.governor
    return s5_governor.Params(
        section.d0,
        section.d_hard,
        section.m_min,
        section.flat,
        section.cooloff_sessions,
        section.reentry_sessions,
        section.day_loss,
        section.day_reentry_sessions,
        section.sigma_ref,
        section.vol_adjusted,
        section.warn,
        section.throttle,
        section.throttle_to,
        section.no_new,
        section.combine == "product",
    )


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
