"""The configuration of the live half: which account, when, and within what bounds no strategy can move."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from plimsoll.engine.config.section import Section

Slot = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class BrokerSection(Section):
    """Whose account it is. The address is never taken from the environment."""

    kind: Literal["alpaca"] = "alpaca"
    """Which broker's interface is spoken."""
    url: str = "https://paper-api.alpaca.markets"
    """Address of the broker's interface; the paper account by default."""
    account: str | None = None
    """The only account this book may trade."""
    manage: Literal["account", "symbols"] = "account"
    """What else the account holds is foreign (halt), or left alone."""
    keys: Path | None = None
    """A file that nobody else can read; None = the environment."""
    feed: Literal["iex", "sip", "delayed_sip"] = "iex"
    """Where quotes come from: one exchange, or all of them."""

    @property
    def is_here(self) -> bool:
        """Whether the address is this machine's own: an exchange to practise on, with a time of its own."""
        return is_loopback(urlsplit(self.url).hostname or "")


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class AlertsSection(Section):
    """Whom a book tells what a person should know, beside its log and its file of alerts.

    The webhook's address holds a token: it stands in a variable of the environment, and only that one's name here.
    """

    webhook_env: str | None = Field(None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=80)
    """Environment variable that holds the webhook's address; None = no webhook."""
    every_minutes: float = Field(60.0, gt=0, le=1440)
    """The same alert is counted for so many minutes, not told again."""
    per_hour: int = Field(20, ge=1, le=1000)
    """Most that go to the webhook in an hour; urgent ones have as many of their own."""


class CapsSection(Section):
    """What no order, slot or day may exceed, whatever a strategy or a stage wants. Nothing that is sent escapes it."""

    order_notional: float | None = Field(None, gt=0)
    """Dollars of one order."""
    order_equity: float = Field(1.0, gt=0)
    """One order, fraction of equity."""
    order_adv: float = Field(0.10, gt=0, le=1)
    """One order, fraction of a usual session's dollar volume, where known."""
    slot_orders: int = Field(200, ge=1)
    """Orders sent in a slot."""
    slot_turnover: float = Field(4.0, gt=0)
    """Dollars sent in a slot, fraction of equity."""
    day_orders: int = Field(400, ge=1)
    """Orders sent in a session."""
    day_turnover: float = Field(6.0, gt=0)
    """Dollars sent in a session, as a multiple of equity."""
    day_loss: float = Field(0.10, gt=0, le=1)
    """Loss since the session's first look, fraction of equity: from there on no new risk."""


class LiveSection(Section):
    """How a decision becomes orders of the day; used by `plan`, live, and a backtest with `execution.venue` alike."""

    state: Path | None = None
    """Journal and locks."""
    slots: tuple[Slot, ...] = Field(("09:35", "12:00", "14:00", "15:30"), min_length=1)
    """Times in New York at which the daemon decides."""
    grace_minutes: float = Field(10.0, gt=0, le=60)
    """A slot later than this is skipped, never run late."""
    slot_minutes: float = Field(20.0, ge=2, le=120)
    """How many minutes a slot's orders may work; then they are cancelled."""
    half_day: Literal["skip", "early"] = "skip"
    """What a short session has no room for: nothing, or one slot."""
    closure: Literal["stand_down", "halt"] = "stand_down"
    """What happens where the venue's session is not the calendar's."""
    refresh_loss: float = Field(0.02, ge=0, lt=1)
    """A day's loss, fraction of equity, that asks the governor between slots."""
    refresh_vix: float = Field(0.3, ge=0)
    """A rise of VIX since its last close that asks it too, once; 0 = never."""
    pull: bool = True
    """A daemon fetches new prices into the catalog before it decides."""
    wave_seconds: float = Field(300.0, ge=5, le=3600)
    """How many seconds what frees money may work before purchases begin."""
    caps: CapsSection = CapsSection()
    """What no slot and no day may exceed."""
    alerts: AlertsSection = AlertsSection()
    """Who is told."""
    cash_buffer: float = Field(0.02, ge=0, lt=1)
    """Fraction of equity that purchases leave."""
    collar: float = Field(0.03, gt=0, le=0.25)
    """How far beyond the decision price a limit may lie, fraction of it."""
    max_quote_age_seconds: float = Field(120.0, gt=0)
    """A quote older than this is not believed."""
    max_spread_bps: float = Field(50.0, gt=0)
    """A quote wider than this is not believed."""
    max_gap: float = Field(0.15, gt=0, le=1)
    """How far a price may lie from the last close, fraction of it, else it is not believed."""
    twin_band_bps: float = Field(25.0, gt=0)
    """How far a session may be from its twin: `plimsoll twin` exits 1 beyond."""

    @field_validator("slots")
    @classmethod
    def _ascending(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if list(value) != sorted(set(value)):
            raise ValueError("slots must ascend, each once")
        return value
