"""The integrator port: from the state of all sleeves to one target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Protocol

from plimsoll.engine.errors import ConfigError, did_you_mean
from plimsoll.engine.execution.broker import Account
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.sleeve.sleeve import Sleeve
from plimsoll.engine.state import Saved
from plimsoll.engine.types import Bools, Floats

NOTHING_SKIPPED: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Mark:
    """What the account was worth at a close: equity in dollars, and its time-weighted index, 1 at the start."""

    equity: float
    nav: float


@dataclass(frozen=True, slots=True)
class Target:
    """What an account should hold.

    weights : (N,) signed fractions of equity, before the band; every cap holds on them.
    goal : (N,) what orders aim at: `weights`, unless the market is too thin to get there in one trade.
    trade : (N,) which names trade; the others keep the shares they have.
    trace : (N, stages) weights after each step in execution order, the last one what will be held.
    facts : (F,) figures of the decision, named by the integrator's `facts`.
    min_ticket : dollars below which an order is not sent, exits excepted.
    forced : a margin call scaled the weights.
    alone : no sleeve asked, only what leaves the universe or a margin call trades; what else is working goes on, in a
        margin call as far as it reduces.
    parts : (S, N) what each sleeve has of the book that stage 1 makes; None = the one sleeve has all of it.
    """

    weights: Floats
    goal: Floats
    trade: Bools
    trace: Floats
    facts: Floats
    min_ticket: float = 0.0
    forced: bool = False
    parts: Floats | None = None
    alone: bool = False


class Integrator(Protocol):
    """What has memory moves in `observe`; `decide` is a pure function of it and of the account.

    stages : names of the trace's columns. skippable : stages that `decide` can pass over. facts : names of
    `Target.facts`. needs_mark : whether `observe` wants the account's mark. kept : what cannot be passed over, and why.
    """

    stages: tuple[str, ...]
    skippable: tuple[str, ...]
    facts: tuple[str, ...]
    needs_mark: bool
    kept: Mapping[str, str]

    def observe(self, t: int, sleeves: Sequence[Sleeve], mark: Mark | None) -> None:
        """Advance everything with memory by the completed bar t; `mark` is None before the account exists."""

    def due(self, sleeves: Sequence[Sleeve]) -> bool:
        """Return whether this close calls for a decision even if nothing forces one."""

    def decide(
        self, sleeves: Sequence[Sleeve], account: Account, *, adopt: bool, day_return: float, skip: frozenset[str]
    ) -> Target:
        """Return the target for `account`.

        adopt marks the account's first decision; day_return is what the account has returned since the last observed
        close; stages named in `skip`, each one of `skippable`, are passed over, for explanation.
        """

    def save(self) -> Saved:
        """Return copies of everything that changes."""

    def check(self, saved: Saved) -> None:
        """Refuse what could not be restored; see `engine.state.check_saved`."""

    def restore(self, saved: Saved) -> None:
        """Put back what `save` returned; nothing is touched if `check` refuses it."""


def check_skip(skip: frozenset[str], skippable: tuple[str, ...]) -> None:
    """Raise ConfigError for a stage to skip that is not one of `skippable`."""
    for name in sorted(skip - set(skippable)):
        fix = did_you_mean(name, skippable) if skippable else "this preset has no stage that can be skipped"
        raise ConfigError(f"no stage {name!r} to skip", where="skip", fix=fix)


def check_day_return(day_return: float) -> None:
    """Raise ConfigError for a return of the day that an account with equity left cannot have."""
    if not (isfinite(day_return) and day_return > -1.0):
        raise ConfigError(
            f"the day's return is {day_return!r}", cause="equity now or at the last close is not known, or not above 0",
            fix="pass equity now over equity at the last close, less 1",
        )  # fmt: skip


@kernel
def scale_to_margin(weights: Floats, maintenance: Floats) -> float:
    """Return the factor, at most 1, that brings weights (N,) within their maintenance requirement.

    maintenance (2, N) is the fraction of market value required for longs and shorts: the factor solves
    factor * sum_i |w_i| m_i = 1.
    """
    required = 0.0
    for i in range(weights.shape[0]):
        required += weights[i] * maintenance[0, i] if weights[i] > 0.0 else -weights[i] * maintenance[1, i]
    return 1.0 / required if required > 1.0 else 1.0
