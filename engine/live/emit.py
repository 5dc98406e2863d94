"""The day's orders on disk: a CSV that a person or another program executes, never overwritten silently."""

import csv
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from plimsoll.engine.errors import OutputError
from plimsoll.engine.live.day_plan import DayPlan, order_row, why_of

COLUMNS: Final = ("wave", "symbol", "side", "qty", "type", "limit", "price", "notional", "why")


def orders_csv(plan: DayPlan) -> bytes:
    """Return the orders, a line each, in the order in which they are to be sent."""
    text = io.StringIO()
    rows = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    rows.writeheader()
    for order in plan.orders:
        rows.writerow({**order_row(order), "why": why_of(plan.explained.get(order.symbol))})
    return text.getvalue().encode()


def target_of(out: Path, plan: DayPlan, slot: str) -> Path:
    """Return the file to write: `out`, or in a folder one named by book, session and slot."""
    if out.suffix and not out.is_dir():
        return out
    return out / name_of(plan, slot)


def name_of(plan: DayPlan, slot: str) -> str:
    """Return the name of the orders' file: book, session, slot."""
    return f"orders-{plan.name}-{plan.executes.isoformat()}-{slot.replace(':', '')}.csv"


def write_orders(file: Path, content: bytes, *, force: bool) -> bool:
    """Write the orders whole or not at all; return False if the very same file is there already.

    Raises
    ------
    OutputError
        If other orders are there and `force` is not given, or the file cannot be written.
    """
    try:
        if file.exists() and file.read_bytes() == content:
            return False
        if file.exists() and not force:
            fix = "they may have been sent already: look, then choose another name or --force"
            raise OutputError("other orders are in this file", where=str(file), fix=fix)
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f".{file.name}.{os.getpid()}")
        fresh.write_bytes(content)
        fresh.replace(file)
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror or error}", where=str(file)) from error
    return True


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Hold a lock beside the orders, so that two plans at once are one plan and one refusal.

    Raises
    ------
    OutputError
        If another process holds it.
    """
    import fcntl

    file.parent.mkdir(parents=True, exist_ok=True)
    with (file.parent / ".plimsoll-plan.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            fix = "wait until the other one has ended"
            raise OutputError("another plan is being written here", where=str(file.parent), fix=fix) from None
        yield
