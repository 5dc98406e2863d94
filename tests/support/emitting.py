"""A book without a broker: prices in files that grow by the day, and a person's file of positions."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from support.live_book import Desk, make_desk

from plimsoll.engine.live.outcome import Outcome
from plimsoll.engine.live.slots import hours_of
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Weights
from plimsoll.engine.verbs.confirm import Confirmed, confirm
from plimsoll.engine.verbs.rebalance import emit

ANSWERS = ((0.30, 0.20, 0.00), (0.10, 0.20, 0.40))


class Dated(Strategy):
    """Answers at the closes of `on` only, with one book and another in turn."""

    class Params(StrategyParams):
        symbols: tuple[str, ...]
        on: tuple[str, ...]

    @property
    def universe(self) -> tuple[str, ...]:
        symbols: tuple[str, ...] = self.params.symbols
        return symbols

    def on_bar(self, ctx: Context) -> Weights | None:
        day = str(ctx.session)
        if day not in self.params.on:
            return None
        return np.array(ANSWERS[self.params.on.index(day) % 2])


class Emitting:
    """A book whose prices lie in files that grow by the day, and a person's positions.

    on : the closes at which it answers; None = at random.
    """

    def __init__(
        self, folder: Path, panel: Panel | None = None, *, on: tuple[str, ...] | None = None, **sections: Any
    ) -> None:
        self.desk: Desk = make_desk(folder, panel, **sections)
        self.prices, self.out, self.held = folder / "prices", folder / "out", folder / "held.csv"
        folder.mkdir(exist_ok=True)
        self.held.write_text("symbol,qty\nCASH,100000\n")
        values = {name: section for name, section in self.desk.values.items() if name != "broker"}
        if on is not None:
            params = {"symbols": list(self.desk.panel.symbols), "on": list(on)}
            values["sleeve"] = [{"name": "s", "strategy": "support.emitting:Dated", "params": params}]
        self.values = {**values, "data": {"source": "csv", "path": str(self.prices)}}
        self.prices.mkdir()

    def to(self, day: date, at: str) -> None:
        """Let time pass; the files have every session that is over."""
        self.desk.to(day, at)
        panel = self.desk.panel
        days = panel.clock.session.astype("datetime64[D]").astype(object).tolist()
        for i, symbol in enumerate(panel.symbols):
            rows = ["date,open,high,low,close,volume,dividend,split"]
            for t, one in enumerate(days):
                if hours_of(one).closes < self.desk.clock.now():
                    cells = (panel.open, panel.high, panel.low, panel.close)
                    prices = [float(cell[t, i]) for cell in cells]
                    actions = [1000000, float(panel.dividend[t, i]), float(panel.split[t, i])]
                    rows.append(f"{one},{','.join(map(str, [*prices, *actions]))}")
            (self.prices / f"{symbol}.csv").write_text("\n".join(rows) + "\n")

    def emit(self, day: date) -> tuple[Outcome, dict[str, Decimal]]:
        """Emit for a session; return what became of it, and the orders as signed shares."""
        self.to(day, "09:00")
        outcome, file = emit(self.values, "09:35", self.out, self.held, host=self.desk.host)
        rows = [] if file is None else [row.split(",") for row in orders_in(file)]
        return outcome, {row[1]: Decimal(row[3]) * (1 if row[2] == "buy" else -1) for row in rows}

    def confirm(self, fills: Path | None = None) -> Confirmed:
        """Confirm what was emitted last."""
        return confirm(self.values, self.held, fills=fills, host=self.desk.host)


def orders_in(file: Path) -> list[str]:
    """Return the lines of an orders file, its head aside."""
    return file.read_text().splitlines()[1:]
