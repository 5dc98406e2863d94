"""The generated universe: what each fund is made of."""

from typing import Final, NamedTuple

from plimsoll.engine.market.sample.regime import DOLLAR, DURATION, EQUITY, FOREIGN, GOLD, OIL

# What a fund can load on: six factors, three notes, the relative change of VIX, two trend followers.
COLUMNS: Final = ("E", "G", "O", "U", "N", "F", "TLT", "IEF", "SHY", "V", "TREND", "MACRO_TREND")


class Fund(NamedTuple):
    """One generated fund.

    price : close of its first session, USD. idio, alpha : yearly volatility and drift of its own.
    driver : factor whose volatility its own follows. overnight : share of its variance between close and open.
    payouts : dividends a year: 0, 1, 2, 4 or 12. income : what they come to, a fraction of the price a year, or the
        yield passed on, less the fund's expenses: "bill", "long", "middle", "short".
    volume_musd : usual dollars traded a session, in millions.
    """

    symbol: str
    price: float
    loading: dict[str, float]
    idio: float
    alpha: float
    driver: int
    overnight: float
    payouts: int
    income: float | str
    volume_musd: float


# Loadings, noise and alphas are ours, chosen to meet `calibration`; prices and dollar volumes are near the real ones.
FUNDS: Final = (
    Fund("SPY", 126.7, {"E": 1.0}, 0.002, -0.0009, EQUITY, 0.35, 4, 0.018, 24000.0),
    Fund("QQQ", 41.3, {"E": 1.04, "N": 1.0}, 0.025, -0.002, EQUITY, 0.35, 4, 0.008, 9000.0),
    Fund("IWM", 67.9, {"E": 1.12}, 0.105, -0.010, EQUITY, 0.35, 4, 0.013, 4500.0),
    Fund("EFA", 61.4, {"E": 0.90, "U": -0.55, "F": 0.75}, 0.035, -0.030, FOREIGN, 0.55, 2, 0.029, 1300.0),
    Fund("EEM", 30.5, {"E": 1.05, "U": -0.50, "F": 1.10}, 0.110, -0.035, FOREIGN, 0.55, 2, 0.021, 2000.0),
    Fund("EWA", 19.2, {"E": 1.02, "U": -0.75, "F": 0.85, "O": 0.06}, 0.105, -0.030, FOREIGN, 0.55, 2, 0.042, 60.0),
    Fund("EWC", 22.5, {"E": 0.78, "U": -0.50, "F": 0.40, "O": 0.17}, 0.070, -0.005, FOREIGN, 0.45, 2, 0.021, 85.0),
    Fund("XLE", 26.4, {"E": 0.88, "O": 0.40}, 0.130, -0.025, OIL, 0.35, 4, 0.030, 1200.0),
    Fund("VNQ", 60.8, {"E": 1.14, "TLT": 0.35}, 0.165, -0.045, EQUITY, 0.30, 4, 0.040, 400.0),
    Fund("GDX", 37.2, {"G": 1.75, "E": 0.50}, 0.230, -0.100, GOLD, 0.35, 1, 0.008, 800.0),
    Fund("TLT", 91.8, {"TLT": 1.0}, 0.003, -0.0015, DURATION, 0.50, 12, "long", 1800.0),
    Fund("IEF", 83.9, {"IEF": 1.0}, 0.002, -0.0015, DURATION, 0.50, 12, "middle", 500.0),
    Fund("SHY", 80.3, {"SHY": 1.0}, 0.0015, -0.0015, DURATION, 0.50, 12, "short", 250.0),
    Fund("LQD", 108.3, {"IEF": 0.95, "E": 0.16}, 0.045, -0.002, DURATION, 0.45, 12, 0.038, 1400.0),
    Fund("HYG", 104.4, {"IEF": 0.20, "E": 0.40}, 0.070, -0.002, EQUITY, 0.40, 12, 0.055, 1800.0),
    Fund("TIP", 103.0, {"IEF": 0.68, "O": 0.030, "G": 0.04}, 0.036, 0.001, DURATION, 0.40, 12, "middle", 240.0),
    Fund("AGG", 100.6, {"IEF": 0.58, "SHY": 0.30, "E": 0.035}, 0.020, 0.002, DURATION, 0.45, 12, "middle", 550.0),
    Fund("BIL", 91.6, {}, 0.0, -0.0014, DURATION, 0.60, 12, "bill", 320.0),
    Fund("SGOV", 100.0, {}, 0.0, -0.0009, DURATION, 0.60, 12, "bill", 360.0),
    Fund("GLD", 53.1, {"G": 1.0}, 0.004, -0.004, GOLD, 0.50, 0, 0.0, 1400.0),
    Fund("IAU", 10.6, {"G": 1.0}, 0.006, -0.0025, GOLD, 0.50, 0, 0.0, 230.0),
    Fund("SLV", 13.7, {"G": 1.35, "E": 0.22, "O": 0.05}, 0.175, -0.035, GOLD, 0.50, 0, 0.0, 400.0),
    Fund("DBC", 24.2, {"O": 0.43, "G": 0.20, "E": 0.03}, 0.075, -0.035, OIL, 0.47, 1, "bill", 40.0),
    Fund("PDBC", 25.2, {"O": 0.43, "G": 0.20, "E": 0.03}, 0.078, -0.032, OIL, 0.55, 1, "bill", 42.0),
    Fund("USO", 68.0, {"O": 1.0}, 0.030, -0.140, OIL, 0.48, 0, 0.0, 320.0),
    Fund("USL", 50.0, {"O": 0.84}, 0.060, -0.075, OIL, 0.48, 0, 0.0, 6.0),
    Fund("UUP", 25.0, {"U": 1.0}, 0.008, -0.006, DOLLAR, 0.50, 1, "bill", 45.0),
    Fund("DBMF", 25.0, {"TREND": 1.0}, 0.045, 0.015, EQUITY, 0.55, 4, 0.035, 8.0),
    Fund("KMLM", 25.0, {"MACRO_TREND": 1.0}, 0.060, 0.015, DURATION, 0.55, 1, 0.040, 3.0),
    Fund("PFIX", 50.0, {"TLT": -2.25}, 0.170, 0.010, DURATION, 0.50, 12, "bill", 8.0),
    Fund("SVOL", 25.0, {"V": -0.13, "E": 0.20}, 0.050, 0.130, EQUITY, 0.40, 12, 0.150, 8.0),
    Fund("TAIL", 25.0, {"E": -0.46, "V": 0.038, "IEF": 0.40}, 0.080, -0.055, EQUITY, 0.45, 4, "bill", 4.0),
    Fund("TQQQ", 80.0, {}, 0.002, 0.0, EQUITY, 0.35, 4, 0.005, 2600.0),
    Fund("SQQQ", 80.0, {}, 0.002, 0.0, EQUITY, 0.35, 0, 0.0, 1400.0),
    Fund("TMF", 60.0, {}, 0.002, 0.0, DURATION, 0.50, 4, 0.012, 100.0),
)

SYMBOLS: Final = tuple(fund.symbol for fund in FUNDS)
