"""Tell what there is to know about a strategy."""

import inspect
from pathlib import Path
from typing import Any, Final

from plimsoll.engine.runtime.resolve import make_strategy, registered, strategy_class

_LIMITS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "pattern", "minItems", "enum")


def describe_strategies() -> list[dict[str, Any]]:
    """Return what there is to know about every registered strategy, by name."""
    return [describe_strategy(name) for name in registered()]


def describe_strategy(name: str, modules: Path | str | None = None) -> dict[str, Any]:
    """Return what there is to know about a strategy as plain values.

    Parameters
    ----------
    name : str
        A registered name, or ``package.module:Class``.
    modules : path, optional
        Folder in which a module that is not installed is looked for.

    Raises
    ------
    ConfigError
        If there is no such strategy.
    """
    cls = strategy_class(name, modules=None if modules is None else Path(modules))
    strategy = make_strategy(cls, {}, where=name)
    fields = cls.Params.model_json_schema().get("properties", {})
    parameters = {
        key: {
            "default": strategy.params.model_dump(mode="json")[key],
            "limits": {limit: spec[limit] for limit in _LIMITS if limit in spec},
        }
        for key, spec in fields.items()
    }
    return {
        "name": name,
        "class": f"{cls.__module__}:{cls.__qualname__}",
        "doc": inspect.cleandoc(cls.__doc__ or ""),
        "universe": list(strategy.universe),
        "watched": list(strategy.watched),
        "indicators": list(strategy.indicators),
        "diagnostics": list(strategy.diagnostics),
        "warmup_bars": strategy.warmup_bars,
        "full_gross": strategy.full_gross,
        "full_vol": strategy.full_vol,
        "role": strategy.role,
        "parameters": parameters,
        "implied": strategy.implied(),
    }
