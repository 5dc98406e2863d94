"""Preset `book`: the nine stages, in the order the data flow sets.

    observe   S0 normalise, skill, moments, S6 regime, S1 allocate (on its cadence), S5 governor, S8 ladder
    decide    S0 z, S1 shares, S2 net, S3 volatility target, S4 caps, S5 multiplier, Kelly, S8 dust, S7 band

Stage numbers are labels: 6 feeds 3 and 1, 8 feeds 4 and 7. `decide` reads what `observe` left and changes nothing.
The stages are composed once, in `book_observe` and `book_decide`; here they are called bar by bar.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from plimsoll.engine.execution.broker import Account
from plimsoll.engine.kernels.derive import own_rows
from plimsoll.engine.kernels.estimate import moments
from plimsoll.engine.kernels.jit import entry_for
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.portfolio import book_memory
from plimsoll.engine.portfolio.book_decide import (
    NETTED,
    SKIPPABLE,
    STAGES,
    AccountView,
    CostTerms,
    Out,
    Prices,
    combine,
    decide,
    finish,
)
from plimsoll.engine.portfolio.book_facts import names_of
from plimsoll.engine.portfolio.book_memory import Memory
from plimsoll.engine.portfolio.book_observe import observe_bar, observe_session
from plimsoll.engine.portfolio.integrator import Mark, Target
from plimsoll.engine.portfolio.settings import Settings
from plimsoll.engine.portfolio.stages import s3_vol_target
from plimsoll.engine.sleeve.sleeve import Sleeve
from plimsoll.engine.state import Saved, check_saved, whole_number
from plimsoll.engine.types import Floats


class Pipeline:
    """The nine-stage integrator. All its memory is in arrays, saved and restored by name.

    settings, memory, prices, terms : what the kernels are given; weight (S, N) the sleeves' drifted weights.
    """

    stages: tuple[str, ...] = STAGES
    needs_mark = True
    skippable: tuple[str, ...] = SKIPPABLE
    kept: Mapping[str, str] = {"raw": "the mean of the sleeves' weights is what the stages work on"}

    def __init__(self, feed: Feed, settings: Settings, cost_terms: tuple[Floats, Floats, Floats], names: Sequence[str]):
        n_sleeves, n, panel = len(names), feed.panel.n_symbols, feed.panel
        self.facts: tuple[str, ...] = names_of(tuple(names))
        self.settings = settings
        bars, neutral = panel.clock.bars_per_session, settings.watch.regime.neutral
        self.memory: Memory = book_memory.init(n_sleeves, n, neutral, bars)
        self.prices = Prices(panel.close, feed.ret, panel.volume, feed.factor, feed.status, bars)
        self.terms = CostTerms(*cost_terms)
        self.weight = np.zeros((n_sleeves, n))
        self.close = feed.field("close")  # in units that no split changes
        self._feed = feed
        self._last_bar = panel.clock.last_bar
        self._room = np.empty(n * n)
        self._t = -1
        # The kernels of a bar, each found once: what they are given besides an account never changes its kind.
        self._observe_bar: Callable[..., Any] | None = None
        self._observe_session: Callable[..., Any] | None = None
        self._decide: Callable[..., Any] | None = None

    def observe(self, t: int, sleeves: Sequence[Sleeve], mark: Mark | None) -> None:
        """Take in bar t: everything with memory moves here, once."""
        watch, ret, weight = self.settings.watch, self._feed.ret, self.weight
        self._t = t
        for row, sleeve in enumerate(sleeves):
            weight[row, sleeve.columns] = sleeve.tracker.now()
            if sleeve.failure and self.memory.failed_at[row] < 0:
                self.memory.failed_at[row] = t
        of_bar = t, weight, ret, self.prices.status, watch, self.memory
        if self._observe_bar is None:
            self._observe_bar = entry_for(observe_bar, *of_bar)
        self._observe_bar(*of_bar)
        if self._last_bar[t]:
            nav, equity = (mark.nav, mark.equity) if mark is not None else (np.nan, np.nan)
            of_session = t, self.close, self._feed.panel.indicator, float(nav), float(equity), watch, self.memory
            if self._observe_session is None:
                self._observe_session = entry_for(observe_session, *of_session)
            self._observe_session(*of_session)

    def due(self, sleeves: Sequence[Sleeve]) -> bool:
        """Return that a book decides at the close of every session."""
        return bool(self._last_bar[self._t])

    def decide(
        self, sleeves: Sequence[Sleeve], account: Account, *, adopt: bool, day_return: float, skip: frozenset[str]
    ) -> Target:
        """Return the target for `account`: stages 2 to 8 on what `observe` left; stages in `skip` are passed over."""
        t, n, rules, memory = self._t, len(account.value), self.settings.rules, self.memory
        bits = sum(1 << SKIPPABLE.index(name) for name in skip)
        out = Out(
            np.empty(n), np.empty(n), np.empty(n, dtype=np.bool_), np.empty((len(STAGES), n)),
            np.empty(len(self.facts)), np.empty(self.weight.shape), self._room,
        )  # fmt: skip
        holdings = AccountView(
            np.ascontiguousarray(account.value, dtype=np.float64), float(account.equity), bool(account.margin_call),
            float(day_return), bool(adopt),
        )  # fmt: skip
        if not self.settings.factors:
            of_account = t, self.weight, bits, rules, memory, self.prices, self.terms, holdings, out
            if self._decide is None:
                self._decide = entry_for(decide, *of_account)
            ticket = self._decide(*of_account)
        else:
            combine(t, self.weight, bits, rules, memory, self.prices.status, out)
            window = np.empty((min(self.settings.window, t + 1), n))
            own_rows(t, self._feed.ret, self._feed.ret, self.prices.status, window)
            estimate = s3_vol_target.book_vol(out.trace[NETTED], memory.asset_moments, window, rules.vol_target)
            ticket = finish(t, self.weight, *estimate, bits, rules, memory, self.prices, self.terms, holdings, out)
        return Target(out.target, out.goal, out.trade, out.trace.T, out.facts, ticket, account.margin_call, out.parts)

    def take_over(self, t: int, weight: Floats) -> None:
        """Stand at the close of bar t, to which a compiled loop has moved the memory; weight (S, N) as it was there."""
        self._t = t
        np.copyto(self.weight, weight)

    def save(self) -> Saved:
        """Return copies of everything that changes."""
        return {name: array.copy() for name, array in self._arrays().items()}

    def check(self, saved: Saved) -> None:
        """Refuse what could not be restored; see `engine.state.check_saved`."""
        check_saved(saved, self._arrays(), "preset 'book'")
        whole_number(saved, "t", -1, len(self._last_bar) - 1, "preset 'book'")
        for name in ("sleeve_moments.kin", "asset_moments.kin"):
            moments.check_kin(saved[name], f"preset 'book', {name}")

    def restore(self, saved: Saved) -> None:
        """Put back what `save` returned; nothing is touched if `check` refuses it."""
        self.check(saved)
        for name, array in self._arrays().items():
            np.copyto(array, saved[name])
        self._t = int(saved["t"][0])

    def _arrays(self) -> Saved:
        own: Saved = {**book_memory.arrays(self.memory), "weight": self.weight}
        return own | {"t": np.array([self._t], dtype=np.int64)}
