"""A book with stage 6 off, beside the book itself: one more pass through the compiled loop."""

from collections.abc import Sequence

import numpy as np

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import InputError
from plimsoll.engine.runtime.assemble import Setup, assemble
from plimsoll.engine.runtime.backtest import Track
from plimsoll.engine.runtime.compiled.brief import run_brief
from plimsoll.engine.runtime.compiled.engine import refusal
from plimsoll.engine.runtime.prepare import Market
from plimsoll.engine.runtime.variant import Variant
from plimsoll.engine.sleeve.signals import Signal


def without_regime(setup: Setup, market: Market, track: Track, signals: Sequence[Signal]) -> Variant:
    """Return what a finished run would have come to without stage 6.

    setup, market : what was run, and what it was put on. signals : of its sleeves, in their order, over the whole span;
    they depend on the market alone, so the run's own serve.
    """
    if not setup.config.integrator.regime.enabled:
        return _nothing("stage 6 is off in the run itself")
    try:
        other = assemble(_without(setup.config), market)
        if why := refusal(other):
            return _nothing(why)
        brief = run_brief(other, signals)
    except InputError as error:
        return _nothing(str(error))
    if len(brief.ret) != track.last + 1 - setup.first:
        return _nothing("one of the two was ruined: there is no common period")
    return Variant(brief.ret, brief.traded, brief.costs)


def _without(config: Config) -> Config:
    stages = config.integrator
    regime = stages.regime.model_copy(update={"enabled": False})
    return config.model_copy(update={"integrator": stages.model_copy(update={"regime": regime})})


def _nothing(why: str) -> Variant:
    return Variant(np.empty(0), 0.0, 0.0, why)
