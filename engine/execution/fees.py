"""Dated regulatory fees and the liquidity tiers: tables, never one constant."""

from typing import Final

import numpy as np

from plimsoll.engine.kernels.cost import CAT, SEC, TAF, TAF_CAP
from plimsoll.engine.types import Dates, Floats

# Each row: in force from, value(s). Before a table's first date its first row applies.
# SEC Section 31, dollars per dollar sold (Federal Register notices for fiscal years 2024-2026).
SEC_RATES: Final = (("2024-05-22", 27.80e-6), ("2025-05-14", 0.0), ("2026-04-04", 20.60e-6))
# FINRA TAF, dollars per share sold and cap per trade. The 2026 pause is SR-FINRA-2026-021; what resumes in 2027 is
# disputed between filings, SR-FINRA-2026-020 is followed.
TAF_RATES: Final = (
    ("2024-01-01", 0.000166, 8.30),
    ("2026-01-01", 0.000195, 9.79),
    ("2026-10-01", 0.0, 0.0),
    ("2027-01-01", 0.000195, 9.79),
)
# Consolidated Audit Trail, dollars per share, both sides (broker schedule of 2026-09).
CAT_RATES: Final = (("2026-09-01", 0.000003),)


def fee_schedule(sessions: Dates, daily: Floats) -> None:
    """Write the fees in force on each session into the fee columns of `daily` (DAILY, T).

    Source: SEC fee-rate advisories, FINRA By-Laws Schedule A section 1, CAT NMS fee filings.
    """
    daily[SEC] = _in_force(sessions, SEC_RATES, 1)
    daily[TAF] = _in_force(sessions, TAF_RATES, 1)
    daily[TAF_CAP] = _in_force(sessions, TAF_RATES, 2)
    daily[CAT] = _in_force(sessions, CAT_RATES, 1)


def _in_force(sessions: Dates, table: tuple[tuple[str | float, ...], ...], column: int) -> Floats:
    starts = np.array([row[0] for row in table], dtype="datetime64[D]")
    values = np.array([row[column] for row in table], dtype=np.float64)
    return values[np.maximum(np.searchsorted(starts, sessions, side="right") - 1, 0)]
