"""Bounds that no strategy, stage or plan can move: looked at inside the transaction that precedes every order.

The counters are the journal's own rows, so that a restart does not set them back to zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from plimsoll.engine.config.live import CapsSection
from plimsoll.engine.execution.legal_batch import exact
from plimsoll.engine.live.journal.rows import ZERO, OrderRow
from plimsoll.engine.live.order_state import NEVER_SENT


@dataclass(frozen=True, slots=True)
class Caps:
    """The bounds in dollars of an account. adv : by symbol, dollars of a usual session, where known."""

    section: CapsSection
    equity: Decimal
    adv: Mapping[str, Decimal] = field(default_factory=dict)

    def refusal(self, order: OrderRow, day: list[OrderRow], attempts: int) -> str:
        """Return why an order must not go out, "" if it may.

        day : orders of its session, at least all that were sent. attempts : how often it was sent already; the same
        order sent again under its id is not counted twice.
        """
        size = order.order.qty * order.order.price
        if not size.is_finite() or size <= 0:
            return f"order of {size} dollars"
        return self._of_order(order, size) or ("" if attempts else self._of_counts(order, size, day))

    def _of_order(self, order: OrderRow, size: Decimal) -> str:
        rules, usual = self.section, self.adv.get(order.symbol)
        if rules.order_notional is not None and size > exact(rules.order_notional):
            return f"{size:.2f} dollars, live.caps.order_notional is {rules.order_notional:g}"
        if size > self.equity * exact(rules.order_equity):
            return f"{size:.2f} dollars are more than {rules.order_equity:g} of equity (live.caps.order_equity)"
        if usual is not None and size > usual * exact(rules.order_adv):
            return f"{size:.2f} dollars are more than {rules.order_adv:g} of a usual session (live.caps.order_adv)"
        return ""

    def _of_counts(self, order: OrderRow, size: Decimal, day: list[OrderRow]) -> str:
        rules = self.section
        sent = [one for one in day if one.known.state not in NEVER_SENT and one.client_id != order.client_id]
        slot = [one for one in sent if one.slot == order.slot]
        for name, rows, most, turnover in (
            ("slot", slot, rules.slot_orders, rules.slot_turnover),
            ("day", sent, rules.day_orders, rules.day_turnover),
        ):
            if len(rows) + 1 > most:
                return f"order {len(rows) + 1} of the {name} (live.caps.{name}_orders is {most})"
            total = sum((one.order.qty * one.order.price for one in rows), ZERO) + size
            if total > self.equity * exact(turnover):
                return f"{total:.2f} dollars in the {name} (live.caps.{name}_turnover is {turnover:g} of equity)"
        return ""

    def is_lost(self, before: Decimal, now: Decimal) -> bool:
        """Return whether the account has lost so much since `before` that it may take no new risk."""
        return before > 0 and now < before * (1 - exact(self.section.day_loss))
