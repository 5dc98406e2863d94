"""What every part of a configuration is, and how its problems are told."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from types import NoneType
from typing import Any, Final, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from plimsoll.engine.errors import ConfigError, did_you_mean

# Keys that have moved: old to new.
MOVED: Final = {
    "execution.no_trade_band": "integrator.turnover.band",
    "integrator.regime.neutral": "integrator.vol_target.target",
}


class Section(BaseModel):
    """A frozen section that refuses unknown keys, and what would only become a number or a date by conversion."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _unconverted(cls, value: Any, info: ValidationInfo) -> Any:
        wanted = cls.model_fields[str(info.field_name)].annotation
        kinds = set(get_args(wanted) or (wanted,)) - {NoneType}
        if isinstance(value, bool) and kinds <= {int, float, str, date, Path}:
            raise ValueError("neither true nor false is expected here")
        if isinstance(value, str) and kinds <= {int, float}:
            raise ValueError("input should be a number, without quotes")
        if isinstance(value, (int, float)) and kinds == {date}:
            raise ValueError("input should be a date such as 2010-01-31")
        return value


def config_error(error: ValidationError, where: str, model: type[BaseModel]) -> ConfigError:
    """Turn the first problem pydantic found into one line that names the key and suggests the right one."""
    problems = error.errors(include_url=False)
    first = next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])
    path = _key_path(first["loc"])
    shown = ".".join(path)
    others = len({tuple(_key_path(problem["loc"])) for problem in problems}) - 1
    more = f"; {others} more problem{'s' * (others > 1)}" if others else ""
    if first["type"] == "extra_forbidden" and shown in MOVED:
        return ConfigError(f"key {shown!r} has moved", where=where, fix=f"write it as {MOVED[shown]}{more}")
    if first["type"] == "extra_forbidden":
        known = _fields_at(model, path[:-1])
        return ConfigError(f"unknown key {shown!r}", where=where, fix=did_you_mean(path[-1], known) + more)
    if first["type"] == "missing":
        return ConfigError(f"key {shown!r} is missing", where=where, fix=f"add it{more}")
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "model_type":
        message = f"a section [{shown}] is expected"
    given = first.get("input")
    what = f"{shown or 'configuration'}: {message[0].lower()}{message[1:]}"
    if path and not isinstance(given, (dict, list)):
        what += ", got an address, which is not shown" if "://" in str(given) else f", got {given!r}"
    fix = f"write [[{shown}]] with two brackets" if first["type"] == "tuple_type" and isinstance(given, dict) else ""
    return ConfigError(what, where=where, fix=(fix + more).removeprefix("; "))


def _key_path(location: Iterable[int | str]) -> list[str]:
    """Return the keys that lead to a problem, without the marks pydantic puts behind them (which type of a union)."""
    path = [str(part) for part in location]
    while path and (path[-1] in {"float", "str", "int", "bool", "[key]"} or path[-1].startswith("constrained-")):
        path.pop()
    return path


def _fields_at(model: type[BaseModel], path: list[str]) -> list[str]:
    """Return the field names of the section at `path`."""
    current: Any = model
    for part in path:
        if part.isdigit():
            continue
        annotation = _named_fields(current)[part].annotation if part in _named_fields(current) else None
        inner = [a for a in getattr(annotation, "__args__", ()) if isinstance(a, type) and issubclass(a, BaseModel)]
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            current = annotation
        elif inner:
            current = inner[0]
        else:
            return []
    return list(_named_fields(current))


def _named_fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a section by the names they have in a file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}
