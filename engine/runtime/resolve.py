"""From a strategy's name to an object: the registry, or ``package.module:Class``."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint
from math import inf
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from plimsoll.engine.config.section import config_error
from plimsoll.engine.errors import ConfigError, did_you_mean
from plimsoll.engine.plugins import plugins
from plimsoll.engine.runtime.modules import find_object
from plimsoll.engine.sleeve.strategy import Strategy

GROUP = "plimsoll.strategies"


def registered() -> Mapping[str, EntryPoint]:
    """Return every registered strategy by name, sorted."""
    return plugins(GROUP)


def strategy_class(spec: str, *, where: str = "strategy", modules: Path | None = None) -> type[Strategy]:
    """Return the class behind a registered name or ``package.module:Class``.

    modules : folder in which a module that cannot be imported otherwise is looked for.

    Raises
    ------
    ConfigError
        If there is none, it cannot be imported, or it is not a `Strategy`.
    """
    if ":" in spec:
        found = find_object(spec, modules, where)
    else:
        known = registered()
        if spec not in known:
            raise ConfigError(
                f"unknown strategy {spec!r}",
                where=where,
                fix=did_you_mean(spec, known) + " (or use 'package.module:Class')",
            )
        found = find_object(known[spec].value, None, where)
    if not (isinstance(found, type) and issubclass(found, Strategy)):
        raise ConfigError(f"{spec!r} is not a Strategy", where=where, fix="subclass plimsoll.Strategy")
    return found


def make_strategy(
    spec: str | type[Strategy] | Strategy, params: Mapping[str, Any], *, where: str, modules: Path | None = None
) -> Strategy:
    """Return a strategy with validated parameters; `modules` as for `strategy_class`.

    Raises
    ------
    ConfigError
        If the class cannot be found, a parameter is unknown or wrong, or the universe is empty or repeats a symbol.
    """
    if isinstance(spec, Strategy):
        strategy = spec
    else:
        cls = strategy_class(spec, where=where, modules=modules) if isinstance(spec, str) else spec
        try:
            strategy = cls(cls.Params.model_validate(dict(params)))
        except ValidationError as error:
            raise config_error(error, f"{where} params", cls.Params) from None
        except Exception as error:
            raise ConfigError(f"making {cls.__name__} raised {type(error).__name__}: {error}", where=where) from error
    check_face(strategy, where)
    return strategy


def check_face(strategy: Strategy, where: str) -> None:
    """Refuse a strategy whose universe, watched symbols, indicators, diagnostics, sizes or warm-up cannot be used.

    Raises
    ------
    ConfigError
        Naming the attribute.
    """
    name = type(strategy).__name__
    try:
        named = {key: getattr(strategy, key) for key in ("universe", "watched", "indicators", "diagnostics")}
        warmup: object = strategy.warmup_bars
        sizes: dict[str, object] = {"full_gross": strategy.full_gross, "full_vol": strategy.full_vol}
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
    for symbol in named["watched"]:
        if symbol not in named["universe"]:
            fix = did_you_mean(symbol, named["universe"])
            raise ConfigError(f"{name}.watched names {symbol!r}, which is not in its universe", where=where, fix=fix)
    for key, size in sizes.items():
        if not (isinstance(size, Real) and 0.0 < float(size) < inf) and not (key == "full_vol" and size is None):
            raise ConfigError(f"{name}.{key} is {size!r}", where=where, fix="give a number above 0")
    if not isinstance(warmup, Integral) or int(warmup) < 0:
        raise ConfigError(f"{name}.warmup_bars is {warmup!r}", where=where, fix="return a whole number of bars")
