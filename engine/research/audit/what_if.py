"""Two comparisons that tell how much hangs on a bar: every answer one bar later, and fills at the decision's close.

Neither proves anything; both show what a look-ahead usually looks like before anybody finds it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from plimsoll.engine.config.schema import validate_config
from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import layout
from plimsoll.engine.market.panel import OPEN, Panel
from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.research.audit.case import Case, Ran
from plimsoll.engine.research.proof.trail import Recorder
from plimsoll.engine.sleeve.strategy import Available, Context, Strategy
from plimsoll.engine.types import Floats, Weights

# A Sharpe ratio that loses more than this share of itself by one bar's delay is worth a warning ...
EXTREME: Final = 0.5
# ... unless there was none to speak of.
WORTH: Final = 0.3
# Differences of Sharpe ratios below this are called none.
SLIGHT: Final = 0.05


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run came to: Sharpe ratio per year with rf = 0, compound growth per year, dollars at the end."""

    sharpe: float
    cagr: float
    final_equity: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One variation of the run beside the run itself.

    reading : what it says, in a sentence. warning : whether it deserves a second look.
    """

    name: str
    before: Figures
    after: Figures | None
    reading: str
    warning: bool


class Replay(Strategy):
    """Gives the answers of a recorded run again, `delay` bars later; what is not listed by then becomes cash."""

    def __init__(self, like: Recorder, delay: int) -> None:
        super().__init__(like.params)
        self._like = like
        self._delay = delay
        self.optional = like.optional
        self.watched = like.watched
        self.full_gross = like.full_gross
        self.full_vol = like.full_vol
        self.role = like.role

    @property
    def universe(self) -> tuple[str, ...]:
        """That of the recorded strategy."""
        return self._like.universe

    @property
    def warmup_bars(self) -> int:
        """That of the recorded strategy: both runs trade from the same bar on."""
        return self._like.warmup_bars

    def unavailable(self, _: Available) -> str:
        """Return "": it ran once, so it can."""
        return ""

    def on_bar(self, ctx: Context) -> Weights | None:
        """Return what was answered `delay` bars ago."""
        answer = self._like.answers.get(ctx.bar_index - self._delay)
        return answer if answer is None else ctx.weights(answer, unlisted="cash" if self._delay else "error")


def figures_of(ran: Ran) -> Figures:
    """Return what a run came to."""
    first, last = ran.setup.first, ran.track.last
    rec = ran.setup.broker.rec[first : last + 1]
    if not len(rec):
        return Figures(np.nan, np.nan, ran.setup.config.run.cash)
    session = ran.setup.panel.clock.session_index[first : last + 1]
    begins = np.flatnonzero(np.diff(session, prepend=session[0] - 1))
    returns: Floats = np.multiply.reduceat(1.0 + rec[:, layout.R_RET], begins) - 1.0
    return Figures(float(m.sharpe(returns)), float(m.cagr(returns)), float(rec[-1, layout.R_EQUITY]))


def bar_later(case: Case, reference: Ran) -> Comparison:
    """Return what is left when every answer comes one bar later."""
    before = figures_of(reference)
    after = _figures(case, _replays(reference, 1))
    if isinstance(after, str):
        return Comparison("one bar later", before, None, after, True)
    lost = before.sharpe - after.sharpe
    moved = f"Sharpe {before.sharpe:z.2f} becomes {after.sharpe:z.2f}"
    if not before.sharpe > WORTH:
        return Comparison("one bar later", before, after, f"{moved}: there is no edge that a delay could cost", False)
    if lost > EXTREME * before.sharpe:
        text = f"{moved}: most of it is gone within a bar, as with a look-ahead or a signal too fast to trade"
        return Comparison("one bar later", before, after, text, True)
    little = "hardly anything" if lost <= SLIGHT else f"{lost / before.sharpe:z.0%} of it"
    return Comparison("one bar later", before, after, f"{moved}: {little} hangs on one bar", False)


def same_close(case: Case, reference: Ran) -> Comparison:
    """Return what would be shown if orders filled at the close that decided them, which nobody can have."""
    name, before = "same close", figures_of(reference)
    plain = case.config.plain()
    plain["execution"]["fill"] = "next_open"
    panel = with_open_at_last_close(case.panel)
    unreal = replace(case, config=validate_config(plain), panel=panel)
    after = _figures(unreal, _replays(reference, 0))
    if isinstance(after, str):
        return Comparison(name, before, None, after, True)
    gained = after.sharpe - before.sharpe
    moved = f"Sharpe {before.sharpe:z.2f} would be shown as {after.sharpe:z.2f}"
    if abs(gained) <= SLIGHT:
        return Comparison(name, before, after, f"{moved}: the moment of the fill hardly matters", False)
    if gained < 0.0:
        return Comparison(name, before, after, f"{moved}: the real fills are the better ones", False)
    big = (before.sharpe > 0.0 and gained > EXTREME * before.sharpe) or before.sharpe <= 0.0 < WORTH < after.sharpe
    text = f"{moved} by whoever fills at the close that decided"
    return Comparison(name, before, after, text, bool(big))


def with_open_at_last_close(panel: Panel) -> Panel:
    """Return the panel with each open replaced by the close before, in the shares of the bar and without its dividend.

    Who buys there after the bar's split and dividend has paid what the close before would have cost. Where there is no
    row at either bar the open stays.
    """
    block = panel.block.copy()
    worth = panel.close[:-1] / panel.split[1:] - panel.dividend[1:]
    known = ~np.isnan(panel.open[1:]) & (worth > 0.0)  # unknown compares as False
    block[OPEN, 1:] = np.where(known, worth, panel.open[1:])
    return replace(panel, block=block)


def _replays(reference: Ran, delay: int) -> dict[str, Strategy]:
    sleeves = reference.setup.system.sleeves
    return {s.name: Replay(s.strategy, delay) for s in sleeves if isinstance(s.strategy, Recorder)}


def _figures(case: Case, strategies: Mapping[str, Strategy]) -> Figures | str:
    try:
        return figures_of(case.run(strategies))
    except InputError as error:
        return f"could not be run: {error}"
