"""`plimsoll backtest`."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from plimsoll.engine.cli.log import RunLog
from plimsoll.engine.cli.progress import progress_bar
from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.errors import InputError
from plimsoll.engine.report.folder import check_target
from plimsoll.engine.report.metrics.table import plain
from plimsoll.engine.report.result import Result
from plimsoll.engine.runtime.assemble import build
from plimsoll.engine.runtime.collect import collect
from plimsoll.engine.runtime.compiled.engines import compile_notice, runner
from plimsoll.engine.runtime.load import load_panel
from plimsoll.engine.runtime.needs import needs_of
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.trials.ledger import record_backtest
from plimsoll.engine.types import EngineName


def run_backtest(
    config_path: Path,
    data: Path | None,
    start: str | None,
    end: str | None,
    sets: list[str],
    out: Path | None,
    *,
    force: bool,
    engine: EngineName,
    trials: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Load, run, write the folder, print the summary; nothing is written unless everything went well."""
    config = effective_config(config_path, data, start, end, sets)
    began = datetime.now(UTC)
    folder = out if out is not None else default_folder(config, began)
    check_target(folder, force=force)
    log = RunLog(clock=lambda: datetime.now(UTC))
    strategies = make_strategies(config)
    panel = load_panel(config, needs_of(config, strategies))
    log.event("data_loaded", source=panel.source, bars=panel.n_bars, symbols=panel.n_symbols, data_hash=panel.data_hash)
    setup = build(config, panel, strategies)
    run, notice = runner(engine), compile_notice(engine, setup)
    if notice and not quiet:
        sys.stderr.write(f"{notice}\n")
    with progress_bar(f"{config.run.name}", shown=not (quiet or as_json)) as progress:
        track = run(setup, progress)
    result = Result.of(collect(setup, track))
    for warning in result.warnings:
        log.event("warning", kind=warning.kind, symbol=warning.symbol, session=warning.session, text=warning.text)
    log.event("run_finished", run_id=result.run_id, bars=len(result.equity), **result.counts)
    result.save(folder, force=force, created=began.isoformat(timespec="seconds"), extras={"log.jsonl": log.content()})
    remember(result, trials, recorded_at=datetime.now(UTC))
    if as_json:
        sys.stdout.write(json.dumps(plain(result.metrics), indent=2, allow_nan=False) + "\n")
    elif quiet:
        sys.stdout.write(f"{folder}\n")
    else:
        result.summary(folder=folder)


def remember(result: Result, trials: str | None, *, recorded_at: datetime) -> None:
    """Record the run in the trial ledger; where that fails, say so in one line on stderr: the run is done and good."""
    try:
        record_backtest(result, trials, env=os.environ, recorded_at=recorded_at)
    except InputError as error:
        sys.stderr.write(f"warning: the run is not in the trial ledger: {error}\n")


def effective_config(path: Path, data: Path | None, start: str | None, end: str | None, sets: list[str]) -> Config:
    """Layer file, environment, `--set` and the shorthand options; the last word wins."""
    shorthand = [] if data is None else ["data.source=csv", f"data.path={json.dumps(str(data), ensure_ascii=False)}"]
    shorthand += [f"run.{key}={text}" for key, text in (("start", start), ("end", end)) if text is not None]
    return load_config(path, env=os.environ, sets=[*sets, *shorthand])


def default_folder(config: Config, now: datetime) -> Path:
    """Return `runs/<utc>-<name>-<hash8>`, made unique if two runs start in the same second."""
    stem = f"{now:%Y%m%dT%H%M%SZ}-{config.run.name}-{config.digest[:8]}"
    folder, copy = Path("runs") / stem, 1
    while folder.exists():
        copy += 1
        folder = Path("runs") / f"{stem}-{copy}"
    return folder
