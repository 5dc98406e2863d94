"""What the generated market is calibrated to, and how closely it comes.

Values are measured on daily total returns of the funds named, 2006-2025 or since their first session, and rounded:
they describe the last two decades, which were good for US equity, and are no forecast. The default seed must come
within `near` of each value, any other seed within `wide`: a different twenty years may differ as much as that.

Regimes, factor shocks and volatility clustering are not here: they have tests of their own.
"""

from typing import Final, Literal, NamedTuple, TypeAlias

Figure: TypeAlias = Literal["return", "volatility", "drawdown", "correlation", "beta"]


class Calibration(NamedTuple):
    """One figure: compound return and volatility a year, deepest drawdown, correlation or beta of first to second."""

    figure: Figure
    symbols: tuple[str, ...]
    value: float
    near: float
    wide: float


CALIBRATIONS: Final = (
    Calibration("return", ("SPY",), 0.105, 0.03, 0.09),
    Calibration("return", ("QQQ",), 0.15, 0.05, 0.12),
    Calibration("return", ("IWM",), 0.08, 0.04, 0.13),
    Calibration("return", ("EFA",), 0.055, 0.04, 0.10),
    Calibration("return", ("EEM",), 0.05, 0.04, 0.13),
    Calibration("return", ("TLT",), 0.03, 0.04, 0.06),
    Calibration("return", ("IEF",), 0.03, 0.025, 0.04),
    Calibration("return", ("HYG",), 0.05, 0.03, 0.05),
    Calibration("return", ("GLD",), 0.105, 0.04, 0.12),
    Calibration("return", ("DBC",), 0.01, 0.04, 0.10),
    Calibration("return", ("USO",), -0.10, 0.08, 0.20),
    Calibration("return", ("BIL",), 0.013, 0.01, 0.03),
    Calibration("return", ("UUP",), 0.015, 0.03, 0.05),
    Calibration("volatility", ("SPY",), 0.19, 0.025, 0.06),
    Calibration("volatility", ("QQQ",), 0.22, 0.025, 0.06),
    Calibration("volatility", ("EEM",), 0.28, 0.04, 0.08),
    Calibration("volatility", ("TLT",), 0.15, 0.02, 0.04),
    Calibration("volatility", ("IEF",), 0.07, 0.01, 0.02),
    Calibration("volatility", ("SHY",), 0.015, 0.005, 0.008),
    Calibration("volatility", ("LQD",), 0.085, 0.02, 0.03),
    Calibration("volatility", ("HYG",), 0.11, 0.025, 0.04),
    Calibration("volatility", ("GLD",), 0.18, 0.03, 0.04),
    Calibration("volatility", ("SLV",), 0.31, 0.05, 0.07),
    Calibration("volatility", ("GDX",), 0.41, 0.05, 0.08),
    Calibration("volatility", ("DBC",), 0.19, 0.03, 0.05),
    Calibration("volatility", ("USO",), 0.36, 0.04, 0.09),
    Calibration("volatility", ("UUP",), 0.08, 0.015, 0.025),
    Calibration("volatility", ("TQQQ",), 0.61, 0.08, 0.18),
    Calibration("volatility", ("TMF",), 0.45, 0.06, 0.12),
    Calibration("volatility", ("DBMF",), 0.12, 0.03, 0.05),
    Calibration("volatility", ("TAIL",), 0.15, 0.04, 0.07),
    Calibration("drawdown", ("SPY",), -0.55, 0.10, 0.30),
    Calibration("drawdown", ("QQQ",), -0.53, 0.12, 0.35),
    Calibration("drawdown", ("EEM",), -0.66, 0.15, 0.35),
    Calibration("drawdown", ("TLT",), -0.48, 0.15, 0.30),
    Calibration("drawdown", ("HYG",), -0.34, 0.10, 0.25),
    Calibration("drawdown", ("GLD",), -0.45, 0.15, 0.35),
    Calibration("drawdown", ("USO",), -0.98, 0.10, 0.25),
    Calibration("drawdown", ("TQQQ",), -0.82, 0.13, 0.18),
    Calibration("correlation", ("SPY", "QQQ"), 0.92, 0.04, 0.07),
    Calibration("correlation", ("SPY", "IWM"), 0.89, 0.04, 0.07),
    Calibration("correlation", ("SPY", "EEM"), 0.82, 0.06, 0.12),
    Calibration("correlation", ("SPY", "HYG"), 0.68, 0.13, 0.20),
    Calibration("correlation", ("SPY", "TLT"), -0.31, 0.10, 0.35),
    Calibration("correlation", ("SPY", "GLD"), 0.06, 0.08, 0.15),
    Calibration("correlation", ("SPY", "USO"), 0.36, 0.15, 0.25),
    Calibration("correlation", ("SPY", "UUP"), -0.18, 0.10, 0.20),
    Calibration("correlation", ("TLT", "IEF"), 0.91, 0.04, 0.06),
    Calibration("correlation", ("TLT", "SHY"), 0.57, 0.15, 0.20),
    Calibration("correlation", ("TIP", "IEF"), 0.76, 0.10, 0.15),
    Calibration("correlation", ("GLD", "TLT"), 0.16, 0.10, 0.15),
    Calibration("correlation", ("GLD", "UUP"), -0.42, 0.12, 0.15),
    Calibration("correlation", ("GLD", "SLV"), 0.79, 0.05, 0.10),
    Calibration("correlation", ("GLD", "GDX"), 0.76, 0.06, 0.12),
    Calibration("correlation", ("DBC", "USO"), 0.85, 0.07, 0.10),
    Calibration("correlation", ("XLE", "USO"), 0.63, 0.08, 0.15),
    Calibration("correlation", ("EWA", "EWC"), 0.81, 0.08, 0.12),
    Calibration("correlation", ("PFIX", "TLT"), -0.86, 0.07, 0.12),
    Calibration("correlation", ("SVOL", "SPY"), 0.73, 0.10, 0.20),
    Calibration("correlation", ("TAIL", "SPY"), -0.79, 0.13, 0.20),
    Calibration("beta", ("TQQQ", "QQQ"), 2.96, 0.06, 0.10),
    Calibration("beta", ("SQQQ", "QQQ"), -2.96, 0.06, 0.10),
    Calibration("beta", ("TMF", "TLT"), 2.98, 0.06, 0.10),
    Calibration("beta", ("IWM", "SPY"), 1.13, 0.07, 0.12),
    Calibration("beta", ("EEM", "SPY"), 1.18, 0.15, 0.30),
    Calibration("beta", ("HYG", "SPY"), 0.38, 0.08, 0.12),
)

# The volatility index 2006-2025, points: value, near, wide.
VIX_QUANTILES: Final = {
    0.01: (9.9, 1.5, 2.5),
    0.05: (11.2, 1.5, 3.0),
    0.25: (13.7, 2.5, 3.5),
    0.50: (17.1, 2.5, 4.5),
    0.75: (22.5, 4.0, 7.0),
    0.95: (35.0, 7.0, 20.0),
    0.99: (56.0, 11.0, 22.0),
}
VIX_RETURN_CORRELATION: Final = (-0.74, 0.08, 0.12)  # of its log change to SPY's return
