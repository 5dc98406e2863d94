"""Plimsoll: event-driven backtesting and paper trading for portfolios of ETF strategies.

Everything public is importable from here and is loaded when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plimsoll.engine.config.schema import Config, load_config
    from plimsoll.engine.errors import ConfigError, DataError, InputError, OutputError, PlimsollError, StrategyError
    from plimsoll.engine.kernels.jit import kernel
    from plimsoll.engine.market.panel import Panel
    from plimsoll.engine.market.sample.source import sample_panel
    from plimsoll.engine.report.result import Result
    from plimsoll.engine.research.audit.certificate import Certificate
    from plimsoll.engine.research.sweep.sweep import SweepResult
    from plimsoll.engine.research.validate.validate import Validation
    from plimsoll.engine.runtime.load import load_data
    from plimsoll.engine.sleeve.scan import Scan
    from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
    from plimsoll.engine.types import Bools, Floats, Weights
    from plimsoll.engine.verbs.accounts import adopt, flatten, reconcile
    from plimsoll.engine.verbs.audit import audit
    from plimsoll.engine.verbs.backtest import backtest
    from plimsoll.engine.verbs.compare import compare
    from plimsoll.engine.verbs.config_keys import describe_config
    from plimsoll.engine.verbs.confirm import confirm
    from plimsoll.engine.verbs.control import halt, resume, status
    from plimsoll.engine.verbs.daemon import daemon
    from plimsoll.engine.verbs.data import check_data, pull_data, show_data
    from plimsoll.engine.verbs.data_diff import diff_data
    from plimsoll.engine.verbs.data_import import import_data
    from plimsoll.engine.verbs.data_minutes import pull_minutes
    from plimsoll.engine.verbs.doctor import doctor
    from plimsoll.engine.verbs.doctor_live import doctor_live
    from plimsoll.engine.verbs.explain import explain
    from plimsoll.engine.verbs.export import export
    from plimsoll.engine.verbs.plan import plan
    from plimsoll.engine.verbs.project import write_project
    from plimsoll.engine.verbs.rebalance import emit, rebalance
    from plimsoll.engine.verbs.report import report
    from plimsoll.engine.verbs.strategies import describe_strategies, describe_strategy
    from plimsoll.engine.verbs.stress import stress
    from plimsoll.engine.verbs.sweep import sweep
    from plimsoll.engine.verbs.trials import trials
    from plimsoll.engine.verbs.twin import twin
    from plimsoll.engine.verbs.validate import validate

_HOME = {
    "Certificate": "plimsoll.engine.research.audit.certificate",
    "Bools": "plimsoll.engine.types",
    "Config": "plimsoll.engine.config.schema",
    "ConfigError": "plimsoll.engine.errors",
    "Context": "plimsoll.engine.sleeve.strategy",
    "DataError": "plimsoll.engine.errors",
    "Floats": "plimsoll.engine.types",
    "InputError": "plimsoll.engine.errors",
    "OutputError": "plimsoll.engine.errors",
    "Panel": "plimsoll.engine.market.panel",
    "PlimsollError": "plimsoll.engine.errors",
    "Result": "plimsoll.engine.report.result",
    "Scan": "plimsoll.engine.sleeve.scan",
    "Strategy": "plimsoll.engine.sleeve.strategy",
    "StrategyError": "plimsoll.engine.errors",
    "StrategyParams": "plimsoll.engine.sleeve.strategy",
    "SweepResult": "plimsoll.engine.research.sweep.sweep",
    "Validation": "plimsoll.engine.research.validate.validate",
    "Weights": "plimsoll.engine.types",
    "adopt": "plimsoll.engine.verbs.accounts",
    "audit": "plimsoll.engine.verbs.audit",
    "backtest": "plimsoll.engine.verbs.backtest",
    "check_data": "plimsoll.engine.verbs.data",
    "compare": "plimsoll.engine.verbs.compare",
    "confirm": "plimsoll.engine.verbs.confirm",
    "daemon": "plimsoll.engine.verbs.daemon",
    "describe_config": "plimsoll.engine.verbs.config_keys",
    "describe_strategies": "plimsoll.engine.verbs.strategies",
    "describe_strategy": "plimsoll.engine.verbs.strategies",
    "diff_data": "plimsoll.engine.verbs.data_diff",
    "doctor": "plimsoll.engine.verbs.doctor",
    "doctor_live": "plimsoll.engine.verbs.doctor_live",
    "explain": "plimsoll.engine.verbs.explain",
    "export": "plimsoll.engine.verbs.export",
    "status": "plimsoll.engine.verbs.control",
    "resume": "plimsoll.engine.verbs.control",
    "reconcile": "plimsoll.engine.verbs.accounts",
    "rebalance": "plimsoll.engine.verbs.rebalance",
    "halt": "plimsoll.engine.verbs.control",
    "flatten": "plimsoll.engine.verbs.accounts",
    "emit": "plimsoll.engine.verbs.rebalance",
    "import_data": "plimsoll.engine.verbs.data_import",
    "kernel": "plimsoll.engine.kernels.jit",
    "load_config": "plimsoll.engine.config.schema",
    "load_data": "plimsoll.engine.runtime.load",
    "plan": "plimsoll.engine.verbs.plan",
    "pull_minutes": "plimsoll.engine.verbs.data_minutes",
    "pull_data": "plimsoll.engine.verbs.data",
    "report": "plimsoll.engine.verbs.report",
    "sample_panel": "plimsoll.engine.market.sample.source",
    "show_data": "plimsoll.engine.verbs.data",
    "stress": "plimsoll.engine.verbs.stress",
    "sweep": "plimsoll.engine.verbs.sweep",
    "trials": "plimsoll.engine.verbs.trials",
    "twin": "plimsoll.engine.verbs.twin",
    "validate": "plimsoll.engine.verbs.validate",
    "write_project": "plimsoll.engine.verbs.project",
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
    "Validation",
    "Weights",
    "adopt",
    "audit",
    "backtest",
    "check_data",
    "compare",
    "confirm",
    "daemon",
    "describe_config",
    "describe_strategies",
    "describe_strategy",
    "diff_data",
    "doctor",
    "doctor_live",
    "emit",
    "explain",
    "export",
    "flatten",
    "halt",
    "import_data",
    "kernel",
    "load_config",
    "load_data",
    "plan",
    "pull_data",
    "pull_minutes",
    "rebalance",
    "reconcile",
    "report",
    "resume",
    "sample_panel",
    "show_data",
    "status",
    "stress",
    "sweep",
    "trials",
    "twin",
    "validate",
    "write_project",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'plimsoll' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
