"""Plimsoll: event-driven backtesting and paper trading for portfolios of ETF strategies.

Everything public is importable from here and is loaded when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.config import Config, load_config
    from engine.errors import ConfigError, DataError, InputError, OutputError, PlimsollError, StrategyError
    from engine.kernels.jit import kernel
    from engine.market.panel import Panel
    from engine.market.sample import sample_panel
    from engine.portfolio.scan import Scan
    from engine.report.result import Result
    from engine.research.audit import audit
    from engine.research.certificate import Certificate
    from engine.research.sweep import SweepResult
    from engine.research.sweep_verb import sweep
    from engine.runtime.run import backtest, load_data
    from engine.strategy import Context, Strategy, StrategyParams
    from engine.types import Bools, Floats, Weights

_HOME = {
    "Certificate": "engine.research.certificate",
    "Bools": "engine.types",
    "Config": "engine.config",
    "ConfigError": "engine.errors",
    "Context": "engine.strategy",
    "DataError": "engine.errors",
    "Floats": "engine.types",
    "InputError": "engine.errors",
    "OutputError": "engine.errors",
    "Panel": "engine.market.panel",
    "PlimsollError": "engine.errors",
    "Result": "engine.report.result",
    "Scan": "engine.portfolio.scan",
    "Strategy": "engine.strategy",
    "StrategyError": "engine.errors",
    "StrategyParams": "engine.strategy",
    "SweepResult": "engine.research.sweep",
    "Weights": "engine.types",
    "audit": "engine.research.audit",
    "backtest": "engine.runtime.run",
    "kernel": "engine.kernels.jit",
    "load_config": "engine.config",
    "load_data": "engine.runtime.run",
    "sample_panel": "engine.market.sample",
    "sweep": "engine.research.sweep_verb",
}

__all__ = [
    "Bools",
    "Certificate",
    "Config",
    "ConfigError",
    "Context",
    "DataError",
    "Floats",
    "InputError",
    "OutputError",
    "Panel",
    "PlimsollError",
    "Result",
    "Scan",
    "Strategy",
    "StrategyError",
    "StrategyParams",
    "SweepResult",
    "Weights",
    "audit",
    "backtest",
    "kernel",
    "load_config",
    "load_data",
    "sample_panel",
    "sweep",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
