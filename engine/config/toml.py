"""Writing TOML: the standard library only reads it."""

import json
from collections.abc import Mapping
from typing import Any


def dump_toml(values: Mapping[str, Any]) -> str:
    """Return nested plain values as TOML text: scalars first, then tables, lists of mappings as arrays of tables."""
    lines: list[str] = []
    _table(values, (), lines)
    return "\n".join(lines).strip("\n") + "\n"


def _table(values: Mapping[str, Any], path: tuple[str, ...], lines: list[str]) -> None:
    for key, value in values.items():
        if not _is_table(value):
            lines.append(f"{_key(key)} = {_value(value)}")
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            lines += ["", f"[{'.'.join(map(_key, (*path, key)))}]"]
            _table(value, (*path, key), lines)
        elif _is_table(value):
            for entry in value:
                lines += ["", f"[[{'.'.join(map(_key, (*path, key)))}]]"]
                _table(entry, (*path, key), lines)


def _is_table(value: Any) -> bool:
    if isinstance(value, Mapping):
        return bool(value)
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(e, Mapping) for e in value)


def _key(key: str) -> str:
    return key if key and all((c.isalnum() and c.isascii()) or c in "-_" for c in key) else _text(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(entry) for entry in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + "}"
    raise TypeError(f"no TOML form for {type(value).__name__}")


def _text(value: str) -> str:
    """Return a basic string: JSON's escapes are TOML's, but TOML wants the delete character escaped, too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
