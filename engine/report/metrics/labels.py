"""How each figure is called and printed, in the terminal, in notebooks and on the page."""

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from plimsoll.engine.kernels.cost import COST_COLUMNS

Kind: TypeAlias = Literal["percent", "ratio", "count", "usd", "bps", "text", "flag"]
Label: TypeAlias = tuple[str, str, Kind]

DASH: Final = "–"

# key in a block of `metrics`, title, how to print it
SERIES: Final[tuple[Label, ...]] = (
    ("total_return", "Total return", "percent"),
    ("cagr", "CAGR", "percent"),
    ("cagr_calendar", "CAGR, calendar years", "percent"),
    ("vol_ann", "Ann. volatility", "percent"),
    ("sharpe", "Sharpe", "ratio"),
    ("probabilistic_sharpe", "… probability that the true one is above 0", "percent"),
    ("sharpe_excess", "Sharpe over bills", "ratio"),
    ("probabilistic_sharpe_excess", "… probability that the true one is above 0", "percent"),
    ("sortino", "Sortino", "ratio"),
    ("downside_dev_ann", "Ann. downside deviation", "percent"),
    ("max_drawdown", "Max drawdown", "percent"),
    ("max_drawdown_duration", "… peak to new peak, sessions", "count"),
    ("max_drawdown_recovery", "… trough to new peak, sessions", "count"),
    ("max_drawdown_open", "… still open", "flag"),
    ("longest_drawdown", "Longest drawdown, sessions", "count"),
    ("average_drawdown", "Average drawdown", "percent"),
    ("calmar", "Calmar", "ratio"),
    ("ulcer", "Ulcer index", "percent"),
    ("value_at_risk", "Value at risk, 5% quantile of a session", "percent"),
    ("expected_shortfall", "Expected shortfall, worst 5% of sessions", "percent"),
    ("skew", "Skew", "ratio"),
    ("kurtosis", "Kurtosis (normal = 3)", "ratio"),
    ("omega", "Omega at 0", "ratio"),
    ("tail_ratio", "Tail ratio", "ratio"),
    ("hit_rate", "Hit rate, sessions", "percent"),
    ("profit_factor", "Profit factor, sessions", "ratio"),
    ("payoff", "Payoff, mean win / mean loss", "ratio"),
    ("best_day", "Best day", "percent"),
    ("best_day_session", "… on", "text"),
    ("worst_day", "Worst day", "percent"),
    ("worst_day_session", "… on", "text"),
    ("best_month", "Best month", "percent"),
    ("best_month_label", "… in", "text"),
    ("worst_month", "Worst month", "percent"),
    ("worst_month_label", "… in", "text"),
)

HEADLINE: Final = (
    "total_return",
    "cagr",
    "vol_ann",
    "sharpe",
    "probabilistic_sharpe",
    "sharpe_excess",
    "probabilistic_sharpe_excess",
    "sortino",
    "max_drawdown",
    "max_drawdown_duration",
    "calmar",
    "expected_shortfall",
)

RELATIVE: Final[tuple[Label, ...]] = (
    ("beta", "Beta", "ratio"),
    ("alpha_ann", "Alpha, arithmetic, a year", "percent"),
    ("alpha_excess_ann", "Alpha over bills, a year", "percent"),
    ("correlation", "Correlation", "ratio"),
    ("tracking_error_ann", "Tracking error", "percent"),
    ("information_ratio", "Information ratio", "ratio"),
    ("up_capture", "Up capture", "percent"),
    ("down_capture", "Down capture", "percent"),
)

SPREADS: Final[tuple[Label, ...]] = (
    ("gross", "Gross, notional", "percent"),
    ("net", "Net, notional", "percent"),
    ("cash", "Cash", "percent"),
    ("look_through_gross", "Gross, look-through", "percent"),
    ("look_through_net", "Net, look-through", "percent"),
    ("positions", "Positions", "ratio"),
)

EXPOSURE: Final[tuple[Label, ...]] = (
    ("time_in_market", "Time in market", "percent"),
    ("time_levered", "Time with gross above 1, look-through", "percent"),
    ("time_gross_above_1_5", "Time with gross above 1.5, look-through", "percent"),
    ("time_levered_notional", "… above 1, notional", "percent"),
    ("time_gross_above_1_5_notional", "… above 1.5, notional", "percent"),
    ("time_net_short", "Time net short, look-through", "percent"),
    ("effective_n", "Effective number of positions", "ratio"),
    ("effective_n_entropy", "… by entropy", "ratio"),
)

TURNOVER: Final[tuple[Label, ...]] = (
    ("two_sided_per_year", "Turnover a year, two-sided", "ratio"),
    ("one_way_per_year", "Turnover a year, one-way", "ratio"),
    ("traded", "Traded", "usd"),
    ("sessions_with_trades", "Sessions with trades", "count"),
    ("orders", "Orders", "count"),
    ("fills", "Fills", "count"),
)

PNL: Final[tuple[Label, ...]] = (
    ("starting_cash", "Starting cash", "usd"),
    ("flow", "Deposits less withdrawals", "usd"),
    ("price_pnl", "Price gains", "usd"),
    ("dividends", "Dividends", "usd"),
    ("interest", "Interest on cash", "usd"),
    ("financing", "Margin interest", "usd"),
    ("borrow", "Borrow fees", "usd"),
    ("costs", "Trading costs", "usd"),
    ("final_equity", "Final equity", "usd"),
    ("unexplained", "Left over by rounding", "usd"),
)

# What stands among the counts of a run and is none.
RATES: Final[Mapping[str, tuple[str, Kind]]] = {
    "idle_capital": ("Capital of the book that no sleeve uses", "percent"),
    "unbound_share": ("Decisions that nothing bound", "percent"),
    "unbound_vol_ratio": ("Realised over target volatility where nothing bound", "ratio"),
}

# What the stages of a book, as its trace names them, are called on a page.
STAGES: Final[Mapping[str, str]] = {
    "s0_normalize": "Stage 0: one volatility",
    "s1_allocate": "Stage 1: shares of the book",
    "s2_net": "Stage 2: netting",
    "s3_vol_target": "Stage 3: volatility target",
    "s4_caps": "Stage 4: caps",
    "s5_governor": "Stage 5: drawdown governor",
    "s6_regime": "Stage 6: regime",
    "s7_turnover": "Stage 7: no-trade band",
    "min_variance": "Least variance",
    "first_vol_target": "First volatility target",
    "second_vol_target": "Second volatility target",
    "kill_tier": "Kill tier",
}

COST_TITLES: Final[Mapping[str, str]] = {
    **{column: column.replace("_", " ").capitalize() for column in COST_COLUMNS},
    "financing": "Margin interest",
    "borrow": "Borrow",
}


def shown(value: Any, kind: Kind) -> str:
    """Return `value` as text for a reader; a dash for None."""
    if value is None:
        return DASH
    if kind == "text":
        return str(value)
    if kind == "flag":
        return "yes" if value else "no"
    if kind == "count":
        return as_read(f"{value:,.0f}")
    number = float(value)
    if kind == "percent":
        text = f"{number * 100:,.2f}%"
    elif kind == "usd":
        text = f"{number:,.2f}"
    elif kind == "bps":
        text = f"{number:,.1f}"
    else:
        text = f"{number:,.2f}"
    return as_read(text)


def as_read(text: str) -> str:
    """Return a formatted number as a reader takes it: with a true minus, and what rounds to nothing has no sign."""
    zero = not any(digit in text.partition("e")[0] for digit in "123456789")
    return text.lstrip("+-") if zero else text.replace("-", "−")


def share_text(share: float) -> str:
    """Return a share in whole per cent, never 0% for some or 100% for not quite all."""
    if 0.0 < share < 0.005:
        return "less than 1%"
    return "more than 99%" if 0.995 <= share < 1.0 else f"{share:z.0%}"


def title(key: str) -> str:
    """Return a snake_case key as words: `margin_calls` -> `Margin calls`."""
    words = key.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def count_shown(value: float) -> str:
    """Return a whole number as text."""
    return f"{value:z,.0f}"


def counted(name: str, value: float) -> tuple[str, str]:
    """Return how a counter, or a rate that is kept among them, is called and shown."""
    words, kind = RATES.get(name, (title(name), "count"))
    return words, shown(value, kind)
