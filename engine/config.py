"""The configuration: frozen, typed sections; defaults < file < environment < `--set`."""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from engine.errors import ConfigError, did_you_mean
from engine.market.instruments import Tier
from engine.toml import dump_toml

ENV_PREFIX = "PLIMSOLL__"


class Section(BaseModel):
    """A frozen section that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


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

    source: Literal["sample", "csv"] = "sample"
    path: Path | None = None
    indicators: tuple[str, ...] = ()
    interval: str = Field("1d", pattern=r"^(1d|\d+min)$")

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
    on_error: Literal["raise", "quarantine"] = "raise"
    params: dict[str, Any] = {}


class IntegratorSection(Section):
    """How sleeves become one target."""

    preset: Literal["direct"] = "direct"


class ExecutionSection(Section):
    """How a target becomes orders and fills."""

    fill: Literal["next_open", "next_close"] = "next_open"
    order_type: Literal["market", "moo", "moc"] = "market"
    sizing: Literal["decision", "fill"] = "decision"
    no_trade_band: float = Field(0.0, ge=0, lt=1)  # fraction of equity
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
    half_spread_bps: dict[Tier, float] = {"1": 2.0, "2": 4.0, "3": 6.0, "thin": 10.0}
    tier: dict[str, Tier] = {}  # overrides per symbol
    commission_per_share: float = Field(0.0, ge=0)
    impact: float = Field(1.0, ge=0)  # coefficient of the square-root law
    stress: float = Field(1.0, ge=0)  # multiplies spreads and impact


class AccountSection(Section):
    """What the account may do."""

    type: Literal["cash", "reg_t"] = "reg_t"
    flows: Path | None = None  # CSV of date,amount: deposits > 0, withdrawals < 0
    maintenance_long: float = Field(0.25, ge=0, le=1)
    maintenance_short: float = Field(0.30, ge=0, le=1)
    leverage: dict[str, float] = {}  # overrides per symbol


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
    execution: ExecutionSection = ExecutionSection()
    costs: CostSection = CostSection()
    account: AccountSection = AccountSection()
    financing: FinancingSection = FinancingSection()

    @model_validator(mode="after")
    def _sleeves(self) -> "Config":
        names = [sleeve.name for sleeve in self.sleeve]
        if len(set(names)) < len(names):
            raise ValueError(f"sleeve names must differ: {', '.join(sorted(names))}")
        if self.integrator.preset == "direct" and len(self.sleeve) != 1:
            raise ValueError(f"preset 'direct' runs exactly one sleeve, {len(self.sleeve)} are configured")
        return self

    def plain(self) -> dict[str, Any]:
        """Return nested plain values (dates and paths as text), without what is None."""
        dumped: dict[str, Any] = self.model_dump(mode="json", exclude_none=True)
        return dumped

    def toml(self) -> str:
        """Return the effective configuration as TOML."""
        return dump_toml(self.plain())

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
    values = dict(source) if isinstance(source, Mapping) else _read_toml(Path(source))
    for key, text in sorted((env or {}).items()):
        if key.startswith(ENV_PREFIX):
            _assign(values, key[len(ENV_PREFIX) :].lower().split("__"), _parse(text), f"environment {key}")
    for item in sets:
        path, equals, text = item.partition("=")
        if not equals or not path.strip():
            raise ConfigError(f"--set {item!r} is not of the form a.b=value")
        _assign(values, path.strip().split("."), _parse(text), f"--set {path.strip()}")
    return validate_config(values, where)


def validate_config(values: Mapping[str, Any], where: str = "config") -> Config:
    """Validate nested values; the first problem becomes one ConfigError line."""
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise config_error(error, where, Config) from None


def config_error(error: ValidationError, where: str, model: type[BaseModel]) -> ConfigError:
    """Turn the first problem pydantic found into one line that names the key and suggests the right one."""
    first = error.errors(include_url=False)[0]
    path = [str(part) for part in first["loc"]]
    shown = ".".join(path)
    more = f"; {error.error_count() - 1} more problems" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        known = _fields_at(model, path[:-1])
        return ConfigError(f"unknown key {shown!r}", where=where, fix=did_you_mean(path[-1], known) + more)
    if first["type"] == "missing":
        return ConfigError(f"key {shown!r} is missing", where=where, fix=f"add it{more}")
    message = first["msg"].removeprefix("Value error, ")
    given = first.get("input")
    what = f"{shown or 'configuration'}: {message[0].lower()}{message[1:]}"
    if path and not isinstance(given, (dict, list)):
        what += f", got {given!r}"
    return ConfigError(what, where=where, fix=more.removeprefix("; "))


def _fields_at(model: type[BaseModel], path: list[str]) -> list[str]:
    """Return the field names of the section at `path`."""
    current: Any = model
    for part in path:
        if part.isdigit():
            continue
        annotation = current.model_fields[part].annotation if part in current.model_fields else None
        inner = [a for a in getattr(annotation, "__args__", ()) if isinstance(a, type) and issubclass(a, BaseModel)]
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            current = annotation
        elif inner:
            current = inner[0]
        else:
            return []
    return list(current.model_fields)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        near = [p.name for p in path.parent.glob("*.toml")] if path.parent.is_dir() else []
        raise ConfigError("no such config file", where=str(path), fix=did_you_mean(path.name, near)) from None
    except (IsADirectoryError, PermissionError) as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"not UTF-8 at byte {error.start}", where=str(path), fix="save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not valid TOML: {error}", where=str(path)) from None


def _parse(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _assign(values: dict[str, Any], path: list[str], value: Any, where: str) -> None:
    """Set a nested value; a list of sleeves is entered by index or by a sleeve's name."""
    current: Any = values
    for depth, part in enumerate(path[:-1]):
        if isinstance(current, list):
            match = [
                e for k, e in enumerate(current) if str(k) == part or (isinstance(e, dict) and e.get("name") == part)
            ]
            if not match:
                names = [str(e.get("name")) for e in current if isinstance(e, dict)]
                raise ConfigError(f"no sleeve {part!r}", where=where, fix=did_you_mean(part, names))
            current = match[0]
            continue
        if not isinstance(current.setdefault(part, {}), (dict, list)):
            raise ConfigError(f"{'.'.join(path[: depth + 1])!r} is a value, not a section", where=where)
        if isinstance(current[part], (tuple, list)):
            current[part] = [dict(e) if isinstance(e, Mapping) else e for e in current[part]]
        else:
            current[part] = dict(current[part])
        current = current[part]
    if isinstance(current, list):
        raise ConfigError(f"{'.'.join(path)!r} names a whole sleeve", where=where, fix="name one of its keys")
    current[path[-1]] = value
