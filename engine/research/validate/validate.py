"""Is it skill, luck or overfitting: run what that takes, judge it, write a page and a verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pandas as pd

from plimsoll.engine.errors import InputError
from plimsoll.engine.report.folder import json_bytes
from plimsoll.engine.report.table_files import file_bytes
from plimsoll.engine.research.stress.scenario import Scenario, built_in
from plimsoll.engine.research.stress.stress import case_of, run_stress
from plimsoll.engine.research.sweep.compiled_evaluator import CompiledEvaluator, Replayed
from plimsoll.engine.research.sweep.folder import PARTS, Kind, held_folder, write_file
from plimsoll.engine.research.sweep.maker import Maker
from plimsoll.engine.research.sweep.sweep import Recording, Workers, read_parts, trials_of
from plimsoll.engine.research.validate.checksum import checksum_of, last_session
from plimsoll.engine.research.validate.evidence import Beside, Evidence, evidence_of
from plimsoll.engine.research.validate.gate import Check, checks_of, luck_needed, reasons
from plimsoll.engine.research.validate.path import path_of
from plimsoll.engine.research.validate.runs import Paths, run_all
from plimsoll.engine.research.validate.trials import ValidationPlan
from plimsoll.engine.research.validate.windows import windows_of
from plimsoll.engine.runtime.backtest import Progress
from plimsoll.engine.runtime.collect import versions

VERDICT: Final = "verdict.json"
VALIDATION: Final = Kind(
    "validation", "validating into", "validation.json", VERDICT,
    (VERDICT, "validation.json", "report.html", "walk.csv", "config.toml"), (PARTS,),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What a validation is told from outside.

    ledger : the setting and the environment that the trial ledger is opened by; record : takes every configuration that
    ran; family : what they are counted under. workers : who runs them. beside : a comparison of two run folders for the
    page, as `plimsoll twin` tells it. scenarios : of one's own, after the package's. progress : called with
    (configurations done, in all).
    """

    ledger: tuple[str | Path | None, Mapping[str, str]]
    family: str
    record: Recording | None = None
    workers: Workers = field(default_factory=lambda: Workers("auto", 1))
    beside: Mapping[str, Any] | None = None
    scenarios: tuple[Scenario, ...] = ()
    progress: Progress | None = None
    force: bool = False


@dataclass(frozen=True, eq=False)
class Validation:
    """A finished validation.

    passed : every threshold of the gate holds. checks : each of them. reasons : why it failed. luck : what would have
    to be true for it to be luck. evidence : all figures in plain values. walk : the stitched returns by session,
    NaN where a walk had not begun. folder : where it is written; None if it was not kept.
    """

    name: str
    passed: bool
    checks: tuple[Check, ...]
    reasons: tuple[str, ...]
    luck: tuple[str, ...]
    evidence: dict[str, Any]
    walk: pd.DataFrame
    verdict: dict[str, Any]
    folder: Path | None

    @property
    def line(self) -> str:
        """PASS or FAIL, and why."""
        return "PASS" if self.passed else f"FAIL: {'; '.join(self.reasons)}"

    def __repr__(self) -> str:
        """Return the validation in one line."""
        return f"<Validation {self.name}: {self.line}>"


def run_validation(plan: ValidationPlan, folder: Path | None, asked: Asked) -> Validation:
    """Run a planned validation, or what is left of it, and write its folder.

    Finished portions are kept in `parts/` as they come; the same plan with the same folder goes on from there, to the
    same bytes, as long as the trial ledger has no more of the family than before.

    Raises
    ------
    OutputError
        If the folder holds something else, or cannot be written.
    InputError
        If the configuration cannot run, or its history is too short for one window.
    """
    if folder is None:
        with TemporaryDirectory(prefix="plimsoll-") as scratch:
            return replace(run_validation(plan, Path(scratch) / "validation", asked), folder=None)
    with held_folder(folder, plan.definition(), force=asked.force, kind=VALIDATION) as parts:
        done = _judged(plan, _found(plan, parts, asked), folder)
        for name, content in _files(plan, done, asked).items():
            write_file(folder / name, content)
    return done


def _found(plan: ValidationPlan, parts: Path, asked: Asked) -> Evidence:
    evaluator = CompiledEvaluator(plan.panel)
    settings = tuple(setting.config for setting in plan.sweep.settings)
    # first, so that the signals its sleeves make on the way serve all others
    whole = evaluator.replay(settings[plan.configured], whole=True)
    path = path_of(whole)
    windows_of(len(path.returns), plan.section, plan.section.window)  # too short is told before all the others are run
    ran, former = run_all(plan, parts, evaluator, asked.workers, asked.progress)
    if asked.record is not None:
        asked.record(trials_of(plan.sweep, read_parts(plan.sweep.blocks, parts)))
    paths = Paths(evaluator, settings, ran, {plan.configured: path})
    return evidence_of(
        plan, ran, former, paths, Beside(asked.family, asked.ledger, stressed(whole, plan, asked.scenarios))
    )


def stressed(whole: Replayed, plan: ValidationPlan, own: tuple[Scenario, ...] = ()) -> dict[str, Any]:
    """Return the stress test of the configuration as it stands, `own` scenarios last, or `why` there is none."""
    try:
        case = case_of(whole.setup, whole.market, whole.track)
        return {"why": "", **run_stress(case, (*built_in(), *own), seed=plan.config.run.seed).plain()}
    except InputError as error:
        return {"why": str(error)}


def _judged(plan: ValidationPlan, evidence: Evidence, folder: Path | None) -> Validation:
    checks = checks_of(evidence.block, plan.gate)
    why, luck = reasons(checks), luck_needed(evidence.block)
    config, last = plan.sweep.settings[plan.configured].config, last_session(plan.panel)
    sources = Maker().all(config).values()
    verdict = {
        "name": plan.config.run.name,
        "passed": not why,
        "reasons": why,
        "checks": [one.plain() for one in checks],
        "luck": luck,
        "checksum": checksum_of(plan.config, sources, plan.panel, last).plain(),
        "last_session": str(last),
        "config_hash": plan.config.digest,
        "data_hash": plan.panel.data_hash,
        "seed": plan.config.run.seed,
        "versions": versions(),
        "evidence": evidence.block,
    }
    return Validation(
        plan.config.run.name, not why, checks, tuple(why), tuple(luck), evidence.block, _walk_table(evidence), verdict,
        folder,
    )  # fmt: skip


def _walk_table(evidence: Evidence) -> pd.DataFrame:
    n = len(evidence.days)
    index = pd.DatetimeIndex(evidence.days.astype("datetime64[s]"), name="session")
    columns = {"configured": evidence.configured.returns, "bill": evidence.configured.bill}
    for kind, walk in evidence.walks.items():
        columns[kind] = np.full(n, np.nan)
        columns[kind][walk.first : walk.last] = walk.returns
    return pd.DataFrame(columns, index=index)


def _files(plan: ValidationPlan, done: Validation, asked: Asked) -> dict[str, bytes]:
    """Return what is written, the verdict last: a folder that has it holds a finished validation."""
    from plimsoll.engine.report.validate.page import validation_html

    page = validation_html(done.verdict, done.walk, [one.plain() | {"asked": one.asked, "said": one.said}
                                                     for one in done.checks], asked.beside)  # fmt: skip
    return {
        "config.toml": f'# config_hash = "{plan.config.digest}"\n{plan.config.toml()}'.encode(),
        "walk.csv": file_bytes(done.walk, ".csv"),
        "report.html": page.encode(),
        VERDICT: json_bytes(done.verdict),
    }
