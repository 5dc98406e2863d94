"""US regulatory fees by hand, from the published schedules."""

import math

# (in force from, dollars per dollar sold), (in force from, dollars per share sold, most per trade), (from, per share)
SEC = [("0000", 27.80 / 1e6), ("2025-05-14", 0.0), ("2026-04-04", 20.60 / 1e6)]
TAF = [
    ("0000", 0.000166, 8.30),
    ("2026-01-01", 0.000195, 9.79),
    ("2026-10-01", 0.0, 0.0),
    ("2027-01-01", 0.000195, 9.79),
]
CAT = [("0000", 0.000003)]


def in_force(table: list[tuple], day: str) -> tuple:
    """The last row that starts on or before `day` (ISO)."""
    return [row for row in table if row[0] <= day][-1]


def raw(day: str, shares: float, price: float) -> tuple[float, float, float]:
    """(SEC, TAF, CAT) of one trade of signed shares, before rounding."""
    cat = abs(shares) * in_force(CAT, day)[1]
    if shares > 0.0:
        return 0.0, 0.0, cat
    _, rate, most = in_force(TAF, day)
    return -shares * price * in_force(SEC, day)[1], min(-shares * rate, most), cat


def charged(day: str, trades: list[tuple[float, float]]) -> float:
    """What a day of (shares, price) trades costs: each fee summed, then rounded up to the cent.

    Less than a ten-millionth of a cent, the fee of a third of a thousandth of a share, is the rounding of a sum.
    """
    if not trades:
        return 0.0
    sums = [sum(fee) for fee in zip(*(raw(day, *trade) for trade in trades), strict=True)]
    return sum(math.ceil(100.0 * fee - 1e-7) / 100.0 for fee in sums)
