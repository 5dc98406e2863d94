"""Hand a run over at every bar: save, forget, restore into what was built anew."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from plimsoll.engine.core import Decision, System
from plimsoll.engine.execution.broker import Account
from plimsoll.engine.market.window import Cursor
from plimsoll.engine.portfolio.integrator import NOTHING_SKIPPED, Mark
from plimsoll.engine.research.proof.trail import Recorder, recorded
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.sleeve.strategy import Strategy
from plimsoll.engine.state import Saved
from plimsoll.engine.types import Floats


class Relay(System):
    """A system that is saved, thrown away, built anew and restored after every bar; the account's book likewise.

    The new one first lives through bar 0, so that restoring has something to overwrite and memory that hides outside
    the state (in a module, a class, a cache) is disturbed. What the sleeves put out is collected in those of `setup`.

    lost : keys of the state that did not come back.
    """

    def __init__(self, setup: Setup, strategies: Mapping[str, Strategy]) -> None:
        built = setup.system
        super().__init__(setup.feed, Cursor(), built.sleeves, built.integrator, built.planner)
        self.lost: set[str] = set()
        self._setup = setup
        self._pristine = deepcopy(dict(strategies))
        self._runner = self._build()

    @property
    def t(self) -> int:
        """The last bar observed."""
        return self._runner.t

    def observe(self, t: int, mark: Mark | None = None, *, blind: frozenset[str] = frozenset()) -> None:
        """Take in bar t, keep what it put out, hand over."""
        self._runner.observe(t, mark, blind=blind)
        saved = self._runner.save()
        for kept, sleeve in zip(self.sleeves, self._runner.sleeves, strict=True):
            kept.notes[t] = sleeve.notes[t]
            kept.tracker.path[t] = sleeve.tracker.path[t]
            if isinstance(kept.strategy, Recorder) and isinstance(sleeve.strategy, Recorder):
                kept.strategy.answers[t] = sleeve.strategy.answers.get(t)
        self._runner = self._lived()
        self._runner.restore(saved)
        self.lost |= lost_keys(saved, self._runner.save())
        self._hand_over_book()

    def due(self) -> bool:
        """Ask the one that took over."""
        return self._runner.due()

    def decide(
        self,
        account: Account,
        *,
        adopt: bool = False,
        price: Floats | None = None,
        day_return: float = 0.0,
        skip: frozenset[str] = NOTHING_SKIPPED,
    ) -> Decision:
        """Ask the one that took over."""
        return self._runner.decide(account, adopt=adopt, price=price, day_return=day_return, skip=skip)

    def save(self) -> Saved:
        """Return the state of the one that took over."""
        return self._runner.save()

    def _build(self) -> System:
        strategies = {name: recorded(deepcopy(strategy)) for name, strategy in self._pristine.items()}
        return build(self._setup.config, self._setup.panel, strategies).system

    def _lived(self) -> System:
        system = self._build()
        system.observe(0)
        return system

    def _hand_over_book(self) -> None:
        book = self._setup.broker.book
        saved = book.save()
        book.acct.fill(np.nan)
        book.scal.fill(np.nan)
        book.restore(saved)


def lost_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """Return the keys whose arrays are not the same to the bit in both."""
    both = before.keys() & after.keys()
    same = {key for key in both if before[key].dtype == after[key].dtype and before[key].shape == after[key].shape}
    return (before.keys() | after.keys()) - {key for key in same if before[key].tobytes() == after[key].tobytes()}
