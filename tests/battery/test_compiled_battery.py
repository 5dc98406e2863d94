"""The battery refuses a strategy whose compiled form does not do what its bars do, and says where they part."""

import numpy as np
import pytest
from support.restless import Kernelled

from plimsoll.engine.kernels.account.track import Notional, answer
from plimsoll.engine.research.proof.battery import CHECKS, BatteryFailure, check_strategy
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Context
from plimsoll.engine.types import Weights

SYMBOLS = ("AAA", "BBB")
SOUND = Kernelled.Params(symbols=SYMBOLS)
LOOKING = Kernelled.Params(symbols=SYMBOLS, looks=True)


class LooksAhead(Kernelled):
    def scan(self, run: Scan) -> None:
        """Answer today what is due tomorrow."""
        ahead = np.vstack((run.ret[1:], run.ret[-1:]))
        listed = run.listed
        for t in range(run.n_bars):
            self._bar(t, ahead[t], listed[t], run)

    def _bar(self, t: int, ret: np.ndarray, listed: np.ndarray, run: Scan) -> None:
        n: Notional = run.notional
        run.state.seen[0] += 1
        run.notes[t] = run.state.seen[0], 0.0
        grown = np.clip(np.nan_to_num(ret), -0.1, 0.1)
        if t % self.params.every == 0:
            answer(t, np.where(listed, 0.2 / len(grown) + grown, 0.0), n)


class ForgetsANote(Kernelled):
    def scan(self, run: Scan) -> None:
        super().scan(run)
        run.notes[77, 1] = np.nan


class DiffersInOneBar(Kernelled):
    def scan(self, run: Scan) -> None:
        super().scan(run)
        run.notional.held[80, 1] = np.nextafter(run.notional.held[80, 1], 1.0)


class AnswersOnceMore(Kernelled):
    def scan(self, run: Scan) -> None:
        super().scan(run)
        run.notional.answered[81] = True
        run.notional.held[81] = 0.0


class MovesItsPath(Kernelled):
    def scan(self, run: Scan) -> None:
        super().scan(run)
        run.notional.path[90, 0] += 1e-12


class ScanRaises(Kernelled):
    def scan(self, run: Scan) -> None:
        super().scan(run)
        raise RuntimeError("out of luck")


class RuleWasChanged(Kernelled):
    """The scan it inherits belongs to another rule, so no run uses it."""

    def on_bar(self, ctx: Context) -> Weights | None:
        found = super().on_bar(ctx)
        return None if found is None else 0.5 * found


@pytest.mark.parametrize(
    ("faulty", "params", "evidence"),
    [
        (LooksAhead, SOUND, r"tried answer on 2015-01-02, AAA: \S+ became \S+ \(market: every symbol whole\)"),
        (ForgetsANote, SOUND, r"tried note on 2015-04-24, drawdown: 0 became nan"),
        (DiffersInOneBar, SOUND, r"tried answer on 2015-04-29, BBB: "),
        (AnswersOnceMore, SOUND, r"tried answer on 2015-04-30, AAA: nan became 0"),
        (MovesItsPath, LOOKING, r"tried notional on 2015-05-13, equity: "),
        (ScanRaises, SOUND, "its scan raises RuntimeError: out of luck"),
    ],
)
def test_a_scan_that_parts_from_the_bars_is_refused_with_the_first_place(
    faulty: type[Kernelled], params: Kernelled.Params, evidence: str
) -> None:
    with pytest.raises(BatteryFailure, match=f"^{faulty.__name__} is not the same compiled: .*{evidence}"):
        check_strategy(faulty(params))


@pytest.mark.parametrize("params", [SOUND, LOOKING], ids=["noting", "looking"])
def test_a_sound_scan_passes(params: Kernelled.Params) -> None:
    assert check_strategy(Kernelled(params)) == tuple(CHECKS)


def test_a_rule_that_was_changed_below_its_scan_passes_as_its_bars_do() -> None:
    assert check_strategy(RuleWasChanged(SOUND)) == tuple(CHECKS)


def test_the_check_is_one_of_the_battery() -> None:
    assert "compiled" in CHECKS
