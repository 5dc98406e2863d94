"""One session of a book whose process is killed, and whether its orders are right: the exchange's word against ours.

A case says where the process dies, what the line does to every order of the first slot, and how orders fill. Everything
after the first slot is quiet, so that what is due gets done.
"""

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from signal import SIGCONT, SIGKILL
from typing import Any, Final

import numpy as np
from support.crash_child import STOPPED, Job
from support.crash_fork import Ended, Launcher
from support.panels import make_panel
from support.venue import KEYS

from plimsoll.brokers.exchange.clock import VirtualClock
from plimsoll.brokers.exchange.desk.desk import Desk
from plimsoll.brokers.exchange.desk.fault import Fault
from plimsoll.brokers.exchange.desk.message import Reply, Request
from plimsoll.brokers.exchange.desk.transcript import Transcript
from plimsoll.brokers.exchange.matching import Exchange
from plimsoll.brokers.exchange.order import Order
from plimsoll.brokers.exchange.server import ExchangeServer
from plimsoll.brokers.exchange.settings import Behaviour, Handling, HandlingRule, Settings
from plimsoll.brokers.exchange.tape import Tape
from plimsoll.brokers.exchange.venue import ExchangeVenue
from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.live.halt_file import read_halt, remove_halt, wait_for_silence, write_halt
from plimsoll.engine.live.ids import parse_id
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.slots import hours_of, timing_of, window_of

DAY: Final = date(2024, 1, 4)
SLOTS: Final = ("09:35", "12:00", "14:00")
PRICES: Final = {"AAA": "100", "BBB": "150", "CCC": "50", "DDD": "90"}
HELD: Final = {"AAA": Decimal(300), "BBB": Decimal(200)}
GOALS: Final = {"AAA": Decimal(100), "BBB": Decimal(60), "CCC": Decimal(500), "DDD": Decimal(180)}
CASH: Final = Decimal(1_000)  # for purchases of 41,200: nothing can be bought before something was sold
LIVE: Final[dict[str, Any]] = {
    "slots": SLOTS, "slot_minutes": 2, "wave_seconds": 30, "cash_buffer": 0.0, "collar": 0.01, "max_gap": 0.5,
    "max_quote_age_seconds": 1e9, "max_spread_bps": 500.0,
}  # fmt: skip
# What `[live.caps]` allows beside the cap of a case: just what the plan needs in each slot.
CAPS: Final = {"slot_orders": 4, "day_orders": 12, "order_notional": 26_000.0, "slot_turnover": 1.4}
EQUITY: Final = CASH + sum((qty * Decimal(PRICES[symbol]) for symbol, qty in HELD.items()), Decimal(0))
ATTEMPTS: Final = 6
TIMEOUT_S: Final = 10.0  # of the machine's own time; where something hangs every order takes so long
HANG_S: Final = 0.3

_POST: Final = {"method": "POST", "path": "/v2/orders"}
# A named fault strikes every order of the first slot; what may strike before the venue sees the order does so once.
FAULTS: Final[Mapping[str, tuple[Fault, ...]]] = {
    "none": (),
    "reset": (Fault(do="reset", times=None, **_POST),),
    "504": (Fault(do="html", status=504, times=None, **_POST),),
    "hang": (Fault(do="hang", when="before", **_POST), Fault(do="hang", times=None, **_POST)),
    "302": (Fault(do="redirect", when="before", **_POST), Fault(do="redirect", times=None, **_POST)),
    "empty": (Fault(do="empty", when="before", **_POST), Fault(do="empty", times=None, **_POST)),
}
_FIRST: Final = "-0935-"
_PARTS: Final = (Decimal("0.15"), Decimal("0.5"))
FILLS: Final[Mapping[str, tuple[HandlingRule, ...]]] = {
    "fast": (),
    "slow": (HandlingRule(handling=Handling(delay_s=8)),),
    "partial": (  # what is sold is cancelled after 65%, fills while the cancel is pending; what is bought at the end
        HandlingRule(
            handling=Handling(delay_s=11, parts=_PARTS, cancel_delay_s=4), side="sell", client_id=_FIRST
        ),
        HandlingRule(handling=Handling(delay_s=38, parts=_PARTS, cancel_delay_s=1), side="buy", client_id=_FIRST),
    ),
}  # fmt: skip
# What else may be: an order is found late and the account shown late, executions are told late and twice; cancels and
# questions get lost; whoever died is started again only when the slot is over.
WEATHERS: Final[Mapping[str, tuple[Behaviour, tuple[Fault, ...], float]]] = {
    "fair": (Behaviour(), (), 3.0),
    "lagging": (Behaviour(read_lag_s=2, account_lag_s=3, activity_lag_s=4, duplicate_activities=True), (), 3.0),
    "lossy": (
        Behaviour(),
        (
            Fault(do="reset", method="DELETE", path="/v2/orders/.*"),
            Fault(do="html", status=504, method="DELETE", path="/v2/orders/.*", when="before"),
            *(Fault(do="status", status=503, method="GET", path="/v2/.*", skip=skip) for skip in range(3, 60, 7)),
            Fault(do="reset", method="GET", path="/v2/.*", skip=9),
        ),
        3.0,
    ),
    "late": (Behaviour(), (), 300.0),
}
STUCK: Final = HandlingRule(handling=Handling(delay_s=3600), symbol="BBB", client_id=_FIRST)
WRONGS: Final = ("lost", "duplicated", "over-filled", "after halt", "over caps", "unwritten", "other")


@dataclass(frozen=True)
class Case:
    """What happens to the process. kills : where each process of the first slot dies, in turn.

    halt : where somebody writes HALT while the first one runs; suspended : from another process, while the first one is
    suspended there. stuck : a sale does not fill in the first slot, so that
    it has to be cancelled. cap : `live.caps.day_orders`. weather : of `WEATHERS`. broken : see `support.crash_broken`.
    """

    fault: str = "none"
    fill: str = "fast"
    kills: tuple[tuple[str, int], ...] = ()
    halt: tuple[str, int] | None = None
    stuck: bool = False
    cap: int | None = None
    weather: str = "fair"
    broken: str = ""
    suspended: bool = False

    @property
    def name(self) -> str:
        """What it is called."""
        kills = ", ".join(f"{place} {n}" for place, n in self.kills) or "nowhere"
        halt = (
            "" if self.halt is None else f", HALT{' while suspended' * self.suspended} at {self.halt[0]} {self.halt[1]}"
        )
        cap = "" if self.cap is None else f", {self.cap} orders a day"
        fill = f"{self.fill}{' and one stuck' * self.stuck}"
        return f"{self.broken} killed at {kills}{halt}; {self.fault}, {fill}, {self.weather}{cap}".lstrip()


@dataclass
class Verdict:
    """What a run did, and what was wrong with it: (kind, text) with kinds of `WRONGS`."""

    case: Case
    processes: int = 0
    killed: int = 0
    posts: int = 0
    orders: int = 0
    faults: int = 0
    halted: int = 0
    denied: int = 0  # orders that did not go out because of a halt
    endings: list[str] = field(default_factory=list)
    final: dict[str, Decimal] = field(default_factory=dict)
    wrong: list[tuple[str, str]] = field(default_factory=list)


class WatchedDesk(Desk):
    """A counter with somebody beside it, who looks at every order before the exchange sees it."""

    def __init__(self, exchange: Exchange, clock: VirtualClock, watch: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(exchange, KEYS, clock, lambda: 0.0, Transcript())
        self._watch = watch

    def answer(self, request: Request) -> Reply:
        if (request.method, request.path) == ("POST", "/v2/orders"):
            self._watch(json.loads(request.body))
        return super().answer(request)


def place() -> str | None:
    """Return a folder in memory if there is one: a kill loses nothing that was written, wherever it was."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def _suspended(told: Path) -> int:
    """Wait until a process that tells its number in a file is suspended, and return the number."""
    for _ in range(6000):
        text = told.read_text(encoding="utf-8") if told.exists() else ""
        if text and Path(f"/proc/{text}/stat").read_text(encoding="utf-8").rpartition(") ")[2].startswith("T"):
            return int(text)
        time.sleep(0.01)
    raise TimeoutError("no process was suspended")


def run(case: Case, launcher: Launcher) -> Verdict:
    """Trade a session as the case says."""
    with tempfile.TemporaryDirectory(dir=place()) as folder:
        return Session(case, launcher, Path(folder) / "state").all()


class Session:
    """One run."""

    def __init__(self, case: Case, launcher: Launcher, folder: Path) -> None:
        self.case = case
        self.verdict = Verdict(case)
        self._launcher = launcher
        self._folder = folder
        self._caps = {**CAPS, "day_orders": case.cap or CAPS["day_orders"]}
        self._hours = hours_of(DAY)
        timing = timing_of(LiveSection.model_validate(LIVE))
        self._windows = {slot: window_of(self._hours, timing, slot) for slot in SLOTS}
        self._clock = VirtualClock(self._hours.opens)
        closes = np.array([[float(price) for price in PRICES.values()]] * 5)
        panel = make_panel(closes, symbols=tuple(PRICES), start=date(2024, 1, 2))
        settings = Settings(cash=CASH, half_spread_bps=Decimal(0), prices="open", multiplier=1)
        self._exchange = Exchange(Tape(panel, "open"), self._hours.opens, settings)
        for symbol, qty in HELD.items():
            self._exchange.ledger.trade(symbol, qty, Decimal(PRICES[symbol]))
        self._exchange.ledger.cash = CASH
        self._exchange.handling_rules = [STUCK] * case.stuck + list(FILLS[case.fill])
        self._desk = WatchedDesk(self._exchange, self._clock, self._arrives)
        self._exchange.behaviour, more, self._pause_s = WEATHERS[case.weather]
        for fault in (*FAULTS[case.fault], *more):
            self._desk.faults.add(fault)
        self._account = ExchangeVenue(self._exchange, self._clock).snapshot().account
        self._begin()

    def _begin(self) -> None:
        with closing(Journal.open(self._folder, self._clock.now)) as journal, journal.tx():
            journal.set_meta("account", self._account)
            journal.begin(HELD, CASH, "what there is")

    # ---- the session

    def all(self) -> Verdict:
        """Run the slots, until the goals are reached, and look at what there is."""
        with ExchangeServer(self._desk) as server:
            for slot in SLOTS:
                self._slot(server, slot)
                if slot != SLOTS[0] and self._held() == GOALS:
                    break
        self._judge()
        return self.verdict

    def _slot(self, server: ExchangeServer, slot: str) -> None:
        """Start processes for a slot until one ends by itself."""
        window, first = self._windows[slot], slot == SLOTS[0]
        assert window is not None
        server.run(lambda desk: self._move(window.due))
        kills = list(self.case.kills) if first else []
        for attempt in range(ATTEMPTS):
            die = kills.pop(0) if kills else None
            halt = self.case.halt if first and attempt == 0 else None
            ended = self._launched(self._job(server.url, slot, die, halt))
            self.verdict.processes += 1
            if ended.signal != SIGKILL or die is None:
                break
            self.verdict.killed += 1
            server.run(lambda desk: self._move(self._clock.now() + timedelta(seconds=self._pause_s)))
        self._end(ended, first=first)
        if first:
            server.run(lambda desk: desk.faults.clear())

    def _launched(self, job: Job) -> Ended:
        """Run a process; where it is suspended, halt meanwhile and let it go on, if the halt did not end it."""
        if job.stop is None:
            return self._launcher.launch(job)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(self._launcher.launch, job)
            pid = _suspended(self._folder.parent / STOPPED)
            write_halt(self._folder, "all", "stop", self._clock.now())
            if not wait_for_silence(self._folder, time.sleep, patience_s=0.02).sure:
                self._wrong("after halt", "it is not sure that nothing is on its way")
            with suppress(ProcessLookupError):
                os.kill(pid, SIGCONT)
            return running.result()

    def _end(self, ended: Ended, *, first: bool) -> None:
        ending = str(ended.told.get("ending", f"signal {ended.signal}"))
        self.verdict.endings.append(ending)
        fine: tuple[str, ...] = ("done", "already", "halted") if first else ("done",)
        if first and self.case.weather == "late":
            fine = (*fine, "late")
        if first and self.case.suspended and ended.signal == SIGKILL:  # the halt ended it in the middle of an order
            fine = (*fine, ending)
        if ending not in fine:
            self._wrong("other", f"ended {ending}: {ended.told.get('why')}")
        if read_halt(self._folder) is not None:
            self.verdict.halted += 1
            self._resume()

    def _resume(self) -> None:
        """A person looks, and lets it go on."""
        remove_halt(self._folder)
        with closing(Journal.open(self._folder, self._clock.now)) as journal:
            self.verdict.denied += sum("halted" in one.why for one in journal.orders(DAY))
            with journal.tx():
                journal.clear_halts("looked")

    def _job(self, url: str, slot: str, die: tuple[str, int] | None, halt: tuple[str, int] | None) -> Job:
        goals = {symbol: str(qty) for symbol, qty in GOALS.items()}
        live = {**LIVE, "caps": self._caps}
        stop = halt if self.case.suspended else None
        halt = None if self.case.suspended else halt
        folder, timeout = str(self._folder), HANG_S if self.case.fault == "hang" else TIMEOUT_S
        return Job(
            url, KEYS.key_id, KEYS.secret, self._account, folder, slot, goals, PRICES, live, die, halt, stop, timeout,
            self.case.broken,
        )  # fmt: skip

    def _move(self, to: datetime) -> None:
        if self._clock.move(max(to, self._clock.now())):
            self._exchange.advance(self._clock.now())

    def _held(self) -> dict[str, Decimal]:
        return {symbol: one.qty for symbol, one in self._exchange.ledger.positions.items()}

    # ---- what is looked at

    def _wrong(self, kind: str, text: str) -> None:
        self.verdict.wrong.append((kind, text))

    def _arrives(self, body: Mapping[str, Any]) -> None:
        """Look at an order at the exchange's door: written down before, in its slot, no halt, sales first."""
        client_id = str(body.get("client_order_id", ""))
        self.verdict.posts += 1
        if read_halt(self._folder) is not None:
            self._wrong("after halt", client_id)
        told = parse_id(client_id)
        if told is None:
            self._wrong("unwritten", f"{client_id!r} is no id of ours")
            return
        journal = Journal.read_only(self._folder, self._clock.now)
        row = None
        if journal is not None:
            with closing(journal):
                row = journal.order(client_id)
        if row is None or row.known.state != "sending":
            self._wrong("unwritten", f"{client_id} is {row and row.known.state} in the journal")
        window = self._windows.get(f"{told.slot[:2]}:{told.slot[2:]}")
        if window is None or not window.holds(self._clock.now()):
            self._wrong("other", f"{client_id} at {self._clock.now():%H:%M:%S}, outside its slot")
        sales = [one.client_order_id for one in self._exchange.working() if one.ticket.side == "sell"]
        if body.get("side") == "buy" and sales:
            self._wrong("other", f"{client_id} while {sales[0]} works")

    def _judge(self) -> None:
        """Look at the exchange's ledger, its orders, its transcript, and at the journal, when all is over."""
        verdict, orders = self.verdict, list(self._exchange.orders.values())
        verdict.final = self._held()
        verdict.orders = len(orders)
        verdict.faults = sum(bool(row["fault"]) for row in self._desk.transcript.requests("POST", "/v2/orders"))
        self._bounds(orders)
        self._positions(orders)
        self._intents(orders)
        self._journal(orders)
        if self._exchange.working():
            self._wrong("other", "an order works still")

    def _bounds(self, orders: list[Order]) -> None:
        """No more orders than a day and a slot may have, none too large, and not too much in a slot."""
        sent: dict[str, Decimal] = {}
        count = Counter(order.client_order_id[:29] for order in orders)
        for order in orders:
            slot = order.client_order_id[:29]
            size = (order.ticket.qty or Decimal(0)) * Decimal(PRICES[order.ticket.symbol])
            sent[slot] = sent.get(slot, Decimal(0)) + size
            if size > Decimal(CAPS["order_notional"]):
                self._wrong("over caps", f"{order.client_order_id} of {size} dollars")
        if len(orders) > self._caps["day_orders"]:
            self._wrong("over caps", f"{len(orders)} orders")
        for slot in count:
            if count[slot] > CAPS["slot_orders"] or sent[slot] > EQUITY * Decimal(CAPS["slot_turnover"]):
                self._wrong("over caps", f"{slot}: {count[slot]} orders for {sent[slot]} dollars")

    def _positions(self, orders: list[Order]) -> None:
        """Every goal is reached and none is passed on the way; nothing is borrowed."""
        at, cash = dict(HELD), CASH
        sides = {order.client_order_id: order.sign for order in orders}
        for fill in self._desk.transcript.happenings("fill"):
            symbol, signed = fill["symbol"], sides[fill["client_order_id"]] * Decimal(fill["qty"])
            at[symbol] = at.get(symbol, Decimal(0)) + signed
            cash -= signed * Decimal(fill["price"])
            if (at[symbol] - GOALS[symbol]) * signed > 0:
                self._wrong("duplicated", f"{symbol} went to {at[symbol]}, past {GOALS[symbol]}")
            if cash < 0:
                self._wrong("over caps", f"cash {cash}")
        if {symbol: qty for symbol, qty in at.items() if qty} != self.verdict.final:
            self._wrong("other", f"the ledger says {self.verdict.final}, its executions {at}")
        if self.case.cap is None and self.verdict.final != GOALS:
            self._wrong("lost", f"{self.verdict.final}")

    def _intents(self, orders: list[Order]) -> None:
        """One order for each intent, none larger than what was asked for."""
        counted = Counter(order.client_order_id.rpartition("-")[0] for order in orders)
        for intent, count in counted.items():
            if count > 1:
                self._wrong("duplicated", f"{intent}: {count} orders")
        for order in orders:
            if order.filled_qty > (order.ticket.qty or 0):
                self._wrong("over-filled", f"{order.client_order_id}: {order.filled_qty} of {order.ticket.qty}")

    def _journal(self, orders: list[Order]) -> None:
        """The journal knows every order as the exchange does, holds what it holds, and has closed every slot."""
        with closing(Journal.open(self._folder, self._clock.now)) as journal:
            for order in orders:
                row = journal.order(order.client_order_id)
                if row is None or row.known.filled != order.filled_qty or row.known.state != order.status:
                    said = None if row is None else (row.known.state, str(row.known.filled))
                    self._wrong(
                        "other", f"{order.client_order_id}: {said} for {order.status} {order.filled_qty}"
                    )  # fmt: skip
            if journal.holdings() != self.verdict.final or journal.cash() != self._exchange.ledger.cash:
                self._wrong("other", f"the journal holds {journal.holdings()} and {journal.cash()}")
            if journal.slots(undone=True):
                self._wrong("other", "a slot is open")
            if journal.halts():
                self._wrong("other", f"halted: {journal.halts()[0].reason}")
