"""Keep what is secret out of everything that is written: by its value, and by the name it goes under."""

import base64
import json
import math
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

from pydantic import SecretStr

HIDDEN: Final = "***"
SHORTEST: Final = 6  # a shorter value is in too many words to be looked for
TOKEN: Final = 12  # parts of an address that are as long are secret by themselves
DEEPEST: Final = 8
LONGEST: Final = 20_000
_NAMES: Final = re.compile(
    r"secret|token|passw|credential|authori[sz]ation|cookie|webhook|api[-_ ]?key|key[-_ ]?id|private[-_ ]?key",
    re.IGNORECASE,
)
_VARIABLES: Final = re.compile(r"KEY|SECRET|TOKEN|PASSW|CREDENTIAL|WEBHOOK", re.IGNORECASE)
_PLACES: Final = ("_DIRECTORY", "_FILE", "_PATH", "_DIR", "_ENV")


class Secrets:
    """Values that nothing may show, however they are spelled: as they are, in JSON, in an address, in base64."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        spelled = {one for value in values if len(value.strip()) >= SHORTEST for one in _spellings(value.strip())}
        longest_first = sorted(spelled, key=lambda one: (-len(one), one))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if spelled else None

    def __repr__(self) -> str:
        """Tell nothing."""
        return "Secrets()"

    def text(self, text: str) -> str:
        """Return a text without them."""
        return text if self._pattern is None else self._pattern.sub(HIDDEN, text)

    def plain(self, value: Any, depth: int = 0) -> Any:
        """Return a value as JSON can hold it, without them; what goes under a secret's name is hidden whatever it is.

        What is neither a number, a text nor made of these becomes text here, so that nothing is turned into text later.
        """
        if value is None or isinstance(value, (bool, int)):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if depth < DEEPEST and isinstance(value, Mapping):
            return {self.text(_shown(name)): self._named(name, inner, depth) for name, inner in value.items()}
        if depth < DEEPEST and isinstance(value, (list, tuple, set, frozenset)):
            return [self.plain(inner, depth + 1) for inner in value]
        return self.text(_shown(value))[:LONGEST]

    def _named(self, name: Any, value: Any, depth: int) -> Any:
        hidden = _NAMES.search(_shown(name)) is not None and value is not None and not isinstance(value, bool)
        return HIDDEN if hidden else self.plain(value, depth + 1)


def known_secrets(env: Mapping[str, str], keys: Path | None = None, webhook: SecretStr | None = None) -> Secrets:
    """Return what must not be shown: of the environment, of the file with the keys, of the webhook's address."""
    values = [
        value for name, value in env.items() if _VARIABLES.search(name) and not name.upper().endswith(_PLACES)
    ]  # fmt: skip
    if keys is not None:
        with suppress(OSError, UnicodeDecodeError):  # whoever needs them says so
            lines = keys.read_text(encoding="utf-8").splitlines()
            values += [line.partition("=")[2].strip().strip("\"'") for line in lines]
    if webhook is not None:
        values += _of_address(webhook.get_secret_value())
    return Secrets(values)


def _of_address(url: str) -> list[str]:
    parts = urlsplit(url)
    asked = f"{parts.path}?{parts.query}" if parts.query else parts.path
    tokens = [
        parts.path.strip("/"),
        *parts.path.split("/"),
        *(value for _, value in parse_qsl(parts.query)),
        parts.password or "",
    ]
    return [url, asked, asked.lstrip("/"), *(one for one in tokens if len(one) >= TOKEN)]


def _spellings(value: str) -> set[str]:
    data = value.encode()
    return {
        value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1], quote(value),
        quote(value, safe=""), base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode(),
    }  # fmt: skip


def _shown(value: Any) -> str:
    try:
        if isinstance(value, (bytes, bytearray)):
            return bytes(value).decode("utf-8", "backslashreplace")
        return str(value) if isinstance(value, (str, Decimal, date, Path)) else repr(value)
    except Exception:  # noqa: BLE001  (foreign objects: anything may come out of one)
        return f"<a {type(value).__name__} that cannot be shown>"
