"""From a strategy's name to an object: the registry, or ``package.module:Class``."""

import importlib
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from numbers import Integral
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from plimsoll.engine.config.section import config_error
from plimsoll.engine.errors import ConfigError, did_you_mean
from plimsoll.engine.sleeve.strategy import Strategy

GROUP = "plimsoll.strategies"


def registered() -> dict[str, EntryPoint]:
    """Return every registered strategy by name, sorted."""
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def strategy_class(spec: str, *, where: str = "strategy") -> type[Strategy]:
    """Return the class behind a registered name or ``package.module:Class`` (the working folder is searched too).

    Raises
    ------
    ConfigError
        If there is none, it cannot be imported, or it is not a `Strategy`.
    """
    if ":" not in spec:
        known = registered()
        if spec not in known:
            raise ConfigError(
                f"unknown strategy {spec!r}",
                where=where,
                fix=did_you_mean(spec, known) + " (or use 'package.module:Class')",
            )
        found = _import(known[spec].value, where)
    else:
        found = _import(spec, where)
    if not (isinstance(found, type) and issubclass(found, Strategy)):
        raise ConfigError(f"{spec!r} is not a Strategy", where=where, fix="subclass plimsoll.Strategy")
    return found


def _import(spec: str, where: str) -> Any:
    module_name, _, class_name = spec.partition(":")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"cannot import {module_name!r}: {error}",
            where=where,
            fix="run from the folder that holds it, or install it",
        ) from error
    except Exception as error:
        raise ConfigError(f"importing {module_name!r} raised {type(error).__name__}: {error}", where=where) from error
    if not hasattr(module, class_name) or not class_name:
        names = [name for name, value in vars(module).items() if isinstance(value, type)]
        raise ConfigError(f"{module_name!r} has no {class_name!r}", where=where, fix=did_you_mean(class_name, names))
    return getattr(module, class_name)


def make_strategy(spec: str | type[Strategy] | Strategy, params: Mapping[str, Any], *, where: str) -> Strategy:
    """Return a strategy with validated parameters.

    Raises
    ------
    ConfigError
        If the class cannot be found, a parameter is unknown or wrong, or the universe is empty or repeats a symbol.
    """
    if isinstance(spec, Strategy):
        strategy = spec
    else:
        cls = strategy_class(spec, where=where) if isinstance(spec, str) else spec
        try:
            strategy = cls(cls.Params.model_validate(dict(params)))
        except ValidationError as error:
            raise config_error(error, f"{where} params", cls.Params) from None
        except Exception as error:
            raise ConfigError(f"making {cls.__name__} raised {type(error).__name__}: {error}", where=where) from error
    check_face(strategy, where)
    return strategy


def check_face(strategy: Strategy, where: str) -> None:
    """Refuse a strategy whose universe, indicators, diagnostics or warm-up cannot be used.

    Raises
    ------
    ConfigError
        Naming the attribute.
    """
    name = type(strategy).__name__
    try:
        named = {key: getattr(strategy, key) for key in ("universe", "indicators", "diagnostics")}
        warmup: object = strategy.warmup_bars
    except Exception as error:
        raise ConfigError(f"asking {name} raised {type(error).__name__}: {error}", where=where) from error
    for key, words in named.items():
        if isinstance(words, str) or not all(isinstance(word, str) for word in words):
            raise ConfigError(f"{name}.{key} is {words!r}", where=where, fix='write a tuple of names, e.g. ("SPY",)')
        if len(set(words)) < len(words):
            twice = next(word for word in words if list(words).count(word) > 1)
            raise ConfigError(f"{name}.{key} names {twice!r} twice", where=where)
    if not named["universe"]:
        raise ConfigError("the universe is empty", where=where, fix="set the class attribute `universe`")
    if not isinstance(warmup, Integral) or int(warmup) < 0:
        raise ConfigError(f"{name}.warmup_bars is {warmup!r}", where=where, fix="return a whole number of bars")
