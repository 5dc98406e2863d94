"""Every pandas object within what a verb returns, and those of them whose index has no name."""

from dataclasses import fields, is_dataclass
from typing import Any

import pandas as pd


def pandas_within(value: Any, path: str = "") -> dict[str, "pd.DataFrame | pd.Series"]:
    """Return what `value` hands out without a leading underscore, by how it is reached."""
    if isinstance(value, pd.DataFrame | pd.Series):
        return {path: value}
    if isinstance(value, dict):
        parts = {f"[{key}]": part for key, part in value.items()}
    elif hasattr(value, "_asdict"):
        parts = {f".{key}": part for key, part in value._asdict().items()}
    elif isinstance(value, list | tuple):
        parts = {f"[{number}]": part for number, part in enumerate(value)}
    elif is_dataclass(value):
        offered = [field.name for field in fields(value)]
        offered += [name for name in dir(type(value)) if isinstance(getattr(type(value), name), property)]
        parts = {f".{name}": getattr(value, name) for name in offered if not name.startswith("_")}
    else:
        return {}
    return {at: one for name, part in parts.items() for at, one in pandas_within(part, path + name).items()}


def unnamed(value: Any) -> list[str]:
    """Return how those are reached whose index, or a level of it, has no name."""
    return [path for path, table in pandas_within(value).items() if None in table.index.names]
