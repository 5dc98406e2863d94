"""A scenario replayed through the whole system: what it lost on the way, and what the governor did about it."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from plimsoll.engine.core import Decision
from plimsoll.engine.kernels import layout
from plimsoll.engine.portfolio.stages.s5_governor import TIERS
from plimsoll.engine.research.stress.go_on import Stand, go_on
from plimsoll.engine.research.stress.lengthen import Way, lengthened
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.backtest import Track
from plimsoll.engine.types import Bools, Floats, Ints

# What the governor did: there is none, nothing called on it, it cut what was held, or it was called and did not.
Governor: TypeAlias = Literal["none", "not called", "cut", "did not cut"]
# What an integrator with a governor says of every decision.
_GOVERNOR: Final = frozenset(("multiplier", "drawdown", "tier"))
# Relative difference of gross within which a book is the same: interest and dividends move it a little.
SAME: Final = 1e-3
_CAPPED: Final = "s4_caps"
_GOVERNED: Final = "s5_governor"


@dataclass(frozen=True, slots=True)
class TierChange:
    """The kill tier from the close of a session on; session 0 is the run's last."""

    session: int
    day: str
    tier: str


@dataclass(frozen=True, slots=True)
class Replay:
    """A run's way through the n sessions of a scenario and the quiet ones after it; fractions.

    nav, gross, multiplier (n + quiet + 1,) : at the run's last close and after it: the account, 1 at the start; weights
    held, cash equivalents aside; what the governor leaves, 1 without one.
    ret (n + quiet,) : session returns. drawdown : the worst, from the highest close of these. governor_drawdown : the
    worst that the governor saw, from the account's own high before. cut : the largest part of a target's gross that
    the governor took, on session `cut_session`. tiers : every change.
    """

    sessions: int
    nav: Floats
    gross: Floats
    multiplier: Floats
    ret: Floats
    governor: Governor
    governor_drawdown: float
    cut: float
    cut_session: int
    tiers: tuple[TierChange, ...]
    margin_calls: int
    ruined: bool

    @property
    def drawdown(self) -> float:
        """The worst fall from the highest close so far, > 0."""
        return float(np.max(1.0 - self.nav / np.maximum.accumulate(self.nav)))

    @property
    def day_loss(self) -> float:
        """The worst session's loss, >= 0."""
        return max(0.0, -float(self.ret.min()))

    @property
    def total(self) -> float:
        """The return over all of it."""
        return float(self.nav[-1]) - 1.0

    @property
    def worst_tier(self) -> str:
        """The highest tier reached, "" without a governor."""
        named = [change.tier for change in self.tiers]
        return max(named, key=TIERS.index) if named else ""


def is_governed(facts: tuple[str, ...]) -> bool:
    """Return whether an integrator of these facts has a governor."""
    return set(facts) >= _GOVERNOR


def replay(stand: Stand, way: Way, is_cash: Bools) -> Replay:
    """Take a run through a way of the market; is_cash (N,) marks columns that are cash in all but name.

    Raises
    ------
    StrategyError
        If a strategy fails on what it sees there.
    """
    setup, track = go_on(stand, lengthened(stand.setup.panel, way))
    return measure(stand, setup, track, way.n, is_cash)


def measure(stand: Stand, setup: Setup, track: Track, n: int, is_cash: Bools) -> Replay:
    """Return the figures of a run that went on."""
    begin, stop = stand.last + 1, track.last + 1
    ret = np.zeros(setup.panel.n_bars - begin)
    ret[: stop - begin] = setup.broker.rec[begin:stop, layout.R_RET]
    if track.ruined:
        ret[stop - begin - 1] = -1.0
    held = setup.broker.held[begin:].copy()
    held[stop - begin :] = 0.0
    held = np.vstack((stand.setup.broker.held[stand.last], held))
    gross = np.abs(held[:, ~is_cash]).sum(axis=1)
    facts, before = setup.system.integrator.facts, stand.track.decisions[-1:]
    seen = [(max(d.t - stand.last, 0), d) for d in (*before, *track.decisions)]
    multiplier, cut, cut_session = _held_back(seen, facts, setup.system.integrator.stages, is_cash, len(gross))
    known = is_governed(facts)
    nav: Floats = np.cumprod(np.concatenate(([1.0], 1.0 + ret)), dtype=np.float64)
    return Replay(
        sessions=n,
        nav=nav,
        gross=gross,
        multiplier=multiplier,
        ret=ret,
        governor=_judge(multiplier, held, setup.feed.ret[begin:], is_cash) if known else "none",
        governor_drawdown=max((_fact(d, facts, "drawdown") for _, d in seen), default=0.0) if known else 0.0,
        cut=cut,
        cut_session=cut_session,
        tiers=_tiers(seen, facts, setup) if known else (),
        margin_calls=int(setup.broker.book.scal[layout.MARGIN_CALLS] - stand.book["scal"][layout.MARGIN_CALLS]),
        ruined=track.ruined,
    )


def _fact(decision: Decision, facts: tuple[str, ...], name: str) -> float:
    return float(decision.target.facts[facts.index(name)])


def _held_back(
    seen: list[tuple[int, Decision]], facts: tuple[str, ...], stages: tuple[str, ...], is_cash: Bools, n: int
) -> tuple[Floats, float, int]:
    """Return the multiplier at each close (n,), the largest part of a target that the governor took, and when."""
    multiplier, most, session = np.ones(n), 0.0, -1
    if not is_governed(facts):
        return multiplier, most, session
    for k, decision in seen:
        multiplier[k:] = _fact(decision, facts, "multiplier")
        if _CAPPED in stages and _GOVERNED in stages:
            rows = np.abs(decision.target.trace[~is_cash])
            capped, left = (float(rows[:, stages.index(name)].sum()) for name in (_CAPPED, _GOVERNED))
            if capped > 0.0 and 1.0 - left / capped > most:
                most, session = 1.0 - left / capped, k
    return multiplier, most, session


def _judge(multiplier: Floats, held: Floats, ret: Floats, is_cash: Bools) -> Governor:
    """Return whether the governor, first called on at some close, was followed by less than its book by itself.

    multiplier (n,), held (n, N) weights at each close; ret (n - 1, N) returns of the sessions between. A book that is
    left alone has a gross of its own, which falls where prices do: that is no cut. What the last close asks for is
    not carried out any more, and of nothing held nothing can be cut.
    """
    called: Ints = np.flatnonzero(np.diff(np.concatenate(([1.0], multiplier))) < 0.0)
    for k in called[called < len(held) - 1]:
        alone = left_alone(held[k], ret[k:], is_cash)
        if alone[0] > 0.0:
            after = np.abs(held[k + 1 :, ~is_cash]).sum(axis=1)
            return "cut" if (after < (1.0 - SAME) * alone[1:]).any() else "did not cut"
    return "not called"


def left_alone(weights: Floats, ret: Floats, is_cash: Bools) -> Floats:
    """Return (m + 1,) the gross of weights (N,) at a close and after each of m sessions of returns (m, N), untraded."""
    grown = np.vstack((weights, weights * np.cumprod(1.0 + np.nan_to_num(ret, nan=0.0), axis=0)))
    equity = 1.0 + grown.sum(axis=1) - weights.sum()
    gross: Floats = np.abs(grown[:, ~is_cash]).sum(axis=1) / np.where(equity > 0.0, equity, np.inf)
    return gross


def _tiers(seen: list[tuple[int, Decision]], facts: tuple[str, ...], setup: Setup) -> tuple[TierChange, ...]:
    found: list[TierChange] = []
    for k, decision in seen:
        tier = TIERS[int(_fact(decision, facts, "tier"))]
        if not found or found[-1].tier != tier:
            found.append(TierChange(k, str(setup.panel.clock.session[decision.t]), tier))
    return tuple(found)
