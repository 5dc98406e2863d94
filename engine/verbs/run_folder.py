"""Read a finished run back: its configuration, and the data it ran on."""

import json
import tomllib
from pathlib import Path

from plimsoll.engine.config.layers import lay_over
from plimsoll.engine.config.schema import Config, validate_config
from plimsoll.engine.errors import DataError
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.report.folder import MARKER
from plimsoll.engine.runtime.load import folder_overrides, load_panel
from plimsoll.engine.runtime.needs import needs_of
from plimsoll.engine.runtime.prepare import make_strategies, prepare
from plimsoll.engine.sleeve.strategy import Strategy


def load_finished(
    run: Path, data: Path | str | None = None, *, catalog: Path | str | None = None
) -> tuple[Config, Panel, dict[str, Strategy]]:
    """Return a run's configuration, the panel it names, and its strategies as they were before the run.

    A source that keeps versions tells what it told then, and the configuration names when (`data.as_of`).

    data : where the data are now, if they have moved; catalog : where the catalog is, if that has.

    Raises
    ------
    DataError
        If the folder is not a run, or the data are not those it ran on.
    """
    config, data_hash = _read(run, data, catalog)
    strategies = make_strategies(config)
    panel = load_panel(config, needs_of(config, strategies))
    if prepare(config, panel, strategies).feed.panel.data_hash != data_hash:
        raise DataError("the data have changed since this run", where=str(run), fix="run the backtest again")
    return config, panel, strategies


def _read(run: Path, data: Path | str | None, catalog: Path | str | None) -> tuple[Config, str]:
    try:
        values = tomllib.loads((run / "config.toml").read_text(encoding="utf-8"))
        env = json.loads((run / "env.json").read_text(encoding="utf-8"))
        data_hash, known_at = str(env["data_hash"]), env.get("known_at")
    except (OSError, ValueError, KeyError):
        raise DataError(f"not a run folder: it needs config.toml, env.json and {MARKER}", where=str(run)) from None
    if data is not None:
        values["data"].pop("as_of", None)  # it spoke of the place where they were
        lay_over(values, {}, folder_overrides(data))
    elif known_at and "as_of" not in values["data"]:  # what its source has learnt since is left out
        lay_over(values, {}, [f'data.as_of="{known_at}"'])
    if catalog is not None:
        values["data"]["path"] = str(catalog)
    return validate_config(values, str(run / "config.toml")), data_hash
