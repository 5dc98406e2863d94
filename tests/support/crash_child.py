"""The process that is killed: one slot of a book over HTTP, its time the exchange's, its journal on disk.

`python -m support.crash_child JOB` is a fresh one; `support.crash_fork` makes them by forking, which is cheaper.
"""

import json
import os
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from plimsoll.brokers.alpaca.connect import connect
from plimsoll.brokers.alpaca.reply import NoReply, Reply
from plimsoll.brokers.alpaca.wire import Wire
from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.errors import InputError
from plimsoll.engine.execution.legalise import FREES, NEEDS, Wish
from plimsoll.engine.live.fence import alone
from plimsoll.engine.live.halt_file import write_halt
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.proposal import Asked, Proposal
from plimsoll.engine.live.rebalance import Book, Rebalancer
from plimsoll.engine.live.reconcile import Whose
from plimsoll.engine.market.calendar import previous_session

BEFORE, AFTER = "before a request", "after a request"  # places beside those of `engine.live.clock.POINTS`
STOPPED = "stopped"
PATIENCE_S = 60  # of the machine's own time; a child that takes longer has gone astray


@dataclass(frozen=True)
class Job:
    """What a child is to do. goals, closes : by symbol, as text.

    die, halt, stop : a place, and at which passing of it the process is killed, somebody writes HALT, or the process is
    suspended, its number in `STOPPED` beside the folder. live : what of
    `[live]` differs from the default. timeout : of a request, seconds of the machine. broken : which rule is taken out
    of the engine, of `support.crash_broken`.
    """

    url: str
    key_id: str
    secret: str
    account: str
    folder: str
    slot: str
    goals: Mapping[str, str]
    closes: Mapping[str, str]
    live: Mapping[str, Any] = field(default_factory=dict)
    die: tuple[str, int] | None = None
    halt: tuple[str, int] | None = None
    stop: tuple[str, int] | None = None
    timeout: float = 10.0
    broken: str = ""

    def text(self) -> str:
        """Return it as a line."""
        return json.dumps(asdict(self))


class ExchangeClock:
    """The exchange's clock, which only this process moves; waiting costs no time."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        place = urlsplit(url)
        self._line = HTTPConnection(place.hostname or "", place.port, timeout=10)
        self._headers = dict(headers)
        self._now = self._ask("GET", None)

    def now(self) -> datetime:
        return self._now

    def seconds(self) -> float:
        return self._now.timestamp()

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._now = self._ask("POST", json.dumps({"seconds": seconds}))

    def _ask(self, method: str, body: str | None) -> datetime:
        self._line.request(method, "/_control/clock", body, self._headers)
        return datetime.fromisoformat(json.loads(self._line.getresponse().read())["now"]).astimezone(UTC)


class Fixed:
    """Decides the same every time: where each symbol is to end."""

    config_hash = "c"
    code_hash = "s"

    def __init__(self, job: Job) -> None:
        self._goals = {symbol: Decimal(qty) for symbol, qty in job.goals.items()}
        self._closes = {symbol: Decimal(price) for symbol, price in job.closes.items()}

    def propose(self, asked: Asked) -> Proposal:
        held = {one.symbol: one.qty for one in asked.snapshot.positions}
        wishes: list[Wish] = []
        for symbol, want in self._goals.items():
            have = held.get(symbol, Decimal(0))
            if want != have:
                wave = FREES if (want - have) * have < 0 else NEEDS
                wishes.append(Wish(len(wishes), symbol, want - have, self._closes[symbol], have, wave))
        return Proposal(previous_session(asked.session), True, tuple(wishes), self._closes)

    def credits(self, _since: date | None, _until: date, _held: Mapping[str, Decimal]) -> Decimal:
        return Decimal(0)


class Places:
    """Counts the places that the process passes, and does at one of them what it was told to."""

    def __init__(self, job: Job, clock: ExchangeClock) -> None:
        self.passed: Counter[str] = Counter()
        self._job = job
        self._clock = clock

    def __call__(self, name: str) -> None:
        self.passed[name] += 1
        here = (name, self.passed[name])
        if self._job.halt is not None and tuple(self._job.halt) == here:
            write_halt(Path(self._job.folder), "all", "stop", self._clock.now())
        if self._job.stop is not None and tuple(self._job.stop) == here:
            (Path(self._job.folder).parent / STOPPED).write_text(str(os.getpid()), encoding="utf-8")
            os.kill(os.getpid(), signal.SIGSTOP)
        if self._job.die is not None and tuple(self._job.die) == here:
            os.kill(os.getpid(), signal.SIGKILL)


def _count_requests(places: Places) -> None:
    """Make places of every request, before it leaves and after its answer came; the process ends with this anyway."""
    right = Wire.send

    def send(wire: Wire, *what: Any, **more: Any) -> Reply | NoReply:
        places(BEFORE)
        reply = right(wire, *what, **more)
        places(AFTER)
        return reply

    Wire.send = send  # type: ignore[method-assign]


def work(job: Job) -> dict[str, Any]:
    """Do the slot; return what became of it, in plain values."""
    signal.alarm(PATIENCE_S)
    if job.broken:
        from support.crash_broken import BROKEN

        BROKEN[job.broken]()
    folder = Path(job.folder)
    clock = ExchangeClock(job.url, {"apca-api-key-id": job.key_id, "apca-api-secret-key": job.secret})
    places = Places(job, clock)
    _count_requests(places)
    symbols = tuple(job.closes)
    whose = Whose("crash", job.account, frozenset(symbols), "account")
    env = {"APCA_API_KEY_ID": job.key_id, "APCA_API_SECRET_KEY": job.secret}
    venue = connect(
        job.url, env, timeout=(job.timeout, job.timeout), symbols=symbols, now=clock.seconds, sleep=clock.sleep
    )
    book = Book(whose, symbols, LiveSection.model_validate(job.live))
    try:
        with alone(folder, "the book"):
            journal = Journal.open(folder, clock.now)
            out = Rebalancer(book, venue, journal, clock, folder, Fixed(job), places).run(job.slot)
            journal.close()
    except InputError as error:
        return {"ending": "error", "why": str(error), "passed": places.passed}
    except Exception:  # noqa: BLE001  (whatever it is, it is told)
        return {"ending": "broken", "why": traceback.format_exc(), "passed": places.passed}
    return {"ending": out.ending, "why": out.why, "sent": out.sent, "notes": out.notes, "passed": places.passed}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(work(Job(**json.loads(sys.argv[1])))))
