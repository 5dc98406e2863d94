"""The verbs behind the command line, as plain functions."""

import json
import os
import re
import warnings
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeAlias

from engine.config import Config, load_config
from engine.errors import ConfigError, InputError
from engine.market.panel import Panel
from engine.report.result import Result
from engine.runtime.backtest import Progress
from engine.runtime.collect import collect
from engine.runtime.engines import runner
from engine.runtime.needs import Needs, needs_of
from engine.runtime.resolve import make_strategy
from engine.runtime.setup import build, make_strategies
from engine.runtime.span import until
from engine.strategy import Strategy
from engine.types import EngineName

# What a run can be made from: a configuration in any form, or a strategy with everything else at its default.
Runnable: TypeAlias = Config | Path | str | Mapping[str, Any] | Strategy | type[Strategy]


def backtest(
    what: Runnable,
    *,
    data: Panel | Path | str | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    sets: Iterable[str] = (),
    progress: Progress | None = None,
    trials: Path | str | None = None,
    engine: EngineName = "python",
) -> Result:
    """Run a backtest, record it in the trial ledger and return its result.

    Parameters
    ----------
    what : Config, path, mapping, Strategy or type of Strategy
        A configuration, or a strategy to run alone with default settings.
    data : Panel or path, optional
        A panel from `load_data`, or a folder of CSV files; by default what the configuration names.
    start, end : date or ISO text, optional
        First and last session traded; override the configuration.
    sets : iterable of str
        ``section.key=value`` overrides.
    progress : callable, optional
        Called now and then with (bars done, bars in all).
    trials : path or "off", optional
        Folder of the trial ledger; by default what the environment's ``PLIMSOLL_TRIALS`` names, or the user's data
        folder. A ledger that cannot be written is a RuntimeWarning.
    engine : {"python", "compiled"}
        The loop: bar by bar, or compiled, which pays from the second run on; the result is the same to the bit.

    Raises
    ------
    InputError
        If anything about the input is wrong; the message is one line that says what to do.

    Examples
    --------
    >>> from engine import backtest
    >>> from strategies.sixty_forty import SixtyForty
    >>> backtest(SixtyForty, start="2015-01-02").metrics["max_drawdown"] < 0
    True
    """
    config, panel, objects = load_run(what, data=data, start=start, end=end, sets=sets)
    setup = build(config, panel, make_strategies(config, objects))
    result = collect(setup, runner(engine)(setup, progress))
    _remember(result, trials)
    return result


def configured(
    what: Runnable,
    *,
    data: Panel | Path | str | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    sets: Iterable[str] = (),
) -> tuple[Config, dict[str, Strategy]]:
    """Return the configuration that a verb runs on, and by sleeve the strategy object it was given, if it was one.

    Raises
    ------
    ConfigError
        If it is not a valid configuration.
    """
    given = _strategy_of(what)
    values: dict[str, Any] | Path = _config_of(given) if given is not None else _layered(what)
    overrides = list(sets)
    if isinstance(data, (str, Path)):
        overrides += ["data.source=csv", f"data.path={json.dumps(str(data), ensure_ascii=False)}"]
    overrides += [f"run.{key}={value}" for key, value in (("start", start), ("end", end)) if value is not None]
    config = load_config(values, sets=overrides)
    objects = {config.sleeve[0].name: given} if given is not None else {}
    return config, objects


def load_run(
    what: Runnable,
    *,
    data: Panel | Path | str | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    sets: Iterable[str] = (),
) -> tuple[Config, Panel, dict[str, Strategy]]:
    """Return the effective configuration, the panel, and the strategies that came as objects, by sleeve name.

    The parameters are those of `backtest`.

    Raises
    ------
    InputError
        If anything about the input is wrong.
    """
    config, objects = configured(what, data=data, start=start, end=end, sets=sets)
    panel = data if isinstance(data, Panel) else load_panel(config, needs_of(config, make_strategies(config, objects)))
    if isinstance(data, Panel) and config.run.end is not None:
        panel = until(panel, config.run.end)
    return config, panel, objects


def load_panel(config: Config, needs: Needs) -> Panel:
    """Load what a configuration names: the synthetic sample or a folder of CSV files.

    Raises
    ------
    DataError
        If a file or a row of it is unusable.
    """
    section = config.data
    if section.source == "sample":
        from engine.market.sample import INDICATORS, sample_panel
        from engine.market.sample_universe import SYMBOLS

        if section.interval != "1d":
            raise ConfigError(f"the sample source has daily bars only, not {section.interval!r}", where="data.interval")
        symbols = needs.symbols + tuple(s for s in needs.optional if s in SYMBOLS)
        indicators = needs.required_indicators + tuple(i for i in needs.indicators if i in INDICATORS)
        return sample_panel(symbols, indicators, end=config.run.end, seed=config.run.seed)
    if section.path is None:
        raise ConfigError("source 'csv' needs a path", where="data.path", fix="pass --data DIR")
    from engine.market.csv_source import symbols_in

    there = symbols_in(section.path, section.interval)
    symbols = needs.symbols + tuple(s for s in needs.optional if s in there)
    indicators = needs.required_indicators + tuple(i for i in needs.indicators if i in there)
    return load_data(section.path, symbols, indicators, interval=section.interval, end=config.run.end)


def load_data(
    folder: Path | str,
    symbols: Iterable[str],
    indicators: Iterable[str] = (),
    *,
    interval: str = "1d",
    start: date | None = None,
    end: date | None = None,
) -> Panel:
    """Load a folder of ``<SYMBOL>.csv`` files into a panel.

    Raises
    ------
    DataError
        If a file is missing, or a row of it is unusable; the message names symbol, session and value.
    """
    from engine.market.csv_source import load_csv

    return load_csv(Path(folder), tuple(symbols), tuple(indicators), interval=interval, start=start, end=end)


def _remember(result: Result, trials: Path | str | None) -> None:
    from engine.research.trial_ledger import record_backtest

    try:
        record_backtest(result, trials, env=os.environ, recorded_at=datetime.now(UTC))
    except InputError as error:
        warnings.warn(f"the run is not in the trial ledger: {error}", RuntimeWarning, stacklevel=3)


def _layered(what: Any) -> Any:
    if isinstance(what, Config):
        return what.plain()
    if isinstance(what, (Mapping, Path)):
        return what
    if not isinstance(what, str):
        fix = "pass a configuration, its path, or a strategy"
        raise ConfigError(f"cannot run {type(what).__name__}", where="backtest", fix=fix)
    return Path(what)


def _strategy_of(what: Any) -> Strategy | None:
    if isinstance(what, Strategy):
        return what
    if isinstance(what, type) and issubclass(what, Strategy):
        return make_strategy(what, {}, where=what.__name__)
    return None


def _config_of(strategy: Strategy) -> dict[str, Any]:
    """Return a configuration that runs one strategy alone with default settings."""
    cls = type(strategy)
    for key, field in cls.Params.model_fields.items():
        if getattr(strategy.params, key, None) is None and field.default is not None:
            raise ConfigError(
                f"{key} is None, its default is {field.default!r}",
                where=cls.__name__,
                cause="a configuration cannot hold None",
                fix="give the parameter a value that says the same",
            )
    name = re.sub(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).strip("_").lower()[:64] or "strategy"
    sleeve = {
        "name": name,
        "strategy": f"{cls.__module__}:{cls.__qualname__}",
        "params": strategy.params.model_dump(mode="json", exclude_none=True),
    }
    return {"run": {"name": name}, "sleeve": [sleeve]}
