"""How the length of a bar is written: "1d", "5min"; people also write 5m, 5Min or 1h."""

import re
from typing import Final

# One way to write each length; what else is understood becomes it.
INTERVAL: Final = r"^(1d|[1-9]\d*min)$"
_WRITTEN: Final = re.compile(r"([1-9]\d*) ?(m|min|mins|minute|minutes|h|hour|hours)", re.IGNORECASE)


def canonical_interval(text: str) -> str:
    """Return "5min" for "5m", "60min" for "1h", "1d" for "daily"; what is not understood comes back as it is."""
    if text.lower() in ("1d", "d", "day", "1day", "daily"):
        return "1d"
    written = _WRITTEN.fullmatch(text)
    if written is None:
        return text
    return f"{int(written[1]) * (60 if written[2].lower().startswith('h') else 1)}min"
