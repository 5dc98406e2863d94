"""The configuration of the nine stages; defaults are those of the portfolio integration layer."""

from datetime import date
from itertools import pairwise
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from plimsoll.engine.config.section import Section


class StageSection(Section):
    """What one stage is set to."""


class NormalizeSection(StageSection):
    """Stage 0."""

    mode: Literal["conviction", "unit_gross"] = "conviction"
    """What a sleeve's own gross says: how convinced it is, or nothing."""
    conviction: Literal["fuller", "gross"] | None = None
    """A sleeve that sizes itself to a volatility is fully convinced at that or at its full gross, whichever is nearer;
    gross: only at its full gross. None = fuller; to the letter gross."""
    scaling: Literal["sleeve_vol", "none"] | None = None
    """To what sleeves are scaled: none = each keeps its own; None = sleeve_vol."""
    sleeve_vol: float = Field(0.10, gt=0, le=1)
    """Volatility per year each sleeve is scaled to."""
    half_life_sessions: float = Field(42.0, gt=0)
    """Of a sleeve's volatility."""
    vol_floor: float = Field(0.02, gt=0)
    """Volatility per year below which none is believed."""
    max_scale: float = Field(5.0, gt=0)
    """Most that a sleeve is multiplied by; a sleeve may have its own."""
    min_obs: int = Field(20, ge=1)
    """Returns a sleeve needs before it is scaled."""
    cash_equivalents: tuple[str, ...] = ("SGOV", "BIL")
    """Symbols that count as cash; what is left may be parked in the first listed one."""

    @model_validator(mode="after")
    def _conviction_counts(self) -> "NormalizeSection":
        if self.mode == "unit_gross" and self.conviction is not None:
            raise ValueError("'conviction' has no effect beside mode 'unit_gross', which leaves no conviction")
        return self


class AllocateSection(StageSection):
    """Stage 1."""

    method: Literal["hrp", "erc", "inverse_vol", "equal", "min_variance", "nco"] = "hrp"
    """How shares are drawn from the sleeves' covariance. hrp splits an ordered list in halves: where a half cuts a
    cluster, sleeves that are alike get unequal shares."""
    half_life_sessions: float = Field(63.0, gt=0)
    """Of the covariance of the sleeves."""
    min_obs: int = Field(60, ge=2)
    """Returns a sleeve needs before it is allocated by the method."""
    cap: float = Field(0.35, gt=0, le=1)
    """Most that one sleeve gets, fraction of the whole."""
    skill_kappa: float = Field(0.25, ge=0, lt=1)
    """Most that skill tilts a share, up or down; 0 = not at all."""
    skill_warmup_sessions: int = Field(40, ge=0)
    """Sessions before skill counts."""
    skill_on: Literal["holdable", "watched"] | None = None
    """Whose ranks make the skill: symbols a sleeve may hold, or all it looks at; None = holdable, to the letter
    watched."""
    smoothing: float = Field(0.8, ge=0, lt=1)
    """Weight of the former shares in the new ones; 0 = none."""
    apply_threshold: float = Field(0.02, ge=0, lt=1)
    """Change of a share that is too small to be made."""
    alarm: float | None = Field(None, ge=0, le=1)
    """Threshold of the HRP-ERC gap; None = drawn, see stage 1."""
    shrinkage_target: Literal["constant_correlation", "uncorrelated"] = "constant_correlation"
    """What the sleeves' covariance is shrunk to: one correlation for all pairs, or none."""
    max_shrinkage: float = Field(0.9, gt=0, le=1)
    """Most that the covariance is shrunk."""
    ramp_sessions: int = Field(20, ge=1)
    """Sessions over which a new sleeve grows to its full share."""
    ramp_start: float = Field(0.5, gt=0, le=1)
    """Part of its share that a new sleeve begins with."""
    runoff_sessions: int = Field(1, ge=1)
    """Sessions over which a sleeve that goes is wound down."""
    release_idle_sessions: int | None = Field(None, ge=0)
    """A sleeve that has held nothing for so long lends its slot to the others, 0 = never; None = 20, to the letter 0;
    a sleeve may have its own."""
    least_share: float | None = Field(None, ge=0, lt=0.1)
    """Below it a share is 0; None = 1e-6, to the letter 0."""
    erc_blend_max: float = Field(0.0, ge=0, le=1)
    """Most that the ERC shares are blended in, at full confidence of a crisis."""
    every: Literal["week"] | Annotated[int, Field(ge=1)] = 1
    """When shares are drawn anew: a number of sessions, or the week's last one."""


class NetSection(StageSection):
    """Stage 2: groups of funds that hold the same thing, the preferred one first."""

    wrappers: tuple[tuple[str, ...], ...] = (("GLD", "IAU", "SGOL"), ("SLV", "SIVR"), ("DBC", "PDBC"))
    """Funds on the same thing: all are traded as the first."""
    min_obs: int = Field(20, ge=1)
    """Returns a symbol needs to be traded in a book."""


class VolTargetSection(StageSection):
    """Stage 3."""

    target: float = Field(0.10, gt=0)
    """Volatility of the book per year; what stage 6 starts from."""
    l_min: float = Field(0.0, ge=0)
    """Least multiplier of the book."""
    l_max: float = Field(2.0, gt=0)
    """Most multiplier of the book."""
    half_life_sessions: float = Field(63.0, gt=0)
    """Of the book's covariance."""
    covariance: Literal["shrunk", "factor"] = "shrunk"
    """shrunk: of all pairs; factor: of a few common factors, for many symbols."""
    factors: int = Field(5, ge=1)
    """How many common factors."""
    window_sessions: int = Field(120, ge=20)
    """Sessions the factors are drawn from."""


_CLUSTERS: Final[dict[str, tuple[str, ...]]] = {
    "us_equity": ("SPY", "QQQ", "IWM", "TQQQ", "SQQQ", "VNQ", "XLE"),
    "foreign_equity": ("EFA", "EEM", "EWA", "EWC"),
    "treasury": ("TLT", "IEF", "SHY", "TMF", "TIP", "AGG"),
    "credit": ("LQD", "HYG"),
    "precious": ("GLD", "IAU", "SGOL", "SLV", "SIVR", "GDX"),
    "commodity": ("DBC", "PDBC", "USO", "USL"),
    "managed_futures": ("DBMF", "KMLM"),
    "volatility": ("SVOL", "TAIL", "PFIX"),
}


class CapsSection(StageSection):
    """Stage 4; each cap is the smaller of its own and the ladder's."""

    name: float = Field(0.15, gt=0)
    """Most of one symbol, fraction of equity."""
    cluster: float = Field(0.35, gt=0)
    """Most of one cluster, net, fraction of equity."""
    gross: float = Field(2.0, gt=0)
    """Most of longs and shorts together, multiple of equity."""
    net: float = Field(1.0, gt=0)
    """Most of longs less shorts, multiple of equity."""
    capacity: float = Field(0.05, gt=0)
    """Most that a trade may be of average daily volume."""
    clusters: dict[str, tuple[str, ...]] = _CLUSTERS
    """Cluster -> the symbols that count as one risk."""
    look_through: bool | None = None
    """Clusters count a fund times its leverage; None = as ruled: yes, literal: no."""
    look_through_names: bool | None = None
    """A name counts times its leverage; None = no."""
    hedges: bool | None = None
    """What a name's cap takes from one leg of a long-short sleeve, all legs lose; None = no."""

    @model_validator(mode="after")
    def _partition(self) -> "CapsSection":
        seen: dict[str, str] = {}
        for cluster, symbols in self.clusters.items():
            for symbol in symbols:
                if symbol in seen:
                    raise ValueError(
                        f"{symbol} is in clusters {seen[symbol]!r} and {cluster!r}: clusters are a partition"
                    )
                seen[symbol] = cluster
        return self


class GovernorSection(StageSection):
    """Stage 5."""

    d0: float = Field(0.05, gt=0, lt=1)
    """Drawdown at which exposure begins to fall."""
    d_hard: float = Field(0.12, gt=0, lt=1)
    """Drawdown at which exposure is down to m_min."""
    m_min: float = Field(0.2, ge=0, le=1)
    """The least multiplier of exposure above the kill tier."""
    flat: float = Field(0.15, gt=0, lt=1)
    """Drawdown at which everything is sold."""
    cooloff_sessions: int = Field(20, ge=0)
    """Sessions in cash after that."""
    reentry_sessions: int = Field(40, ge=1)
    """Sessions over which exposure comes back."""
    day_loss: float = Field(0.03, gt=0, lt=1)
    """Loss of one session that cuts exposure."""
    day_reentry_sessions: int = Field(10, ge=1)
    """Sessions over which it comes back from there."""
    vol_adjusted: bool = True
    """Drawdowns count by the book's volatility, see sigma_ref."""
    sigma_ref: float = Field(0.10, gt=0)
    """The target volatility at which drawdowns count as they are."""
    warn: float = Field(0.05, gt=0, lt=1)
    """Drawdown of the tier that warns."""
    throttle: float = Field(0.10, gt=0, lt=1)
    """Drawdown of the tier that throttles."""
    throttle_to: float = Field(0.5, ge=0, le=1)
    """Multiplier of exposure from there on."""
    no_new: float = Field(0.12, gt=0, lt=1)
    """Drawdown of the tier that opens nothing new."""
    combine: Literal["min", "product"] = "min"
    """How the smooth governor and the tiers make one multiplier."""

    @model_validator(mode="after")
    def _ordered(self) -> "GovernorSection":
        if not self.d0 < self.d_hard <= self.flat:
            raise ValueError(f"d0 < d_hard <= flat does not hold: {self.d0}, {self.d_hard}, {self.flat}")
        if not self.warn <= self.throttle <= self.no_new <= self.flat:
            raise ValueError("the tiers must not decrease: warn, throttle, no_new, flat")
        return self


class RegimeSection(StageSection):
    """Stage 6; needs the three series, else the regime stays neutral."""

    enabled: bool = True
    """Whether the regime tilts anything."""
    risk_on: float = Field(0.12, gt=0)
    """Volatility target per year in a calm market; the neutral one is that of stage 3."""
    transition: float = Field(0.09, gt=0)
    """Volatility target per year between the two."""
    crisis: float = Field(0.08, gt=0)
    """Volatility target per year in a crisis."""
    band: tuple[float, float] = (0.08, 0.12)
    """Between what the target may move, per year."""
    tilt_max: float = Field(0.2, ge=0, lt=1)
    """Most that a sleeve's share is tilted by its role."""
    dwell_sessions: int = Field(5, ge=1)
    """Sessions a new label has to stand before it counts."""
    correlation: Literal["positive", "signed"] | None = None
    """Which signs of the correlation of stocks and bonds count. Two readings: None = the first word as ruled, the
    second to the letter."""
    confidence: Literal["label", "signal"] | None = None
    """How sure a label is: the part of the signal on its side, or its size."""
    dwell: Literal["better", "every"] | None = None
    """Which labels have to wait."""
    stocks: str = "SPY"
    """Symbol whose trend is read."""
    bonds: str = "TLT"
    """Symbol that stocks are correlated with."""
    fear: str = "VIX"
    """Indicator of implied volatility."""


class TurnoverSection(StageSection):
    """Stage 7; preset 'direct' has the band of it and nothing else."""

    band: float | None = Field(None, ge=0, lt=1)
    """A name that is nearer to its target than this is not traded, fraction of equity; None = 0.0075 in a book, else
    0."""
    kelly: float = Field(1.0, gt=0, le=1)
    """Part of the growth-optimal gain that the cost gate counts on."""
    edge_ratio: float = Field(0.0, ge=0)
    """What a trade has to be worth, as a multiple of its cost; 0 = no cost gate."""
    park_cash: bool = False
    """Hold what is left in the first listed cash equivalent."""
    park_band: float = Field(0.02, ge=0, lt=1)
    """Cash that is left unparked rather than traded, fraction of equity."""
    lift: Literal["falling", "below_one"] | None = None
    """When the governor lifts the band: while its multiplier falls, or is below one. None = falling as ruled, below_one
    to the letter."""
    net_excess: Literal["any", "band"] | None = None
    """When net exposure over its cap lifts the band: always, or beyond the band. None = any as ruled, band to the
    letter."""


class LadderTier(StageSection):
    """One rung of the capital ladder; money in dollars, max_names 0 = no limit."""

    min_equity: float = Field(ge=0)
    """Dollars from which the tier holds."""
    gross: float = Field(gt=0)
    """Most of longs and shorts together, multiple of equity."""
    name: float = Field(gt=0)
    """Most of one symbol, fraction of equity."""
    min_ticket_usd: float = Field(0.0, ge=0)
    """Orders of fewer dollars are not sent."""
    dust_usd: float = Field(0.0, ge=0)
    """Positions of fewer dollars are sold."""
    max_names: int = Field(0, ge=0)
    """Most symbols held; 0 = any number."""
    vehicles: tuple[Literal["etf", "futures", "options"], ...] = ("etf",)
    """Kinds of instruments that are allowed."""

    @model_validator(mode="after")
    def _tradable(self) -> "LadderTier":
        for vehicle in self.vehicles:
            if vehicle != "etf":
                raise ValueError(f"vehicle {vehicle!r} cannot be executed here: only 'etf' orders can be sent")
        return self


_LADDER = (
    LadderTier(min_equity=0.0, gross=1.0, name=0.20, min_ticket_usd=50.0, dust_usd=25.0, max_names=10),
    LadderTier(min_equity=100_000.0, gross=1.5, name=0.15, min_ticket_usd=100.0, dust_usd=50.0),
    LadderTier(min_equity=1_000_000.0, gross=2.0, name=0.12, min_ticket_usd=250.0, dust_usd=100.0),
    LadderTier(min_equity=10_000_000.0, gross=3.0, name=0.10, min_ticket_usd=1000.0, dust_usd=250.0),
)


class LadderSection(StageSection):
    """Stage 8."""

    hysteresis: float = Field(0.05, ge=0, lt=1)
    """How far equity has to fall below a tier's bound to leave it, fraction."""
    tiers: tuple[LadderTier, ...] = Field(_LADDER, min_length=1)
    """The tiers, by rising equity."""

    @model_validator(mode="after")
    def _ascending(self) -> "LadderSection":
        bounds = [tier.min_equity for tier in self.tiers]
        if bounds[0] != 0.0 or any(b <= a for a, b in pairwise(bounds)):
            raise ValueError("tiers must start at min_equity = 0 and ascend")
        return self


class Restriction(StageSection):
    """What may not be done in a symbol, and when (both dates included; open ends where left out)."""

    rule: Literal["no_new", "close"]
    """no_new: nothing is opened or added; close: sold."""
    start: date | None = None
    """First session; None = always."""
    end: date | None = None
    """Last session; None = for good."""
