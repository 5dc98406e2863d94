"""From what a user gives, a configuration in any form or a strategy, to a validated configuration and its panel."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeAlias

from plimsoll.engine.config.as_of import moment_of
from plimsoll.engine.config.interval import canonical_interval
from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.errors import ConfigError, did_you_mean
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.resample import resample
from plimsoll.engine.market.said import Said
from plimsoll.engine.market.source import FOLDER, open_source
from plimsoll.engine.market.span import until
from plimsoll.engine.market.universe import with_universe
from plimsoll.engine.runtime.members import members_of
from plimsoll.engine.runtime.named import named_config
from plimsoll.engine.runtime.needs import Needs, needs_of
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.runtime.resolve import make_strategy
from plimsoll.engine.sleeve.strategy import Strategy
from plimsoll.engine.types import PriceKind

# What a run can be made from: a configuration in any form, or a strategy with everything else at its default.
Runnable: TypeAlias = Config | Path | str | Mapping[str, Any] | Strategy | type[Strategy]
# As of when: a date is its end in New York, a timestamp says its zone; None = what the configuration says, or now.
AsOf: TypeAlias = date | datetime | str | None


def configured(
    what: Runnable,
    *,
    data: Panel | Path | str | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    sets: Iterable[str] = (),
    as_of: AsOf = None,
    env: Mapping[str, str] | None = None,
) -> tuple[Config, dict[str, Strategy]]:
    """Return the configuration that a verb runs on, and by sleeve the strategy object it was given, if it was one.

    The parameters are those of `backtest`; `env` lays ``PLIMSOLL__SECTION__KEY`` between the file and `sets`.

    Raises
    ------
    ConfigError
        If it is not a valid configuration.
    """
    given = _strategy_of(what)
    values: dict[str, Any] | Path = _config_of(given) if given is not None else _layered(what)
    overrides = list(sets)
    if isinstance(data, (str, Path)):
        overrides += folder_overrides(data)
    overrides += [f"run.{key}={value}" for key, value in (("start", start), ("end", end)) if value is not None]
    if as_of is not None:
        overrides.append(f"data.as_of={json.dumps(as_of.isoformat() if isinstance(as_of, date) else str(as_of))}")
    config = load_config(values, env=env, sets=overrides)
    if config.data.as_of is not None and isinstance(data, Panel):
        raise ConfigError(
            "a panel keeps no versions", where="data.as_of", fix="leave it out, or name a catalog instead"
        )
    objects = {config.sleeve[0].name: given} if given is not None else {}
    return config, objects


def folder_overrides(folder: Path | str) -> list[str]:
    """Return the ``section.key=value`` overrides that read a folder of files."""
    return [f"data.source={FOLDER}", f"data.path={json.dumps(str(folder), ensure_ascii=False)}"]


def load_run(
    what: Runnable,
    *,
    data: Panel | Path | str | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    sets: Iterable[str] = (),
    as_of: AsOf = None,
    now: datetime | None = None,
) -> tuple[Config, Panel, dict[str, Strategy]]:
    """Return the effective configuration, the panel, and the strategies that came as objects, by sleeve name.

    The parameters are those of `backtest`; `now` (aware), if given, is the time, and no as-of may come after it.

    Raises
    ------
    InputError
        If anything about the input is wrong.
    """
    config, objects = configured(what, data=data, start=start, end=end, sets=sets, as_of=as_of)
    if now is not None:
        refuse_to_come(config, now)
    panel = data if isinstance(data, Panel) else load_panel(config, needs_of(config, make_strategies(config, objects)))
    if isinstance(data, Panel) and config.run.end is not None:
        panel = until(panel, config.run.end)
    return config, panel, objects


def refuse_to_come(config: Config, now: datetime) -> None:
    """Refuse an as-of that has not come yet: what will be known by then is not known, and would change.

    Raises
    ------
    ConfigError
        As above.
    """
    if config.data.as_of is not None and moment_of(config.data.as_of) > now:
        what, cause = f"{config.data.as_of} has not come yet", "a date is the end of its day in New York"
        fix = "leave it out for what is known now, or give a timestamp"
        raise ConfigError(what, where="data.as_of", cause=cause, fix=fix)


def refuse_past(config: Config) -> None:
    """Refuse to send orders on what was known at another time.

    Raises
    ------
    ConfigError
        If the configuration says as of when.
    """
    if config.data.as_of is not None:
        fix = "leave it out; `plimsoll plan --as-of` shows what would have been sent"
        raise ConfigError("live decides on what is known now", where="data.as_of", fix=fix)


def load_panel(config: Config, needs: Needs) -> Panel:
    """Load what a configuration names from its source.

    Raises
    ------
    ConfigError
        If there is no such source, it cannot be opened so, or something is said of a symbol that is not loaded.
    DataError
        If a file or a row of it is unusable.
    """
    section = config.data
    source = open_source(section.source, section.path, as_of=section.as_of)
    offer = source.offers(section.interval)
    said = Said(section.prices, section.confirmed, section.label or "left", section.extended_hours or "refuse")
    universe = None if section.universe_file is None else members_of(section.universe_file, needs, offer.symbols)
    former = () if universe is None else universe.former_names(needs.symbols + needs.optional)
    known = needs.symbols + needs.optional + former
    for where, named in (("data.prices", said.prices), ("data.confirmed", said.confirmed)):
        for symbol in named:
            if symbol not in known:
                fix = did_you_mean(symbol, known)
                raise ConfigError(f"symbol {symbol!r} is not in this run", where=where, fix=fix)
    symbols = needs.symbols + tuple(s for s in needs.optional if s in offer.symbols)
    indicators = needs.required_indicators + tuple(i for i in needs.indicators if i in offer.indicators)
    panel = source.load(
        symbols + former, indicators, interval=section.interval, end=config.run.end, seed=config.run.seed, said=said
    )
    panel = panel if section.resample is None else resample(panel, section.resample)
    return panel if universe is None else with_universe(panel, universe)


def load_data(
    folder: Path | str,
    symbols: Iterable[str],
    indicators: Iterable[str] = (),
    *,
    interval: str = "1d",
    start: date | None = None,
    end: date | None = None,
    prices: Mapping[str, PriceKind] | None = None,
    confirmed: Mapping[str, Collection[date]] | None = None,
    resampled: str | None = None,
) -> Panel:
    """Load a folder of ``<SYMBOL>.csv`` files into a panel.

    Parameters
    ----------
    folder : path
    symbols, indicators : names of files
    interval : of the files, "1d", "5min" ...
    start, end : first and last date read, both included
    prices : symbol -> "raw", "split" or "adjusted": what its prices are, where files cannot tell
    confirmed : symbol -> sessions whose extraordinary moves are real
    resampled : the longer bars that intraday ones are made into; see `engine.market.resample.resample`

    Raises
    ------
    DataError
        If a file is missing, or a row of it is unusable; the message names symbol, session and value.
    """
    source, said = open_source(FOLDER, Path(folder)), Said(prices or {}, confirmed or {})
    panel = source.load(
        tuple(symbols), tuple(indicators), interval=canonical_interval(interval), start=start, end=end, said=said
    )
    return panel if resampled is None else resample(panel, canonical_interval(resampled))


def _layered(what: Any) -> Any:
    if isinstance(what, Config):
        return what.plain()
    if isinstance(what, Mapping):
        return what
    if not isinstance(what, (str, Path)):
        fix = "pass a configuration, its path, or a strategy"
        raise ConfigError(f"cannot run {type(what).__name__}", where="backtest", fix=fix)
    return named_config(Path(what)) or Path(what)


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
