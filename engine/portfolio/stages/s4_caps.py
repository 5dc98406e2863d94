"""Stage 4: caps, by shrinkage only.

In this order, once each: restricted symbols; name |W_i| l_i <= c_name; cluster sum |W_i| l_i <= c_cluster; gross
sum |W| <= G; net |sum W| <= N_max by scaling the larger side. l_i is what a weight of 1 counts: 1, or the fund's
|leverage| where the cap looks through it (10% of a fund of three times its index is 30% of the index). Every step only
shrinks, so those before stay satisfied and nothing is renormalised; what binds is reported, and what it took.
Source: portfolio integration layer, stage 4; looking through is ours.
"""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Bools, Codes, Floats, Ints

# What can bind a book, in the order of the bits that report it: the caps of this stage, and two others. A new one goes
# to the end, so that the figures of earlier runs keep their meaning.
BINDING: Final = ("name", "cluster", "gross", "net", "restricted", "leverage", "margin", "hedge")
BOUND_NAME: Final = 1 << BINDING.index("name")
BOUND_CLUSTER: Final = 1 << BINDING.index("cluster")
BOUND_GROSS: Final = 1 << BINDING.index("gross")
BOUND_NET: Final = 1 << BINDING.index("net")
BOUND_RESTRICTED: Final = 1 << BINDING.index("restricted")
BOUND_LEVERAGE: Final = 1 << BINDING.index("leverage")  # stage 3: the volatility target is out of reach
BOUND_MARGIN: Final = 1 << BINDING.index("margin")  # a margin call
BOUND_HEDGE: Final = 1 << BINDING.index("hedge")  # `s4_hedges`: a name's cap, taken from all legs of a sleeve
ELSEWHERE: Final = ("leverage", "margin")

# What each cap took, as it is reported: places in `cut` (CUTS,).
CUT_NAME: Final = 0
CUT_CLUSTER: Final = 1
CUT_GROSS: Final = 2
CUT_NET: Final = 3
CUTS: Final = 4

HELD_EXACTLY: Final = 1e-9  # of equity: held weights are sums of rounded products

# Restrictions of a symbol.
FREE: Final = 0
NO_NEW: Final = 1  # may shrink, may not grow
CLOSE: Final = 2  # must go


class Params(NamedTuple):
    """Caps as fractions of equity, named as in the configuration."""

    name: float
    cluster: float
    gross: float
    net: float


class Groups(NamedTuple):
    """What the caps count, over N symbols: cluster (N,) the number of each symbol's, -1 = none.

    per_name, per_cluster (N,) : what a weight of 1 counts in its name and in its cluster, 1 or the fund's |leverage|.
    """

    cluster: Ints
    n_clusters: int
    per_name: Floats
    per_cluster: Floats


@kernel
def tightened(p: Params, name: float, gross: float) -> Params:
    """Return the caps with those on names and gross no wider than the ladder's."""
    return Params(name=min(p.name, name), cluster=p.cluster, gross=min(p.gross, gross), net=p.net)


def names_of(bits: int) -> list[str]:
    """Return the caps of this stage that bound, by name."""
    return [name for k, name in enumerate(BINDING) if bits & (1 << k) and name not in ELSEWHERE]


@kernel
def restrict(restriction: Codes, held: Floats, w: Floats) -> int:
    """Apply restrictions (N,) to w (N,) given held weights (N,); return BOUND_RESTRICTED or 0."""
    bound = 0
    for i in range(w.shape[0]):
        if restriction[i] == FREE:
            continue
        kept = 0.0
        if restriction[i] == NO_NEW and w[i] * held[i] > 0.0:
            kept = w[i] if abs(w[i]) <= abs(held[i]) else held[i]
        if kept != w[i]:
            bound = BOUND_RESTRICTED
        w[i] = kept
    return bound


@kernel
def apply_caps(groups: Groups, p: Params, w: Floats, cut: Floats) -> int:
    """Shrink w (N,) in place into all caps; return the bits of what bound.

    cut (CUTS,) receives what each cap took of sum |W|.
    """
    bound, before = 0, gross_of(w)
    for i in range(w.shape[0]):
        if abs(w[i]) * groups.per_name[i] > p.name:
            w[i] = p.name / groups.per_name[i] if w[i] > 0.0 else -p.name / groups.per_name[i]
            bound |= BOUND_NAME
    total = gross_of(w)
    cut[CUT_NAME] = before - total
    sums = np.zeros(groups.n_clusters)
    sum_clusters(groups, w, sums)
    for i in range(w.shape[0]):
        k = groups.cluster[i]
        if k >= 0 and sums[k] > p.cluster:
            w[i] *= p.cluster / sums[k]
            bound |= BOUND_CLUSTER
    before, total = total, gross_of(w)
    cut[CUT_CLUSTER] = before - total
    cut[CUT_GROSS] = 0.0
    if total > p.gross:
        for i in range(w.shape[0]):
            w[i] *= p.gross / total
        bound |= BOUND_GROSS
        before, total = total, gross_of(w)
        cut[CUT_GROSS] = before - total
    bound |= trim_net(p.net, w)
    cut[CUT_NET] = total - gross_of(w)
    return bound


@kernel
def gross_of(w: Floats) -> float:
    """Return sum |w|."""
    total = 0.0
    for i in range(w.shape[0]):
        total += abs(w[i])
    return total


@kernel
def sum_clusters(groups: Groups, w: Floats, sums: Floats) -> None:
    """Add what w (N,) counts in each cluster to sums (clusters,)."""
    for i in range(w.shape[0]):
        if groups.cluster[i] >= 0:
            sums[groups.cluster[i]] += abs(w[i]) * groups.per_cluster[i]


@kernel
def trim_net(net: float, w: Floats) -> int:
    """Scale the larger side of w (N,) so that |sum w| <= net; return BOUND_NET or 0."""
    long, short = 0.0, 0.0
    for i in range(w.shape[0]):
        if w[i] > 0.0:
            long += w[i]
        else:
            short -= w[i]
    if abs(long - short) <= net:
        return 0
    factor = (net + short) / long if long > short else (net + long) / short
    for i in range(w.shape[0]):
        if (w[i] > 0.0) == (long > short):
            w[i] *= factor
    return BOUND_NET


@kernel
def held_over(
    held: Floats, is_cash: Bools, groups: Groups, p: Params, band: float, any_net: bool, forced: Bools
) -> None:
    """Write which names (N,) a cap forces down inside the no-trade band.

    All of them while held gross is over its cap by more than the band; the members of a cluster that is. While held
    net is over its cap: with `any_net` by whatever it is, the names of the larger side, whose reductions bring it down;
    else by more than the band, all names. A name over its own cap by more than the band is outside the band anyway.
    """
    risky, sums = np.empty(held.shape[0]), np.zeros(groups.n_clusters)
    total, signed = 0.0, 0.0
    for i in range(held.shape[0]):
        risky[i] = 0.0 if is_cash[i] else held[i]
        total += abs(risky[i])
        signed += risky[i]
    sum_clusters(groups, risky, sums)
    over = total > p.gross + band or (not any_net and abs(signed) > p.net + band)
    net = any_net and abs(signed) > p.net + HELD_EXACTLY
    for i in range(held.shape[0]):
        k = groups.cluster[i]
        forced[i] = over or (k >= 0 and sums[k] > p.cluster + band) or (net and held[i] * signed > 0.0)
