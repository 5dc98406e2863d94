"""How often a source may be asked: a pace, retries with growing and jittered waits, and when to stop asking at all."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from plimsoll.engine.market.fetching import FetchError, PassingError, RateLimitedError

Answer = TypeVar("Answer")

PACE_S: Final = 0.5
ATTEMPTS: Final = 4
FIRST_WAIT_S: Final = 2.0
LIMITED_WAIT_S: Final = 15.0
LONGEST_WAIT_S: Final = 120.0
# So many symbols in a row for which nothing helped, and the source is left alone.
BREAK_AFTER: Final = 3


@dataclass(slots=True)
class Budget:
    """One source's budget in one pull.

    sleep : waits, seconds. draw : a number in [0, 1), for the jitter.
    """

    sleep: Callable[[float], None]
    draw: Callable[[], float]
    attempts: int = ATTEMPTS
    failed_in_a_row: int = 0
    _asked: bool = field(default=False, repr=False)

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """Return the answer to a question, asked again after what may pass.

        Raises
        ------
        FetchError
            What the last attempt met.
        """
        from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            first = LIMITED_WAIT_S if isinstance(error, RateLimitedError) else FIRST_WAIT_S
            return min(LONGEST_WAIT_S, first * 2.0 ** (state.attempt_number - 1)) * (0.5 + self.draw())

        if self._asked:
            self.sleep(PACE_S * (0.5 + self.draw()))
        self._asked = True
        retrying = Retrying(
            retry=retry_if_exception_type(PassingError),
            stop=stop_after_attempt(self.attempts),
            wait=wait,
            sleep=self.sleep,
            reraise=True,
        )
        try:
            answer = retrying(question)
        except PassingError:
            self.failed_in_a_row += 1
            raise
        except FetchError:
            self.failed_in_a_row = 0
            raise
        self.failed_in_a_row = 0
        return answer

    @property
    def broken(self) -> bool:
        """Whether so much failed in a row that asking on would only make it worse."""
        return self.failed_in_a_row >= BREAK_AFTER
