"""Every key of a configuration with type, default, unit and meaning, read off the models themselves."""

import ast
import inspect
from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import ConfigError

# Units that a key's name says; the longest ending counts.
UNITS: Final[Mapping[str, str]] = {
    "_bps": "bps",
    "_sessions": "sessions",
    "_bars": "bars",
    "_minutes": "minutes",
    "_seconds": "seconds",
    "_usd": "USD",
    "_per_share": "USD a share",
    "cash": "USD",
    "min_notional": "USD",
    "order_notional": "USD",
    "min_equity": "USD",
    "vol_target.target": "per year",
    "sleeve_vol": "per year",
    "vol_floor": "per year",
    "full_vol": "per year",
    "start": "session",
    "end": "session",
    "since": "session",
}
_WORDS: Final = {int: "whole number", float: "number", str: "text", bool: "true or false", date: "date", Path: "path"}
_SIGNS: Final = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


class ConfigKey(NamedTuple):
    """One key: where it is written, what may stand there, what stands there if nothing does, in which unit, and why."""

    key: str
    type: str
    default: str
    unit: str
    meaning: str


def config_keys() -> tuple[ConfigKey, ...]:
    """Return every key in the order of the sections; `sleeve[].name` is one of a repeated section."""
    return tuple(_keys(Config, ""))


def find_keys(name: str) -> tuple[ConfigKey, ...]:
    """Return the key of that name, or the keys of a section of that name.

    `sleeve.name` and `sleeve.0.name` are `sleeve[].name`.

    Raises
    ------
    ConfigError
        If there is none.
    """
    keys = config_keys()
    wanted = ".".join(part for part in _plain(name).split(".") if not part.isdigit()).removesuffix(".")
    found = tuple(one for one in keys if (plain := _plain(one.key)) == wanted or plain.startswith(wanted + "."))
    if found:
        return found
    last = tuple(one for one in keys if _plain(one.key).rpartition(".")[2] == wanted)
    if last:  # the last part of a name is what one remembers
        return last
    if wanted.startswith("sleeve.params"):
        fix = "a strategy's own parameters: `plimsoll strategies NAME` lists them"
        raise ConfigError(f"no key {name!r}", where="config", fix=fix)
    sections = {section for one in keys if (section := _plain(one.key).rpartition(".")[0])}
    near = get_close_matches(wanted, [*sections, *(_plain(one.key) for one in keys)], n=1)
    fix = (
        f"did you mean {near[0]!r}?"
        if near
        else f"`plimsoll config` lists all; sections: {', '.join(sorted(sections))}"
    )
    raise ConfigError(f"no key {name!r}", where="config", fix=fix)


def _plain(key: str) -> str:
    return key.replace("[]", "").replace(".*", "")


def _keys(model: type[BaseModel], prefix: str) -> Iterator[ConfigKey]:
    said = _docstrings(model)
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        inner, mark = _section(field.annotation)
        if inner is None:
            yield ConfigKey(key, _type(field), _default(field), _unit(key), said.get(name, ""))
        else:
            yield from _keys(inner, f"{key}{mark}.")


def _section(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """Return the section that a field holds, and how a repeated or a named one is written; None where it is a value."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    mark = {tuple: "[]", dict: ".*"}.get(get_origin(annotation) or annotation, "")
    inner = [part for part in get_args(annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
    return (inner[0], mark) if inner else (None, "")


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Return the string below each field of a class, as it stands in its source."""
    out: dict[str, str] = {}
    for base in reversed([one for one in model.__mro__ if issubclass(one, BaseModel) and one is not BaseModel]):
        (tree,) = ast.parse(dedent(inspect.getsource(base))).body
        assert isinstance(tree, ast.ClassDef)
        for field, below in pairwise(tree.body):
            text = below.value if isinstance(below, ast.Expr) else None
            if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
                continue
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                out[field.target.id] = " ".join(inspect.cleandoc(text.value).split())
    return out


def _type(field: FieldInfo) -> str:
    limits = [
        f"{sign} {getattr(part, name):g}"
        for part in field.metadata
        for name, sign in _SIGNS.items()
        if getattr(part, name, None) is not None
    ]
    return ", ".join((_words(field.annotation), *limits))


def _words(annotation: Any) -> str:
    """Return what may stand there, in words."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(str(part) for part in parts)
    if origin is Annotated:
        return _words(parts[0])
    if origin in (Union, UnionType):
        return " | ".join(_words(part) for part in parts if part is not NoneType)
    if origin is tuple:
        return f"list of {_words(parts[0])}"
    if origin is dict:
        return f"table of {_words(parts[1])}"
    return _WORDS.get(annotation, "any value")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "(required)"
    value = field.get_default(call_default_factory=True) if field.default is PydanticUndefined else field.default
    if value is None:
        return "None"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(_shown(part) for part in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_shown(part)}" for name, part in value.items()) + "}"
    return _shown(value)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.10g}"
    return "[" + ", ".join(map(_shown, value)) + "]" if isinstance(value, tuple) else str(value)


def _unit(key: str) -> str:
    plain = _plain(key)
    endings = [
        end for end in UNITS if plain.endswith(end) and (end[0] == "_" or plain == end or plain.endswith("." + end))
    ]
    return UNITS[max(endings, key=len)] if endings else ""
