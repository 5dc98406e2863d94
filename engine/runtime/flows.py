"""Deposits and withdrawals from a CSV of ``date,amount``."""

import csv
from datetime import date
from pathlib import Path

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.calendar import is_session, next_session
from plimsoll.engine.market.panel import BarClock
from plimsoll.engine.types import Floats


def read_flows(path: Path, clock: BarClock) -> tuple[Floats, Floats]:
    """Return (T,) dollars that arrive (+) or leave (-) at the start of each bar, and (T,) that leave at the next bar.

    The file is a schedule, known ahead: the last bar knows of the session after the data.

    Raises
    ------
    DataError
        If the file cannot be read, a row is not a date and a finite amount, or a date is no session, or one before the
        data.
    """
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except FileNotFoundError:
        raise DataError("no such file", where=str(path), fix="mend account.flows") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read: {error}", where=str(path)) from None
    if not rows or [cell.strip() for cell in rows[0]] != ["date", "amount"]:
        raise DataError("the header is not 'date,amount'", where=str(path))
    flows, after = np.zeros(len(clock)), 0.0
    firsts = np.flatnonzero(clock.first_bar)
    sessions = clock.session[firsts]
    last: date = sessions[-1].astype("datetime64[D]").item()
    for number, row in enumerate(rows[1:], start=2):
        where = f"{path} line {number}"
        try:
            first, second = row
            day, amount = date.fromisoformat(first.strip()), float(second)
        except ValueError:
            fix = "write YYYY-MM-DD,dollars without thousands separators"
            raise DataError(f"{','.join(row)!r} is not a date and an amount", where=where, fix=fix) from None
        if not np.isfinite(amount):
            raise DataError(f"amount {amount} is not finite", where=where)
        if day > last and is_session(day):
            after += amount if day == next_session(last) else 0.0
            continue
        at = int(np.searchsorted(sessions, np.datetime64(day)))
        if at == len(sessions) or sessions[at] != np.datetime64(day):
            raise DataError(f"{day} is not a session of the data", where=where, fix="use the next exchange session")
        flows[firsts[at]] += amount
    return flows, np.maximum(-np.append(flows[1:], after), 0.0)
