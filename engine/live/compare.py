"""Two books side by side over the sessions that both have: volatility against target, turnover, gross, tracking."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import DataError
from plimsoll.engine.live.inputs import Inputs, journalled
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.marks import marks_of
from plimsoll.engine.live.replay import Case
from plimsoll.engine.live.shadow import Shadow, shadows
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.types import Floats

YEAR: Final = 252.0
WINDOW: Final = 60  # sessions of returns behind an expected tracking error


@dataclass(frozen=True, slots=True)
class Book:
    """A book over S sessions, all at their closes.

    nav : (S,) growth, any start. gross : (S,) of equity. turnover : (S,) traded in the session, of equity. weights : by
    session and symbol. target : volatility a year that it aims at, None = none.
    """

    name: str
    sessions: tuple[date, ...]
    nav: Floats
    gross: Floats
    turnover: Floats
    weights: tuple[Mapping[str, float], ...]
    target: float | None

    def on(self, sessions: list[date]) -> "Book":
        """Return the part of some sessions."""
        keep = [self.sessions.index(day) for day in sessions]
        return Book(
            self.name, tuple(sessions), self.nav[keep], self.gross[keep], self.turnover[keep],
            tuple(self.weights[k] for k in keep), self.target,
        )  # fmt: skip

    @property
    def returns(self) -> Floats:
        """(S - 1,) from close to close."""
        found: Floats = self.nav[1:] / self.nav[:-1] - 1.0
        return found

    def figures(self) -> dict[str, Any]:
        """Return its own figures; None where a few sessions define none."""
        vol = _stdev(self.returns)
        return {
            "name": self.name,
            "vol_ann": vol,
            "vol_target": self.target,
            "vol_over_target": vol / self.target if vol is not None and self.target else None,
            "turnover_per_year": float(self.turnover[1:].mean() * YEAR) if len(self.returns) else None,
            "gross_mean": float(self.gross.mean()),
            "gross_max": float(self.gross.max()),
            "return": float(self.nav[-1] / self.nav[0] - 1.0),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two books over their common sessions. expected : (S,) tracking error a year by the weights, None = no prices."""

    one: Book
    two: Book
    expected: Floats | None = None

    def plain(self) -> dict[str, Any]:
        """Return plain values for JSON: what each did, and how far apart they were, one less two."""
        apart = self.one.returns - self.two.returns
        shares = [_apart(a, b) / 2.0 for a, b in zip(self.one.weights, self.two.weights, strict=True)]
        return {
            "sessions": len(self.one.sessions),
            "first": self.one.sessions[0].isoformat(),
            "last": self.one.sessions[-1].isoformat(),
            "books": [self.one.figures(), self.two.figures()],
            "tracking": {
                "difference_bps": float(
                    (self.one.nav[-1] / self.one.nav[0] - self.two.nav[-1] / self.two.nav[0]) * 1e4
                ),
                "error_ann": _stdev(apart),
                "error_expected_ann": None if self.expected is None else float(np.sqrt(np.mean(self.expected**2))),
                "largest_bps": float(np.abs(apart).max() * 1e4) if len(apart) else None,
                "active_share": float(np.mean(shares)),
            },
        }


def _stdev(returns: Floats) -> float | None:
    """Return the volatility a year, with one degree of freedom less; None of fewer than two."""
    return float(np.std(returns, ddof=1) * np.sqrt(YEAR)) if len(returns) > 1 else None


def _apart(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    return sum(abs(a.get(symbol, 0.0) - b.get(symbol, 0.0)) for symbol in {*a, *b})


def compare(one: Book, two: Book, panels: tuple[Panel, ...] = ()) -> Comparison:
    """Put two books side by side; with the prices of their symbols also the tracking error that their weights promise.

    Raises
    ------
    DataError
        If they have no two sessions in common.
    """
    common = sorted({*one.sessions} & {*two.sessions})
    if len(common) < 2:
        raise DataError(
            f"{one.name} and {two.name} have {len(common)} sessions in common", where="twin", cause="two are needed"
        )
    left, right = one.on(common), two.on(common)
    expected = _expected(left, right, panels) if panels else None
    return Comparison(left, right, expected)


def _expected(one: Book, two: Book, panels: tuple[Panel, ...]) -> Floats:
    """Return (S,) sqrt(252 d' S d): d the difference of the weights, S the covariance of the last returns."""
    found = np.zeros(len(one.sessions))
    for k, day in enumerate(one.sessions):
        a, b = one.weights[k], two.weights[k]
        gaps = {symbol: a.get(symbol, 0.0) - b.get(symbol, 0.0) for symbol in {*a, *b}}
        moves = np.zeros(WINDOW)
        for symbol, gap in gaps.items():
            moves += gap * _returns(symbol, day, panels)
        found[k] = np.std(moves, ddof=1) * np.sqrt(YEAR)  # the same as by the covariance, without making it
    return found


def _returns(symbol: str, day: date, panels: tuple[Panel, ...]) -> Floats:
    """Return (WINDOW,) the price returns of a symbol through a session, 0 where they are not known."""
    out = np.zeros(WINDOW)
    panel = next((one for one in panels if symbol in one.symbols), None)
    if panel is None:
        return out
    i, stop = panel.column(symbol), int(np.searchsorted(panel.clock.session, np.datetime64(day), side="right"))
    start = max(stop - WINDOW, 1)
    now = panel.close[start:stop, i] * panel.split[start:stop, i] + panel.dividend[start:stop, i]
    moves = np.nan_to_num(now / panel.close[start - 1 : stop - 1, i] - 1.0)
    out[WINDOW - len(moves) :] = moves
    return out


def target_of(config: Config) -> float | None:
    """Return the volatility that a configuration aims at, None where it aims at none."""
    return config.integrator.vol_target.target if config.integrator.preset == "book" else None


def beside_shadow(case: Case, shadow: Case, journal: Journal) -> Comparison:
    """Put a live book beside its shadow, over the closes that decided for both.

    Raises
    ------
    DataError
        If they have no two sessions in common, or there are no prices of them.
    """
    told = shadows(journal, shadow.config.digest)
    by_session = {one.session: one for one in told}
    own = [one for one in journalled(journal) if one.session in by_session]
    if len(own) < 2:
        raise DataError(
            f"{shadow.config.run.name} has decided for {len(own)} sessions of this book", where="twin --shadow",
            fix="it decides once a session, from `shadow_session`",
        )  # fmt: skip
    panel = case.setup(own[-1].decided).panel
    marks = marks_of(journal, panel)
    days, nav, gross, turnover, weights = [], [], [], [], []
    for one in own:
        t = int(np.searchsorted(panel.clock.session, np.datetime64(one.decided)))
        index = float(marks.index[t])
        equity = one.equity if np.isnan(index) else float(marks.equity[t])
        value = {s: float(qty) * _close(one, s, panel, t) for s, qty in one.holdings.items()}
        traded = sum(float(order.value) for order in journal.orders(one.decided))
        days.append(one.decided)
        nav.append(1.0 if np.isnan(index) else index)
        weights.append({symbol: dollars / equity for symbol, dollars in value.items() if dollars})
        gross.append(sum(abs(dollars) for dollars in value.values()) / equity)
        turnover.append(traded / equity)
    live = Book(
        case.config.run.name, tuple(days), np.array(nav), np.array(gross), np.array(turnover), tuple(weights),
        target_of(case.config),
    )  # fmt: skip
    beside = _book(shadow.config, [by_session[one.session] for one in own])
    return compare(live, beside, (panel, shadow.setup(own[-1].decided).panel))


def _close(one: Inputs, symbol: str, panel: Panel, t: int) -> float:
    """Return the close of bar t in the share units of the holdings, 0 where there is none."""
    close = float(panel.close[t, panel.column(symbol)]) if symbol in panel.symbols else np.nan
    return 0.0 if np.isnan(close) else close / float(one.splits.get(symbol, 1))


def _book(config: Config, told: list[Shadow]) -> Book:
    return Book(
        config.run.name, tuple(one.decided for one in told), np.array([one.nav for one in told]),
        np.array([one.gross for one in told]), np.array([one.traded / one.equity for one in told]),
        tuple(one.weights for one in told), target_of(config),
    )  # fmt: skip
