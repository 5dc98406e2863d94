"""Why a stage moved a weight, in words, from the figures of the decision."""

from dataclasses import dataclass

from plimsoll.engine.core import Decision
from plimsoll.engine.kernels.derive import OUTSIDE, TRADING
from plimsoll.engine.portfolio.book import Pipeline
from plimsoll.engine.portfolio.bound import caps_on_symbols, holders, is_young, wrapper_for
from plimsoll.engine.portfolio.stages.s5_governor import NO_NEW, TIERS
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.types import Floats


@dataclass(frozen=True, slots=True)
class Reasons:
    """The figures of one decision, the weights held before it (N,), and the caps that moved each symbol, in words."""

    setup: Setup
    decision: Decision
    held: Floats
    facts: dict[str, float]
    caps: list[list[str]]

    def why(self, k: int, i: int) -> str:
        """Return in a few words why stage k moved the weight of symbol i."""
        integrator = self.setup.system.integrator
        stage = integrator.stages[k]
        before, after = (float(weight) for weight in self.decision.target.trace[i, k - 1 : k + 1])
        if stage == "s7_turnover":
            return self._traded(i, after) if self.decision.target.trade[i] else self._left(i)
        if isinstance(integrator, Pipeline):
            return self._of_book(integrator, stage, i, before, after)
        return _legacy_reason(stage, self.facts)

    def _of_book(self, book: Pipeline, stage: str, i: int, before: float, after: float) -> str:
        facts = self.facts
        if stage == "s1_allocate":
            holding = holders(book, [sleeve.name for sleeve in self.setup.system.sleeves], i)
            return "shares of who holds it: " + ", ".join(f"{name} {facts[f'share.{name}']:z.0%}" for name in holding)
        if stage == "s2_net":
            return self._netted(book, i, after)
        if stage == "s3_vol_target":
            factor, vol, target = facts["leverage"], facts["sigma_ex"], facts["sigma_p"]
            return f"times {factor:z.3f}: ex-ante {vol:z.1%} to {target:z.1%} volatility"
        return "held to " + ", then ".join(self.caps[i]) if stage == "s4_caps" else self._governed(before, after)

    def _netted(self, book: Pipeline, i: int, after: float) -> str:
        if after != 0.0:
            return "took over its wrappers"
        into = wrapper_for(book, self.decision.target.trace, i)
        if is_young(book)[i] or into < 0:
            return "too little history to trade"
        return f"netted into {self.setup.panel.symbols[into]}"

    def _governed(self, before: float, after: float) -> str:
        facts = self.facts
        what = f"times {facts['multiplier']:z.3f}"
        if facts["tier"] == NO_NEW and after != before * facts["multiplier"]:
            what = "no position may grow"
        call = "; margin call: scaled to the maintenance limit" if self.decision.target.forced else ""
        return f"{what}: drawdown {facts['drawdown']:z.1%}, tier {TIERS[int(facts['tier'])]}{call}"

    def _left(self, i: int) -> str:
        """Return why a symbol stays as it is held."""
        setup, band = self.setup, self.setup.config.band
        gap = abs(float(self.decision.target.weights[i] - self.held[i]))
        why = "inside the no-trade band" if gap <= band else "not worth its cost"
        if setup.feed.status[self.decision.t, i] != TRADING:
            why = "halted"
        return f"{why}: {gap:z.3%} from what is held"

    def _traded(self, i: int, after: float) -> str:
        """Return why what is traded is not what the stage before wanted."""
        target, setup = self.decision.target, self.setup
        if setup.feed.status[self.decision.t, i] == OUTSIDE:
            return "left the universe"
        wanted = float(target.weights[i])
        if float(target.goal[i]) != wanted:
            return f"as much of {wanted:z.3%} as the market takes in one trade"
        if setup.config.integrator.preset == "direct":
            return "margin call: scaled to the maintenance limit"
        if after == 0.0:
            return "smaller than what the ladder lets a book hold"
        if setup.panel.symbols[i] in setup.config.integrator.normalize.cash_equivalents:
            return "what is left, parked"
        return "Kelly fraction, a restriction, or the cap on the book's net"


def reasons_of(setup: Setup, decision: Decision, held: Floats) -> Reasons:
    """Return what the reasons of a decision are told from; held (N,) weights before it."""
    integrator, target = setup.system.integrator, decision.target
    caps: list[list[str]] = []
    if isinstance(integrator, Pipeline):
        clusters = list(setup.config.integrator.caps.clusters)
        caps = caps_on_symbols(integrator, decision.t, target, held, clusters)
    return Reasons(setup, decision, held, dict(zip(integrator.facts, target.facts.tolist(), strict=True)), caps)


def _legacy_reason(stage: str, facts: dict[str, float]) -> str:
    """Return why a stage of the old path moved a weight, "" for one that is not of it."""
    if stage == "min_variance":
        return f"least variance over {facts['rows']:z.0f} rows of common history"
    if stage == "first_vol_target":
        return f"times {facts['leverage']:z.3f}: ex-ante {facts['sigma_ex']:z.1%} to the book's target"
    if stage == "second_vol_target":
        return "scaled by its own volatility once more, halved, name and gross cap"
    return f"times {facts['multiplier']:z.3f}: drawdown {facts['drawdown']:z.1%}" if stage == "kill_tier" else ""
