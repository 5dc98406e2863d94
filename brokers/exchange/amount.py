"""Exact numbers: shares to nine decimals, prices as the tape has them, money without a cent lost to rounding."""

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from fractions import Fraction
from typing import Final

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
# The smallest tradable fraction of a share, and the grain money is booked in: coarse enough that sums stay exact.
GRAIN: Final = Decimal("1e-9")
CENT: Final = Decimal("0.01")
SUB_CENT: Final = Decimal("0.0001")


def exact(number: float) -> Decimal:
    """Return the shortest decimal that reads back as `number`."""
    return Decimal(repr(float(number)))


def plain(number: Decimal) -> str:
    """Write a number the way the API does: plain digits, no exponent, no trailing zeros."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"", "-0"} else text


def value(qty: Decimal, price: Decimal) -> Decimal:
    """Return qty x price in dollars, rounded to `GRAIN`."""
    return (qty * price).quantize(GRAIN)


def down(qty: Decimal, grain: Decimal = GRAIN) -> Decimal:
    """Round a non-negative quantity down to a multiple of `grain` (a power of ten)."""
    return qty.quantize(grain, rounding=ROUND_DOWN)


def tick(price: Decimal) -> Decimal:
    """Return the smallest price step: a cent from one dollar on, a hundredth of a cent below (SEC Rule 612)."""
    return CENT if price >= 1 else SUB_CENT


def tick_up(price: Decimal) -> Decimal:
    """Round a price up to its tick."""
    return price.quantize(tick(price), rounding=ROUND_CEILING)


def tick_down(price: Decimal) -> Decimal:
    """Round a price down to its tick."""
    return price.quantize(tick(price), rounding=ROUND_FLOOR)


def is_whole(qty: Decimal) -> bool:
    """Say whether a quantity is a whole number of shares."""
    return qty == qty.to_integral_value()


def ratio_of(split: float) -> Fraction:
    """Return a split as the ratio it was announced as: 0.3333333333333333 is one new share for three."""
    near = Fraction(split).limit_denominator(10_000)
    return near if abs(float(near) - split) <= 1e-9 * split else Fraction(split)


def times(qty: Decimal, ratio: Fraction) -> Decimal:
    """Return qty x ratio to nine decimals, the rest cut off (towards zero)."""
    return GRAIN * int(Fraction(qty) * ratio / Fraction(GRAIN))
