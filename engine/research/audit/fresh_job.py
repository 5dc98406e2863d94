"""What one reload is told, what it does in its process, and what it leaves."""

import importlib
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from plimsoll.engine.config.schema import Config, validate_config
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.panel_folder import open_panel
from plimsoll.engine.research.audit.case import Case, StandIn
from plimsoll.engine.research.audit.clock_shift import shift_clock
from plimsoll.engine.research.audit.file_watch import FileWatch
from plimsoll.engine.research.proof.trail import TrailRows
from plimsoll.engine.runtime.load import load_panel
from plimsoll.engine.runtime.needs import needs_of
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.sleeve.strategy import Strategy

# What a reload leaves: its numbers, then what they are, written last.
NUMBERS: Final = "outcome.npz"
OUTCOME: Final = "outcome.json"


@dataclass(frozen=True, slots=True)
class Job:
    """What a reload is told.

    config : plain values, its data cut off. path : where modules are looked for. folder : where the outcome goes.
    panel : a folder to take the data from instead of what the configuration names, or "". stand_in :
    "module:function" or "". days : by how many the clock is moved.
    """

    config: dict[str, Any]
    path: tuple[str, ...]
    folder: str
    panel: str
    stand_in: str
    days: int

    def write(self, file: Path) -> None:
        """Write it as JSON."""
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class ProcessOutcome:
    """How a reload ended.

    noted : what the strategy read from outside, in words. raised : what stopped the run, or "". data_hash : of the
    panel it loaded. rows : its outputs, empty if it was stopped.
    """

    noted: tuple[str, ...]
    raised: str
    data_hash: str
    rows: dict[str, TrailRows]

    def write(self, folder: Path) -> None:
        """Write it as arrays and JSON."""
        arrays: dict[str, Any] = {f"bar_{k}": one.bar for k, one in enumerate(self.rows.values())}
        arrays |= {f"values_{k}": one.values for k, one in enumerate(self.rows.values())}
        np.savez(folder / NUMBERS, allow_pickle=False, **arrays)
        columns = {name: one.columns for name, one in self.rows.items()}
        facts = {"noted": self.noted, "raised": self.raised, "data_hash": self.data_hash, "columns": columns}
        (folder / OUTCOME).write_text(json.dumps(facts), encoding="utf-8")


def run_job(file: str) -> None:
    """Run the job in `file`; what goes wrong in it is part of the outcome."""
    job = Job(**json.loads(Path(file).read_text(encoding="utf-8")))
    sys.path.extend(entry for entry in job.path if entry not in sys.path)
    folder = Path(job.folder)
    config = validate_config(job.config)
    watch = FileWatch([folder])
    watch.install()
    shift_clock(job.days)
    raised, loaded, rows = "", "", {}
    try:
        with watch.listening():
            strategies = make_strategies(config)
        panel = _panel(config, job, strategies)
        loaded = panel.data_hash
        with watch.listening():
            rows = Case(config, panel, stand_in=_stand_in(job.stand_in)).run(strategies).trail.rows
    except Exception as error:  # noqa: BLE001  (foreign code: anything may come out of it)
        raised = f"{type(error).__name__}: {error}"
    ProcessOutcome(tuple(watch.noted), raised, loaded, rows).write(folder)


def _stand_in(spec: str) -> StandIn | None:
    module, _, name = spec.partition(":")
    found: StandIn | None = getattr(importlib.import_module(module), name) if spec else None
    return found


def _panel(config: Config, job: Job, strategies: dict[str, Strategy]) -> Panel:
    if not job.panel:
        return load_panel(config, needs_of(config, strategies))
    return open_panel(Path(job.panel))


def read_outcome(folder: Path) -> ProcessOutcome:
    """Return how a reload ended.

    Raises
    ------
    OSError
        If it left nothing: the process died.
    """
    facts = json.loads((folder / OUTCOME).read_text(encoding="utf-8"))
    with np.load(folder / NUMBERS, allow_pickle=False) as file:
        rows = {
            name: TrailRows(file[f"bar_{k}"], file[f"values_{k}"], tuple(columns))
            for k, (name, columns) in enumerate(facts["columns"].items())
        }
    return ProcessOutcome(tuple(facts["noted"]), facts["raised"], facts["data_hash"], rows)
