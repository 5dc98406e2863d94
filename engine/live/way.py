"""From what is held to what is wanted: goals of a session, and the way that is left to them."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from plimsoll.engine.execution.legalise import FREES, NEEDS, Wish
from plimsoll.engine.live.journal.rows import ZERO, Goal, PlanRow
from plimsoll.engine.live.proposal import Proposal

JUMP: Final = Decimal("0.2")


def goals_of(proposal: Proposal) -> dict[str, Goal]:
    """Return where each symbol of a decision is to end; two wishes in one symbol are one way."""
    goals: dict[str, Goal] = {}
    for wish in proposal.wishes:
        before = goals.get(wish.symbol)
        goals[wish.symbol] = Goal(
            symbol=wish.symbol,
            qty=wish.qty + (wish.held if before is None else before.qty),
            held=wish.held if before is None else before.held,
            price=wish.price,
            close=proposal.closes[wish.symbol],
            adv=proposal.adv.get(wish.symbol),
            pair=proposal.pairs.get(wish.symbol, -1),
        )
    return goals


def carried(
    last: PlanRow | None, proposal: Proposal, splits: Mapping[str, Decimal], held: Mapping[str, Decimal],
    notes: list[str],
) -> dict[str, Goal]:  # fmt: skip
    """Return what the last decision left over, in today's shares and at today's closes.

    A symbol that is not held and whose close jumped is left out, and noted: a split of what is not held shows nowhere
    else, and a goal in old shares is none. One of what is held shows in the position.
    """
    goals: dict[str, Goal] = {}
    for goal in () if last is None else last.goals.values():
        close, ratio = proposal.closes.get(goal.symbol), splits.get(goal.symbol, Decimal(1))
        there = held.get(goal.symbol, ZERO)
        if left_of(replace(goal, qty=goal.qty * ratio, held=goal.held * ratio), there) == ZERO:
            continue
        if close is None or close <= 0:
            notes.append(f"{goal.symbol}: what was left to trade of it is dropped: it has no close")
        elif there == ZERO and abs(close * ratio / goal.close - 1) > JUMP:
            moved = close * ratio / goal.close - 1
            notes.append(f"{goal.symbol}: what was left to buy of it is dropped: its close moved by {moved:+.0%}")
        else:
            goals[goal.symbol] = Goal(
                symbol=goal.symbol,
                qty=goal.qty * ratio,
                held=goal.held * ratio,
                price=close,
                close=close,
                adv=proposal.adv.get(goal.symbol),
                pair=goal.pair,
            )
    return goals


def left_of(goal: Goal, held: Decimal) -> Decimal:
    """Return the signed shares still to trade: the way to the goal in its own direction, never back."""
    way, wanted = goal.qty - held, goal.qty - goal.held
    return way if way * wanted > 0 else ZERO


def legs_of(symbol: str, way: Decimal, held: Decimal, price: Decimal, row: int) -> list[Wish]:
    """Return the way as one wish, or as two where it passes through nothing held."""
    reduces = held * way < 0
    if reduces and abs(way) > abs(held):
        return [
            Wish(row, symbol, -held, price, held, FREES),
            Wish(row + 1, symbol, way + held, price, ZERO, NEEDS),
        ]
    return [Wish(row, symbol, way, price, held, FREES if reduces else NEEDS)]


def spelled(symbol: str) -> str:
    """Return a symbol as an order's id has it."""
    return symbol.replace("-", ".")
