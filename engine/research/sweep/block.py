"""A block of settings: what is handed to a worker, what comes back, and how that is kept on disk."""

import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from plimsoll.engine.errors import InputError
from plimsoll.engine.research.sweep.evaluate import Evaluator, SettingFailure, SettingOutcome
from plimsoll.engine.research.sweep.figures import FIGURES, figures
from plimsoll.engine.research.sweep.settings import Setting
from plimsoll.engine.types import Floats, Ints

# A sweep is cut into about this many blocks: fine enough for progress and resumption, coarse enough to cost nothing.
BLOCKS: Final = 32
LARGEST_BLOCK: Final = 256
# The number of a block that is run again to compare: by an evaluator that has kept nothing of what was run before.
AGAIN: Final = -1


@dataclass(frozen=True, slots=True)
class Block:
    """Some settings on one panel: the block's number, the panel's, and the settings."""

    number: int
    panel: int
    members: tuple[Setting, ...]

    @property
    def settings(self) -> tuple[int, ...]:
        """Their numbers."""
        return tuple(member.number for member in self.members)


@dataclass(frozen=True, slots=True)
class BlockRows:
    """What a block of B settings came to.

    settings : (B,) their numbers. figures : (B, M), NaN where undefined or failed. reasons : (B,) text, "" = ok.
    first : (B,) index of the first session traded, on the panel's clock. length : (B,) sessions traded, 0 = failed.
    returns : (sum of length,) the session returns of one setting after the other.
    """

    settings: Ints
    figures: Floats
    reasons: tuple[str, ...]
    first: Ints
    length: Ints
    returns: Floats

    def each(self) -> Iterator[tuple[int, int, Floats]]:
        """Yield number, first session and returns of every setting that ran."""
        ends = np.cumsum(self.length)
        for number, first, length, end in zip(self.settings, self.first, self.length, ends, strict=True):
            if length:
                yield int(number), int(first), self.returns[end - length : end]


def block_size(n_settings: int) -> int:
    """Return how many settings a block holds; depends on the sweep alone, never on who runs it."""
    return min(max(-(-n_settings // BLOCKS), 1), LARGEST_BLOCK)


def cut_blocks(panel_of: Sequence[int], settings: Sequence[Setting]) -> list[Block]:
    """Return the blocks of a sweep; `panel_of` says which panel each setting runs on."""
    size = block_size(len(settings))
    blocks: list[Block] = []
    for panel in dict.fromkeys(panel_of):
        members = [setting for setting, at in zip(settings, panel_of, strict=True) if at == panel]
        for start in range(0, len(members), size):
            blocks.append(Block(len(blocks), panel, tuple(members[start : start + size])))
    return blocks


def run_block(evaluator: Evaluator, block: Block) -> BlockRows:
    """Evaluate a block; a setting that fails is a row with its reason."""
    evaluator = evaluator.fresh() if block.number == AGAIN else evaluator
    rows = [_row(outcome) for outcome in evaluator.evaluate([member.config for member in block.members])]
    return BlockRows(
        settings=np.array(block.settings, dtype=np.int64),
        figures=np.array([row[0] for row in rows]),
        reasons=tuple(row[1] for row in rows),
        first=np.array([row[2] for row in rows], dtype=np.int64),
        length=np.array([len(row[3]) for row in rows], dtype=np.int64),
        returns=np.concatenate([row[3] for row in rows]),
    )


def _row(outcome: SettingOutcome | SettingFailure) -> tuple[Floats, str, int, Floats]:
    nothing = np.full(len(FIGURES), np.nan)
    if isinstance(outcome, SettingFailure):
        return nothing, outcome.reason, 0, np.empty(0)
    try:
        return figures(outcome), "", outcome.first_session, outcome.returns
    except InputError as error:
        return nothing, str(error), 0, np.empty(0)


def part_path(folder: Path, number: int) -> Path:
    """Return where a block is kept."""
    return folder / f"{number:06d}.npz"


def write_part(folder: Path, number: int, rows: BlockRows) -> None:
    """Keep a finished block: written aside, then renamed, so that a file with its name is whole."""
    path = part_path(folder, number)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with aside.open("wb") as file:
        np.savez(
            file,
            settings=rows.settings,
            figures=rows.figures,
            reasons=np.array(rows.reasons, dtype=np.str_),
            first=rows.first,
            length=rows.length,
            returns=rows.returns,
        )
    aside.replace(path)


def read_part(folder: Path, block: Block) -> BlockRows | None:
    """Return a kept block; None if there is none, it is damaged, or it is not this block's."""
    try:
        with part_path(folder, block.number).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
        rows = BlockRows(
            settings=found["settings"],
            figures=found["figures"],
            reasons=tuple(str(reason) for reason in found["reasons"]),
            first=found["first"],
            length=found["length"],
            returns=found["returns"],
        )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    fits = rows.figures.shape == (len(block.settings), len(FIGURES)) and int(rows.length.sum()) == len(rows.returns)
    return rows if fits and rows.settings.tolist() == list(block.settings) else None
