"""The dated fee table."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.plain_fees import CAT as PLAIN_CAT
from support.plain_fees import SEC as PLAIN_SEC
from support.plain_fees import TAF as PLAIN_TAF
from support.plain_fees import in_force

from plimsoll.engine.execution.fees import fee_schedule
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.cost import CAT, SEC, TAF, TAF_CAP

Golden = Callable[[str], dict[str, Any]]


def rates(*days: str) -> np.ndarray:
    """Fee columns of the given days."""
    daily = np.zeros((layout.DAILY, len(days)))
    fee_schedule(np.array(days, dtype="datetime64[D]"), daily)
    return daily[[SEC, TAF, TAF_CAP, CAT]].T


@pytest.mark.parametrize(
    ("day", "per_million", "taf", "cap"),
    [
        ("2024-05-22", 27.80, 0.000166, 8.30),
        ("2025-05-13", 27.80, 0.000166, 8.30),
        ("2025-05-14", 0.0, 0.000166, 8.30),
        ("2025-12-31", 0.0, 0.000166, 8.30),
        ("2026-01-02", 0.0, 0.000195, 9.79),
        ("2026-04-03", 0.0, 0.000195, 9.79),
        ("2026-04-06", 20.60, 0.000195, 9.79),
        ("2026-09-30", 20.60, 0.000195, 9.79),
        ("2026-10-01", 20.60, 0.0, 0.0),
        ("2026-12-31", 20.60, 0.0, 0.0),
        ("2027-01-04", 20.60, 0.000195, 9.79),
    ],
)
def test_each_fee_is_the_one_in_force_that_day(day: str, per_million: float, taf: float, cap: float) -> None:
    assert rates(day)[0] == pytest.approx([per_million / 1e6, taf, cap, 3e-6], rel=1e-12)


def test_the_dates_and_rates_are_the_published_ones(golden: Golden) -> None:
    table = golden("costs")["fee_table"]
    for day, per_million in table["sec_per_million"]:
        assert rates(day)[0, 0] == pytest.approx(per_million / 1e6, rel=1e-12)
    for day, rate, cap in table["taf"]:
        assert rates(day)[0, 1:3] == pytest.approx([rate, cap], rel=1e-12)
    for day, rate in table["cat_per_share"]:
        assert rates(day)[0, 3] == pytest.approx(rate, rel=1e-12)


def test_before_a_table_begins_its_first_row_holds() -> None:
    assert rates("1999-01-04")[0] == pytest.approx([27.80e-6, 0.000166, 8.30, 3e-6], rel=1e-12)


def test_every_day_agrees_with_the_table_read_by_hand() -> None:
    days = [str(day) for day in np.arange("2023-01-01", "2028-01-01", dtype="datetime64[D]")]
    by_hand = [(in_force(PLAIN_SEC, d)[1], *in_force(PLAIN_TAF, d)[1:], in_force(PLAIN_CAT, d)[1]) for d in days]
    np.testing.assert_allclose(rates(*days), by_hand, rtol=1e-12)
