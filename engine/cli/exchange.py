"""`plimsoll exchange`: load the bars, and hand them to the exchange that is registered."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.source import FOLDER, open_source
from plimsoll.engine.plugins import plugins

GROUP = "plimsoll.exchanges"


def run_exchange(source: str | None, data: Path | None, symbols: str | None, asked: Mapping[str, Any]) -> None:
    """Serve the bars of a source; `asked` is handed on to the exchange as it is.

    source : a registered name; None = a bare folder where `data` names one, else the sample.

    Raises
    ------
    InputError
        If the bars or a setting cannot be used, or the extra is not installed.
    """
    serve = _registered()
    serve(_panel(source or ("sample" if data is None else FOLDER), data, symbols), asked)


def _registered() -> Any:
    point = plugins(GROUP).get("local")
    if point is None:
        raise ConfigError("no exchange is registered", where=GROUP, fix="run scripts/setup")
    try:
        return point.load()
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the exchange needs {error.name}", where="exchange", fix="pip install 'plimsoll[exchange]'"
        ) from error


def _panel(source: str, data: Path | None, symbols: str | None) -> Panel:
    found = open_source(source, data, where="--source")
    wanted = () if symbols is None else tuple(part.strip() for part in symbols.split(",") if part.strip())
    return found.load(wanted or sorted(found.offers("1d").symbols), (), interval="1d")
