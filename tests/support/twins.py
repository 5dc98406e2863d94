"""One run through both loops: what each leaves behind, to the byte, and how the two part."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.core import Decision
from plimsoll.engine.errors import PlimsollError
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.report.folder import folder_files
from plimsoll.engine.report.result import record_of, result_of
from plimsoll.engine.report.table_files import table_bytes
from plimsoll.engine.runtime.ahead import run_ahead
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.backtest import Progress, Track, run_loop
from plimsoll.engine.runtime.collect import collect
from plimsoll.engine.runtime.compiled.engine import run_compiled
from plimsoll.engine.sleeve.strategy import Strategy, scan_of

Loop = Callable[[Setup], Track]
TABLES = ("equity", "weights", "targets", "orders", "fills", "sleeves", "diagnostics", "trace")


@dataclass(frozen=True)
class Left:
    """What one loop left behind: bytes by name and the track, or the error it ended in."""

    files: dict[str, bytes]
    error: tuple[str, str] | None
    track: Track | None


def both(
    values: Mapping[str, Any] | Config,
    panel: Panel,
    strategies: Mapping[str, Strategy],
    *,
    pages: bool = False,
    progress: Progress | None = None,
) -> Left:
    """Run the ordinary and the compiled loop, hold them against each other, and return what they left.

    Where a strategy has a scan, so is the ordinary loop that lets it run ahead.

    pages : compare whole run folders, page included; else their tables, figures, counts and warnings.
    progress : who watches the compiled loop.
    """
    config = values if isinstance(values, Config) else load_config(values)
    ours = _left(config, panel, strategies, run_loop, pages=pages)
    theirs = _left(config, panel, strategies, lambda setup: run_compiled(setup, progress), pages=pages)
    assert_same(ours, theirs)
    if any(scan_of(strategy) is not None for strategy in strategies.values()):
        assert_same(ours, _left(config, panel, strategies, run_ahead, pages=pages))
    return ours


def assert_same(ours: Left, theirs: Left) -> None:
    """Hold two runs against each other: errors, every file, every decision."""
    assert theirs.error == ours.error
    assert theirs.files.keys() == ours.files.keys()
    assert [name for name in ours.files if theirs.files[name] != ours.files[name]] == []
    if ours.track is not None and theirs.track is not None:
        assert (theirs.track.last, theirs.track.ruined) == (ours.track.last, ours.track.ruined)
        parted = [_parting(a, b) for a, b in zip(ours.track.decisions, theirs.track.decisions, strict=True)]
        assert [parts for parts in parted if parts] == []


def _left(config: Config, panel: Panel, strategies: Mapping[str, Strategy], loop: Loop, *, pages: bool) -> Left:
    try:
        setup = build(config, panel, deepcopy(dict(strategies)))
        track = loop(setup)
        result = result_of(collect(setup, track))
    except PlimsollError as error:
        return Left({}, (type(error).__name__, str(error)), None)
    if pages:
        return Left(folder_files(record_of(result), result.metrics), None, track)
    files = {name: table_bytes(getattr(result, name), always_parquet=True)[1] for name in TABLES}
    told = repr((sorted(result.counts.items()), result.warnings, result.metrics))
    account = setup.broker.book.scal.tobytes() + setup.broker.book.acct[0].tobytes()
    account += setup.broker.account().margin_call.to_bytes() + str(setup.broker.clock()).encode()
    paths = b"".join(np.ascontiguousarray(sleeve.tracker.path).tobytes() for sleeve in setup.system.sleeves)
    failures = repr([sleeve.failure for sleeve in setup.system.sleeves])
    return Left({**files, "told": told.encode(), "account": account, "state": state_bytes(setup), "paths": paths,
                 "failures": failures.encode()}, None, track)  # fmt: skip


def state_bytes(setup: Setup) -> bytes:
    """Return everything a system saves, names, types and shapes included."""
    saved = setup.system.save()
    return b"".join(f"{k} {v.dtype} {v.shape}\n".encode() + v.tobytes() for k, v in sorted(saved.items()))


def _parting(one: Decision, other: Decision) -> list[str]:
    """Return the parts of a decision that are not the same to the bit."""
    ours, theirs = _parts(one), _parts(other)
    return [f"{name} at bar {one.t}" for name in ours if ours[name] != theirs[name]]


def _parts(decision: Decision) -> dict[str, Any]:
    target, plan = decision.target, decision.plan
    arrays = {name: getattr(target, name) for name in ("weights", "goal", "trade", "trace", "facts")}
    arrays |= {f"order {name}": column for name, column in plan.orders.rows._asdict().items()}
    plain = {name: np.ascontiguousarray(array).tobytes() for name, array in {**arrays, "why": plan.why}.items()}
    figures = {"t": decision.t, "ticket": target.min_ticket, "forced": bool(target.forced), "phi": plan.phi}
    return {**plain, **figures}
