"""The configuration: frozen, typed sections; defaults < file < environment < `--set`."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from plimsoll.engine.config.layers import lay_over, read_toml
from plimsoll.engine.config.section import Section, config_error
from plimsoll.engine.config.stages import (
    AllocateSection,
    CapsSection,
    GovernorSection,
    LadderSection,
    NetSection,
    NormalizeSection,
    RegimeSection,
    Restriction,
    TurnoverSection,
    VolTargetSection,
)
from plimsoll.engine.config.toml import dump_toml
from plimsoll.engine.types import LiquidityTier

HALF_SPREAD_BPS: Final[dict[LiquidityTier, float]] = {"1": 2.0, "2": 4.0, "3": 6.0, "thin": 10.0}


class RunSection(Section):
    """What is run, when, with how much money."""

    name: str = Field("run", min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    start: date | None = None  # first session traded; None = the first one that the warm-up allows
    end: date | None = None  # last session; None = the last one in the data
    cash: float = Field(100_000.0, gt=0)
    benchmark: str | None = None
    seed: int = Field(42, ge=0)

    @model_validator(mode="after")
    def _order(self) -> "RunSection":
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}")
        return self


class DataSection(Section):
    """Where prices come from."""

    source: Literal["sample", "csv", "catalog"] = "sample"
    path: Path | None = None  # of a catalog: PLIMSOLL_CATALOG, or the user's, if left out
    indicators: tuple[str, ...] = ()
    interval: str = Field("1d", pattern=r"^(1d|[1-9]\d*min)$")
    extend_leveraged: tuple[str, ...] = ()  # funds given a modelled history before their inception, marked as such

    @model_validator(mode="after")
    def _has_path(self) -> "DataSection":
        if self.source == "csv" and self.path is None:
            raise ValueError("source 'csv' needs a path (or --data DIR)")
        return self


class SleeveSection(Section):
    """One strategy and its parameters."""

    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    strategy: str
    status: Literal["promoted", "incubating", "quarantined"] = "promoted"
    since: date | None = (
        None  # when that status began; a promoted sleeve incubates before, a quarantined one was promoted
    )
    role: Literal["defensive", "cyclical", "other"] | None = None  # None = what the strategy declares
    full_gross: float | None = Field(None, gt=0)  # None = what the strategy declares
    on_error: Literal["raise", "quarantine"] = "raise"
    params: dict[str, Any] = Field(default_factory=dict)


class IntegratorSection(Section):
    """How sleeves become one target: one alone, the nine stages, or the old path they replace."""

    preset: Literal["direct", "book", "legacy"] = "direct"
    normalize: NormalizeSection = NormalizeSection()
    allocate: AllocateSection = AllocateSection()
    net: NetSection = NetSection()
    vol_target: VolTargetSection = VolTargetSection()
    caps: CapsSection = CapsSection()
    governor: GovernorSection = GovernorSection()
    regime: RegimeSection = RegimeSection()
    turnover: TurnoverSection = TurnoverSection()
    ladder: LadderSection = LadderSection()

    @model_validator(mode="after")
    def _used(self) -> "IntegratorSection":
        kept = {name: field.default for name, field in type(self).model_fields.items()}
        unused = sorted(n for n in self.model_fields_set - {"preset"} if getattr(self, n) != kept[n])
        if self.preset == "direct" and unused:
            raise ValueError(f"{unused[0]!r} has no effect under preset 'direct': use preset 'book' or leave it out")
        return self


class ExecutionSection(Section):
    """How a target becomes orders and fills."""

    fill: Literal["next_open", "next_close"] = "next_open"
    order_type: Literal["market", "moo", "moc"] = "market"
    sizing: Literal["decision", "fill"] = "decision"
    no_trade_band: float | None = Field(None, ge=0, lt=1)  # fraction of equity; None = 0.0075 in a book, else 0
    min_notional: float = Field(1.0, ge=0)  # dollars; exits are exempt
    fractional: bool = True
    qty_decimals: int = Field(9, ge=0, le=9)
    max_participation: float = Field(0.05, ge=0, le=1)  # of the fill bar's volume; 0 = no cap
    unfilled: Literal["expire", "carry"] = "expire"

    @model_validator(mode="after")
    def _legal(self) -> "ExecutionSection":
        if self.order_type != "market" and self.fractional:
            raise ValueError(f"order_type {self.order_type!r} takes whole shares: set fractional = false")
        if (self.order_type == "moo" and self.fill != "next_open") or (
            self.order_type == "moc" and self.fill != "next_close"
        ):
            raise ValueError(f"order_type {self.order_type!r} does not fill at {self.fill!r}")
        return self


class CostSection(Section):
    """What trading costs; `us_etf` is the default."""

    preset: Literal["none", "flat", "us_etf"] = "us_etf"
    flat_bps: float = Field(5.0, ge=0)  # per dollar traded, preset flat only
    half_spread_bps: dict[LiquidityTier, Annotated[float, Field(ge=0)]] = HALF_SPREAD_BPS  # tiers left out keep theirs
    tier: dict[str, LiquidityTier] = Field(default_factory=dict)  # overrides per symbol
    commission_per_share: float = Field(0.0, ge=0)
    impact: float = Field(1.0, ge=0)  # coefficient of the square-root law
    stress: float = Field(1.0, ge=0)  # multiplies spreads and impact

    @field_validator("half_spread_bps")
    @classmethod
    def _every_tier(cls, value: dict[LiquidityTier, float]) -> dict[LiquidityTier, float]:
        return HALF_SPREAD_BPS | value


class AccountSection(Section):
    """What the account may do."""

    type: Literal["cash", "reg_t"] = "reg_t"
    flows: Path | None = None  # CSV of date,amount: deposits > 0, withdrawals < 0
    maintenance_long: float = Field(0.25, ge=0, le=1)
    maintenance_short: float = Field(0.30, ge=0, le=1)
    leverage: dict[str, float] = Field(default_factory=dict)  # overrides per symbol


class FinancingSection(Section):
    """What cash earns and debt costs."""

    cash_rate: float | str = 0.0  # a rate per year, or a symbol whose return is the bill rate
    margin_spread_bps: float = Field(150.0, ge=0)
    borrow_bps: float = Field(50.0, ge=0)


class Config(Section):
    """The whole configuration of a run."""

    run: RunSection = RunSection()
    data: DataSection = DataSection()
    sleeve: tuple[SleeveSection, ...] = Field(min_length=1)
    integrator: IntegratorSection = IntegratorSection()
    restricted: dict[str, Restriction] = Field(default_factory=dict)
    execution: ExecutionSection = ExecutionSection()
    costs: CostSection = CostSection()
    account: AccountSection = AccountSection()
    financing: FinancingSection = FinancingSection()

    @model_validator(mode="after")
    def _sleeves(self) -> "Config":
        names = [sleeve.name for sleeve in self.sleeve]
        if len(set(names)) < len(names):
            raise ValueError(f"sleeve names must differ: {', '.join(sorted(names))}")
        if "book" in names and self.integrator.preset != "direct":
            raise ValueError("a sleeve may not be called 'book': the integrator's own figures go by that name")
        if self.integrator.preset == "direct" and len(self.sleeve) != 1:
            raise ValueError(f"preset 'direct' runs exactly one sleeve, {len(self.sleeve)} are configured")
        return self

    def plain(self) -> dict[str, Any]:
        """Return nested plain values (dates and paths as text), without what is None."""
        dumped: dict[str, Any] = _without_none(self.model_dump(mode="json"))
        return dumped

    def toml(self) -> str:
        """Return the effective configuration as TOML."""
        return dump_toml(self.plain())

    @property
    def band(self) -> float:
        """The no-trade band in force, a fraction of equity."""
        given = self.execution.no_trade_band
        return given if given is not None else (0.0075 if self.integrator.preset == "book" else 0.0)

    @property
    def digest(self) -> str:
        """SHA-256 of the effective configuration, its data path left out: the same run on the same data is the same."""
        plain = self.plain()
        plain["data"].pop("path", None)
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def load_config(
    source: Path | str | Mapping[str, Any], *, env: Mapping[str, str] | None = None, sets: Iterable[str] = ()
) -> Config:
    """Read, layer and validate a configuration.

    Parameters
    ----------
    source : path or mapping
        A TOML file, or its nested values.
    env : mapping, optional
        Environment; keys ``PLIMSOLL__SECTION__KEY`` override the file.
    sets : iterable of str
        ``section.key=value`` overrides, TOML values or bare words; the last word.

    Raises
    ------
    ConfigError
        If the file cannot be read, or a key, type or value is wrong; the message names it.
    """
    where = str(source) if not isinstance(source, Mapping) else "config"
    values = dict(source) if isinstance(source, Mapping) else read_toml(Path(source))
    lay_over(values, env or {}, sets)
    return validate_config(values, where)


def validate_config(values: Mapping[str, Any], where: str = "config") -> Config:
    """Validate nested values; the first problem becomes one ConfigError line."""
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise config_error(error, where, Config) from None


def _without_none(value: Any) -> Any:
    """Return nested values without the keys that hold None: TOML has no word for it."""
    if isinstance(value, dict):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return [_without_none(inner) for inner in value] if isinstance(value, list) else value
