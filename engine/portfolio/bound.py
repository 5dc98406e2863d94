"""What a book's decision did to one symbol, where the figures of a decision speak of the whole book."""

from collections.abc import Sequence

import numpy as np

from plimsoll.engine.kernels.estimate import moments
from plimsoll.engine.portfolio.book import Pipeline
from plimsoll.engine.portfolio.book_decide import BEYOND, NETTED, SCALED, SKIP_S8, cap, keep_hedges
from plimsoll.engine.portfolio.book_facts import SHARE, Facts, of_sleeves
from plimsoll.engine.portfolio.integrator import Target
from plimsoll.engine.portfolio.stages import s4_caps, s8_ladder
from plimsoll.engine.types import Bools, Floats

_CAPS = ("name", "cluster", "gross", "net")


def caps_on_symbols(
    book: Pipeline, t: int, target: Target, held: Floats, cluster_names: Sequence[str]
) -> list[list[str]]:
    """Return for each of N symbols the caps of stage 4 that moved it, in words, in the order they apply.

    book : as it stood at the decision of the close of bar t. target : of that decision, held (N,) weights before it.
    Each cap is applied by itself, by the stage's own kernel, to what the ones before it left.
    """
    rules = book.settings.rules
    tier = rules.ladder[max(int(book.memory.ladder.tier[0]), 0)]
    caps = s4_caps.tightened(rules.caps, tier[s8_ladder.NAME], tier[s8_ladder.GROSS])
    none = caps._replace(**dict.fromkeys(_CAPS, BEYOND))
    w, side = target.trace[:, SCALED].copy(), np.sign(held) * BEYOND
    found: list[list[str]] = [[] for _ in range(len(w))]
    if rules.hedges:
        shares, before = of_sleeves(target.facts, SHARE, len(book.weight)), w.copy()
        factor, status = target.facts[Facts._fields.index("leverage")], book.prices.status
        keep_hedges(t, book.weight, shares, factor, caps.name, 0, rules, book.memory, status, w)
        for i in np.flatnonzero(w != before):
            found[i].append("a hedge that a name's cap would have left with one leg")
    groups = rules.groups
    through = " looked through" if (groups.per_cluster > 1.0).any() else ""
    for name in ("restricted", *_CAPS):
        limit = float(getattr(caps, name, BEYOND))
        alone = none._replace(**({name: limit} if name in _CAPS else {}))
        restriction = rules.restriction if name == "restricted" else rules.restriction[:0]
        before = w.copy()
        cap(t, side, tier, SKIP_S8, rules._replace(restriction=restriction, caps=alone), w, np.empty(s4_caps.CUTS))
        said = {"restricted": "a restriction of its own", "name": f"its own cap of {limit:z.1%}"}
        for i in np.flatnonzero(w != before):
            where = (
                f"cluster {cluster_names[groups.cluster[i]]}{through}" if name == "cluster" else f"the book's {name}"
            )
            found[i].append(said.get(name, f"the cap of {limit:z.1%} on {where}"))
    return found


def holders(book: Pipeline, sleeves: Sequence[str], column: int) -> list[str]:
    """Return the sleeves whose own portfolio has weight in a symbol."""
    unit = book.memory.s0.unit
    return [name for row, name in enumerate(sleeves) if unit[row, column] != 0.0]


def is_young(book: Pipeline) -> Bools:
    """Return (N,) which symbols have too few returns for stage 2 to let a book trade them."""
    count = np.diag(book.memory.asset_moments.pair[moments.COUNT])
    young: Bools = count < book.settings.rules.min_symbol_obs
    return young


def wrapper_for(book: Pipeline, trace: Floats, column: int) -> int:
    """Return the column of the wrapper that took over a symbol's weight in stage 2, -1 if none did."""
    member, group = book.settings.rules.wrapper_member, book.settings.rules.wrapper_group
    own = group[member == column]
    others = member[np.isin(group, own) & (member != column)]
    taken = [int(k) for k in others if trace[k, NETTED] != trace[k, NETTED - 1]]
    return taken[0] if len(taken) == 1 else -1
