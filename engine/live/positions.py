"""What an account holds, from a file that a person keeps or from the venue."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from plimsoll.engine.errors import DataError, did_you_mean
from plimsoll.engine.execution.venue import Snapshot
from plimsoll.engine.market.ticker import Spelling, pointed

CASH: Final = "CASH"
COLUMNS: Final = ("symbol", "qty")
MOST: Final = Decimal("1e12")  # shares or dollars: floats tell a thousandth of them apart
LEAST: Final = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Holdings:
    """Signed shares by symbol and cash in dollars; where they come from, for messages.

    equity : what the venue says the account is worth, None where nobody says.
    """

    shares: Mapping[str, Decimal]
    cash: Decimal
    source: str
    equity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """Holdings parted into those of the book and those beside it."""

    book: dict[str, Decimal]
    beside: dict[str, Decimal]


def part(holdings: Holdings, symbols: Iterable[str]) -> Split:
    """Return what belongs to the book's symbols, and what the account holds beside them.

    BRK.B in a list of holdings is the book's BRK-B.

    Raises
    ------
    DataError
        If two of the book's symbols are one to a broker.
    """
    own = tuple(symbols)
    spelling = Spelling(own)
    shares = {spelling.ours(symbol): qty for symbol, qty in holdings.shares.items()}
    mine = {symbol: shares[symbol] for symbol in shares if symbol in own}
    return Split(mine, {symbol: qty for symbol, qty in shares.items() if symbol not in own and qty != 0})


def of_snapshot(snapshot: Snapshot) -> Holdings:
    """Return what a venue says."""
    shares = {position.symbol: position.qty for position in snapshot.positions}
    return Holdings(shares, snapshot.cash, f"account {snapshot.account}", snapshot.equity)


def positions_csv(held: Holdings) -> bytes:
    """Return the file that `read_positions` reads."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerow([CASH, f"{held.cash:z.2f}"])
    rows.writerows([symbol, f"{qty.normalize():f}"] for symbol, qty in sorted(held.shares.items()))
    return text.getvalue().encode()


def read_positions(path: Path) -> Holdings:
    """Read a CSV of ``symbol,qty`` with one row CASH in dollars.

    Raises
    ------
    DataError
        If the file cannot be read, a row is not a symbol and a finite number, a symbol comes twice, or there is no CASH
        row: an account whose cash nobody knows cannot be planned for.
    """
    where = str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not a text file"
        raise DataError(f"cannot be read: {why}", where=where, fix="a CSV of symbol,qty with a row CASH") from None
    return positions_in(text, where, path.name)


def positions_in(text: str, where: str, source: str) -> Holdings:
    """Return what the text of such a file says; DataError as `read_positions`."""
    try:
        rows = list(csv.reader(text.splitlines(), strict=True))
    except csv.Error as error:
        raise DataError(f"not a CSV: {error}", where=where) from None
    if not rows or [cell.strip().lower() for cell in rows[0]] != list(COLUMNS):
        head = ",".join(rows[0]) if rows else ""
        raise DataError(f"the first line is {head[:80]!r}", where=where, fix="begin with the line symbol,qty")
    found: dict[str, Decimal] = {}
    seen: set[str] = set()
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        symbol, qty = _row(row, f"{where}, line {number}")
        if pointed(symbol) in seen:
            raise DataError(f"{symbol} comes twice", where=f"{where}, line {number}", fix="one row for each symbol")
        found[symbol] = qty
        seen.add(pointed(symbol))
    if CASH not in found:
        raise DataError("no CASH row", where=where, fix=f"add a line like {CASH},10000.00" + _near(found))
    cash = found.pop(CASH)
    return Holdings(found, cash, source)


def _near(found: Mapping[str, Decimal]) -> str:
    near = [symbol for symbol in found if symbol.upper() in ("CASH", "USD", "$CASH", "CASH_USD")]
    return f" ({did_you_mean(near[0], [CASH])})" if near else ""


def _row(row: list[str], where: str) -> tuple[str, Decimal]:
    if len(row) != len(COLUMNS):
        raise DataError(f"{len(row)} cells", where=where, fix="write symbol,qty; no thousands separators")
    symbol, text = row[0].strip(), row[1].strip()
    try:
        qty = Decimal(text)
    except InvalidOperation:
        qty = Decimal("NaN")
    if not symbol or not qty.is_finite():
        raise DataError(f"{','.join(row)[:60]!r} is not a symbol and a number", where=where)
    if abs(qty) >= MOST or (qty and abs(qty) < LEAST):
        raise DataError(f"{','.join(row)[:60]!r} is nothing an account can hold", where=where, fix="correct the number")
    return symbol, qty
