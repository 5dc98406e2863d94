"""Our own rate budget, below the venue's, with a part that only cancellations may use."""

from collections import deque
from collections.abc import Callable
from typing import Final

PER_MINUTE: Final = 120  # the venue allows 200 a minute and account
RESERVED: Final = 30  # of them for cancellations
WINDOW_SECONDS: Final = 60.0


class Budget:
    """At most `per_minute` requests in any window of a minute; the last `reserved` of them are for cancellations.

    now : seconds of a clock that only goes forward. sleep : waits so many seconds.
    """

    def __init__(
        self,
        now: Callable[[], float],
        sleep: Callable[[float], None],
        *,
        per_minute: int = PER_MINUTE,
        reserved: int = RESERVED,
    ) -> None:
        self._now = now
        self._sleep = sleep
        self._most = {False: per_minute - reserved, True: per_minute}
        self._sent: deque[float] = deque()

    def wait(self, *, cancels: bool = False) -> float:
        """Return how many seconds a request sent now would have to wait."""
        now = self._now()
        while self._sent and self._sent[0] <= now - WINDOW_SECONDS:
            self._sent.popleft()
        over = len(self._sent) - self._most[cancels]
        return 0.0 if over < 0 else self._sent[over] + WINDOW_SECONDS - now

    def take(self, *, cancels: bool = False) -> None:
        """Wait until a request may be sent, and count it."""
        while (pause := self.wait(cancels=cancels)) > 0.0:
            self._sleep(pause)
        self._sent.append(self._now())
