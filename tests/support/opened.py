"""A desk that has done its first slot, and how the verbs are told to work on it."""

from pathlib import Path
from typing import Any

from support.live_book import FIRST, Desk, make_desk


def opened(tmp_path: Path, **more: Any) -> Desk:
    """Open a desk that has done its first slot."""
    desk = make_desk(tmp_path, **more)
    desk.to(FIRST, "09:35")
    assert desk.slot("09:35").sent == 3
    return desk


def state(desk: Desk) -> Path:
    """Return its state folder."""
    return Path(desk.values["live"]["state"])


def on(desk: Desk) -> dict[str, Any]:
    """Return what the verbs take to work on the exchange in this process."""
    return {"venue": desk.venue, "clock": desk.clock, "host": desk.host}
