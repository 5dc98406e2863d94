"""`plimsoll backtest`."""

import json
import sys
from pathlib import Path

from plimsoll.engine.cli.options import RunOptions, command_host, default_folder, effective_config
from plimsoll.engine.cli.progress import progress_bar
from plimsoll.engine.report.metrics.table import plain
from plimsoll.engine.report.result import record_of
from plimsoll.engine.trials.row import family_of
from plimsoll.engine.trials.tries import luck_in_ledger
from plimsoll.engine.types import EngineName
from plimsoll.engine.verbs.backtest import backtest


def run_backtest(
    path: Path,
    options: RunOptions,
    out: Path | None,
    *,
    force: bool,
    strict: bool,
    engine: EngineName,
    trials: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run, write the folder, print the summary; nothing is written unless everything went well."""
    host = command_host(quiet=quiet)
    config = effective_config(path, options)
    folder = out or default_folder(host.clock(), config.run.name, config.digest[:8])
    with progress_bar(config.run.name, shown=not (quiet or as_json)) as progress:
        result = backtest(
            config,
            progress=progress,
            trials=trials,
            engine=engine,
            out=folder,
            force=force,
            strict=strict,
            host=host,
        )
    if as_json:
        sys.stdout.write(json.dumps(plain(result.metrics), indent=2, allow_nan=False) + "\n")
    elif quiet:
        sys.stdout.write(f"{folder}\n")
    else:
        bill = None if result.bill is None else record_of(result).aligned(result.bill, "bill")
        returns = result.returns.to_numpy()
        result.summary(folder=folder, luck=luck_in_ledger(family_of(config), returns, bill, trials, host.env))
