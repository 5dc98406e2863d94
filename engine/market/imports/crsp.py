"""CRSP's daily stock file, as WRDS writes it: prices as traded, returns with what was paid, factors of splits.

PRC is the close, negative where nothing traded and it is the mean of bid and ask, 0 where there is neither. RET is the
return with everything paid since the last PRC, a letter or a code below -1 where there is none (the first row has C).
CFACSHR divides shares, CFACPR prices, by splits to come. BIDLO and ASKHI are low and high, or bid and ask where nothing
traded. Source: CRSP, Data Descriptions Guide, US Stock and US Index Databases, chapter "Data Definitions".
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.imports.layout import Layout, Told, headed, same
from plimsoll.engine.market.imports.sheet import Sheet
from plimsoll.engine.types import Bools, Floats

_NUMBERS: Final = ("prc", "ret", "openprc", "askhi", "bidlo", "vol", "divamt", "cfacshr", "cfacpr")
# RET has six decimals and prices are single floats: what is less than this share of a price is no payment.
ROUNDING: Final = 1e-6


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of one share, (R,) each: dates as written, lines of the file, numbers with NaN where not known."""

    date: list[str]
    line: list[int]
    value: dict[str, Floats]

    def take(self, rows: Bools) -> "_Rows":
        at = np.flatnonzero(rows).tolist()
        value = {name: column[rows] for name, column in self.value.items()}
        return _Rows([self.date[k] for k in at], [self.line[k] for k in at], value)


def _unfold(sheet: Sheet) -> Iterator[tuple[str, Sheet]]:
    """Yield a table of ours for every share: bars and actions, or total returns where that is all there is."""
    owners: dict[str, str] = {}
    for number, (symbol, lines) in _shares(sheet).items():
        if symbol in owners:
            what = f"TICKER {symbol!r} is of PERMNO {owners[symbol]} and of {number}"
            raise DataError(what, where=sheet.where, fix="keep the rows of one of them")
        owners[symbol] = number
        rows = _priced(_numbers(sheet, lines), sheet)
        columns = _bars(rows, sheet) if _can_trade(rows) else {"adj_close": _index(rows)}
        yield symbol, _sheet(sheet, rows.date, columns)


def _shares(sheet: Sheet) -> dict[str, tuple[str, list[tuple[int, list[str]]]]]:
    """Return the last ticker and the lines of each share: by PERMNO, which never changes, else by TICKER."""
    at = {name: k for k, name in reversed(list(enumerate(sheet.names)))}
    found: dict[str, tuple[str, list[tuple[int, list[str]]]]] = {}
    reader = csv.reader(io.StringIO(sheet.data.decode(), newline=""), delimiter=sheet.delimiter)
    for line, cells in enumerate(reader, start=1):
        if line <= sheet.skip or not any(cells):
            continue
        if len(cells) < len(sheet.names):
            raise DataError(f"line {line}: {len(cells)} cells, the header has {len(sheet.names)}", where=sheet.where)
        ticker = cells[at["ticker"]].strip() if "ticker" in at else ""
        key = cells[at["permno"]].strip() if "permno" in at else ticker
        before, lines = found.get(key, ("", []))
        lines.append((line, cells))
        found[key] = (ticker or before, lines)
    if len(found) > 1 and not all(symbol for symbol, _ in found.values()):
        what = f"it holds {len(found)} PERMNOs, and no TICKER tells whose they are"
        raise DataError(what, where=sheet.where, fix="add the column TICKER, or import a share a file with --as")
    return found


def _numbers(sheet: Sheet, lines: list[tuple[int, list[str]]]) -> _Rows:
    value: dict[str, Floats] = {}
    for name in _NUMBERS:
        if name not in sheet.names:
            continue
        at = sheet.names.index(name)
        value[name] = np.array([_number(cells[at].strip(), name, line, sheet.where) for line, cells in lines])
    date = sheet.names.index("date")
    return _Rows([cells[date].strip() for _, cells in lines], [line for line, _ in lines], value)


def _number(cell: str, name: str, line: int, where: str) -> float:
    if not cell or (name == "ret" and len(cell) == 1 and cell.isalpha()):
        return np.nan
    try:
        return float(cell)
    except ValueError:
        raise DataError(f"line {line}: {name.upper()} {cell[:40]!r} is not a number", where=where) from None


def _priced(rows: _Rows, sheet: Sheet) -> _Rows:
    """Return the rows that have a price, with what is unknown as NaN, from the one before the first return on.

    Raises
    ------
    DataError
        If a return in between is not known, or no price is.
    """
    value = dict(rows.value)
    value["ret"] = np.where(value["ret"] < -1.0, np.nan, value["ret"])
    if "vol" in value:
        value["vol"] = np.where(value["vol"] < 0.0, np.nan, value["vol"])
    kept = _Rows(rows.date, rows.line, value).take(np.abs(value["prc"]) > 0.0)
    if not kept.date:
        raise DataError("no row has a PRC", where=sheet.where)
    unknown = np.flatnonzero(np.isnan(kept.value["ret"][1:])) + 1
    if len(unknown):
        day, line = kept.date[unknown[0]], kept.line[unknown[0]]
        what = f"line {line}: no RET on {day[:10]}, so what the share returned since {kept.date[unknown[0] - 1][:10]}"
        raise DataError(f"{what} is not known", where=sheet.where, fix="keep the rows on one side of it")
    return kept


def _can_trade(rows: _Rows) -> bool:
    """Say whether the first row has a bar and the file the factors that tell splits from payments."""
    names = rows.value.keys()
    if not ({"openprc", "askhi", "bidlo"} <= names and {"cfacshr", "cfacpr"} & names):
        return False
    quoted = rows.value["prc"][0] < 0.0  # where nothing traded there is no open
    return quoted or bool(np.isfinite([rows.value[name][0] for name in ("openprc", "askhi", "bidlo")]).all())


def _index(rows: _Rows) -> Floats:
    """Return the total-return index (R,): the first price, grown by RET, or by PRC where RET is its growth rounded."""
    close = np.abs(rows.value["prc"])
    by_price, growth = close[1:] / close[:-1], 1.0 + rows.value["ret"][1:]
    growth = np.where(np.abs(by_price - growth) <= ROUNDING, by_price, growth)
    index: Floats = close[0] * np.cumprod(np.append(1.0, growth))
    return index


def _bars(rows: _Rows, sheet: Sheet) -> dict[str, Floats]:
    """Return bars as traded with splits and payments.

        split_t = F_{t-1} / F_t,   dividend_t = PRC_{t-1} (1 + RET_t) / split_t - PRC_t

    F is CFACSHR, or CFACPR where that is all there is; DIVAMT is the dividend where it is the same but for RET's six
    decimals. Where nothing traded every price is the mean of bid and ask and
    volume is 0, so that nothing fills there.
    """
    value = rows.value
    close, quoted = np.abs(value["prc"]), value["prc"] < 0.0
    factor = value["cfacshr"] if "cfacshr" in value else value["cfacpr"]
    wrong = np.flatnonzero(~(factor > 0.0))
    if len(wrong):
        what = f"line {rows.line[wrong[0]]}: a factor of {factor[wrong[0]]:g}"
        raise DataError(what, where=sheet.where, cause="CFACSHR and CFACPR are above 0 where there is a price")
    split = np.append(1.0, factor[:-1] / factor[1:])
    split = np.where(np.abs(split - 1.0) < ROUNDING, 1.0, split)
    before = close[:-1] / split[1:]
    paid = np.append(0.0, before * (1.0 + value["ret"][1:]) - close[1:])
    allowed = np.append(np.inf, ROUNDING * before)
    below = np.flatnonzero(paid < -np.maximum(allowed, ROUNDING * close))
    if len(below):
        row = int(below[0])
        what = f"line {rows.line[row]}: RET {value['ret'][row]:.6f} is less than what PRC and the factors make"
        raise DataError(f"{what}, {close[row] / before[row - 1] - 1.0:.6f}", where=sheet.where)
    columns = {
        "open": np.where(quoted, close, np.abs(value["openprc"])),
        "high": np.where(quoted, close, np.abs(value["askhi"])),
        "low": np.where(quoted, close, np.abs(value["bidlo"])),
        "close": close,
    }
    if "vol" in value:
        columns["volume"] = np.where(quoted, 0.0, value["vol"])
    dividend = np.where(paid > 2.0 * allowed, np.round(paid, 4), 0.0)
    listed = value.get("divamt", dividend)
    dividend = np.where((dividend > 0.0) & (np.abs(paid - listed) <= 2.0 * allowed), listed, dividend)
    return columns | {"dividend": dividend, "split": split}


def _sheet(sheet: Sheet, date: list[str], columns: dict[str, Floats]) -> Sheet:
    names = ("date", *columns)
    cells = zip(*([_cell(number) for number in column.tolist()] for column in columns.values()), strict=True)
    lines = [(day, *row) for day, row in zip(date, cells, strict=True)]
    data = "\n".join([",".join(line) for line in (names, *lines)]).encode() + b"\n"
    return replace(sheet, data=data, delimiter=",", header=names, names=names, rows=tuple(lines[:2]), skip=1)


def _cell(number: float) -> str:
    return "" if np.isnan(number) else f"{number:.10g}"


def _told(sheet: Sheet) -> Told:
    return "raw" if "close" in sheet.names else "all"


_QUOTES: Final = "a negative PRC is the mean of bid and ask, nothing traded"
CRSP: Final = Layout(
    key="crsp",
    title="CRSP's daily stock file",
    fits=lambda sheet: (
        headed("date", "prc", "ret", "openprc", "askhi", "bidlo")(sheet)
        and bool({"cfacshr", "cfacpr"} & set(sheet.names))
    ),
    columns=same("date", "open", "high", "low", "close", "adj_close", "volume", "dividend", "split"),
    stamp="start",
    adjustment_of=_told,
    unfold=_unfold,
    note=f"what was paid is what RET has beyond PRC; {_QUOTES}",
)
CRSP_RETURNS: Final = replace(
    CRSP,
    title="CRSP's daily stock file without bars or factors",
    fits=headed("date", "prc", "ret"),
    note=f"total returns are RET's; {_QUOTES}",
)
