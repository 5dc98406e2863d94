"""The client id of an order: what it is for. Never how much, at what price or when it was sent.

    pl1-<acct4>-<book6>-<YYYYMMDD>-<HHMM>-<SYM>-<B|S>-<leg>-<try>

A plan made again after a crash collides with the first one instead of slipping past it. Two books on one account never
collide, and an edited configuration does. `try` rises only after an explicit refusal, never after an unknown outcome.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from plimsoll.engine.errors import EngineError
from plimsoll.engine.execution.venue import Side

PREFIX: Final = "pl1"
_FORM: Final = re.compile(
    r"pl1-(?P<account>[A-Za-z0-9]{1,4})-(?P<book>[0-9a-f]{6})-(?P<session>\d{8})-(?P<slot>\d{4})"
    r"-(?P<symbol>[A-Za-z0-9._]{1,16})-(?P<side>[BS])-(?P<leg>\d{1,2})-(?P<attempt>\d{1,2})"
)
_SIDES: Final[dict[str, Side]] = {"B": "buy", "S": "sell"}


@dataclass(frozen=True, slots=True)
class OrderId:
    """The parts of a client id. account : the last four characters of the account number; book : see `book_code`."""

    account: str
    book: str
    session: date
    slot: str  # HHMM
    symbol: str
    side: Side
    leg: int
    attempt: int

    def __str__(self) -> str:
        """Return the id as the venue knows it."""
        letter = "B" if self.side == "buy" else "S"
        text = (
            f"{PREFIX}-{self.account}-{self.book}-{self.session:%Y%m%d}-{self.slot}"
            f"-{self.symbol}-{letter}-{self.leg}-{self.attempt}"
        )
        if _FORM.fullmatch(text) is None:
            raise EngineError(f"order id {text!r}")
        return text


def account_code(account: str) -> str:
    """Return the four characters that stand for an account number."""
    return re.sub(r"[^A-Za-z0-9]", "", account)[-4:]


def book_code(name: str) -> str:
    """Return the six hexadecimal digits that stand for a book's name."""
    return hashlib.sha256(name.encode()).hexdigest()[:6]


def parse_id(client_id: str) -> OrderId | None:
    """Return the parts of an id of this form, None for anybody else's."""
    found = _FORM.fullmatch(client_id)
    if found is None:
        return None
    part = found.groupdict()
    try:
        session = date(int(part["session"][:4]), int(part["session"][4:6]), int(part["session"][6:]))
    except ValueError:
        return None
    return OrderId(
        part["account"], part["book"], session, part["slot"], part["symbol"], _SIDES[part["side"]],
        int(part["leg"]), int(part["attempt"]),
    )  # fmt: skip


def is_of(client_id: str, account: str, book: str) -> bool:
    """Return whether an id is of this account's book; both as their codes."""
    parts = parse_id(client_id)
    return parts is not None and parts.account == account and parts.book == book
