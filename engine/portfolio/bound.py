"""What a book's decision did to one symbol, where the figures of a decision speak of the whole book."""

from collections.abc import Sequence

import numpy as np

from plimsoll.engine.kernels.estimate import moments
from plimsoll.engine.portfolio.book import Pipeline
from plimsoll.engine.portfolio.book_decide import (
    BEYOND,
    NETTED,
    SCALED,
    SKIP_S8,
    STAGES,
    Out,
    cap,
    keep_hedges,
)
from plimsoll.engine.portfolio.book_facts import Facts
from plimsoll.engine.portfolio.stages import s4_caps, s8_ladder
from plimsoll.engine.types import Bools, Codes, Floats, Ints

_CAPS = ("name", "cluster", "gross", "net")


def caps_on_symbols(
    book: Pipeline, t: int, trace: Floats, facts: Floats, held: Floats, status: Codes, cluster_names: Sequence[str]
) -> list[list[str]]:
    """Return for each of N symbols the caps of stage 4 that moved it, in words, in the order they apply.

    book : as it stood at the decision of the close of bar t. trace (N, stages) and facts of that decision, held (N,)
    weights before it, status (T, N). Each cap is applied by itself, by the stage's own kernel, to what the ones before
    it left.
    """
    rules = book.settings.rules
    tier = rules.ladder[max(int(book.memory.ladder.tier[0]), 0)]
    caps = s4_caps.tightened(rules.caps, tier[s8_ladder.NAME], tier[s8_ladder.GROSS])
    none = caps._replace(**dict.fromkeys(_CAPS, BEYOND))
    w, side = trace[:, SCALED].copy(), np.sign(held) * BEYOND
    found: list[list[str]] = [[] for _ in range(len(w))]
    for i in _hedges(book, t, w, facts, status, caps.name):
        found[i].append("a hedge that a name's cap would have left with one leg")
    for name in ("restricted", *_CAPS):
        limit = float(getattr(caps, name, BEYOND))
        alone = none._replace(**({name: limit} if name in _CAPS else {}))
        restriction = rules.restriction if name == "restricted" else rules.restriction[:0]
        before = w.copy()
        cap(t, side, tier, SKIP_S8, rules._replace(restriction=restriction, caps=alone), w, np.zeros(s4_caps.CUTS))
        said = {"restricted": "a restriction of its own", "name": f"its own cap of {limit:.1%}"}
        for i in np.flatnonzero(w != before):
            where = (
                f"cluster {cluster_names[int(rules.groups.cluster[i])]}" if name == "cluster" else f"the book's {name}"
            )
            found[i].append(said.get(name, f"the cap of {limit:.1%} on {where}"))
    return found


def _hedges(book: Pipeline, t: int, w: Floats, facts: Floats, status: Codes, name: float) -> Ints:
    """Scale the hedged sleeves of w (N,), what stage 3 asked for, as the decision did; return whom that moved."""
    rules, before = book.settings.rules, w.copy()
    if not rules.hedges:
        return np.empty(0, dtype=np.int64)
    n = len(w)
    out = Out(w, np.zeros(n), np.zeros(n, dtype=np.bool_), np.zeros((len(STAGES), n)), facts.copy())
    asked = np.zeros_like(book.memory.s0.unit)  # what stage 0 made of the sleeves is in the memory
    factor = float(facts[Facts._fields.index("leverage")])
    keep_hedges(t, asked, factor, name, 0, rules, book.memory, status, out)
    return np.flatnonzero(w != before)


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
