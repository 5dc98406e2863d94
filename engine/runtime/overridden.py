"""Caps that are configured and not in force, because the ladder's are narrower: told as a warning."""

from collections.abc import Sequence

import numpy as np

from plimsoll.engine.config.schema import Config
from plimsoll.engine.core import Decision
from plimsoll.engine.market.panel import DataWarning


def overridden_caps(config: Config, facts: tuple[str, ...], decisions: Sequence[Decision]) -> list[DataWarning]:
    """Return a warning for each cap of stage 4 that the ladder of stage 8 was narrower than at any decision."""
    if "ladder_tier" not in facts or not decisions:
        return []
    at, stages = facts.index("ladder_tier"), config.integrator
    tier = np.array([max(int(decision.target.facts[at]), 0) for decision in decisions])
    found = []
    for key in ("name", "gross"):
        own = getattr(stages.caps, key)
        ladder = np.array([getattr(rung, key) for rung in stages.ladder.tiers])[tier]
        over = ladder < own
        if over.any():
            text = (
                f"integrator.caps.{key} = {own:g} was not in force at {int(over.sum()):,} of {len(tier):,} decisions: "
                f"the ladder allows {np.min(ladder):g}"
            )
            found.append(DataWarning("cap_overridden", "", text))
    return found
