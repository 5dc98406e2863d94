"""No output of a run may depend on what comes later: every bar at once, and a few with the data truly replaced."""

from collections.abc import Mapping

import numpy as np

from plimsoll.engine.config.schema import Config
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.audit.case import Case
from plimsoll.engine.research.proof.future import HOWS, replace_future
from plimsoll.engine.research.proof.trail import Trail, difference, run_trail
from plimsoll.engine.research.proof.unseen import VEILS
from plimsoll.engine.sleeve.strategy import Strategy


def assert_causal(config: Config, panel: Panel, strategies: Mapping[str, Strategy], seed: int = 0) -> Trail:
    """Hold a run against runs that know less, and return what it leaves behind.

    Filled bar by bar, nothing or noise standing where the future will be, one pass proves every bar. At three bars
    drawn at random the panel itself is another one, in one way each: noise, nothing known, cut off.
    """
    case = Case(config, panel, False, strategies)
    whole = case.run()
    for veil in VEILS:
        veiled = case.run_veiled(veil, seed, whole.setup.first)
        assert difference(whole.trail, veiled.trail, whole.last) == "", veil
    bars = np.random.default_rng(seed).integers(whole.setup.first, whole.last, len(HOWS))
    for t, how in zip(bars.tolist(), HOWS, strict=True):
        other = run_trail(config, replace_future(panel, t, how), strategies)
        assert difference(whole.trail, other, t) == "", (how, t)
    return whole.trail
