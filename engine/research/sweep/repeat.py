"""The first setting of a sweep, run once more when all others have run: it must come to the same.

A strategy that keeps something outside its state, in a variable of its class or module, in a file, hands it from one
setting to the next; then a sweep's figures depend on the order its settings were run in, and none can be believed.
"""

from collections.abc import Callable, Iterable

import numpy as np

from plimsoll.engine.errors import StrategyError
from plimsoll.engine.research.sweep.block import AGAIN, Block, BlockRows


class Repeat:
    """Chooses the setting to run again, the first that ran, and compares what comes out.

    blocks : of the sweep. kept : returns the rows of a block that has run.
    """

    def __init__(self, blocks: Iterable[Block], kept: Callable[[Block], BlockRows | None]) -> None:
        self._blocks = list(blocks)
        self._kept = kept
        self._before: BlockRows | None = None

    def block(self) -> Block | None:
        """Return the block to run; None where no setting ran."""
        for block in self._blocks:
            rows = self._kept(block)
            if rows is None or not rows.length.any():
                continue
            at = int(np.argmax(rows.length > 0))
            end = int(rows.length[: at + 1].sum())
            part = slice(at, at + 1)
            self._before = BlockRows(
                rows.settings[part],
                rows.figures[part],
                rows.reasons[part],
                rows.first[part],
                rows.length[part],
                rows.returns[end - int(rows.length[at]) : end],
            )
            return Block(AGAIN, block.panel, (block.members[at],))
        return None

    def check(self, rows: BlockRows) -> None:
        """Compare the rows of that block with those it had the first time.

        Raises
        ------
        StrategyError
            If they differ in anything.
        """
        before = self._before
        if before is None or _same(before, rows):
            return
        number, n = int(rows.settings[0]), len(before.returns)
        what = f"failed: {rows.reasons[0]}"
        if len(rows.returns) == n:
            differs = int(np.sum(rows.returns != before.returns))
            what = f"came to other returns on {differs:,} of {n:,} sessions" if differs else "came to other figures"
        elif len(rows.returns):
            what = f"traded {len(rows.returns):,} sessions instead of {n:,}"
        raise StrategyError(
            f"setting {number}, run again after the others, {what}",
            where="sweep",
            cause="a strategy keeps something between runs (in its class, its module, a file), or draws without a seed",
            fix="keep all memory in what init() returns, reached as ctx.state; nothing of this sweep is kept",
        )


def _same(a: BlockRows, b: BlockRows) -> bool:
    numbers = all(one.tobytes() == two.tobytes() for one, two in ((a.figures, b.figures), (a.returns, b.returns)))
    return numbers and a.reasons == b.reasons and bool((a.first == b.first).all() and (a.length == b.length).all())
