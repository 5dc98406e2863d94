"""The layers of a configuration: a file, the environment, `--set`."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from plimsoll.engine.errors import ConfigError, did_you_mean

ENV_PREFIX: Final = "PLIMSOLL__"
BROKER_KEYS: Final = f"{ENV_PREFIX}BROKER__"


def lay_over(values: dict[str, Any], env: Mapping[str, str], sets: Iterable[str]) -> None:
    """Write environment and ``section.key=value`` overrides into nested values, in this order.

    Raises
    ------
    ConfigError
        If one is not of that form, leads through a value, or the environment would name a broker.
    """
    for key, text in sorted(env.items()):
        if key.startswith(ENV_PREFIX):
            if f"{key.upper()}__".startswith(BROKER_KEYS):  # the section as a whole, too
                fix = "write it in the file: the environment supplies keys and nothing else of an account"
                raise ConfigError(
                    "whose account it is, and where, is not taken from here", where=f"environment {key}", fix=fix
                )
            assign(values, key[len(ENV_PREFIX) :].lower().split("__"), parse_value(text), f"environment {key}")
    for item in sets:
        path, equals, text = item.partition("=")
        if not equals or not path.strip():
            raise ConfigError(f"--set {item!r} is not of the form a.b=value")
        assign(values, path.strip().split("."), parse_value(text), f"--set {path.strip()}")


def read_toml(path: Path) -> dict[str, Any]:
    """Return the nested values of a TOML file.

    Raises
    ------
    ConfigError
        If there is none, or it cannot be read.
    """
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        there = path.parent.glob("*.toml") if path.parent.is_dir() else ()
        near = [one.name for one in there if one.name != "pyproject.toml"]
        raise ConfigError("no such config file", where=str(path), fix=did_you_mean(path.name, near)) from None
    except (IsADirectoryError, PermissionError) as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"not UTF-8 at byte {error.start}", where=str(path), fix="save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not valid TOML: {error}", where=str(path)) from None


def parse_value(text: str) -> Any:
    """Return text as a TOML value, or as it is: bare words need no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def assign(values: dict[str, Any], path: list[str], value: Any, where: str) -> None:
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
