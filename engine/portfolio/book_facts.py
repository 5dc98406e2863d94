"""The figures of a book's decision, by name: what is written is what the names say, in their order."""

from typing import Final, NamedTuple

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.linalg import copy_to
from plimsoll.engine.portfolio.book_memory import Memory
from plimsoll.engine.types import Bools, Floats


class Facts(NamedTuple):
    """Figures of the whole book; codes and counts are floats too, so that they fill one row.

    leverage, sigma_ex, sigma_p, shrinkage, vol_fallback of stage 3; binding bits of `stages.s4_caps.BINDING`;
    multiplier, drawdown, tier of stage 5; rung, alarm, hrp_erc_gap and what it is held against, alarm_threshold, of
    stage 1; effective_n names; regime, confidence of stage 6; ladder_tier, ladder_gross of stage 8; trades limited by
    capacity and withdrawn by the cost gate; idle_capital the part of the book that no sleeve uses; cut_* what each cap
    of stage 4 took of the gross that stage 3 asked for, a fraction.
    """

    leverage: float
    sigma_ex: float
    sigma_p: float
    shrinkage: float
    vol_fallback: float
    binding: float
    multiplier: float
    drawdown: float
    tier: float
    rung: float
    alarm: float
    hrp_erc_gap: float
    alarm_threshold: float
    effective_n: float
    regime: float
    confidence: float
    ladder_tier: float
    ladder_gross: float
    capacity_bound: float
    cost_gated: float
    idle_capital: float
    cut_name: float
    cut_cluster: float
    cut_gross: float
    cut_net: float


# What follows them, a figure for each sleeve: its share, the raw weights of the two methods, its skill, its slot.
PER_SLEEVE: Final = ("share", "hrp", "erc", "skill", "slot")
N_FACTS: Final = len(Facts._fields)
RUNG: Final = Facts._fields.index("rung")
SHARE: Final = PER_SLEEVE.index("share")
HRP: Final = PER_SLEEVE.index("hrp")
ERC: Final = PER_SLEEVE.index("erc")
SKILL: Final = PER_SLEEVE.index("skill")
SLOT: Final = PER_SLEEVE.index("slot")


def names_of(sleeves: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of a row of facts."""
    return (*Facts._fields, *(f"{kind}.{name}" for kind in PER_SLEEVE for name in sleeves))


@kernel
def of_sleeves(row: Floats, kind: int, n_sleeves: int) -> Floats:
    """Return the figures (S,) of one kind in a row of facts, a view."""
    first = N_FACTS + kind * n_sleeves
    return row[first : first + n_sleeves]


@kernel
def effective_names(target: Floats, is_cash: Bools) -> float:
    """Return the number of equal positions that would be as concentrated as target (N,), cash equivalents aside."""
    squares, total = 0.0, 0.0
    for i in range(target.shape[0]):
        if not is_cash[i]:
            squares += target[i] * target[i]
            total += abs(target[i])
    return total * total / squares if squares > 0.0 else 0.0


@kernel
def write_facts(facts: Facts, m: Memory, row: Floats) -> None:
    """Write the figures of a decision to `row`, then what follows the shares of the sleeves, which stand there."""
    for k, value in enumerate(facts):
        row[k] = value
    n_sleeves = m.skill.shape[0]
    copy_to(of_sleeves(row, HRP, n_sleeves), m.s1.hrp)
    copy_to(of_sleeves(row, ERC, n_sleeves), m.s1.erc)
    copy_to(of_sleeves(row, SKILL, n_sleeves), m.skill)
    copy_to(of_sleeves(row, SLOT, n_sleeves), m.s1.applied)
