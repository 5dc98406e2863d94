"""The rungs of a book's ladder: the run's own signals through the compiled loop, once for each way of sharing."""

from collections.abc import Callable, Sequence

import numpy as np

from plimsoll.engine.config.schema import LITERAL_ALARM, Config
from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account.ledger import bar_costs
from plimsoll.engine.portfolio.stages.s1_allocate import RUNGS
from plimsoll.engine.runtime.assemble import Setup, assemble
from plimsoll.engine.runtime.backtest import Track
from plimsoll.engine.runtime.compiled.brief import Brief, run_brief
from plimsoll.engine.runtime.compiled.engine import refusal
from plimsoll.engine.runtime.prepare import Market
from plimsoll.engine.runtime.rung import METHODS, Ladder, Rung, rung_config
from plimsoll.engine.sleeve.signals import Signal
from plimsoll.engine.types import Floats

# The replay of the run's own configuration has come to something else: its figures are none of this run's.
NOT_THE_RUN = "its replay is not the run: the sleeves answered otherwise"


def climb(
    setup: Setup, market: Market, track: Track, signals: Sequence[Signal],
    progress: Callable[[int, int], None] | None = None,
) -> Ladder:  # fmt: skip
    """Return the ladder of a finished run.

    setup : what was run. market : what it was put on. signals : of its sleeves, in their order, over the whole span;
    they depend on the market alone, so every rung has the same. progress : called with (rungs done, rungs in all).
    A rung that fails says why instead of being left out. The rung that the run itself is, is run too: it must come to
    the same, bit by bit. A run that is no rung is one more.
    """
    base, seed = setup.config, setup.config.run.seed
    if track.ruined:
        return Ladder((), "", seed, "the book was ruined: there is no common period to compare over")
    ran = setup.broker.rec[setup.first : track.last + 1]
    rungs, own = [], ""
    for number, name in enumerate(METHODS, start=1):
        config = rung_config(base, name)
        rung = _rung(name, config, market, signals, len(ran))
        if config.digest == base.digest:
            own = name
            if not rung.why and rung.ret.tobytes() != ran[:, layout.R_RET].tobytes():
                rung = _failed(name, config, NOT_THE_RUN)
        rungs.append(rung)
        if progress is not None:
            progress(number, len(METHODS))
    if not own:
        own = base.integrator.allocate.method
        rungs.append(_run_itself(own, setup, track, ran))
    return Ladder(tuple(rungs), own, seed)


def _rung(name: str, config: Config, market: Market, signals: Sequence[Signal], n_bars: int) -> Rung:
    """Return a rung over the n bars that the run traded."""
    try:
        setup = assemble(_unalarmed(config), market)
        if why := refusal(setup):
            return _failed(name, config, why)
        brief = run_brief(setup, signals)
    except InputError as error:
        return _failed(name, config, str(error))
    if brief.ruined:
        session = setup.panel.clock.session[setup.first + len(brief.ret) - 1]
        return _failed(name, config, f"it was ruined on {session}")
    if len(brief.ret) != n_bars:
        return _failed(name, config, f"it traded {len(brief.ret)} of {n_bars} bars")
    return _made(name, config, brief)


def _unalarmed(config: Config) -> Config:
    """Return a configuration that draws no threshold for the alarm, of which nothing but a report depends."""
    stage = config.integrator
    allocate = stage.allocate.model_copy(update={"alarm": LITERAL_ALARM})
    return config.model_copy(update={"integrator": stage.model_copy(update={"allocate": allocate})})


def _made(name: str, config: Config, brief: Brief) -> Rung:
    return Rung(name, brief.ret, brief.traded, brief.costs, brief.allocated_by, config.digest, config.of_run().toml())


def _failed(name: str, config: Config, why: str) -> Rung:
    nothing: Floats = np.empty(0)
    return Rung(name, nothing, 0.0, 0.0, {}, config.digest, config.of_run().toml(), why)


def _run_itself(name: str, setup: Setup, track: Track, rec: Floats) -> Rung:
    """Return the run as a rung; rec (T, RECORD) of the bars it traded."""
    config, equity = setup.config, rec[:, layout.R_EQUITY]
    base = np.concatenate(([config.run.cash], equity[:-1])) + rec[:, layout.R_FLOW]
    at = setup.system.integrator.facts.index("rung")
    codes = np.array([decision.target.facts[at] for decision in track.decisions], dtype=np.int64)
    decided = dict(zip(RUNGS, np.bincount(codes, minlength=len(RUNGS)).tolist(), strict=True))
    traded, costs = (float(np.sum(amount / base)) for amount in (rec[:, layout.R_TRADED], bar_costs(rec)))
    return Rung(name, rec[:, layout.R_RET].copy(), traded, costs, decided, config.digest, config.of_run().toml())
