"""What a refusal means. The venue's codes are overloaded, so status, words and extra fields decide together.

Source: statuses and messages as documented and measured for the paper API, 2026.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from plimsoll.brokers.alpaca.reply import NoReply, Reply
from plimsoll.engine.execution.venue import Refusal, Rejected, Unknown


@dataclass(frozen=True, slots=True)
class Rule:
    """A status and words of the message, both needed; the first rule that fits decides."""

    status: tuple[int, ...]
    words: re.Pattern[str]
    reason: Refusal


def _rule(status: tuple[int, ...], words: str, reason: Refusal) -> Rule:
    return Rule(status, re.compile(words, re.IGNORECASE), reason)


REFUSED: Final = (400, 403, 409, 422)
RULES: Final = (
    _rule((409,), r"", "duplicate"),  # a conflict, however it is worded: it is looked up before anything else is done
    _rule((422,), r"client.?order.?id.*(unique|exist|duplicate|already|used)|(duplicate|already).*client", "duplicate"),
    _rule((403,), r"rejected by user request", "suspended"),
    _rule((403, 422), r"not allowed to (sell )?short|short(ing| selling) is (disabled|not)", "asset"),
    _rule((403,), r"(account|trading).*(blocked|restricted|suspended|not (active|allowed|authorized))", "suspended"),
    _rule((403,), r"insufficient (day.?trading )?buying power|insufficient balance", "buying_power"),
    _rule((403,), r"insufficient qty available", "shares_held"),
    _rule((403,), r"wash trade|(short sell|long buy|sell|buy) order is open", "wash"),
    _rule((403, 422), r"not fractionable|fractional trading is disabled|cannot be sold short", "asset"),
    _rule((403, 422), r"not (shortable|tradable)", "asset"),
    _rule((403, 404, 422), r"asset .*(not found|not active|inactive|halted)|could not find asset", "asset"),
    _rule((403,), r"cost basis must be|opg|cls|pattern day trading", "rule"),
    _rule((422,), r"sub-penny|increment", "rule"),
    _rule((422,), r"no more than 128|bad parameter|is required|invalid", "malformed"),
    _rule((422,), r"fractional|notional|decimal|extended hours|time.in.force|(limit|stop).price|opg|cls", "rule"),
)  # fmt: skip


def refusal_of(reply: Reply | NoReply) -> Rejected | Unknown:
    """Return what an answer that is no success says of the order that was sent.

    A refusal counts only where the venue itself worded it; everything else, and every status that a machine in between
    may have made up, is unknown.
    """
    if isinstance(reply, NoReply):
        return Unknown(reply.why)
    message = reply.message
    if reply.status == 401:
        return Rejected("unauthorized", message or "unauthorized")
    if not message:
        return Unknown(f"status {reply.status}" + (", empty" if reply.empty else ""))
    for rule in RULES:
        if reply.status in rule.status and rule.words.search(message):
            return Rejected(_by_fields(rule.reason, reply.body), message, _related(reply.body))
    if reply.status in REFUSED:
        return Rejected(_by_fields("other", reply.body), message, _related(reply.body))
    return Unknown(f"status {reply.status}: {message}")


def _by_fields(reason: Refusal, body: Any) -> Refusal:
    """Return a reason that the extra fields make certain where the words left it open."""
    if reason == "other" and isinstance(body, Mapping):
        if "held_for_orders" in body:
            return "shares_held"
        if "buying_power" in body:
            return "buying_power"
        if "existing_order_id" in body:
            return "wash"
    return reason


def _related(body: Any) -> str:
    found = body.get("existing_order_id", "") if isinstance(body, Mapping) else ""
    return found if isinstance(found, str) else ""
