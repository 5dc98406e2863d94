"""When bars were: from the texts of any vendor to exchange dates, or to local times of New York."""

import re
from dataclasses import dataclass
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.imports.flags import DateOrder, Flags, ask
from plimsoll.engine.types import Dates, Ints

EXCHANGE: Final = "America/New_York"
_HOUR: Final = 3600
_OPEN: Final = 9 * 3600 + 30 * 60
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISO: Final = (10, 16, 19)  # 2024-03-26, with 09:30, with 09:30:00
# How many digits count what since 1970; a date without hyphens has eight, and fourteen with its time.
_UNITS: Final = {10: 1, 13: 10**3, 16: 10**6, 19: 10**9}
_EPOCH: Final = r"^\d{10}(?:\d{3}|\d{6}|\d{9})?$"
_TIME: Final = (
    r"(?:[ T,]+(?P<H>\d{1,2}):?(?P<M>\d{2})(?::?(?P<S>\d{2})(?:\.\d+)?)?(?: ?(?P<half>[AaPp][Mm]))?)?"
    r"(?: ?(?P<zone>Z|UTC|[+-]\d{2}:?\d{2}|[A-Z][A-Za-z]+/[A-Za-z_]+))?$"
)
_DATES: Final = {
    "iso": r"^(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})",
    "digits": r"^(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})",
    "parts": r"^(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<y>\d{4})",
    "words": r"^(?P<w>[A-Za-z]{3})[a-z]* +(?P<d>\d{1,2}),? +(?P<y>\d{4})",
}


@dataclass(frozen=True, slots=True, eq=False)
class Stamps:
    """R stamps in exchange time. daily : they are dates. said : what was assumed on the way."""

    local: Dates
    daily: bool
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clock:
    """What a layout's documentation says of its stamps, "" = nothing."""

    zone: str = ""
    date_order: DateOrder | Literal[""] = ""


def read_stamps(texts: Any, clock: Clock, flags: Flags, where: str, skip: int) -> Stamps:
    """Return the stamps of a column of texts (an Arrow array, R). skip : lines before the first of them.

    Stamps that are all midnight as written, or in New York, or that come once a day at the open, are dates.

    Raises
    ------
    DataError
        If one cannot be read, or the order of day and month or the time zone is known to nobody.
    """
    import pyarrow.compute as pc

    if texts.null_count:
        row = int(np.flatnonzero(texts.is_null().to_numpy(zero_copy_only=False))[0])
        raise DataError(f"line {row + skip + 1}: no date", where=where, fix="remove the line, or date it")
    said: tuple[str, ...] = ()
    plain = _plain(texts)
    if plain is not None:
        return _settled(plain, "", np.zeros(len(plain), dtype=np.int64), clock, flags, where, said)
    if _all(texts, _EPOCH):
        digits = len(texts[0].as_py())
        written = texts.cast("int64").to_numpy() // _UNITS[digits]
        zone, offset = "UTC", np.zeros(len(written), dtype=np.int64)
    else:
        form = next((name for name, date in _DATES.items() if _all(texts, date + _TIME)), None)
        if form is None:
            raise _unreadable(texts, where, skip)
        parts = pc.extract_regex(texts, _DATES[form] + _TIME)
        field = {name: parts.field(k) for k, name in enumerate(f.name for f in parts.type)}
        written, order = _written(field, form, clock, flags, where, skip)
        said += (order,) if order else ()
        zone, offset = _zone(field["zone"], where)
    return _settled(written, zone, offset, clock, flags, where, said)


def _plain(texts: Any) -> Ints | None:
    """Return seconds since 1970 of ISO texts of one length without a zone, None of any other: most files have them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    length = len(texts[0].as_py())
    if length not in _ISO or not pc.all(pc.equal(pc.utf8_length(texts), length)).as_py():
        return None
    try:
        seconds: Ints = texts.cast(pa.timestamp("s")).cast(pa.int64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    return seconds


def to_exchange(utc: Ints) -> Ints:
    """Return seconds since 1970 of UTC (R,) as New York's clock shows them; its offset changes on whole hours."""
    local: Ints = utc + _offsets(utc, ZoneInfo(EXCHANGE), ZoneInfo("UTC"))
    return local


def moved(local: Dates, zone: ZoneInfo) -> Dates:
    """Return times (R,) of another zone as New York's clock shows them."""
    seconds = local.astype("datetime64[s]").astype(np.int64)
    return to_exchange(_as_utc(seconds, zone)).astype("datetime64[s]")


def zone_of(name: str, where: str) -> ZoneInfo:
    """Return the time zone of an IANA name.

    Raises
    ------
    DataError
        If there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise DataError(f"{name!r} is no time zone", where=where, fix="write one as America/New_York or UTC") from None


def _settled(
    written: Ints, zone: str, offset: Ints, clock: Clock, flags: Flags, where: str, said: tuple[str, ...]
) -> Stamps:
    within = written % 86400
    if not within.any():
        return Stamps(written.astype("datetime64[s]"), daily=True, said=said)
    if not zone:
        zone = flags.zone or clock.zone
        if not zone:
            cause = "the file does not say in which zone its times are, nor does the vendor"
            raise ask("times without a zone", where, f"--zone {EXCHANGE}, or whichever it is", cause=cause)
        said += (f"times are {zone}'s, {'as --zone says' if flags.zone else 'as the vendor documents'}",)
        local = written if zone == EXCHANGE else to_exchange(_as_utc(written, zone_of(zone, where)))
    else:
        utc = written - offset if zone == "UTC" else _as_utc(written, zone_of(zone, where))
        local = to_exchange(utc)
        said += ("times were put into New York's",)
    clocks, days = local % 86400, local // 86400
    once = len(days) > 1 and len(np.unique(days)) == len(days) and bool(np.isin(clocks, (0, _OPEN)).all())
    if not clocks.any() or once:
        return Stamps((days * 86400).astype("datetime64[s]"), daily=True, said=said)
    return Stamps(local.astype("datetime64[s]"), daily=False, said=said)


def _written(field: dict[str, Any], form: str, clock: Clock, flags: Flags, where: str, skip: int) -> tuple[Ints, str]:
    """Return seconds since 1970 as the texts write them, zone apart, and what was assumed of their order."""
    year, order = _int(field["y"]), ""
    if form == "parts":
        first, second = _int(field["a"]), _int(field["b"])
        month_first, order = _order(first, second, clock, flags, where)
        month, day = (first, second) if month_first else (second, first)
    elif form == "words":
        names = [str(word).lower() for word in field["w"].to_pylist()]
        month = np.array([_MONTHS.index(name) + 1 if name in _MONTHS else 0 for name in names], dtype=np.int64)
        day = _int(field["d"])
    else:
        month, day = _int(field["m"]), _int(field["d"])
    hour, minute, second_ = (_int(field[name]) for name in "HMS")
    hour = _of_the_day(hour, field["half"])
    months = (year - 1970) * 12 + np.clip(month, 1, 12) - 1
    days = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + day - 1
    same = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) == months
    wrong = np.flatnonzero((month < 1) | (month > 12) | ~same | (hour > 23) | (minute > 59) | (second_ > 59))
    if len(wrong):
        at = int(wrong[0])
        what = f"line {at + skip + 1}: no such date, {year[at]}-{month[at]:02d}-{day[at]:02d}"
        raise DataError(what, where=where, cause="day and month the other way round?" if form == "parts" else "")
    return days * 86400 + hour * 3600 + minute * 60 + second_, order


def _order(first: Ints, second: Ints, clock: Clock, flags: Flags, where: str) -> tuple[bool, str]:
    """Return whether the month comes first, and who says so."""
    said = flags.date_order or clock.date_order
    if said:
        who = "as --date-order says" if flags.date_order else "as the vendor documents"
        return said == "mdy", f"dates are {'month/day' if said == 'mdy' else 'day/month'}, {who}"
    if (first > 12).any():
        return False, "dates are day/month: a first part is above 12"
    if (second > 12).any():
        return True, "dates are month/day: a second part is above 12"
    raise ask(f"{first[0]}/{second[0]} may be a day and a month or a month and a day", where, "--date-order dmy or mdy")


def _zone(column: Any, where: str) -> tuple[str, Ints]:
    """Return the zone that the texts name, "" if none, and their offsets from UTC in seconds."""
    names = column.dictionary_encode()
    known = [str(one) for one in names.dictionary.to_pylist()]
    if known == [""]:
        return "", np.zeros(len(column), dtype=np.int64)
    if "" in known:
        raise DataError("some times carry a zone and some do not", where=where)
    places = [one for one in known if "/" in one]
    if places:
        if len(known) > 1:
            raise DataError(f"times of several zones: {', '.join(known)}", where=where)
        return places[0], np.zeros(len(column), dtype=np.int64)
    seconds = np.array([_seconds(one) for one in known], dtype=np.int64)
    return "UTC", seconds[names.indices.to_numpy()]


def _seconds(offset: str) -> int:
    if offset in ("Z", "UTC"):
        return 0
    digits = re.sub(r"\D", "", offset)
    return (-1 if offset[0] == "-" else 1) * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)


def _of_the_day(hour: Ints, half: Any) -> Ints:
    words = np.array([str(word).lower() for word in half.to_pylist()]) if half[0].as_py() else None
    if words is None:
        return hour
    of_day: Ints = hour % 12 + 12 * (words == "pm")
    return of_day


def _as_utc(local: Ints, zone: ZoneInfo) -> Ints:
    utc: Ints = local - _offsets(local, zone, zone)
    return utc


def _offsets(seconds: Ints, asked: ZoneInfo, clock: ZoneInfo) -> Ints:
    """Return `asked`'s offset from UTC in seconds at times (R,) of `clock`."""
    from datetime import datetime, timedelta

    hours, back = np.unique(seconds // _HOUR, return_inverse=True)
    start = datetime(1970, 1, 1, tzinfo=clock)
    zones = [(start + timedelta(hours=int(hour))).astimezone(asked).utcoffset() for hour in hours]
    offsets: NDArray[np.int64] = np.array([one.total_seconds() if one else 0.0 for one in zones]).astype(np.int64)
    found: Ints = offsets[back]
    return found


def _int(column: Any) -> Ints:
    import pyarrow as pa
    import pyarrow.compute as pc

    filled = pc.if_else(pc.equal(column, ""), "0", column)
    values: Ints = filled.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return values


def _all(texts: Any, pattern: str) -> bool:
    import pyarrow.compute as pc

    first = re.match(pattern, texts[0].as_py())
    return first is not None and bool(pc.all(pc.match_substring_regex(texts, pattern)).as_py())


def _unreadable(texts: Any, where: str, skip: int) -> DataError:
    """Return the error about the first stamp of no known form."""
    rows = texts.to_pylist()
    forms = [*(date + _TIME for date in _DATES.values()), _EPOCH]
    form = next((one for one in forms if re.match(one, rows[0])), forms[0])
    at = next((k for k, text in enumerate(rows) if not re.match(form, text)), 0)
    what = f"line {at + skip + 1}: {rows[at][:40]!r} is not a date like the first, {rows[0][:40]!r}"
    return DataError(what if at else f"line {skip + 1}: {rows[0][:40]!r} is not a date", where=where)
