"""The file of what is held: read exactly, or refused in one line."""

from decimal import Decimal
from pathlib import Path

import pytest

from plimsoll.engine.errors import DataError
from plimsoll.engine.live.positions import part, read_positions


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "p.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_shares_and_cash_are_read_digit_by_digit(tmp_path: Path) -> None:
    held = read_positions(written(tmp_path, "Symbol,Qty\nSPY,10.123456789\nTLT,-3\n\nCASH,1234.56\n"))
    assert held.shares == {"SPY": Decimal("10.123456789"), "TLT": Decimal(-3)}
    assert (held.cash, held.source) == (Decimal("1234.56"), "p.csv")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "symbol,qty"),
        ("SPY,10\nCASH,5\n", "first line"),
        ("symbol,qty\nSPY,10\n", "no CASH row"),
        ("symbol,qty\nSPY,10\nSPY,11\nCASH,1\n", "SPY comes twice"),
        ("symbol,qty\nSPY,ten\nCASH,1\n", "line 2"),
        ("symbol,qty\nSPY,nan\nCASH,1\n", "line 2"),
        ("symbol,qty\nSPY,1,000\nCASH,1\n", "3 cells"),
        ("symbol,qty\nSPY\nCASH,1\n", "1 cells"),
        ("symbol,qty\nSPY,1e30\nCASH,1\n", "line 2: 'SPY,1e30' is nothing an account can hold"),
        ("symbol,qty\nSPY,-1e-30\nCASH,1\n", "line 2"),
        ("symbol,qty\nSPY,1\nCASH,1e400\n", "line 3"),
        ('symbol,qty\n"SPY,1\nCASH,1\n', "not a CSV"),
    ],
)
def test_what_cannot_be_read_exactly_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        read_positions(written(tmp_path, text))


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_positions(tmp_path / "none.csv")


def test_what_the_book_does_not_know_stands_beside_it(tmp_path: Path) -> None:
    held = read_positions(written(tmp_path, "symbol,qty\nSPY,1\nIBM,2\nOLD,0\nCASH,0\n"))
    parted = part(held, ["SPY", "TLT"])
    assert parted.book == {"SPY": Decimal(1)}
    assert parted.beside == {"IBM": Decimal(2)}
