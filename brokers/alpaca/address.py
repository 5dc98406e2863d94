"""Where this adapter may talk to: the paper host and this machine, nothing else."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from plimsoll.engine.errors import ConfigError

PAPER_HOST: Final = "paper-api.alpaca.markets"
DATA_HOST: Final = "data.alpaca.markets"
_WHERE: Final = "broker.url"


@dataclass(frozen=True, slots=True)
class Address:
    """Base addresses without a trailing slash; `local` is this machine."""

    trading: str
    data: str
    local: bool

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that a request may go to."""
        return frozenset(str(urlsplit(url).hostname) for url in (self.trading, self.data))


def address_of(url: str) -> Address:
    """Return where a configured `[broker] url` leads.

    Raises
    ------
    ConfigError
        If it is neither the paper host over https nor a loopback address, or holds more than scheme, host and port.
    """
    fix = f"use https://{PAPER_HOST}, or http://127.0.0.1:PORT of `plimsoll exchange`"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConfigError(f"{url!r} is not an address ({error})", where=_WHERE, fix=fix) from None
    if parts.username or parts.password or parts.query or parts.fragment or parts.path not in ("", "/"):
        raise ConfigError(f"{url!r} holds more than scheme, host and port", where=_WHERE, fix=fix)
    if parts.scheme == "https" and host == PAPER_HOST and port in (None, 443):
        return Address(f"https://{PAPER_HOST}", f"https://{DATA_HOST}", local=False)
    if parts.scheme in ("http", "https") and _is_loopback(host):
        name = f"[{host}]" if ":" in host else host
        base = f"{parts.scheme}://{name}" + (f":{port}" if port is not None else "")
        return Address(base, base, local=True)
    raise ConfigError(f"{url!r} is not a paper account", where=_WHERE, cause="live hosts are refused", fix=fix)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
