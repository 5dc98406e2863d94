"""Requests a minute, and the headers that tell how many are left."""

from collections.abc import Callable


class RateLimiter:
    """A fixed window of sixty seconds; `seconds` is the clock it counts by (since 1970)."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._window = 0
        self._used = 0

    def take(self, limit: int) -> tuple[bool, dict[str, str]]:
        """Count a request; return whether it is within the limit, and the headers to send."""
        window = int(self._seconds() // 60)
        if window != self._window:
            self._window, self._used = window, 0
        allowed = self._used < limit
        self._used += allowed
        headers = {
            "X-Ratelimit-Limit": str(limit),
            "X-Ratelimit-Remaining": str(limit - self._used),
            "X-Ratelimit-Reset": str(60 * (window + 1)),
        }
        return allowed, headers
