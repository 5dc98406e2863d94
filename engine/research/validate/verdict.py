"""A verdict on file: what it says, and whether a configuration may lean on it."""

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, Final

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.sleeve.strategy import Strategy

WHERE: Final = "gate.verdict"
AGAIN: Final = "run `plimsoll validate` again"
_WORDS: Final = {"strategies": "strategy source", "configuration": "configuration", "data": "data"}


def asks_for_verdict(config: Config) -> bool:
    """Return whether a configuration may run with a verdict only: its gate says so, and it promotes a sleeve."""
    promoted = any(sleeve.status == "promoted" for sleeve in config.sleeve)
    return config.gate is not None and config.gate.required and promoted


def require_verdict(config: Config, strategies: Iterable[Strategy], panel: Panel) -> None:
    """Refuse a configuration that asks for a verdict and has none that passed and fits; do nothing for any other.

    Raises
    ------
    ConfigError
        If the verdict is missing, unreadable, failed, or of other source, configuration or data.
    """
    if config.gate is None or config.gate.verdict is None or not asks_for_verdict(config):
        return
    path = config.gate.verdict
    found = read_verdict(path)
    if not found["passed"]:
        why = "; ".join(str(reason) for reason in found.get("reasons", ())) or "see the verdict"
        fix = "set the sleeves to 'incubating', or change what failed"
        raise ConfigError(f"{path} says FAIL: {why}", where=WHERE, fix=fix)
    last = date.fromisoformat(found["last_session"])
    session = panel.clock.session[-1].astype("datetime64[D]").item()
    if session < last:
        raise ConfigError(
            f"{path} saw prices through {last}, these end on {session}", where=WHERE, fix=f"bring them up, or {AGAIN}"
        )
    if stale := _stale(config, strategies, panel, found):
        what = f"{path} is of other {' and '.join(stale)} than now"
        raise ConfigError(what, where=WHERE, cause="changed since the validation", fix=AGAIN)


def known_verdict(config: Config, strategies: Iterable[Strategy], panel: Panel) -> dict[str, Any] | None:
    """Return what the verdict that the gate names says, for the run's page; None where it names none that is there.

    `passed`, `fits` whether it is of this strategy source, configuration and data, `path`.

    Raises
    ------
    ConfigError
        If the file that is there is no verdict.
    """
    if config.gate is None or config.gate.verdict is None or not config.gate.verdict.is_file():
        return None
    found = read_verdict(config.gate.verdict)
    fits = not _stale(config, strategies, panel, found)
    return {"passed": found["passed"], "fits": fits, "path": str(config.gate.verdict)}


def _stale(config: Config, strategies: Iterable[Strategy], panel: Panel, found: dict[str, Any]) -> list[str]:
    """Return what has changed since a verdict, in words."""
    from plimsoll.engine.research.validate.checksum import checksum_of

    now, then = checksum_of(config, strategies, panel, date.fromisoformat(found["last_session"])), found["checksum"]
    return [word for key, word in _WORDS.items() if getattr(now, key) != then.get(key)]


def read_verdict(path: Path) -> dict[str, Any]:
    """Return a verdict.

    Raises
    ------
    ConfigError
        If there is no such file, or it is no verdict.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        fix = f"{AGAIN.removesuffix(' again')} --out DIR and name DIR/verdict.json"
        raise ConfigError(f"no verdict {path}", where=WHERE, fix=fix) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", where=WHERE, fix=AGAIN) from None
    try:
        date.fromisoformat(found["last_session"])
        whole = isinstance(found["passed"], bool) and set(_WORDS) <= set(found["checksum"])
    except (TypeError, KeyError, ValueError):
        whole = False
    if not whole:
        raise ConfigError(f"{path} is no verdict of a validation", where=WHERE, fix=AGAIN)
    return dict(found)
