"""How far a book came to its volatility target, and which cap kept it away."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from plimsoll.engine.report.metrics.target import target_text
from plimsoll.engine.report.result import Result

Make = Callable[..., Result]

# stage 3 reaches 8% of a target of 10%; the name cap takes a quarter of that, the cluster cap an eighth; m is 0.6
FACTS = {
    "sigma_p": 0.10, "sigma_ex": 0.04, "leverage": 2.0, "multiplier": 0.6, "cut_name": 0.25, "cut_cluster": 0.125,
    "cut_gross": 0.0, "cut_net": 0.0,
}  # fmt: skip


def told(make_result: Make, ret: Any = None, kelly: float = 1.0, **facts: float) -> Result:
    """A run of 60 sessions whose book decided at each close, the one before the first included."""
    whole = make_result(sessions=60, trade=False)
    table = whole.equity.copy()
    table["ret"] = np.zeros(60) if ret is None else ret
    days = [pd.Timestamp("2015-01-02"), *table.index[:-1]]
    rows = [
        {"session": day, "sleeve": "book", "name": name, "value": value}
        for name, value in (FACTS | facts).items()
        for day in days
    ]
    config = {"integrator": {"turnover": {"kelly": kelly}}}
    return make_result(sessions=60, trade=False, equity=table, diagnostics=pd.DataFrame(rows), config=config)


def test_what_each_takes_of_the_target_adds_up_to_what_is_missing(make_result: Make) -> None:
    block = told(make_result, kelly=0.5).metrics["target"]
    taken = {"leverage": 0.2, "name": 0.2, "cluster": 0.1, "gross": 0.0, "net": 0.0, "governor": 0.2, "kelly": 0.15}
    assert block["taken"] == pytest.approx(taken)
    left = 0.8 * (1.0 - 0.25 - 0.125) * 0.6 * 0.5
    assert 1.0 - sum(block["taken"].values()) == pytest.approx(left)
    assert block["sigma_p"] == pytest.approx(0.10)


def test_the_one_that_took_most_is_responsible_and_the_words_begin_with_it(make_result: Make) -> None:
    block = told(make_result, cut_name=0.05, cut_cluster=0.5, multiplier=1.0).metrics["target"]
    assert block["responsible"] == "cluster"
    words = target_text(block)
    assert "the cluster cap took 40.00%, the leverage bound took 20.00%, the name cap took 4.00%" in words
    assert "governor" not in words
    free = told(make_result, cut_name=0.0, cut_cluster=0.0, multiplier=1.0, leverage=2.5).metrics["target"]
    assert free["responsible"] is None
    assert target_text(free).endswith("nothing took from it")


def test_realised_volatility_is_that_of_the_first_whole_session_after_the_fill(make_result: Make) -> None:
    # the decision of the close before session k is filled in k, and session k + 1 is the first that is all its own
    ret = np.where(np.arange(60) % 2 == 0, 0.01, -0.01) * 0.6 * 0.10 / np.sqrt(252.0) / 0.01
    ret[0] = 0.5  # of no decision's
    assert told(make_result, ret).metrics["target"]["realised_over_target"] == pytest.approx(0.6)
    ret[1] = 0.5
    assert told(make_result, ret).metrics["target"]["realised_over_target"] > 1.0


def test_an_empty_book_misses_its_target_by_no_bound(make_result: Make) -> None:
    block = told(make_result, leverage=0.0, sigma_ex=0.0, cut_name=0.0, cut_cluster=0.0, multiplier=1.0)
    assert block.metrics["target"]["responsible"] is None


def test_a_run_without_a_target_has_no_such_block(make_result: Make) -> None:
    assert make_result(sessions=60).metrics["target"] is None
