"""Preset `book`: the nine stages, in the order the data flow sets.

    observe   S0 normalise, skill, moments, S6 regime, S1 allocate (on its cadence), S5 governor, S8 ladder
    decide    S0 z, S1 shares, S2 net, S3 volatility target, S4 caps, S5 multiplier, Kelly, S8 dust, S7 band

Stage numbers are labels: 6 feeds 3 and 1, 8 feeds 4 and 7. `decide` reads what `observe` left and changes nothing.
The stages are composed once, in `book_observe` and `book_decide`; here they are called bar by bar.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from plimsoll.engine.execution.broker import Account
from plimsoll.engine.kernels.estimate import ewma
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.portfolio import book_memory
from plimsoll.engine.portfolio.book_decide import FACTS, STAGES, Holdings, Out, Prices, Terms, assemble, decide, finish
from plimsoll.engine.portfolio.book_memory import Memory
from plimsoll.engine.portfolio.book_observe import observe_bar, observe_session
from plimsoll.engine.portfolio.integrator import NOTHING_SKIPPED, Mark, Target
from plimsoll.engine.portfolio.settings import Settings
from plimsoll.engine.portfolio.stages import s1_allocate, s3_vol_target
from plimsoll.engine.sleeve.sleeve import Sleeve
from plimsoll.engine.types import Floats

# What can be passed over in an explanation: the stages that have a column, and those that act through others. The
# position is the bit that the kernels know a stage by.
SKIP_BITS = (
    "s0_normalize", "s1_allocate", "s2_net", "s3_vol_target", "s4_caps", "s5_governor", "s6_regime", "s7_turnover",
    "s8_ladder",
)  # fmt: skip
SKIPPABLE = SKIP_BITS


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
        per_sleeve = tuple(f"{kind}.{name}" for kind in ("share", "hrp", "erc", "skill") for name in names)
        self.facts: tuple[str, ...] = (*FACTS, *per_sleeve)
        self.settings = settings
        bars, neutral = panel.clock.bars_per_session, settings.watch.regime.neutral
        self.memory: Memory = book_memory.init(n_sleeves, n, neutral, bars)
        self.prices = Prices(panel.close, panel.volume, feed.factor, feed.status, bars)
        self.terms = Terms(*cost_terms)
        self.weight = np.zeros((n_sleeves, n))
        self.close = feed.field("close")  # in units that no split changes
        self._feed = feed
        self._last_bar = panel.clock.last_bar
        self._t = -1

    def observe(self, t: int, sleeves: Sequence[Sleeve], mark: Mark | None) -> None:
        """Take in bar t: everything with memory moves here, once."""
        watch, ret, weight = self.settings.watch, self._feed.ret, self.weight
        self._t = t
        for row, sleeve in enumerate(sleeves):
            weight[row, sleeve.columns] = sleeve.tracker.now()
        observe_bar(t, weight, ret, watch, self.memory)
        if self._last_bar[t]:
            nav, equity = (mark.nav, mark.equity) if mark is not None else (np.nan, np.nan)
            indicator = self._feed.panel.indicator
            observe_session(t, self.close, indicator, nav, equity, self._given(t), watch, self.memory)

    def _given(self, t: int) -> Floats:
        """Return minimum-variance weights (S,) where stage 1 asks for them: their solver is not compiled."""
        watch, memory = self.settings.watch, self.memory
        if not self.settings.min_variance or not watch.allocate_at[t]:
            return np.empty(0)
        active = watch.active[t] == 1
        return s1_allocate.least_variance(
            memory.sleeve_moments.pair, memory.s0.sums[ewma.COUNT], active, watch.allocate
        )

    def due(self, sleeves: Sequence[Sleeve]) -> bool:
        """Return that a book decides at the close of every session."""
        return bool(self._last_bar[self._t])

    def decide(
        self, sleeves: Sequence[Sleeve], account: Account, *, adopt: bool, skip: frozenset[str] = NOTHING_SKIPPED
    ) -> Target:
        """Return the target for `account`: stages 2 to 8 on what `observe` left; stages in `skip` are passed over."""
        t, n, rules, memory = self._t, len(account.value), self.settings.rules, self.memory
        bits = sum(1 << SKIP_BITS.index(name) for name in skip if name in SKIP_BITS)
        out = Out(
            np.empty(n), np.empty(n), np.empty(n, dtype=np.bool_), np.empty((len(STAGES), n)), np.empty(len(self.facts))
        )
        holdings = Holdings(account.value, account.equity, account.margin_call)
        if not self.settings.factors:
            ticket = decide(t, self.weight, bits, rules, memory, self.prices, self.terms, holdings, out)
        else:
            assemble(t, self.weight, bits, rules, memory, self.prices.status, out)
            window = self._feed.ret[max(t + 1 - self.settings.window, 0) : t + 1]
            estimate = s3_vol_target.book_vol(out.trace[2], memory.asset_moments.pair, window, rules.vol_target)
            ticket = finish(t, *estimate, bits, rules, memory, self.prices, self.terms, holdings, out)
        return Target(out.target, out.goal, out.trade, out.trace.T, out.facts, ticket, account.margin_call)

    def save(self) -> dict[str, Floats]:
        """Return copies of everything that changes."""
        named = {name: array.copy() for name, array in book_memory.arrays(self.memory).items()}
        return named | {"weight": self.weight.copy(), "t": np.array([float(self._t)])}

    def restore(self, saved: dict[str, Floats]) -> None:
        """Put back what `save` returned."""
        for name, array in book_memory.arrays(self.memory).items():
            np.copyto(array, saved[name])
        np.copyto(self.weight, saved["weight"])
        self._t = int(saved["t"][0])
