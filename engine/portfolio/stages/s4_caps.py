"""Stage 4: caps, by shrinkage only.

In this order, once each: restricted symbols; name |W_i| <= c_name; cluster sum |W| <= c_cluster; gross sum |W| <= G;
net |sum W| <= N_max by scaling the larger side. Every step only shrinks, so those before stay satisfied and nothing
is renormalised; what binds is reported.
Source: portfolio integration layer, stage 4.
"""

from typing import Final, NamedTuple

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Bools, Codes, Floats, Ints

# What can bind a book, in the order of the bits that report it: the caps of this stage, and two others. A new one goes
# to the end, so that the figures of earlier runs keep their meaning.
BINDING: Final = ("name", "cluster", "gross", "net", "restricted", "leverage", "margin")
BOUND_NAME: Final = 1 << BINDING.index("name")
BOUND_CLUSTER: Final = 1 << BINDING.index("cluster")
BOUND_GROSS: Final = 1 << BINDING.index("gross")
BOUND_NET: Final = 1 << BINDING.index("net")
BOUND_RESTRICTED: Final = 1 << BINDING.index("restricted")
BOUND_LEVERAGE: Final = 1 << BINDING.index("leverage")  # stage 3: the volatility target is out of reach
BOUND_MARGIN: Final = 1 << BINDING.index("margin")  # a margin call
ELSEWHERE: Final = ("leverage", "margin")

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
def apply_caps(cluster: Ints, p: Params, sums: Floats, w: Floats) -> int:
    """Shrink w (N,) in place into all caps; return the bits of what bound.

    cluster (N,) number of each symbol's cluster, -1 = none; sums (clusters,) scratch.
    """
    bound = 0
    for i in range(w.shape[0]):
        if abs(w[i]) > p.name:
            w[i] = p.name if w[i] > 0.0 else -p.name
            bound |= BOUND_NAME
    for k in range(sums.shape[0]):
        sums[k] = 0.0
    for i in range(w.shape[0]):
        if cluster[i] >= 0:
            sums[cluster[i]] += abs(w[i])
    for i in range(w.shape[0]):
        if cluster[i] >= 0 and sums[cluster[i]] > p.cluster:
            w[i] *= p.cluster / sums[cluster[i]]
            bound |= BOUND_CLUSTER
    total = 0.0
    for i in range(w.shape[0]):
        total += abs(w[i])
    if total > p.gross:
        for i in range(w.shape[0]):
            w[i] *= p.gross / total
        bound |= BOUND_GROSS
    return bound | trim_net(p.net, w)


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
def held_over(held: Floats, is_cash: Bools, cluster: Ints, p: Params, band: float, sums: Floats, forced: Bools) -> None:
    """Write which names (N,) a cap forces down inside the no-trade band.

    All of them while held gross or net is over its cap by more than the band, the members of a cluster that is. A
    name over its own cap by more than the band is outside the band anyway.
    """
    total, signed = 0.0, 0.0
    for k in range(sums.shape[0]):
        sums[k] = 0.0
    for i in range(held.shape[0]):
        if not is_cash[i]:
            total += abs(held[i])
            signed += held[i]
            if cluster[i] >= 0:
                sums[cluster[i]] += abs(held[i])
    over = total > p.gross + band or abs(signed) > p.net + band
    for i in range(held.shape[0]):
        forced[i] = over or (cluster[i] >= 0 and sums[cluster[i]] > p.cluster + band)
