"""A zoo of strategies that look where they must not, each in a few lines, and honest ones that look alike."""

import gc
import itertools
import os
import random
import subprocess
import sys
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from plimsoll.engine.kernels.account.track import answer
from plimsoll.engine.kernels.derive import TRADING
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Context, Strategy
from plimsoll.engine.types import Floats, Weights


def lean(ctx: Context, score: float) -> Weights:
    """Put more into AAA the higher the score; 0.3 where it is not a number would hide what is unknown."""
    share = 0.5 + 0.4 * float(np.tanh(score))
    return ctx.weights({"AAA": share, "BBB": 1.0 - share}, unlisted="cash")


class Weekly(Strategy):
    """Leans by a score every Friday; the base of all that follows. Its own score is honest: last week's return."""

    universe = ("AAA", "BBB", "CCC")
    indicators = ("VIX",)

    def on_bar(self, ctx: Context) -> Weights | None:
        return lean(ctx, self.score(ctx)) if ctx.last_session_of_week and ctx.bar_index >= 10 else None

    def score(self, ctx: Context) -> float:
        return 40.0 * float(np.nansum(ctx.past.ret(5)[:, 0]))


def behind(view: Floats) -> Any:
    """The whole array behind a window."""
    return view.base


class ClosesTomorrow(Weekly):
    def score(self, ctx: Context) -> float:
        close = behind(ctx.past.close(1))
        ahead = min(ctx.bar_index + 1, len(close) - 1)
        return 40.0 * float(close[ahead, 0] / close[ctx.bar_index, 0] - 1.0)


class ScansAhead(Weekly):
    """Honest bar by bar; its compiled form is not."""

    def scan(self, run: Scan) -> None:
        for t in range(10, run.n_bars):
            if run.clock.week_last[t]:
                share = 0.5 + 0.4 * float(np.tanh(40.0 * np.nan_to_num(run.ret[min(t + 1, run.n_bars - 1), 0])))
                answer(t, np.where(run.listed[t], (share, 1.0 - share, 0.0), 0.0), run.notional)


class ScanFails(Weekly):
    """Honest; its compiled form is of no use."""

    def scan(self, run: Scan) -> None:
        raise RuntimeError(f"{run.n_bars} bars are too many")


class HighOfTheFillBar(Weekly):
    def score(self, ctx: Context) -> float:
        panel = ctx.past._feed.panel
        ahead = min(ctx.bar_index + 1, panel.n_bars - 1)
        return 40.0 * float(panel.high[ahead, 0] / panel.close[ctx.bar_index, 0] - 1.0)


class NormalisedByAll(Weekly):
    def score(self, ctx: Context) -> float:
        whole = behind(ctx.past.tr(1))[:, 0]
        return float((whole[ctx.bar_index] - np.nanmean(whole)) / np.nanstd(whole))


class CentredWindow(Weekly):
    def score(self, ctx: Context) -> float:
        t, whole = ctx.bar_index, behind(ctx.past.ret(1))[:, 0]
        return 200.0 * float(np.nanmean(whole[t - 3 : t + 4]))


class BackAdjusted(Weekly):
    """Buys what is cheap, in prices divided by every later split, as vendors serve them."""

    def score(self, ctx: Context) -> float:
        panel, t = ctx.past._feed.panel, ctx.bar_index
        return 3.0 - float(panel.close[t, 0] / np.prod(panel.split[t + 1 :, 0])) / 20.0


class StillListedAtTheEnd(Weekly):
    def on_bar(self, ctx: Context) -> Weights | None:
        if not ctx.last_session_of_week:
            return None
        survivors = ctx._status[-1] == TRADING
        return ctx.weights(np.where(survivors & ctx.listed, 0.3, 0.0))


class FittedOnAll(Weekly):
    def score(self, ctx: Context) -> float:
        whole = np.nan_to_num(behind(ctx.past.ret(1))[:, 0])
        slope = np.polyfit(whole[:-1], whole[1:], 1)[0]
        return 1000.0 * float(slope * whole[ctx.bar_index])


class RankedOverAll(Weekly):
    def score(self, ctx: Context) -> float:
        whole = behind(ctx.past.close(1))[:, 0]
        return float((whole < whole[ctx.bar_index]).mean()) - 0.5


class FearTomorrow(Weekly):
    def score(self, ctx: Context) -> float:
        series = np.ravel(behind(ctx.past.indicator("VIX")))
        return 0.1 * float(20.0 - series[min(ctx.bar_index + 1, len(series) - 1)])


class KnowsHowLong(Weekly):
    def score(self, ctx: Context) -> float:
        return 1.0 - len(behind(ctx.past.ret(1))) / 200.0


class KnowsTheLastDay(Weekly):
    def score(self, ctx: Context) -> float:
        left = ctx._clock.session[-1] - ctx.session
        return 0.01 * float(left.astype(np.int64))


class NextSessionsDate(Weekly):
    def score(self, ctx: Context) -> float:
        ahead = min(ctx.bar_index + 1, len(ctx._clock) - 1)
        return 0.3 * float((ctx._clock.session[ahead] - ctx.session).astype(np.int64))


class NotesAhead(Weekly):
    """Its answers are honest; what it notes is not."""

    diagnostics = ("ahead",)

    def on_bar(self, ctx: Context) -> Weights | None:
        whole = behind(ctx.past.ret(1))
        ctx.note("ahead", float(whole[min(ctx.bar_index + 1, len(whole) - 1), 0]))
        return super().on_bar(ctx)


class RaisesIfItFalls(Weekly):
    """Quits where a fall is coming: nothing differs until it raises."""

    def score(self, ctx: Context) -> float:
        whole = behind(ctx.past.ret(1))[:, 0]
        if np.isnan(whole[min(ctx.bar_index + 1, len(whole) - 1)]):
            raise RuntimeError("tomorrow is unknown")
        return 0.0


class Dice(Weekly):
    def score(self, ctx: Context) -> float:
        return random.random()


class CountsInItsClass(Weekly):
    bars: ClassVar[list[int]] = []

    def score(self, ctx: Context) -> float:
        self.bars.append(ctx.bar_index)
        return 0.01 * len(self.bars)


_best: dict[np.datetime64, float] = {}


class RemembersTheLastRun(Weekly):
    """Keeps what came of each day in its module, and looks it up when the day comes again."""

    def score(self, ctx: Context) -> float:
        known = _best.get(ctx.session, 0.0)
        week_ago = ctx.past._feed.panel.clock.session[ctx.bar_index - 5]
        _best[week_ago] = float(np.nansum(ctx.past.ret(5)[:, 0]))
        return 40.0 * known


@cache
def longest_panel(symbols: tuple[str, ...]) -> Panel:
    panels = [o for o in gc.get_objects() if isinstance(o, Panel) and o.source and o.symbols == symbols]
    return max(panels, key=lambda panel: panel.n_bars)


class FindsThePanel(Weekly):
    """Looks through the interpreter's memory for the longest panel there is."""

    def score(self, ctx: Context) -> float:
        whole = longest_panel(ctx.symbols).close
        t = ctx.bar_index
        return 40.0 * float(whole[min(t + 1, len(whole) - 1), 0] / whole[t, 0] - 1.0)


class ReadsTheFiles(Weekly):
    """Opens the data where the configuration says they are and takes tomorrow's row."""

    def score(self, ctx: Context) -> float:
        rows = Path("data/AAA.csv").read_text().splitlines()[1:]
        day = str(ctx.session)
        at = next(k for k, row in enumerate(rows) if row.startswith(day))
        ahead = rows[min(at + 1, len(rows) - 1)].split(",")
        return 40.0 * (float(ahead[4]) / float(rows[at].split(",")[4]) - 1.0)


class ReadsThePast(Weekly):
    """Opens the same file and takes no row later than today's: clumsy, but honest."""

    def score(self, ctx: Context) -> float:
        day = str(ctx.session)
        rows = [row for row in Path("data/AAA.csv").read_text().splitlines()[1:] if row[:10] <= day]
        return 40.0 * (float(rows[-1].split(",")[4]) / float(rows[-6].split(",")[4]) - 1.0)


class WallClock(Weekly):
    def score(self, ctx: Context) -> float:
        return float((date.today() - date(2020, 1, 1)).days % 997) / 997.0  # noqa: DTZ011  (what the test is about)


class ProcessNumber(Weekly):
    def score(self, ctx: Context) -> float:
        return float(os.getpid() % 1009) / 1009.0


class HashOrder(Weekly):
    def score(self, ctx: Context) -> float:
        order = [int(name) for name in {f"{k}" for k in range(40)}]
        return float(np.dot(order, np.arange(40))) / 20_000.0 - 0.5


class Mood(Weekly):
    def score(self, ctx: Context) -> float:
        return float(os.environ.get("AUDIT_MOOD", "0.0"))


class AsksAnotherProgram(Weekly):
    def score(self, ctx: Context) -> float:
        if ctx.bar_index < 20:
            subprocess.run([sys.executable, "-c", ""], check=True)
        return 0.0


class ExpandingScore(Weekly):
    """Normalised by everything so far."""

    def score(self, ctx: Context) -> float:
        past = ctx.past.tr(ctx.bar_index + 1)[:, 0]
        return float((past[-1] - np.nanmean(past)) / np.nanstd(past))


class Seed(NamedTuple):
    draws: Floats


class SeededDice(Weekly):
    """Draws by a seed of its own, once, when its memory is made."""

    def init(self, n_symbols: int) -> Seed:
        return Seed(np.random.default_rng(7).random(4096))

    def score(self, ctx: Context) -> float:
        return float(ctx.state.draws[ctx.bar_index])


class MonthEnds(Weekly):
    """Asks the exchange calendar, which is known in advance, whether the month ends."""

    def on_bar(self, ctx: Context) -> Weights | None:
        return lean(ctx, self.score(ctx)) if ctx.last_session_of_month else None


class SortsASet(Weekly):
    def score(self, ctx: Context) -> float:
        order = [int(name) for name in sorted({f"{k}" for k in itertools.islice(itertools.count(), 40)})]
        return float(np.dot(order, np.arange(40))) / 20_000.0 - 0.5
