"""A vendor that rewrites history every day of a year, in Yahoo's form, and writes down everything that it did.

AAA pays dividends that are told late, corrected or withdrawn, and one of its sessions comes two days late; BBB splits
three for two and tells so five days late, and one session of its past is told no more from some day on; of both a bar
or a volume is corrected every day. ADJ is told by adjusted closes alone, all of them anew at each dividend.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from support.histories import history

from plimsoll.engine.market.catalog.disk import Disk
from plimsoll.engine.market.catalog.store import Catalog
from plimsoll.engine.market.history import PRICES, History
from plimsoll.engine.market.pull.budget import Budget
from plimsoll.engine.market.pull.pull import Puller
from plimsoll.engine.market.yahoo.normalise import later_splits, normalise

SYMBOLS = ("AAA", "ADJ", "BBB")
N_BEFORE, N_DAYS = 60, 252  # sessions told at first, and days on which one more comes
SPLIT_AT, UNTOLD_AT, LATE_AT = 150, 200, 110
PAYS_AT = (80, 140, 200, 260)  # ex-dates, of AAA in cash, of ADJ in a factor
FACTOR = 0.995
ADJ_EVERY = 20  # the days on which ADJ is pulled beside its ex-dates: it is told whole every time


class Told(NamedTuple):
    """A cell that the vendor tells differently from a day on. day : sessions beyond the first ones; row : a session."""

    day: int
    symbol: str
    row: int
    column: str
    before: float
    after: float
    kind: str


@dataclass
class RestatingVendor:
    """What is told on `day`; `told` is the list of everything that was ever told anew."""

    source: str = "yahoo"
    day: int = 0
    told: list[Told] = field(default_factory=list)

    def __post_init__(self) -> None:
        base = {name: history(name, first=date(2023, 1, 3), last=date(2024, 3, 28)) for name in SYMBOLS}
        base = {name: whole.take(slice(0, N_BEFORE + N_DAYS)) for name, whole in base.items()}
        self.session = base["AAA"].session
        after_split = np.arange(len(self.session)) >= SPLIT_AT
        lower = {
            n: np.round(np.where(after_split, base["BBB"].column(n) / 1.5, base["BBB"].column(n)), 2) for n in PRICES
        }
        base["BBB"] = replace(base["BBB"], **lower)
        self.base = base
        self._schedule()

    def _schedule(self) -> None:
        def later(day: int, symbol: str, row: int, column: str, after: float, kind: str) -> None:
            before = [one.after for one in self.told if one[1:4] == (symbol, row, column)]
            value = before[-1] if before else float(self.base[symbol].column(column)[row])
            if abs(value - after) > 1e-9:
                self.told.append(Told(day, symbol, row, column, value, after, kind))

        for at, amount in zip(PAYS_AT, (0.5, 0.52, 0.54, 0.56), strict=True):
            later(at + 3 - N_BEFORE + 1, "AAA", at, "dividend", amount, "late_dividend")
        later(PAYS_AT[1] + 9 - N_BEFORE + 1, "AAA", PAYS_AT[1], "dividend", 0.6, "corrected_dividend")
        later(PAYS_AT[2] + 9 - N_BEFORE + 1, "AAA", PAYS_AT[2], "dividend", 0.0, "withdrawn_dividend")
        later(SPLIT_AT + 5 - N_BEFORE + 1, "BBB", SPLIT_AT, "split", 1.5, "late_split")
        random = np.random.default_rng(3)
        for day in range(1, N_DAYS):
            symbol = ("AAA", "BBB")[int(random.integers(2))]
            row = N_BEFORE + day - 1 - int(random.integers(1, 21))
            if row in (SPLIT_AT, UNTOLD_AT, LATE_AT, *PAYS_AT):
                continue
            column = ("open", "high", "low", "close", "volume")[int(random.integers(5))]
            now = self._cells(symbol, day)
            middle = round(float(now["high"][row] + now["low"][row]) / 2.0 + 0.03, 2)
            after = {"high": now["high"][row] + 0.3, "low": now["low"][row] - 0.3, "volume": now["volume"][row] * 1.2}
            value = round(float(after.get(column, middle)), 0 if column == "volume" else 2)
            later(day, symbol, row, column, value, "corrected_volume" if column == "volume" else "corrected_bar")

    def _cells(self, symbol: str, day: int) -> dict[str, np.ndarray]:
        cells = {name: self.base[symbol].column(name).copy() for name in (*PRICES, "volume", "dividend", "split")}
        for one in sorted((one for one in self.told if one.symbol == symbol and one.day <= day), key=lambda t: t.day):
            cells[one.column][one.row] = one.after
        return cells

    def _rows(self, symbol: str) -> np.ndarray:
        rows = np.arange(N_BEFORE + self.day)
        if symbol == "AAA" and self.day < LATE_AT - N_BEFORE + 3:
            return rows[rows != LATE_AT]
        return rows[rows != UNTOLD_AT] if symbol == "BBB" and self.day > UNTOLD_AT - N_BEFORE + 10 else rows

    def fetch(self, symbol: str, start: date | None) -> History:
        """Tell what Yahoo would: prices over the splits since, adjusted closes beside them; read as the client does."""
        rows, cells = self._rows(symbol), self._cells(symbol, self.day)
        if start is not None:
            rows = rows[self.session[rows] >= np.datetime64(start)]
        after = later_splits(cells["split"])[rows]
        paid = np.append(1.0, 1.0 - cells["dividend"][1:] / cells["close"][:-1])
        adjusted = cells["close"] / after[0] * np.append(np.cumprod(paid[::-1])[::-1][1:], 1.0)
        told = {name: (cells[name][rows] / after).astype(np.float32).astype(float).tolist() for name in PRICES}
        told |= {"adj_close": adjusted[rows].tolist(), "volume": (cells["volume"][rows] * after).tolist()}
        told |= {"dividend": (cells["dividend"][rows] / after).tolist(), "split": cells["split"][rows].tolist()}
        facts = {"instrumentType": "ETF", "exchangeTimezoneName": "America/New_York", "zone": "America/New_York"}
        sessions = self.session[rows].astype(str).tolist()
        return normalise(
            {**told, **facts, "currency": "USD", "midnight": True, "session": sessions}, symbol, index=False
        )

    def adjusted(self) -> History:
        """Tell ADJ: every close, adjusted for the dividends so far."""
        n_rows = N_BEFORE + self.day
        rows = np.arange(n_rows)
        close = self.base["ADJ"].close[:n_rows].copy()
        for at in PAYS_AT:
            if at < n_rows:
                close[rows < at] *= FACTOR
        close = np.round(close, 4)
        zero = np.zeros(n_rows)
        return History(
            "ADJ", "adjusted", self.session[:n_rows], np.full(n_rows, "made"),
            close, close, close, close, np.full(n_rows, np.nan), zero, np.ones(n_rows), zero,
        )  # fmt: skip

    def evening(self, day: int) -> datetime:
        """When a day's pull is made."""
        last: date = self.session[N_BEFORE + day - 1].astype(object)
        return datetime.combine(last, time(22, 0), UTC)

    def pull(self, root: Path, day: int) -> Catalog:
        """Pull everything on the evening of a day."""
        self.day = day
        catalog = Catalog(root, Disk(fsync=lambda _: None))
        puller = Puller(catalog, self, Budget(lambda _: None, lambda: 0.5), lambda: self.evening(day))
        states = [one.state for one in puller.run(("AAA", "BBB"))]
        assert states == ["stored", "stored"], states
        if day % ADJ_EVERY == 0 or self.day + N_BEFORE - 1 in PAYS_AT:
            catalog.store(self.adjusted(), (), self.evening(day))
        return catalog
