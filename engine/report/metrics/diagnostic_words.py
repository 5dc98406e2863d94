"""What diagnostics are called and measured in; a name that is not listed is told by its own words."""

from collections.abc import Mapping
from typing import Final

from plimsoll.engine.report.metrics.labels import Kind, title

# name, how it is called with its unit, how its axis reads
_OF_A_BOOK: Final[Mapping[str, tuple[str, Kind]]] = {
    "leverage": ("Leverage asked by the volatility target, times", "ratio"),
    "sigma_ex": ("Volatility before leverage, a year", "percent"),
    "sigma_p": ("Volatility aimed at, a year", "percent"),
    "shrinkage": ("Shrinkage of the covariance, share", "ratio"),
    "vol_fallback": ("Volatility from the fallback", "flag"),
    "binding": ("What bound, code", "count"),
    "multiplier": ("Governor's multiplier, times", "ratio"),
    "drawdown": ("Drawdown", "percent"),
    "tier": ("Governor's tier, 0 normal to 4 flat", "count"),
    "rung": ("Method that shared the book, code", "count"),
    "alarm": ("HRP-ERC alarm", "flag"),
    "hrp_erc_gap": ("Gap between HRP and ERC shares", "percent"),
    "alarm_threshold": ("Gap at which the alarm rings", "percent"),
    "effective_n": ("Effective number of names", "ratio"),
    "regime": ("Regime, code", "count"),
    "confidence": ("Confidence in the regime, 0 to 1", "ratio"),
    "ladder_tier": ("Capital tier, 0 the smallest", "count"),
    "ladder_gross": ("Gross the capital tier allows, times equity", "ratio"),
    "capacity_bound": ("Trades limited by capacity, number", "count"),
    "cost_gated": ("Trades withdrawn by the cost gate, number", "count"),
    "idle_capital": ("Capital that no sleeve uses, of the book", "percent"),
    "cut_name": ("Taken by the name cap, of gross", "percent"),
    "cut_cluster": ("Taken by the cluster cap, of gross", "percent"),
    "cut_gross": ("Taken by the gross cap, of gross", "percent"),
    "cut_net": ("Taken by the net cap, of gross", "percent"),
}
_PER_SLEEVE: Final[Mapping[str, tuple[str, Kind]]] = {
    "share": ("share of the book", "percent"),
    "hrp": ("weight by HRP before cap and ramp", "percent"),
    "erc": ("weight by ERC before cap and ramp", "percent"),
    "skill": ("skill, mean rank correlation", "ratio"),
    "slot": ("slot of the book, used or lent", "percent"),
}
_OF_A_SLEEVE: Final[Mapping[str, tuple[str, Kind]]] = {
    "risk_off": ("Risk off", "flag"),
    "eq_vol_ann": ("Volatility of the equity basket, a year", "percent"),
    "eq_cum_ret": ("Return of the equity basket over the window", "percent"),
    "trend_strength": ("Kalman trend strength, -100 to 100", "ratio"),
    "sigma_real": ("Realised volatility, a year", "percent"),
    "sigma_base": ("Long-run volatility, a year", "percent"),
    "vix_ratio": ("VIX over its average, times", "ratio"),
    "exposure": ("Exposure carried, times equity", "ratio"),
    "t_norm": ("Trend strength over its scale, -1 to 1", "ratio"),
    "e_trend": ("Exposure asked by the trend, times equity", "ratio"),
    "e_vol": ("... after volatility, times equity", "ratio"),
    "e_vix": ("... after VIX, times equity", "ratio"),
    "e_dd": ("... after drawdown, times equity", "ratio"),
    "drawdown": ("Drawdown of its notional portfolio", "percent"),
    "stock_bond_rho": ("Correlation of stocks and bonds", "ratio"),
    "guard": ("Correlation guard, 0 to 1", "ratio"),
    "scalar": ("Volatility scalar, times", "ratio"),
    "sigma": ("Volatility of what is held, a year", "percent"),
    "look_through": ("Gross through fund leverage, times equity", "ratio"),
    "equity_beta": ("Beta to equities, times", "ratio"),
    "engine_weight": ("Weight of the equity engine, of equity", "percent"),
    "engine_drag": ("Drag of the engine's daily leverage, a year", "percent"),
    "inflation": ("Inflation-linked over nominal bonds, over the window", "percent"),
    "growth": ("Stocks over bills, over the window", "percent"),
    "credit": ("Junk over investment grade, over the window", "percent"),
    "bill_return": ("Return of bills over the window", "percent"),
    "ranked": ("Funds ranked, number", "count"),
    "top_carry": ("Carry of the best, a year", "percent"),
    "bottom_carry": ("Carry of the worst, a year", "percent"),
    "oil_carry": ("Carry of oil by its roll, a year", "percent"),
    "carry_source": ("Where carry came from, code", "count"),
    "long_share": ("Share of funds that trend up", "percent"),
    "gross_wanted": ("Gross wanted, times equity", "ratio"),
    "bill_known": ("Bill rate known", "flag"),
    "multiple": ("Multiple of the equity engine, times", "ratio"),
    "multiple_vol": ("... by volatility, times", "ratio"),
    "multiple_dd": ("... by drawdown, times", "ratio"),
    "stress": ("Stress: VIX far above its average or curve", "flag"),
    "premium": ("Variance premium, implied less realised, a year", "ratio"),
    "signal": ("Signal to hold", "flag"),
    "passed_pairs": ("Pairs that passed the test, number", "count"),
    "open_pairs": ("Pairs open, number", "count"),
    "widest_z": ("Widest spread, standard deviations", "ratio"),
    "view": ("View on the equity engine, return a year", "percent"),
}
BOOK: Final = "book"


def words_for(sleeve: str, name: str) -> tuple[str, Kind | None]:
    """Return how a diagnostic is called, its unit included where known, and how its axis reads; None = not known."""
    if sleeve == BOOK:
        if name in _OF_A_BOOK:
            return _OF_A_BOOK[name]
        kind, _, of = name.partition(".")
        if of and kind in _PER_SLEEVE:
            words, reads = _PER_SLEEVE[kind]
            return f"{of}: {words}", reads
    if name in _OF_A_SLEEVE:
        return _OF_A_SLEEVE[name]
    return title(name.replace(".", ": ")), None
