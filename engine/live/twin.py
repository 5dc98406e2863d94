"""The twin: a session of the account beside the same session in the simulator, and every dollar between them by cause.

Both start from what the journal says the account held when it decided, after the night's dividends and deposits. The
decision is made again from the journalled inputs and today's prices, and the simulator executes it. Per symbol, with
signed shares q, the close C, the simulator's price p and the account's f:

    signal or data   (wish - wish again) (C - p)
    rounding         ((sent - wish) - (simulated order - wish again)) (C - p)
    unfilled         ((filled - sent) - (simulated fill - simulated order)) (C - p)
    price            filled (p - f)

which sum to filled (C - f) - simulated fill (C - p). Risk is what was sold between the slots, after a loss or to get
out; fees, dividends and carry are what each booked beside.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

import numpy as np

from plimsoll.engine.live.day_plan import Decided
from plimsoll.engine.live.inputs import Inputs
from plimsoll.engine.live.journal.rows import ZERO, Goal, OrderRow, PlanRow
from plimsoll.engine.live.order_state import NEVER_SENT
from plimsoll.engine.live.replay import signed
from plimsoll.engine.live.simulate import Simulated
from plimsoll.engine.live.way import left_of

CAUSES: Final = ("signal", "data", "rounding", "unfilled", "price", "risk", "fees", "dividends", "carry")
LAST_HOUR: Final = "24"  # slots that begin with more are no time of day: reductions between the others
ACCOUNT: Final = "(account)"  # the row of what belongs to no order


@dataclass(frozen=True, slots=True)
class Cash:
    """What the journal saw of a session beside executions, in dollars.

    before, after : dividends booked before and after the decision, those of sessions in between left out. fees : paid,
    > 0 is a cost. flow : deposits less withdrawals after the decision, no part of the gap.
    """

    before: float = 0.0
    after: float = 0.0
    fees: float = 0.0
    flow: float = 0.0

    @property
    def dividends(self) -> float:
        """Dividends that the account received."""
        return self.before + self.after


@dataclass(frozen=True, slots=True)
class Line:
    """A symbol's part: shares, dollars a share (NaN where nothing filled), dollars by cause: account less twin."""

    symbol: str
    causes: Mapping[str, float]
    wished_again: float = 0.0
    wished: float = 0.0
    sent: float = 0.0
    filled: float = 0.0
    price: float = np.nan
    simulated: float = 0.0
    simulated_price: float = np.nan
    state: str = ""

    @property
    def total(self) -> float:
        """Dollars."""
        return sum(self.causes.values())


@dataclass(frozen=True, slots=True)
class Gap:
    """A session of the account against its twin.

    equity : dollars when it was decided. account, twin : dollars at the close, flows since left out. lines : what
    explains the difference. carried : the session decided nothing and finished an older decision.
    """

    session: date
    decided: date
    equity: float
    account: float
    twin: float
    lines: tuple[Line, ...]
    flow: float = 0.0
    carried: bool = False
    revised: bool = False

    @property
    def dollars(self) -> float:
        """What the account has more than its twin."""
        return self.account - self.twin

    @property
    def bps(self) -> float:
        """The same in basis points of equity."""
        return self.dollars / self.equity * 1e4

    def of(self, cause: str) -> float:
        """Return the dollars of a cause over all lines."""
        return sum(line.causes.get(cause, 0.0) for line in self.lines)

    def plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "session": self.session.isoformat(),
            "decided": self.decided.isoformat(),
            "carried": self.carried,
            "equity": self.equity,
            "account": self.account,
            "twin": self.twin,
            "flow": self.flow,
            "dollars": self.dollars,
            "bps": self.bps,
            "causes": {name: {"dollars": self.of(name), "bps": self.of(name) / self.equity * 1e4} for name in CAUSES},
            "orders": [_line(line, self.equity) for line in self.lines],
        }


def _line(line: Line, equity: float) -> dict[str, Any]:
    known = {"price": line.price, "simulated_price": line.simulated_price}
    return {
        "symbol": line.symbol,
        "wished_again": line.wished_again,
        "wished": line.wished,
        "sent": line.sent,
        "filled": line.filled,
        **{name: None if np.isnan(value) else value for name, value in known.items()},
        "simulated": line.simulated,
        "state": line.state,
        **{name: line.causes.get(name, 0.0) for name in CAUSES},
        "dollars": line.total,
        "bps": line.total / equity * 1e4,
    }


@dataclass(frozen=True, slots=True)
class Sides:
    """Everything that a session is explained from. revised : today's prices are not those that decided."""

    inputs: Inputs
    plan: PlanRow
    orders: list[OrderRow]
    cash: Cash
    decided: Decided
    simulated: Simulated
    symbols: tuple[str, ...]
    revised: bool


@dataclass(slots=True)
class Traded:
    """What a session did in a symbol: signed shares sent and filled, dollars paid for them, what became of it.

    aside, aside_paid : the same of what was filled between the slots.
    """

    sent: Decimal = ZERO
    filled: Decimal = ZERO
    paid: Decimal = ZERO
    aside: Decimal = ZERO
    aside_paid: Decimal = ZERO
    states: list[str] = field(default_factory=list)


def traded_of(orders: list[OrderRow]) -> dict[str, Traded]:
    """Return what was sent and filled by symbol; what one slot left and the next one sent again counts once."""
    found: dict[str, Traded] = {}
    for slot in dict.fromkeys(one.slot for one in orders):
        rows = [one for one in orders if one.slot == slot]
        for symbol in dict.fromkeys(one.symbol for one in rows):
            mine, done = [one for one in rows if one.symbol == symbol], found.setdefault(symbol, Traded())
            filled = sum((one.sign * one.known.filled for one in mine), ZERO)
            paid = sum((one.sign * one.value for one in mine), ZERO)
            done.states += [f"{one.known.state}: {one.why}" if one.why else one.known.state for one in mine]
            if slot >= LAST_HOUR:
                done.aside, done.aside_paid = done.aside + filled, done.aside_paid + paid
                continue
            sent = [one for one in mine if one.known.state not in NEVER_SENT]
            asked = done.filled + sum((one.sign * one.order.qty for one in sent), ZERO)
            done.sent = asked if abs(asked) > abs(done.sent) else done.sent
            done.filled, done.paid = done.filled + filled, done.paid + paid
    return found


def gap_of(sides: Sides) -> Gap:
    """Return a session of the account against its twin, explained."""
    inputs, sim, cash = sides.inputs, sides.simulated, sides.cash
    traded, again = traded_of(sides.orders), signed(sides.decided.wishes)
    goals = sides.plan.goals
    column = {symbol: i for i, symbol in enumerate(sides.symbols)}
    account = float(inputs.cash) + cash.after - cash.fees
    lines = []
    for symbol, i in column.items():
        done = traded.get(symbol, Traded())
        held = float(inputs.holdings.get(symbol, ZERO) + done.filled + done.aside)
        account += (held * float(sim.mark[i]) if held else 0.0) - float(done.paid + done.aside_paid)
        line = _explained(sides, symbol, i, done, _way(goals.get(symbol), inputs), float(again.get(symbol, ZERO)))
        if line is not None:
            lines.append(line)
    due = float(sim.dividends.sum())
    rest = {
        "fees": -cash.fees,
        "dividends": 0.0 if due else cash.dividends,
        "carry": -sim.carry,
    }
    if any(rest.values()):
        lines.append(Line(ACCOUNT, rest))
    return Gap(
        session=inputs.session,
        decided=inputs.decided,
        equity=inputs.equity,
        account=account,
        twin=sim.equity,
        lines=tuple(lines),
        flow=cash.flow,
        carried=sides.plan.carried,
        revised=sides.revised,
    )


def _way(goal: Goal | None, inputs: Inputs) -> float:
    """Return the signed shares that the journalled decision wanted."""
    return 0.0 if goal is None else float(left_of(goal, inputs.holdings.get(goal.symbol, ZERO)))


def _explained(sides: Sides, symbol: str, i: int, done: Traded, way: float, again: float) -> Line | None:
    """Return a symbol's line, None where neither side did or owes anything."""
    sim = sides.simulated
    filled, sent, order, fill = float(done.filled), float(done.sent), float(sim.ordered[i]), float(sim.filled[i])
    due, total = float(sim.dividends[i]), float(sim.dividends.sum())
    if not (way or again or filled or sent or order or fill or due or done.states):
        return None
    p = float(sim.price[i])
    move = float(sim.mark[i]) - p
    causes = dict.fromkeys(CAUSES, 0.0)
    cause = "unfilled" if sides.plan.carried else "data" if sides.revised else "signal"
    causes[cause] += (way - again) * move if way != again else 0.0
    rounding, unfilled = (sent - way) - (order - again), (filled - sent) - (fill - order)
    causes["rounding"] += rounding * move if rounding else 0.0
    causes["unfilled"] += unfilled * move if unfilled else 0.0
    causes["price"] = filled * p - float(done.paid) if filled else 0.0
    causes["risk"] = float(done.aside) * float(sim.mark[i]) - float(done.aside_paid) if done.aside else 0.0
    causes["fees"] = float(sim.charged[i])
    causes["dividends"] = due * (sides.cash.dividends / total - 1.0) if total else -due
    return Line(
        symbol,
        causes,
        wished_again=again,
        wished=way,
        sent=sent,
        filled=filled,
        price=float(done.paid / done.filled) if done.filled else np.nan,
        simulated=fill,
        simulated_price=p if fill else np.nan,
        state="; ".join(done.states),
    )
