"""From a table of a known layout to drafts: its columns by what they mean, its stamps in exchange time, its symbols."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.imports.cells import UNKNOWN, decimal_mark, numbers
from plimsoll.engine.market.imports.draft import VALUES, Draft
from plimsoll.engine.market.imports.flags import Flags, ask
from plimsoll.engine.market.imports.interval import bars_of
from plimsoll.engine.market.imports.layout import Layout
from plimsoll.engine.market.imports.sheet import Sheet
from plimsoll.engine.market.imports.stamps import Clock, Stamps, read_stamps
from plimsoll.engine.market.ticker import canonical
from plimsoll.engine.types import Floats

_PRICES: Final = ("open", "high", "low", "close", "adj_close")
_NAMED: Final = re.compile(r"\^?[A-Z][A-Z0-9]{0,5}([.\-][A-Z]{1,2})?")


def read_sheet(sheet: Sheet, layout: Layout, flags: Flags) -> Iterator[Draft]:
    """Yield the draft of every symbol in a table.

    Raises
    ------
    DataError
        If a row cannot be read, a symbol is not named, or something has to be asked.
    """
    if layout.unfold is None:
        yield from _read(sheet, layout, flags, "")
        return
    for symbol, one in layout.unfold(sheet):
        if not flags.only or _canonical(symbol, sheet) in flags.only:
            yield from _read(one, layout, flags, symbol)


def _read(sheet: Sheet, layout: Layout, flags: Flags, symbol: str) -> Iterator[Draft]:
    roles = _roles(sheet, layout)
    texts, values, mark = _columns(sheet, roles, flags)
    stamp_text = _stamp_text(texts)
    clock = Clock(layout.zone, layout.date_order)
    base = (f"{layout.title}", mark, _unread(sheet, roles))
    if "symbol" not in texts:
        name = symbol_of(sheet, layout, flags, symbol)
        stamps = read_stamps(stamp_text, clock, flags, sheet.where, sheet.skip)
        yield _draft(name, sheet, layout, flags, stamps, values, base)
        return
    names = texts["symbol"].dictionary_encode()
    if flags.symbol and len(names.dictionary) > 1:
        what = f"--as {flags.symbol} speaks of one symbol, the file holds {len(names.dictionary)}"
        raise DataError(what, where=sheet.where, fix="name those wanted with --only")
    code = names.indices.to_numpy(zero_copy_only=False)
    for k, told in enumerate(names.dictionary.to_pylist()):
        name = _canonical(flags.symbol or _without_market(str(told)), sheet)
        if flags.only and name not in flags.only:
            continue
        rows = np.flatnonzero(code == k)
        stamps = read_stamps(stamp_text.take(rows), clock, flags, sheet.where, sheet.skip)
        yield _draft(name, sheet, layout, flags, stamps, {key: one[rows] for key, one in values.items()}, base)


def _draft(
    symbol: str,
    sheet: Sheet,
    layout: Layout,
    flags: Flags,
    stamps: Stamps,
    values: dict[str, Floats],
    base: tuple[str, ...],
) -> Draft:
    columns = {name: column / layout.unit if name in _PRICES else column for name, column in values.items()}
    draft = Draft(
        symbol=symbol,
        layout=layout,
        where=sheet.where,
        interval="1d",
        stamp=stamps.local,
        columns=columns,
        told=layout.told(sheet),
        said=(*(line for line in base if line), *stamps.said, *((layout.note,) if layout.note else ())),
    )
    return bars_of(ascending(draft), stamps.daily, flags)


def ascending(draft: Draft) -> Draft:
    """Return a draft with its rows in order, oldest first."""
    steps = np.diff(draft.stamp).astype(np.int64)
    if len(steps) and (steps < 0).all():
        return draft.take(np.arange(len(draft.stamp))[::-1]).saying("newest rows come first, turned round")
    if (steps < 0).any():
        draft = draft.take(np.argsort(draft.stamp, kind="stable")).saying("rows were not in order, sorted")
    return draft


def _roles(sheet: Sheet, layout: Layout) -> dict[str, int]:
    """Return the position of each column that means something; of two with one meaning the first counts."""
    found: dict[str, int] = {}
    keys: Sequence[str | int] = sheet.names or range(max(len(row) for row in sheet.rows))
    for at, key in enumerate(keys):
        role = layout.columns.get(key)
        if role is not None:
            found.setdefault(role, at)
    if "date" not in found or not {"close", "adj_close"} & found.keys():
        raise DataError(f"{layout.title}, but no date or no close in it", where=sheet.where)
    return found


def _unread(sheet: Sheet, roles: Mapping[str, int]) -> str:
    """Return a line that names the columns of which nothing is taken, "" if there are none."""
    read = set(roles.values())
    names = [name for at, name in enumerate(sheet.header) if name and at not in read]
    return f"not read: {', '.join(names)}" if names else ""


def _columns(sheet: Sheet, roles: Mapping[str, int], flags: Flags) -> tuple[dict[str, Any], dict[str, Floats], str]:
    """Return the texts and the numbers by role, and a line if the decimal mark was read off the cells."""
    import pyarrow as pa

    wanted = [name for name in VALUES if name in roles]
    text = [name for name in ("date", "time", "symbol") if name in roles]
    if not flags.decimal and sheet.delimiter != ";":
        try:  # nearly every file has plain numbers
            table = _table(sheet, roles, dict.fromkeys(wanted, pa.float64()) | dict.fromkeys(text, pa.string()))
            values = {role: np.array(table.column(role).to_numpy(), dtype=np.float64) for role in wanted}
            return {role: _one(table.column(role)) for role in text}, values, ""
        except pa.ArrowInvalid:
            pass
    try:
        table = _table(sheet, roles, dict.fromkeys((*wanted, *text), pa.string()))
    except pa.ArrowInvalid as error:
        raise DataError(f"cannot be read as a table: {str(error).splitlines()[0][:120]}", where=sheet.where) from error
    prices = [cell for role in wanted if role in _PRICES for cell in table.column(role).to_pylist() if cell]
    mark = flags.decimal or decimal_mark(prices, sheet.where, separator=sheet.delimiter)
    values = {role: numbers(table.column(role).to_pylist(), mark, sheet.where, role, sheet.skip) for role in wanted}
    said = f"decimal mark {mark!r}" + (", as --decimal says" if flags.decimal else "")
    return {role: _one(table.column(role)) for role in text}, values, said


def _table(sheet: Sheet, roles: Mapping[str, int], types: dict[str, Any]) -> Any:
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    width = max(len(sheet.names), *(len(row) for row in sheet.rows), 1 + max(roles.values()))
    names = [f"({at})" for at in range(width)]
    for role, at in roles.items():
        names[at] = role
    if not sheet.rows:
        raise DataError("the file has a header but no rows", where=sheet.where)
    table = pa_csv.read_csv(
        pa.BufferReader(sheet.data),
        read_options=pa_csv.ReadOptions(use_threads=False, skip_rows=sheet.skip, column_names=names),
        parse_options=pa_csv.ParseOptions(delimiter=sheet.delimiter),
        convert_options=pa_csv.ConvertOptions(
            column_types=types, include_columns=list(types), null_values=list(UNKNOWN), strings_can_be_null=True
        ),
    )
    if not table.num_rows:
        raise DataError("the file has a header but no rows", where=sheet.where)
    return table


def _one(column: Any) -> Any:
    import pyarrow.compute as pc

    return pc.utf8_trim_whitespace(column.combine_chunks())


def _stamp_text(texts: dict[str, Any]) -> Any:
    import pyarrow.compute as pc

    if "time" not in texts:
        return texts["date"]
    return pc.binary_join_element_wise(texts["date"], texts["time"], " ")


def symbol_of(sheet: Sheet, layout: Layout, flags: Flags, told: str) -> str:
    """Return whose rows a table holds: the user's word, else what the table told, else the file's name.

    Raises
    ------
    DataError
        If none of them names a symbol.
    """
    if flags.symbol:
        return _canonical(flags.symbol, sheet)
    name = told or (layout.symbol_of(sheet) if layout.symbol_of is not None else sheet.stem)
    if not told and not _NAMED.fullmatch(name):
        raise ask("whose bars are these? neither the rows nor the file's name say so", sheet.where, "--as SYMBOL")
    return _canonical(name, sheet)


def _without_market(name: str) -> str:
    return name.upper().removesuffix(".US")


def _canonical(name: str, sheet: Sheet) -> str:
    try:
        return canonical(name)
    except DataError as error:
        raise DataError(error.what, where=sheet.where, fix=error.fix) from None
