"""Emitted orders that were executed: the file of positions follows, once."""

import csv
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from plimsoll.engine.errors import DataError, OutputError
from plimsoll.engine.live.emit import CONFIRMED, EMITTED
from plimsoll.engine.live.fence import alone
from plimsoll.engine.live.journal.file import FILE
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.owner import own
from plimsoll.engine.live.positions import Holdings, positions_csv, read_positions
from plimsoll.engine.live.room import state_folder
from plimsoll.engine.market.ticker import pointed
from plimsoll.engine.runtime.load import Runnable, configured
from plimsoll.engine.verbs.host import PROGRAM, Host

FILL_COLUMNS: Final = ("symbol", "side", "qty", "price")


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What the positions are now. again : they were confirmed before, and nothing was changed."""

    session: date
    holdings: Mapping[str, Decimal]
    cash: Decimal
    again: bool

    def plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "session": self.session.isoformat(),
            "positions": {symbol: f"{qty.normalize():f}" for symbol, qty in sorted(self.holdings.items())},
            "cash": f"{self.cash:z.2f}",
            "again": self.again,
        }


def confirm(
    what: Runnable,
    positions: Path | str,
    *,
    fills: Path | str | None = None,
    sets: Iterable[str] = (),
    host: Host = PROGRAM,
) -> Confirmed:
    """Write into a file of positions what the orders of the last emitted session came to, once.

    Parameters
    ----------
    what, sets
        As for `backtest`.
    positions : path
        The CSV of ``symbol,qty`` with a row CASH that `emit` read; it is replaced as a whole.
    fills : path, optional
        A CSV of ``symbol,side,qty,price``: what was really executed. By default every order, at its decision price.

    Raises
    ------
    InputError
        If nothing was emitted, a fill is of no emitted order or of more than it, or a file cannot be read or written.
    """
    config, _ = configured(what, sets=sets, env=host.env)
    folder, file = state_folder(config, host.env, Path.home()), Path(positions)
    if not (folder / FILE).exists():
        raise _nothing(config.run.name)
    with alone(folder, f"book {config.run.name!r}"):
        journal = Journal.open(folder, host.clock)
        try:
            own(journal, config.run.name)
            emitted = journal.events(EMITTED)
            if not emitted:
                raise _nothing(config.run.name)
            told = json.loads(emitted[-1].body)
            session = date.fromisoformat(told["session"])
            before = read_positions(file)
            if journal.meta(CONFIRMED) == told["session"]:
                return _again(journal, session, file, before)
            done = _as_ordered(told["orders"]) if fills is None else _read_fills(Path(fills), told["orders"])
            after = _after(before, done)
            rows, new = [[str(cell) for cell in row] for row in done], positions_csv(after)
            with journal.tx():
                journal.set_meta(CONFIRMED, told["session"])
                journal.event(
                    CONFIRMED,
                    session=told["session"],
                    fills=rows,
                    old=_digest(before),
                    new=positions_csv(after).decode(),
                )
            _replace(file, new)
        except OSError as error:
            raise OutputError(f"cannot be written: {error.strerror}", where=str(file)) from error
        finally:
            journal.close()
    return Confirmed(session, after.shares, after.cash, again=False)


def _nothing(book: str) -> DataError:
    fix = "`plimsoll rebalance CONFIG --emit DIR --positions FILE` comes first"
    return DataError("nothing was emitted", where=book, fix=fix)


def _again(journal: Journal, session: date, file: Path, before: Holdings) -> Confirmed:
    """Leave the file as it is, unless a process ended between writing down what it comes to and writing it."""
    told = json.loads(journal.events(CONFIRMED)[-1].body)
    if _digest(before) == told["old"]:
        _replace(file, told["new"].encode())
        before = read_positions(file)
    return Confirmed(session, before.shares, before.cash, again=True)


def _replace(file: Path, content: bytes) -> None:
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_bytes(content)
    fresh.replace(file)


def _digest(held: Holdings) -> str:
    return hashlib.sha256(positions_csv(held)).hexdigest()


_Fill = tuple[str, str, Decimal, Decimal]


def _as_ordered(orders: Iterable[Mapping[str, str]]) -> list[_Fill]:
    return [(one["symbol"], one["side"], Decimal(one["qty"]), Decimal(one["price"])) for one in orders]


def _read_fills(file: Path, orders: Iterable[Mapping[str, str]]) -> list[_Fill]:
    most = {(one["symbol"], one["side"]): Decimal(one["qty"]) for one in orders}
    try:
        rows = list(csv.reader(file.read_text(encoding="utf-8-sig").splitlines(), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot be read: {type(error).__name__}", where=str(file)) from None
    if not rows or tuple(cell.strip().lower() for cell in rows[0]) != FILL_COLUMNS:
        raise DataError("the first line is another", where=str(file), fix=f"begin with {','.join(FILL_COLUMNS)}")
    found: list[_Fill] = []
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        fill, where = _fill_of(row, f"{file}, line {number}"), f"{file}, line {number}"
        key = (fill[0], fill[1])
        if key not in most:
            raise DataError(f"no order to {fill[1]} {fill[0]} was emitted", where=where)
        most[key] -= fill[2]
        if most[key] < 0:
            raise DataError(f"more of {fill[0]} than was ordered", where=where, fix="correct the positions by hand")
        found.append(fill)
    return found


def _fill_of(row: list[str], where: str) -> _Fill:
    cells = [cell.strip() for cell in row]
    try:
        symbol, side, qty, price = cells[0], cells[1].lower(), Decimal(cells[2]), Decimal(cells[3])
    except (IndexError, InvalidOperation):
        symbol, side, qty, price = "", "", Decimal("NaN"), Decimal("NaN")
    good = symbol and side in ("buy", "sell") and qty.is_finite() and price.is_finite() and qty > 0 and price > 0
    if not good:
        raise DataError(f"{','.join(row)[:60]!r} is not a fill", where=where, fix="write symbol,side,qty,price")
    return symbol, side, qty, price


def _after(held: Holdings, fills: Iterable[_Fill]) -> Holdings:
    shares, cash = dict(held.shares), held.cash
    written = {pointed(symbol): symbol for symbol in shares}
    for ours, side, qty, price in fills:
        symbol = written.setdefault(pointed(ours), ours)  # BRK.B of the file is the book's BRK-B
        sign = 1 if side == "buy" else -1
        shares[symbol] = shares.get(symbol, Decimal(0)) + sign * qty
        cash -= sign * qty * price
    return Holdings({symbol: qty for symbol, qty in shares.items() if qty}, cash, held.source)
