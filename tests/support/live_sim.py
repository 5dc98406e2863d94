"""Sessions of a book on an exchange without a wire, under a clock that costs no time: with faults, crashes and halts.

Everything follows from a number. The venue under test is the exchange's own core; faults happen between it and the
adapter's face, as a network makes them.
"""

import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from support.live_venue import Killed, days, make_sim, slots_of

from plimsoll.brokers.exchange.settings import Behaviour, Handling
from plimsoll.engine.errors import InputError, VenueError
from plimsoll.engine.execution.venue import (
    Intent,
)
from plimsoll.engine.live.clock import nowhere
from plimsoll.engine.live.halt_file import remove_halt, write_halt
from plimsoll.engine.live.ids import parse_id
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import OrderRow


@dataclass
class Tally:
    """What a simulation did, and what must be nothing."""

    crashes: int = 0
    orders: int = 0
    requests: int = 0
    faults: int = 0
    halts: int = 0
    suspended: int = 0
    overtaken: int = 0
    wrong: list[str] = field(default_factory=list)


class At:
    """Does something at the n-th place that a process passes."""

    def __init__(self, after: int, what: Callable[[str], None]) -> None:
        self.left = after
        self._what = what

    def __call__(self, name: str) -> None:
        self.left -= 1
        if self.left == 0:
            self._what(name)


def die(name: str) -> None:
    """End the process as a kill does."""
    raise Killed(name)


def simulate(seed: int, place: str | None = None, **more: Any) -> Tally:
    """Trade five sessions under the seed's faults, crashes, clock jumps and halts; return what was wrong with it."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        return Run(seed, Path(folder) / "state", **more).all()


class Run:
    """One seed."""

    def __init__(self, seed: int, folder: Path, **more: Any) -> None:
        dice = self.dice = Random(f"run {seed}")
        sim = self.sim = make_sim(seed, folder, rate=dice.choice((0.0, 0.02, 0.1, 0.3)), splits=seed % 3 == 0, **more)
        parts = (Decimal("0.15"), Decimal("0.5"))
        handling = dice.choice((Handling(), Handling(delay_s=2), Handling(delay_s=20, parts=parts)))
        if dice.random() < 0.3:
            handling = handling.model_copy(update={"cancel_delay_s": 5.0})
        sim.exchange.behaviour = Behaviour(handling=handling, random_partials=dice.choice((0.0, 0.3)))
        sim.venue.read_lag = timedelta(seconds=dice.choice((0, 0, 1, 4)))
        sim.venue.account_lag = timedelta(seconds=dice.choice((0, 0, 3)))
        sim.venue.watch = self.watch
        self.crashes = dice.choice((0, 1, 2, 3))
        self.tally = Tally()
        self.halted = False
        self.finished = False

    def all(self) -> Tally:
        """Run the sessions; the last slots of each are free of faults, so that whatever is due gets done."""
        for day in days():
            self.finished = False
            for number, (slot, due) in enumerate(slots_of(self.sim, day)):
                self.slot(slot, due + timedelta(seconds=self.dice.randrange(0, 300)), quiet=number >= 2)
            self.check_day(day)
        tally, sim = self.tally, self.sim
        tally.orders, tally.requests = len(sim.exchange.orders), sim.venue.requests
        return tally

    def slot(self, slot: str, at: datetime, *, quiet: bool) -> None:
        """Start processes for a slot until one comes to its end, or the slot is long over."""
        sim = self.sim
        rate = sim.venue.faults.rate
        if quiet:
            sim.venue.faults.rate = 0.0
        sim.to(at)
        if not quiet and self.dice.random() < 0.1:
            self.wrong_clock(slot)
        for _ in range(8):
            if self.attempt(slot, quiet=quiet):
                break
            sim.to(sim.clock.venue.now() + timedelta(seconds=self.dice.choice((0, 5, 60, 400))))
        sim.venue.faults.rate = rate

    def watch(self, intent: Intent) -> None:
        """Look at an order as it arrives: it was written down before, in its slot, not after a halt, sales first."""
        sim, wrong = self.sim, self.tally.wrong
        if self.halted:
            wrong.append(f"{intent.client_id} after halt")
        row = self.written(intent.client_id)
        if row is None or row.known.state != "sending":
            wrong.append(f"{intent.client_id} left before it was written down")
        told = parse_id(intent.client_id)
        if told is None:
            wrong.append(f"{intent.client_id} says nothing")
            return
        text = f"{told.slot[:2]}:{told.slot[2:]}"
        due = dict(slots_of(sim, told.session)).get(text)
        now = sim.clock.venue.now()
        if due is None or not due <= now < due + timedelta(minutes=20):
            wrong.append(f"{intent.client_id} at {now:%H:%M:%S}, outside its slot")
        self.sales_first(intent)

    def sales_first(self, intent: Intent) -> None:
        """Nothing is bought while a sale of the same slot may still work."""
        if intent.side != "buy":
            return
        slot = intent.client_id[:29]
        open_sales = [
            one for one in self.sim.exchange.working() if one.ticket.side == "sell" and one.client_order_id[:29] == slot
        ]
        if open_sales:
            self.tally.wrong.append(f"{intent.client_id} while {open_sales[0].client_order_id} works")

    def written(self, client_id: str) -> OrderRow | None:
        """Return what is on disk of an order, as another process sees it."""
        journal = Journal.read_only(self.sim.folder, self.sim.clock.now)
        if journal is None:
            return None
        try:
            return journal.order(client_id)
        finally:
            journal.close()

    def wrong_clock(self, slot: str) -> None:
        """Run once with a clock that is off: nothing may be sent."""
        sim, posted = self.sim, len(self.sim.venue.posted)
        sim.clock.off = timedelta(hours=self.dice.choice((-24, -1, 1, 24)))
        with suppress(VenueError):
            sim.run(slot)
        sim.clock.off = timedelta(0)
        if len(sim.venue.posted) > posted:
            self.tally.wrong.append("an order under a wrong clock")
        self.resume()

    def resume(self) -> None:
        """A person looks, and lets it go on."""
        remove_halt(self.sim.folder)
        journal = Journal.open(self.sim.folder, self.sim.clock.now)
        with journal.tx():
            journal.clear_halts("looked")
        journal.close()

    def halt(self, _: str) -> None:
        """Stop everything, from another process."""
        write_halt(self.sim.folder, "all", "stop", self.sim.clock.now())
        self.halted = True
        self.tally.halts += 1

    def suspend(self, _: str) -> None:
        """Let the process sleep for a while, in the middle of whatever it does."""
        self.sim.to(self.sim.clock.venue.now() + timedelta(minutes=self.dice.choice((1, 30, 60, 600))))
        self.tally.suspended += 1

    def overtake(self, name: str) -> None:
        """Let another process do the slot while this one stands still; in the middle of an order it would wait."""
        if name in ("sending locked", "sending committed", "answered"):
            return
        self.tally.overtaken += 1
        with suppress(VenueError):
            self.sim.run(self.current)

    def attempt(self, slot: str, *, quiet: bool) -> bool:
        """Run a process; return whether it came to an end of its own."""
        sim, tally, dice = self.sim, self.tally, self.dice
        self.current = slot
        point: Callable[[str], None] = nowhere
        if not quiet:
            chance = dice.random()
            where = dice.randrange(1, 60)
            if self.crashes and chance < 0.4:
                point = At(where, die)
            elif chance < 0.7:
                point = At(where, dice.choice((self.halt, self.suspend, self.overtake)))
        try:
            outcome = sim.run(slot, point)
        except Killed:
            tally.crashes += 1
            self.crashes -= 1
            return False
        except InputError:
            tally.faults += 1
            return False
        finally:
            if self.halted:
                self.halted = False
                self.resume()
        self.finished = self.finished or (quiet and outcome.ending == "done")
        if "differ" in outcome.why:
            tally.wrong.append(f"a difference that is none: {outcome.why}")
        return True

    def check_day(self, day: date) -> None:
        """Every goal is reached, nothing went past one, nothing is there twice, and nothing was borrowed."""
        sim, wrong = self.sim, self.tally.wrong
        goals = {s: q for s, q in sim.decider.goals(day).items() if q}
        held = sim.positions()
        if held != goals and self.finished:  # else it slept through the slots in which nothing goes wrong
            wrong.append(f"{day}: {held} for {goals}")
        wrong += [
            f"{one.client_order_id} filled {one.filled_qty}"
            for one in sim.exchange.orders.values()
            if one.filled_qty > (one.ticket.qty or 0)
        ]
        if sim.exchange.ledger.cash < 0:
            wrong.append(f"cash {sim.exchange.ledger.cash}")
