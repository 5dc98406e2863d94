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
    # a sleeve that sizes itself to a volatility is fully convinced at that or at its full gross, whichever is nearer;
    # gross: only at its full gross. None = fuller; to the letter gross
    conviction: Literal["fuller", "gross"] | None = None
    scaling: Literal["sleeve_vol", "none"] | None = None  # none = each sleeve keeps its own; None = sleeve_vol
    sleeve_vol: float = Field(0.10, gt=0, le=1)
    half_life_sessions: float = Field(42.0, gt=0)
    vol_floor: float = Field(0.02, gt=0)
    max_scale: float = Field(5.0, gt=0)  # a sleeve may have its own
    min_obs: int = Field(20, ge=1)
    cash_equivalents: tuple[str, ...] = ("SGOV", "BIL")

    @model_validator(mode="after")
    def _conviction_counts(self) -> "NormalizeSection":
        if self.mode == "unit_gross" and self.conviction is not None:
            raise ValueError("'conviction' has no effect beside mode 'unit_gross', which leaves no conviction")
        return self


class AllocateSection(StageSection):
    """Stage 1."""

    # hrp splits an ordered list in halves: where a half cuts a cluster, sleeves that are alike get unequal shares
    method: Literal["hrp", "erc", "inverse_vol", "equal", "min_variance", "nco"] = "hrp"
    half_life_sessions: float = Field(63.0, gt=0)
    min_obs: int = Field(60, ge=2)
    cap: float = Field(0.35, gt=0, le=1)
    skill_kappa: float = Field(0.25, ge=0, lt=1)
    skill_warmup_sessions: int = Field(40, ge=0)
    # whose ranks make the skill: symbols a sleeve may hold, or all it looks at; None = holdable, to the letter watched
    skill_on: Literal["holdable", "watched"] | None = None
    smoothing: float = Field(0.8, ge=0, lt=1)
    apply_threshold: float = Field(0.02, ge=0, lt=1)
    alarm: float | None = Field(None, ge=0, le=1)  # threshold of the HRP-ERC gap; None = drawn, see stage 1
    # what the sleeves' covariance is shrunk to: one correlation for all pairs, or none
    shrinkage_target: Literal["constant_correlation", "uncorrelated"] = "constant_correlation"
    max_shrinkage: float = Field(0.9, gt=0, le=1)
    ramp_sessions: int = Field(20, ge=1)
    ramp_start: float = Field(0.5, gt=0, le=1)
    runoff_sessions: int = Field(1, ge=1)
    # a sleeve that has held nothing for so long lends its slot to the others, 0 = never; None = 20, to the letter 0;
    # a sleeve may have its own
    release_idle_sessions: int | None = Field(None, ge=0)
    least_share: float | None = Field(None, ge=0, lt=0.1)  # below it a share is 0; None = 1e-6, to the letter 0
    erc_blend_max: float = Field(0.0, ge=0, le=1)  # at full confidence of a crisis
    every: Literal["week"] | Annotated[int, Field(ge=1)] = 1  # sessions, or the week's last one


class NetSection(StageSection):
    """Stage 2: groups of funds that hold the same thing, the preferred one first."""

    wrappers: tuple[tuple[str, ...], ...] = (("GLD", "IAU", "SGOL"), ("SLV", "SIVR"), ("DBC", "PDBC"))
    min_obs: int = Field(20, ge=1)  # returns a symbol needs to be traded in a book


class VolTargetSection(StageSection):
    """Stage 3."""

    target: float = Field(0.10, gt=0)  # volatility of the book per year; what stage 6 starts from
    l_min: float = Field(0.0, ge=0)
    l_max: float = Field(2.0, gt=0)
    half_life_sessions: float = Field(63.0, gt=0)
    covariance: Literal["shrunk", "factor"] = "shrunk"
    factors: int = Field(5, ge=1)
    window_sessions: int = Field(120, ge=20)


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
    cluster: float = Field(0.35, gt=0)
    gross: float = Field(2.0, gt=0)
    net: float = Field(1.0, gt=0)
    capacity: float = Field(0.05, gt=0)  # of average daily volume, per trade
    clusters: dict[str, tuple[str, ...]] = _CLUSTERS
    look_through: bool | None = None  # clusters count a fund times its leverage; None = as ruled: yes, literal: no
    look_through_names: bool | None = None  # None = no
    hedges: bool | None = None  # what a name's cap takes from one leg of a long-short sleeve, all legs lose; None = no

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
    d_hard: float = Field(0.12, gt=0, lt=1)
    m_min: float = Field(0.2, ge=0, le=1)
    flat: float = Field(0.15, gt=0, lt=1)
    cooloff_sessions: int = Field(20, ge=0)
    reentry_sessions: int = Field(40, ge=1)
    day_loss: float = Field(0.03, gt=0, lt=1)
    day_reentry_sessions: int = Field(10, ge=1)
    vol_adjusted: bool = True
    sigma_ref: float = Field(0.10, gt=0)  # the target volatility at which drawdowns count as they are
    warn: float = Field(0.05, gt=0, lt=1)
    throttle: float = Field(0.10, gt=0, lt=1)
    throttle_to: float = Field(0.5, ge=0, le=1)
    no_new: float = Field(0.12, gt=0, lt=1)
    combine: Literal["min", "product"] = "min"

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
    risk_on: float = Field(0.12, gt=0)  # volatility targets per year; the neutral one is that of stage 3
    transition: float = Field(0.09, gt=0)
    crisis: float = Field(0.08, gt=0)
    band: tuple[float, float] = (0.08, 0.12)
    tilt_max: float = Field(0.2, ge=0, lt=1)
    dwell_sessions: int = Field(5, ge=1)
    # three readings; None = the first word as ruled, the second to the letter
    correlation: Literal["positive", "signed"] | None = None  # of stocks and bonds: which signs count
    confidence: Literal["label", "signal"] | None = None  # the part of the signal on the label's side, or its size
    dwell: Literal["better", "every"] | None = None  # which labels have to wait
    stocks: str = "SPY"
    bonds: str = "TLT"
    fear: str = "VIX"


class TurnoverSection(StageSection):
    """Stage 7; preset 'direct' has the band of it and nothing else."""

    band: float | None = Field(None, ge=0, lt=1)  # of equity per name; None = 0.0075 in a book, else 0
    kelly: float = Field(1.0, gt=0, le=1)
    edge_ratio: float = Field(0.0, ge=0)  # 0 = no cost gate
    park_cash: bool = False  # hold what is left in the first listed cash equivalent
    park_band: float = Field(0.02, ge=0, lt=1)
    # two readings; None = the first word as ruled, the second to the letter
    lift: Literal["falling", "below_one"] | None = None  # of the governor's multiplier: what lifts the band
    net_excess: Literal["any", "band"] | None = None  # of held net over its cap: what lifts the band


class LadderTier(StageSection):
    """One rung of the capital ladder; money in dollars, max_names 0 = no limit."""

    min_equity: float = Field(ge=0)
    gross: float = Field(gt=0)
    name: float = Field(gt=0)
    min_ticket_usd: float = Field(0.0, ge=0)
    dust_usd: float = Field(0.0, ge=0)
    max_names: int = Field(0, ge=0)
    vehicles: tuple[Literal["etf", "futures", "options"], ...] = ("etf",)

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
    tiers: tuple[LadderTier, ...] = Field(_LADDER, min_length=1)

    @model_validator(mode="after")
    def _ascending(self) -> "LadderSection":
        bounds = [tier.min_equity for tier in self.tiers]
        if bounds[0] != 0.0 or any(b <= a for a, b in pairwise(bounds)):
            raise ValueError("tiers must start at min_equity = 0 and ascend")
        return self


class Restriction(StageSection):
    """What may not be done in a symbol, and when (both dates included; open ends where left out)."""

    rule: Literal["no_new", "close"]
    start: date | None = None
    end: date | None = None
