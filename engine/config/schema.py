"""The configuration: frozen, typed sections; defaults < file < environment < `--set`."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from plimsoll.engine.config.data import DataSection
from plimsoll.engine.config.layers import lay_over, read_toml
from plimsoll.engine.config.live import BrokerSection, LiveSection
from plimsoll.engine.config.report import ReportSection
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
from plimsoll.engine.config.stress import StressSection
from plimsoll.engine.config.toml import dump_toml
from plimsoll.engine.config.validate import GateSection, ValidateSection
from plimsoll.engine.types import LiquidityTier

# The threshold of stage 1's alarm where the requirement is read to the letter: what it was before it was drawn.
LITERAL_ALARM: Final = 0.20
HALF_SPREAD_BPS: Final[dict[LiquidityTier, float]] = {"1": 2.0, "2": 4.0, "3": 6.0, "thin": 10.0}


class RunSection(Section):
    """What is run, when, with how much money."""

    name: str = Field("run", min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """What the run is called; its folder and page bear the name."""
    start: date | None = None
    """First session traded; None = the first one that the warm-up allows."""
    end: date | None = None
    """Last session; None = the last one in the data."""
    cash: float = Field(100_000.0, gt=0)
    """Dollars the account starts with."""
    benchmark: str | None = None
    """Symbol the run is held against; "none" = none, None = SPY in a backtest's report, where the data have it."""
    seed: int = Field(42, ge=0)
    """Of everything that is drawn."""
    modules: Path | None = None
    """Where modules of strategies lie that are not installed; None = beside the file read."""

    @property
    def held_against(self) -> str | None:
        """The benchmark that is named, None where none is."""
        return None if self.benchmark is None or self.benchmark.lower() == "none" else self.benchmark

    @model_validator(mode="after")
    def _order(self) -> "RunSection":
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}")
        return self


class SleeveSection(Section):
    """One strategy and its parameters."""

    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    """What the sleeve is called."""
    strategy: str
    """A registered strategy, or package.module:Class."""
    status: Literal["promoted", "incubating", "quarantined"] = "promoted"
    """incubating: watched without capital; quarantined: no new risk."""
    since: date | None = None
    """When that status began; a promoted sleeve incubates before, a quarantined one was promoted."""
    role: Literal["defensive", "cyclical", "other"] | None = None
    """What the regime's tilt takes it for; None = what the strategy declares."""
    full_gross: float | None = Field(None, gt=0)
    """Gross exposure at which it is fully convinced; None = what the strategy declares."""
    full_vol: float | None = Field(None, gt=0)
    """Volatility per year it sizes itself to; None = what the strategy declares."""
    max_scale: float | None = Field(None, gt=0)
    """Most that stage 0 multiplies it by; None = integrator.normalize.max_scale."""
    release_idle_sessions: int | None = Field(None, ge=0)
    """Idle sessions after which its slot is lent, 0 = never; None = integrator.allocate's."""
    on_error: Literal["raise", "quarantine"] = "raise"
    """What becomes of the run if the strategy raises: the error, or its drifted weights are held."""
    params: dict[str, Any] = Field(default_factory=dict)
    """The strategy's own parameters: plimsoll strategies NAME lists them."""


class IntegratorSection(Section):
    """How sleeves become one target: one alone, the nine stages, or the old path they replace."""

    preset: Literal["direct", "book", "legacy"] = "direct"
    """direct: one sleeve as it is; book: the nine stages; legacy: the path they replace."""
    readings: Literal["ruled", "literal"] | None = None
    """How the requirement is read where a stage can be read in two ways: as this project rules, or to the letter; None
    = to the letter beside its own normalisation, unit_gross, else as ruled. A key of a stage goes first."""
    normalize: NormalizeSection = NormalizeSection()
    """Stage 0: each sleeve brought to a volatility of its own."""
    allocate: AllocateSection = AllocateSection()
    """Stage 1: shares of the sleeves."""
    net: NetSection = NetSection()
    """Stage 2: sleeves summed and netted by symbol."""
    vol_target: VolTargetSection = VolTargetSection()
    """Stage 3: the one volatility target of the book."""
    caps: CapsSection = CapsSection()
    """Stage 4: what no name, cluster or book may exceed."""
    governor: GovernorSection = GovernorSection()
    """Stage 5: less exposure in a drawdown."""
    regime: RegimeSection = RegimeSection()
    """Stage 6: a bounded tilt by the market's regime."""
    turnover: TurnoverSection = TurnoverSection()
    """Stage 7: no-trade band and cost gate."""
    ladder: LadderSection = LadderSection()
    """Stage 8: limits by the size of the account."""

    @property
    def literal(self) -> bool:
        """Whether the requirement is read to the letter where nothing else is said."""
        return self.readings == "literal" or (self.readings is None and self.normalize.mode == "unit_gross")

    @property
    def alarm(self) -> float | None:
        """The threshold in force of the alarm of stage 1; None = drawn from the covariance."""
        if self.allocate.alarm is not None or (self.preset == "book" and not self.literal):
            return self.allocate.alarm
        return LITERAL_ALARM

    @model_validator(mode="after")
    def _used(self) -> "IntegratorSection":
        if self.preset == "direct":
            kept = {name: field.default for name, field in type(self).model_fields.items() if name != "preset"}
            kept["turnover"] = kept["turnover"].model_copy(update={"band": self.turnover.band})
            unused = sorted(name for name, default in kept.items() if getattr(self, name) != default)
            if unused:
                what = f"{unused[0]!r}{', its band aside,' if unused[0] == 'turnover' else ''}"
                raise ValueError(f"{what} has no effect under preset 'direct': use preset 'book' or leave it out")
        return self


class ExecutionSection(Section):
    """How a target becomes orders and fills."""

    fill: Literal["next_open", "next_close"] = "next_open"
    """The auction of the next bar at which orders fill."""
    sizing: Literal["decision", "fill"] = "decision"
    """Where quantities are fixed: at the decision, or at the fill, for comparison with tools that do so."""
    venue: Literal["alpaca"] | None = None
    """Orders pass the rules of this venue; None = only those of the account."""
    limits: bool = False
    """Marketable limit orders at live.collar, as they are sent; a venue's rules say which grid."""
    min_notional: float = Field(1.0, ge=0)
    """Orders of fewer dollars are not sent; exits are exempt."""
    fractional: bool = True
    """Whether longs may have fractions of a share."""
    qty_decimals: int = Field(9, ge=0, le=9)
    """Decimals of a quantity where fractions are allowed."""
    max_participation: float = Field(0.05, ge=0, le=1)
    """Most of the fill bar's volume that an order takes, fraction; 0 = no cap."""
    unfilled: Literal["expire", "carry"] = "carry"
    """carry: what did not fill works on until filled, replaced or delisted; expire: it is dropped."""

    @model_validator(mode="after")
    def _limits_of_a_venue(self) -> "ExecutionSection":
        if self.limits and self.venue is None:
            raise ValueError("limits need a venue, whose price steps they keep: set 'venue', or leave 'limits' out")
        return self

    @model_validator(mode="before")
    @classmethod
    def _no_order_type(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and "order_type" in values:
            raise ValueError("there is no 'order_type': say when with 'fill', whole shares with 'fractional = false'")
        return values


class CostSection(Section):
    """What trading costs; `us_etf` is the default."""

    preset: Literal["none", "flat", "us_etf"] = "us_etf"
    """Which costs are charged: none, one rate on what is traded, or those of ETFs in the United States."""
    flat_bps: float = Field(5.0, ge=0)
    """Per dollar traded, preset flat only."""
    half_spread_bps: dict[LiquidityTier, Annotated[float, Field(ge=0)]] = HALF_SPREAD_BPS
    """Half the spread by liquidity tier; tiers left out keep theirs."""
    tier: dict[str, LiquidityTier] = Field(default_factory=dict)
    """Liquidity tier by symbol, where it is another than the project's."""
    commission_per_share: float = Field(0.0, ge=0)
    """Dollars a share."""
    impact: float = Field(1.0, ge=0)
    """Coefficient of the square-root law."""
    stress: float = Field(1.0, ge=0)
    """Multiplies spreads and impact."""

    @field_validator("half_spread_bps")
    @classmethod
    def _every_tier(cls, value: dict[LiquidityTier, float]) -> dict[LiquidityTier, float]:
        return HALF_SPREAD_BPS | value


class AccountSection(Section):
    """What the account may do."""

    type: Literal["cash", "reg_t"] = "reg_t"
    """cash: never owes, never short; reg_t: initial margin of half of what is held."""
    flows: Path | None = None
    """CSV of date,amount: deposits > 0, withdrawals < 0."""
    maintenance_long: float = Field(0.25, ge=0, le=1)
    """Maintenance margin of longs, fraction of market value."""
    maintenance_short: float = Field(0.30, ge=0, le=1)
    """Maintenance margin of shorts, fraction of market value."""
    leverage: dict[str, float] = Field(default_factory=dict)
    """Leverage by symbol, where it is another than the project's."""


class FinancingSection(Section):
    """What cash earns and debt costs."""

    cash_rate: float | str = 0.0
    """A rate per year, or a symbol whose return is the bill rate."""
    cash_rate_after: float | None = None
    """A rate per year, once that symbol has had no row for five sessions."""
    margin_spread_bps: float = Field(150.0, ge=0)
    """What a debit pays over the bill rate, per year."""
    borrow_bps: float = Field(50.0, ge=0)
    """What a short pays on its market value, per year."""
    short_rebate: float = Field(0.0, ge=0, le=1)
    """Fraction of the bill rate that the proceeds of shorts earn."""


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
    report: ReportSection = ReportSection()
    stress: StressSection = StressSection()
    validation: ValidateSection | None = Field(None, alias="validate")  # pydantic has a method of that name
    gate: GateSection | None = None
    broker: BrokerSection | None = None
    live: LiveSection | None = None

    @model_validator(mode="after")
    def _sleeves(self) -> "Config":
        names = [sleeve.name for sleeve in self.sleeve]
        if len(set(names)) < len(names):
            raise ValueError(f"sleeve names must differ: {', '.join(sorted(names))}")
        if "book" in names and self.integrator.preset != "direct":
            raise ValueError("a sleeve may not be called 'book': the integrator's own figures go by that name")
        if self.integrator.preset == "direct" and len(self.sleeve) != 1:
            raise ValueError(f"preset 'direct' runs exactly one sleeve, {len(self.sleeve)} are configured")
        for name, stage in (("regime_off", 6), ("ladder", 1)):
            if getattr(self.report, name) and self.integrator.preset != "book":
                preset = self.integrator.preset
                raise ValueError(
                    f"'report.{name}' has no effect under preset {preset!r}, which has no stage {stage}: leave it out"
                )
        return self

    def plain(self) -> dict[str, Any]:
        """Return nested plain values (dates and paths as text), without what is None."""
        dumped: dict[str, Any] = _without_none(self.model_dump(mode="json", by_alias=True))
        return dumped

    def of_run(self) -> "Config":
        """Return the configuration without what no run depends on and no run folder needs: its validation, its gate."""
        if self.validation is None and self.gate is None:
            return self
        return self.model_copy(update={"validation": None, "gate": None})

    def toml(self) -> str:
        """Return the effective configuration as TOML."""
        return dump_toml(self.plain())

    @property
    def band(self) -> float:
        """The no-trade band in force, a fraction of equity."""
        given = self.integrator.turnover.band
        return given if given is not None else (0.0075 if self.integrator.preset == "book" else 0.0)

    @property
    def digest(self) -> str:
        """SHA-256 of the effective configuration, what is only reported, where data and modules lie, and as of when,
        aside.

        The same run is the same whatever is shown beside it, and wherever it is made.
        """
        plain = self.plain()
        for which in ("path", "as_of"):  # which numbers they led to is told by the hash of the data
            plain["data"].pop(which, None)
        if self.data.universe_file is not None:
            plain["data"]["universe_file"] = True  # what it says is in the data hash
        if self.integrator.alarm is not None:  # in force is what counts: a run is the same whether it is written or not
            plain["integrator"]["allocate"]["alarm"] = self.integrator.alarm
        plain["run"].pop("modules", None)
        for aside in ("broker", "report", "stress", "validate", "gate"):
            plain.pop(aside, None)
        if self.execution.venue is None:
            plain.pop("live", None)
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
    config = validate_config(values, where)
    return config if isinstance(source, Mapping) else _with_modules(config, Path(source).parent)


def validate_config(values: Mapping[str, Any], where: str = "config") -> Config:
    """Validate nested values; the first problem becomes one ConfigError line."""
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise config_error(error, where, Config) from None


def _with_modules(config: Config, folder: Path) -> Config:
    """Note the folder of the file where a strategy's module lies in it: from the run folder it is found there again."""
    specs = [sleeve.strategy for sleeve in config.sleeve if ":" in sleeve.strategy]
    if config.run.modules is not None or not any(_holds(folder, spec.split(":")[0].split(".")[0]) for spec in specs):
        return config
    return config.model_copy(update={"run": config.run.model_copy(update={"modules": folder})})


def _holds(folder: Path, module: str) -> bool:
    return bool(module) and ((folder / f"{module}.py").is_file() or (folder / module).is_dir())


def _without_none(value: Any) -> Any:
    """Return nested values without the keys that hold None: TOML has no word for it."""
    if isinstance(value, dict):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return [_without_none(inner) for inner in value] if isinstance(value, list) else value
