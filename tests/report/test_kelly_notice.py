"""The Kelly bound: a warning where a book is sized beyond half its estimated Sharpe ratio."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from plimsoll.engine.report.metrics.notices import banners
from plimsoll.engine.report.result import Result, record_of

Make = Callable[..., Result]


def book(make: Make, sigma_p: list[float], *, sharpe: float = 0.4, kelly: float = 1.0, sessions: int = 504) -> Result:
    """Return a run whose returns over bills have exactly that Sharpe ratio, with targets of its decisions."""
    plain = make(sessions=sessions, trade=False)
    assert plain.bill is not None
    noise = np.random.default_rng(1).standard_normal(sessions)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    equity = plain.equity.copy()
    equity["ret"] = plain.bill.to_numpy() + 0.005 * (noise + sharpe / np.sqrt(252.0))
    notes = pd.DataFrame(
        {"session": equity.index[: len(sigma_p)], "sleeve": "book", "name": "sigma_p", "value": sigma_p}
    )
    config: dict[str, Any] = {"integrator": {"turnover": {"kelly": kelly}}}
    return make(sessions=sessions, trade=False, equity=equity, diagnostics=notes, config=config)


@pytest.mark.parametrize(
    ("sigma_p", "sharpe", "kelly", "exceeded"),
    [
        ([0.10, 0.12, 0.08], 0.23, 1.0, True),
        ([0.10, 0.12, 0.08], 0.25, 1.0, False),
        ([0.10, 0.12, 0.08], 0.13, 0.5, False),  # half Kelly sizes to half the target
        ([0.08], -0.3, 1.0, True),
    ],
)
def test_the_highest_target_is_held_against_half_the_sharpe_ratio(
    sigma_p: list[float], sharpe: float, kelly: float, exceeded: bool, make_result: Make
) -> None:
    result = book(make_result, sigma_p, sharpe=sharpe, kelly=kelly)
    block = result.metrics["kelly"]
    assert block["sharpe_excess"] == pytest.approx(sharpe, rel=1e-9)
    assert block["half_kelly"] == pytest.approx(max(sharpe, 0.0) / 2.0, rel=1e-9)
    assert block["sigma_p"] == max(sigma_p) * kelly
    assert block["exceeded"] is exceeded
    told = [
        text for text, tone in banners(record_of(result), result.metrics) if "half Kelly" in text and tone == "yellow"
    ]
    assert len(told) == exceeded


def test_the_warning_tells_both_figures(make_result: Make) -> None:
    result = book(make_result, [0.12], sharpe=0.2)
    text = next(text for text, _ in banners(record_of(result), result.metrics) if "half Kelly" in text)
    assert text == (
        "Beyond half Kelly: sized to a volatility of up to 12.00% a year, while half the estimated Sharpe ratio of "
        "0.20 over bills allows 10.00%."
    )


def test_no_target_or_too_few_sessions_give_no_bound(make_result: Make) -> None:
    assert make_result(sessions=300).metrics["kelly"] is None
    assert book(make_result, [0.12], sessions=20).metrics["kelly"] is None
