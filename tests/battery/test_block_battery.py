"""The battery refuses a `scan_block` that does not answer as the scan of each setting does, and says where it parts."""

from typing import Any

import numpy as np
import pytest
from support.blocks import Leaning

from plimsoll.engine.research.proof.battery import CHECKS, BatteryFailure, check_strategy
from plimsoll.engine.sleeve.scan import BlockScan, Scan
from plimsoll.engine.sleeve.strategy import Context
from plimsoll.engine.types import Weights

PARAMS = Leaning.Params(symbols=("AAA", "BBB"), short=True)


class Whole(Leaning):
    """All three forms in one class, so that the last of them counts."""

    def on_bar(self, ctx: Context) -> Weights | None:
        return super().on_bar(ctx)

    def scan(self, run: Scan) -> None:
        super().scan(run)


class SecondDiffers(Whole):
    @classmethod
    def scan_block(cls, settings: Any, run: BlockScan) -> None:
        super().scan_block(settings, run)
        run.answers.held[1, 80, 1] = np.nextafter(run.answers.held[1, 80, 1], 1.0)


class AnswersOnceMore(Whole):
    @classmethod
    def scan_block(cls, settings: Any, run: BlockScan) -> None:
        super().scan_block(settings, run)
        run.answers.answered[0, 81] = True


class SeesAFault(Whole):
    @classmethod
    def scan_block(cls, settings: Any, run: BlockScan) -> None:
        super().scan_block(settings, run)
        run.answers.fault[1] = True


class Raises(Whole):
    @classmethod
    def scan_block(cls, settings: Any, run: BlockScan) -> None:
        raise RuntimeError(f"{len(settings)} on {run.symbols}")


@pytest.mark.parametrize(
    ("faulty", "evidence"),
    [
        (SecondDiffers, "the first of its answers to differ is that of 2015-04-29"),
        (AnswersOnceMore, "the first of its answers to differ is that of 2015-04-30"),
        (SeesAFault, "only one of them refuses an answer"),
        (Raises, "it raises RuntimeError: 2 on "),
    ],
)
def test_a_block_scan_that_parts_from_the_scan_is_refused(faulty: type[Leaning], evidence: str) -> None:
    with pytest.raises(BatteryFailure, match=f"^{faulty.__name__} is not the same compiled: .*scan_block, {evidence}"):
        check_strategy(faulty(PARAMS))


def test_a_sound_block_scan_passes() -> None:
    assert check_strategy(Leaning(PARAMS)) == tuple(CHECKS)
