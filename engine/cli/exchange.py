"""`plimsoll exchange`: load the bars, and hand them to the exchange that is registered."""

from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.panel import Panel

GROUP = "plimsoll.exchanges"


def run_exchange(
    source: Literal["sample", "csv"] | None, data: Path | None, symbols: str | None, wish: Mapping[str, Any]
) -> None:
    """Serve the bars of a folder, or of the sample; `wish` is handed on to the exchange as it is.

    Raises
    ------
    InputError
        If the bars or a setting cannot be used, or the extra is not installed.
    """
    serve = _registered()
    serve(_panel(source, data, symbols), wish)


def _registered() -> Any:
    for point in entry_points(group=GROUP):
        if point.name == "local":
            try:
                return point.load()
            except ModuleNotFoundError as error:
                raise ConfigError(
                    f"the exchange needs {error.name}", where="exchange", fix="pip install 'plimsoll[exchange]'"
                ) from error
    raise ConfigError("no exchange is registered", where=GROUP, fix="run scripts/setup")


def _panel(source: Literal["sample", "csv"] | None, data: Path | None, symbols: str | None) -> Panel:
    if (source == "csv") != (data is not None) and source is not None:
        raise ConfigError("--source csv and --data DIR go together", where="exchange")
    wanted = None if symbols is None else tuple(part.strip() for part in symbols.split(",") if part.strip())
    if data is None:
        from plimsoll.engine.market.sample.source import sample_panel

        return sample_panel(wanted)
    from plimsoll.engine.market.csv.source import load_csv, symbols_in

    return load_csv(data, symbols_in(data) if wanted is None else wanted)
