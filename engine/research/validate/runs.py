"""Running what a validation needs: every configuration once, kept as it comes, gone on with after an interruption."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as File

import numpy as np

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import InputError, StrategyError
from plimsoll.engine.research.sweep.block import Block, BlockRows, read_part, run_block, write_part
from plimsoll.engine.research.sweep.compiled_evaluator import CompiledEvaluator
from plimsoll.engine.research.sweep.evaluate import PythonEvaluator
from plimsoll.engine.research.sweep.executors import run_blocks
from plimsoll.engine.research.sweep.figures import FIGURES
from plimsoll.engine.research.sweep.settings import Given
from plimsoll.engine.research.sweep.sweep import Workers, crew_for, read_parts
from plimsoll.engine.research.validate.path import Path, path_of
from plimsoll.engine.research.validate.trials import ValidationPlan
from plimsoll.engine.runtime.backtest import Progress
from plimsoll.engine.types import Dates, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Ran:
    """What every configuration came to, on the n sessions that the configuration itself traded.

    matrix (n, S) net session returns by number, NaN where one has none; figures (S, F) of the sweep's `FIGURES`;
    reasons (S,) why one failed, "" = it ran. first : index of the first session on the panel's clock.
    """

    sessions: Dates
    matrix: Floats
    figures: Floats
    reasons: tuple[str, ...]
    first: int

    def figure(self, name: str, number: int) -> float:
        """Return a figure of a configuration."""
        return float(self.figures[number, FIGURES.index(name)])


def former_block(plan: ValidationPlan) -> Block | None:
    """Return the block of the former path, which comes after all others; None where it is not asked for."""
    if plan.former is None:
        return None
    last = plan.sweep.settings[plan.configured]
    former = replace(last, number=len(plan.sweep.settings), maker=Given(plan.former, {}))
    return Block(len(plan.sweep.blocks), 0, (former,))


def run_all(
    plan: ValidationPlan, parts: File, evaluator: CompiledEvaluator, workers: Workers, progress: Progress | None = None
) -> tuple[Ran, BlockRows | None]:
    """Run what has not been kept in `parts` yet; return all of it, and the rows of the former path.

    Raises
    ------
    InputError
        If the configuration itself cannot run.
    WorkerError
        If workers are lost twice at the same settings.
    """
    blocks, last = plan.sweep.blocks, former_block(plan)
    total = len(plan.sweep.settings) + (last is not None)
    missing = [block for block in blocks if read_part(parts, block) is None]
    done = len(plan.sweep.settings) - sum(len(block.settings) for block in missing)

    def keep(block: Block, rows: BlockRows) -> None:
        nonlocal done
        write_part(parts, block.number, rows)
        done += len(block.settings)
        if progress is not None:
            progress(done, total)

    if progress is not None:
        progress(done, total)
    if missing:
        run_blocks(crew_for(plan.sweep, parts, workers, len(missing), [evaluator]), missing, keep)
    former = None
    if last is not None:  # it has no compiled form: by itself, so that nothing else is run beside it in processes
        former = read_part(parts, last)
        if former is None:
            former = run_block(PythonEvaluator(plan.panel), last)
            keep(last, former)
    return _gathered(plan, blocks, parts), former


def _gathered(plan: ValidationPlan, blocks: list[Block], parts: File) -> Ran:
    count = len(plan.sweep.settings)
    figures, reasons = np.full((count, len(FIGURES)), np.nan), [""] * count
    found: dict[int, tuple[int, Floats]] = {}
    for rows in read_parts(blocks, parts):
        for number, values, why in zip(rows.settings.tolist(), rows.figures, rows.reasons, strict=True):
            figures[number], reasons[number] = values, why
        found |= {number: (first, own) for number, first, own in rows.each()}
    if plan.configured not in found:
        raise InputError(f"the configuration itself cannot run: {reasons[plan.configured]}", where="validate")
    first, own = found[plan.configured]
    days: Dates = np.unique(plan.panel.clock.session)
    matrix = np.full((len(own), count), np.nan)
    for number, (begins, values) in found.items():
        start = begins - first
        low, high = max(start, 0), min(start + len(values), len(own))
        matrix[low:high, number] = values[low - start : high - start]
    return Ran(days[first : first + len(own)], matrix, figures, tuple(reasons), first)


@dataclass(slots=True)
class Paths:
    """Whole paths of configurations that were chosen, each run once more when it is first asked for.

    The second run must come to the same returns as the first, bit for bit. before : paths that are known already.
    """

    evaluator: CompiledEvaluator
    settings: tuple[Config, ...]
    ran: Ran
    before: Mapping[int, Path]
    _found: dict[int, Path] = field(default_factory=dict)

    def of(self, number: int) -> Path:
        """Return the path of a configuration by its number.

        Raises
        ------
        StrategyError
            If it does not come to the same as before: its strategies keep something outside their state.
        """
        if number not in self._found:
            known = self.before.get(number)
            found = path_of(self.evaluator.replay(self.settings[number])) if known is None else known
            before = self.ran.matrix[:, number]
            if found.returns.tobytes() != before[np.isfinite(before)].tobytes():
                raise StrategyError(
                    f"configuration {number}, run once more, does not come to the same returns",
                    where="validate",
                    cause="a strategy keeps something outside its state",
                    fix="keep what is remembered in ctx.state",
                )
            self._found[number] = found
        return self._found[number]
