"""Questions to the venue: asked again where the answer failed for a reason that passes by itself, never orders."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from plimsoll.brokers.alpaca.budget import Budget
from plimsoll.brokers.alpaca.reply import Line, NoReply, Reply
from plimsoll.engine.errors import VenueError

MOST_PAGES: Final = 200
PAUSES: Final = (0.5, 1.0, 2.0)  # seconds before a question is asked again
AGAIN: Final = frozenset((429, 500, 502, 503, 504))
BUSY: Final = frozenset((429, 503))  # with these it may say how long it wants to be left alone
MOST_WAIT: Final = 60.0  # for one question: its rate limit is of a minute, and who waits longer is taken for dead
DENIED: Final = frozenset((401, 403))


class Reader:
    """Reads from one of the venue's hosts.

    sleep : waits so many seconds between two tries.
    """

    def __init__(self, line: Line, budget: Budget, sleep: Callable[[float], None]) -> None:
        self._line = line
        self._budget = budget
        self._sleep = sleep

    def ask(self, path: str, query: Mapping[str, str]) -> Reply:
        """Return the venue's answer, whatever its status.

        Raises
        ------
        VenueError
            If there is still none after the last try.
        """
        reply, left = self._once(path, query), MOST_WAIT
        for pause in PAUSES:
            if isinstance(reply, Reply) and reply.status not in AGAIN:
                return reply
            asked = reply.wait if isinstance(reply, Reply) and reply.status in BUSY else None
            wait = max(pause, min(asked or 0.0, left))
            left = max(left - wait, 0.0)
            self._sleep(wait)
            reply = self._once(path, query)
        if isinstance(reply, Reply) and reply.status not in AGAIN:
            return reply
        why = reply.why if isinstance(reply, NoReply) else f"status {reply.status}"
        raise VenueError(f"no answer ({why})", where=path, fix="look again later")

    def read(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """Return the body of a success.

        Raises
        ------
        VenueError
            If there is none, or one that is no JSON.
        """
        reply = self.ask(path, query or {})
        if not reply.ok or reply.body is None:
            fix = "check the account's keys" if reply.status in DENIED else "look again later"
            raise VenueError(f"status {reply.status} {reply.message}".strip(), where=path, fix=fix)
        return reply.body

    def rows(self, path: str, query: Mapping[str, str] | None = None) -> Sequence[Any]:
        """Return the body of a success that is a list; VenueError if it is something else."""
        body = self.read(path, query)
        if not isinstance(body, list):
            raise VenueError("the answer is not a list", where=path)
        return body

    def table(self, path: str, query: Mapping[str, str], name: str) -> Mapping[str, Any]:
        """Return the object called `name` in the body of a success; VenueError if there is none."""
        body = self.read(path, query)
        table = body.get(name) if isinstance(body, Mapping) else None
        if not isinstance(table, Mapping):
            raise VenueError("the answer cannot be read", where=path)
        return table

    def pages(
        self, path: str, query: Mapping[str, str], cursor: str, size: int, *, instead_of: str = ""
    ) -> Iterator[Sequence[Any]]:
        """Yield page after page of `size` rows; the id of the last row is the cursor of the next page.

        instead_of : a parameter of the first page that the cursor replaces.
        """
        position: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            kept = {name: value for name, value in query.items() if not position or name != instead_of}
            rows = self.rows(path, {**kept, **position})
            yield rows
            last = rows[-1].get("id") if rows and isinstance(rows[-1], Mapping) else None
            if len(rows) < size or not isinstance(last, str) or position.get(cursor) == last:
                return
            position = {cursor: last}
        raise VenueError(f"more than {MOST_PAGES} pages", where=path)

    def _once(self, path: str, query: Mapping[str, str]) -> Reply | NoReply:
        self._budget.take()
        return self._line.send("GET", path, query)
