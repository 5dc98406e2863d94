"""Everything that a decision was made on, in the journal: from it and the prices the decision can be made again.

Numbers are written digit by digit: quantities and money of the venue as text, floats as JSON's shortest decimals, which
read back as the same bits. Prices themselves are not copied; a digest of each column tells later whether one changed.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import numpy as np

from plimsoll.engine.live.day_plan import DayPlan, Decided, decide_on
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.positions import Holdings
from plimsoll.engine.live.prefix import Prefix, prefixes
from plimsoll.engine.live.prices import UNKNOWN, DecisionPrice
from plimsoll.engine.live.proposal import Asked
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.state import Saved

INPUTS: Final = "inputs"  # the kind of the event


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the decision of a session was made on.

    session : the one that executed; decided : the close that decided. cash, holdings : of the book, after `splits`.
    equity : dollars as the core counted them. prices : decision prices, NaN = not traded. adopt : the account took over
    the sleeves' standing portfolios. blind : sleeves that were not asked. data : hash of the prices through `decided`;
    columns : one of each symbol and indicator. state, marks : digests of the system's state and of what it was told the
    account had been worth. at : number of the event.
    """

    session: date
    decided: date
    cash: Decimal
    equity: float
    holdings: Mapping[str, Decimal]
    prices: Mapping[str, DecisionPrice]
    splits: Mapping[str, Decimal]
    adopt: bool
    due: bool
    blind: tuple[str, ...]
    data: str
    columns: Mapping[str, str]
    state: str
    marks: str
    at: int = 0

    def decide(self, setup: Setup) -> Decided:
        """Return what a system at its last bar decides on these inputs."""
        nobody = DecisionPrice("", UNKNOWN, "none", "not in the run then")
        return decide_on(
            setup, Holdings(self.holdings, self.cash, f"journal of {self.session}"), adopt=self.adopt,
            splits=self.splits, prices=lambda symbols, _: {s: self.prices.get(s, nobody) for s in symbols},
        )  # fmt: skip


def inputs_of(plan: DayPlan, asked: Asked, prices: Prefix, state: str, marks: str) -> dict[str, Any]:
    """Return the body of the event, the session aside."""
    known = {one.symbol: one for one in plan.prices.values() if one.kind != "none"}
    return {
        "decided": plan.decided.isoformat(),
        "cash": str(asked.snapshot.cash),
        "equity": plan.equity,
        "venue_equity": str(asked.snapshot.equity),
        "holdings": {symbol: str(qty) for symbol, qty in plan.held.items()},
        "prices": {symbol: [one.price, one.kind] for symbol, one in known.items()},
        "splits": {symbol: str(ratio) for symbol, ratio in asked.splits.items()},
        "adopt": plan.adopted,
        "due": plan.due,
        "blind": list(plan.blind),
        "data": prices.whole(),
        "columns": prices.columns(),
        "state": state,
        "marks": marks,
    }


def journalled(journal: Journal) -> list[Inputs]:
    """Return the inputs of every decision, oldest first."""
    return [_read(event.seq, json.loads(event.body)) for event in journal.events(INPUTS)]


def decisions_of(journal: Journal) -> dict[date, int]:
    """Return by session the number of the event with the inputs of its decision, oldest first."""
    return {date.fromisoformat(session): seq for seq, session in journal.told(INPUTS, "session")}


def inputs_at(journal: Journal, seq: int) -> Inputs:
    """Return the inputs that an event tells of."""
    return _read(seq, json.loads(journal.event_at(seq).body))


def _read(at: int, body: Mapping[str, Any]) -> Inputs:
    return Inputs(
        session=date.fromisoformat(body["session"]),
        decided=date.fromisoformat(body["decided"]),
        cash=Decimal(body["cash"]),
        equity=float(body["equity"]),
        holdings={symbol: Decimal(qty) for symbol, qty in body["holdings"].items()},
        prices={s: DecisionPrice(s, float(price), kind) for s, (price, kind) in body["prices"].items()},
        splits={symbol: Decimal(ratio) for symbol, ratio in body["splits"].items()},
        adopt=bool(body["adopt"]),
        due=bool(body["due"]),
        blind=tuple(body["blind"]),
        data=body["data"],
        columns=body["columns"],
        state=body["state"],
        marks=body["marks"],
        at=at,
    )


# ---- digests


def digest_of_state(saved: Saved) -> str:
    """Return the SHA-256, in hex, over the arrays of a saved state: name, type, shape and bytes, by name."""
    digest = hashlib.sha256()
    for name in sorted(saved):
        array = np.ascontiguousarray(saved[name])
        digest.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode() + array.tobytes())
    return digest.hexdigest()


# ---- what of the prices changed


@dataclass(frozen=True, slots=True)
class Revision:
    """A column whose prices are not those that decided: changed on a session after `after` (None = any), to `until`."""

    name: str
    after: date | None
    until: date
    exact: bool = False

    def __str__(self) -> str:
        """Return it in words."""
        if self.after is None:
            return f"{self.name} on or before {self.until}"
        return f"{self.name} on {self.until}" if self.exact else f"{self.name} after {self.after}, through {self.until}"


def revisions(panel: Panel, told: Iterable[Inputs], of: Inputs) -> list[Revision]:
    """Return which columns of a panel are not those that decided, and where as far as older decisions tell."""
    days = panel.clock.session
    line = sorted((one for one in told if one.decided <= of.decided), key=lambda one: one.decided)
    stops = [int(np.searchsorted(days, np.datetime64(one.decided), side="right")) for one in line]
    now = [prices.columns() for prices in prefixes(panel, stops)]
    found = []
    for name in sorted({*of.columns, *(now[-1] if now else {})}):
        wrong = [one.columns.get(name) != digests.get(name) for one, digests in zip(line, now, strict=True)]
        if not wrong or not wrong[-1]:
            continue
        first = max((k for k, other in enumerate(wrong) if not other), default=-1) + 1
        after = line[first - 1].decided if first else None
        single = first > 0 and stops[first] - stops[first - 1] == 1
        found.append(Revision(name, after, line[first].decided, single))
    return found
