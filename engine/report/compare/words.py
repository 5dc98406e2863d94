"""A comparison as tables of finished text, for the page and the terminal."""

from typing import Any, Final, cast

import pandas as pd

from plimsoll.engine.report.compare.comparison import Comparison
from plimsoll.engine.report.metrics.labels import DASH, SERIES, Kind, as_read, shown
from plimsoll.engine.report.tearsheet.page_table import PageTable

_ACCOUNT: Final[dict[str, tuple[str, Kind]]] = {
    "turnover": ("Turnover a year, two-sided", "ratio"),
    "cost_bps": ("Trading costs, bps a year", "bps"),
    "financing_bps": ("Margin interest, bps a year", "bps"),
    "gross": ("Mean gross, times equity", "ratio"),
    "look_through": ("… looked through leveraged funds", "ratio"),
}
LABELS: Final[dict[str, tuple[str, Kind]]] = {key: (label, kind) for key, label, kind in SERIES} | _ACCOUNT


def _cell(value: Any, kind: Kind) -> str:
    return DASH if pd.isna(value) else shown(value, kind)


def figure_table(found: Comparison) -> PageTable:
    """Return a row per figure, a column per series."""
    rows = []
    for key, values in found.figures.iterrows():
        label, kind = LABELS[str(key)]
        rows.append((label, *(_cell(value, kind) for value in values)))
    days = found.lined.sessions
    note = f"Over {days[0]} to {days[-1]}, {len(days):,} common sessions; trading, gross and costs over each run's own."
    return PageTable("Figures", ("", *found.figures.columns), rows, note)


def year_table(found: Comparison, focus: frozenset[int] = frozenset()) -> PageTable:
    """Return the return of each calendar year; focus years are marked."""
    rows = [
        (f"{year} •" if year in focus else str(year), *(_cell(value, "percent") for value in values))
        for year, values in found.years.iterrows()
    ]
    note = "•: a focus year. The first and the last year as far as the runs have them."
    return PageTable("Year by year, total return", ("Year", *found.years.columns), rows, note)


def focus_table(found: Comparison) -> PageTable | None:
    """Return the focus periods; None without any."""
    if not len(found.focus):
        return None
    rows = []
    before = ""
    for key, values in found.focus.iterrows():
        period, figure = cast("tuple[str, str]", key)
        label, kind = LABELS[figure]
        rows.append((period if period != before else "", label, *(_cell(value, kind) for value in values)))
        before = period
    return PageTable("Focus periods", ("Period", "", *found.focus.columns), rows)


def crisis_table(found: Comparison) -> PageTable | None:
    """Return the falls of the market that all runs saw whole; None where they saw none."""
    if not len(found.crises):
        return None
    rows = [(str(name), *(_cell(value, "percent") for value in values)) for name, values in found.crises.iterrows()]
    return PageTable("Crisis windows, total return", ("", *found.crises.columns), rows)


def test_table(found: Comparison) -> PageTable:
    """Return the first run less each other series, and how sure the difference is."""
    kinds: dict[str, tuple[str, Kind]] = {
        "cagr": ("CAGR", "percent"),
        "mean": ("Mean a year", "percent"),
        "mean_error": ("… standard error", "percent"),
        "mean_p": ("… p-value", "ratio"),
        "sharpe": ("Sharpe over bills", "ratio"),
        "sharpe_error": ("… standard error", "ratio"),
        "sharpe_p": ("… p-value", "ratio"),
        "max_drawdown": ("Max drawdown", "percent"),
        "tracking_error_ann": ("Tracking error", "percent"),
        "information_ratio": ("Information ratio", "ratio"),
        "correlation": ("Correlation", "ratio"),
        "beta": ("Beta", "ratio"),
    }
    rows = [
        (label, *(_tested(found.tests.loc[other, key], key, kind) for other in found.tests.index))
        for key, (label, kind) in kinds.items()
    ]
    head = (found.lined.base, *(f"less {other}" for other in found.tests.index))
    return PageTable("Differences", head, rows, found.conventions)


def _tested(value: Any, key: str, kind: Kind) -> str:
    """Return a figure of a difference as text; a p-value is never nothing."""
    return "<0.01" if key.endswith("_p") and value < 0.005 else _cell(value, kind)


def setting_table(found: Comparison) -> PageTable:
    """Return the settings that differ."""
    rows = [(str(key), *(str(value) for value in values)) for key, values in found.settings.iterrows()]
    return PageTable("Settings that differ", ("Key", *found.settings.columns), rows)


def verdicts(found: Comparison) -> list[str]:
    """Return one sentence per other series: what the tests say, no more."""
    said = []
    for label, row in found.tests.iterrows():
        p, difference = row["sharpe_p"], row["sharpe"]
        if pd.isna(p):
            said.append(f"{found.lined.base} and {label}: too few sessions to tell their Sharpe ratios apart.")
            continue
        sure = "differs from" if p < 0.05 else "is not told apart from"
        said.append(
            f"The Sharpe ratio of {found.lined.base} {sure} that of {label}: {as_read(f'{difference:+z.2f}')} "
            f"(s.e. {row['sharpe_error']:z.2f}, {'p < 0.001' if p < 0.0005 else f'p {p:.3f}'})."
        )
    return said
