"""Time on an exchange that runs on this machine and stands until somebody lets it pass."""

import time
from collections.abc import Callable

from plimsoll.brokers.alpaca.reply import Line, Reply


class Practice:
    """Lets time pass there instead of waiting here, where the exchange's clock can be moved.

    now, sleep : this machine's, in seconds; used where that clock is nobody's to move.
    """

    def __init__(
        self, line: Line, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._line = line
        self._now = now
        self._sleep = sleep
        self._passed = 0.0
        self._movable = True

    def now(self) -> float:
        """Return seconds, what passed there counted in."""
        return self._now() + self._passed

    def sleep(self, seconds: float) -> None:
        """Wait, here or there."""
        if not self.pass_time(seconds):
            self._sleep(seconds)

    def pass_time(self, seconds: float) -> bool:
        """Let time pass there; return whether that can be done."""
        if self._movable and seconds > 0.0:
            reply = self._line.send("POST", "/clock", {"seconds": seconds})
            self._movable = isinstance(reply, Reply) and reply.ok
            self._passed += seconds if self._movable else 0.0
        return self._movable
