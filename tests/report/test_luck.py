"""What is said of a Sharpe ratio after some tries: which of them count, what they scatter by, and in which words."""

import math

import numpy as np
import pytest

from plimsoll.engine.kernels.overfit.effective import effective_trials
from plimsoll.engine.kernels.overfit.sharpe import dsr, psr
from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.labels import share_text
from plimsoll.engine.report.metrics.luck import (
    Luck,
    Moments,
    Tries,
    brief_text,
    luck_facts,
    luck_of,
    luck_text,
    moments,
    tries_of,
)
from plimsoll.engine.report.metrics.table import plain
from plimsoll.engine.types import Ints

RECORD = Moments(0.05, 2520, -0.5, 6.0)
TRIES = Tries(243, 12.0, clustered=True, variance=1e-4, measured=243)
OF = "tries of trend in the ledger"


def lengths(*values: int) -> Ints:
    return np.array(values, dtype=np.int64)


def test_the_probabilities_are_the_kernels_by_itself_after_all_and_after_the_independent() -> None:
    found = luck_of(RECORD, TRIES)
    assert found == Luck(psr(*RECORD), dsr(*RECORD, 1e-4, 243), dsr(*RECORD, 1e-4, 12.0))
    assert found.alone > found.after_effective > found.after_all


def test_moments_are_per_session_biased_and_over_the_bill() -> None:
    returns = np.random.default_rng(0).normal(0.0004, 0.01, 400)
    found = moments(returns, 0.0001)
    excess = returns - 0.0001
    centred = excess - excess.mean()
    assert found.ratio == pytest.approx(excess.mean() / excess.std(ddof=1), rel=1e-12)
    assert found.g3 == pytest.approx(np.mean(centred**3) / np.mean(centred**2) ** 1.5, rel=1e-9)
    assert found.g4 == pytest.approx(np.mean(centred**4) / np.mean(centred**2) ** 2, rel=1e-9)
    assert found.n == 400
    assert m.probabilistic_sharpe(returns, 0.0001) == psr(*found)


def test_short_records_count_but_do_not_make_the_scatter() -> None:
    ratios = np.array([0.04, 0.06, 0.9, -0.9, math.nan, 0.05])
    found = tries_of(ratios, lengths(2000, 1000, 999, 20, 2000, 1500), None)
    assert (found.counted, found.measured) == (6, 3)  # a year among eight, twenty sessions and an idle one are left out
    assert found.variance == pytest.approx(np.var([0.04, 0.06, 0.05], ddof=1), rel=1e-12)
    assert math.isnan(found.effective)


def test_tries_that_are_all_the_same_deflate_nothing() -> None:
    found = tries_of(np.full(5, 0.05), lengths(*[500] * 5), None)
    assert not found.deflates
    assert [math.isnan(value) for value in (luck_of(RECORD, found).after_all, found.variance)] == [True, True]


def test_what_the_tries_are_worth_comes_from_their_returns() -> None:
    rng = np.random.default_rng(1)
    returns = np.repeat(rng.normal(size=(500, 4)), 5, axis=1) + 0.3 * rng.normal(size=(500, 20))
    worth = effective_trials(returns)
    found = tries_of(np.linspace(0.0, 0.1, 20), lengths(*[500] * 20), worth)
    assert (found.effective, found.clustered) == (4.0, True)


ONLY = "{0} had it been the only try; {1} after"
ALONE = "{0} by itself;"
SHORT = "fewer than two are long enough to compare"
NOTHING = "there is nothing to deflate by."


@pytest.mark.parametrize(
    ("tries", "said"),
    [
        (TRIES, f"{ONLY} 243 {OF}, which form 12 groups: {{2}} after so many."),
        (
            Tries(243, 2.84, False, 1e-4, 243),
            f"{ONLY} 243 {OF}, worth about 2.8 independent ones: {{2}} after so many.",
        ),
        (Tries(243, 242.9, False, 1e-4, 243), f"{ONLY} 243 {OF}."),
        (Tries(1243, math.nan, False, 1e-4, 1243), f"{ONLY} 1,243 {OF}."),
        (Tries(1, 1.0, False, math.nan, 1), f"{ALONE} there are no other {OF} to deflate by."),
        (Tries(9, 1.0, False, math.nan, 9), f"{ALONE} of the 9 {OF} all have the same Sharpe: {NOTHING}"),
        (
            Tries(9, 9.0, False, math.nan, 1),
            f"{ALONE} of the 9 {OF} {SHORT}: {NOTHING}",
        ),
        (None, f"{ALONE} how many were tried is not known: the trial ledger is off."),
    ],
    ids=["groups", "correlated", "independent", "unknown worth", "one", "all the same", "short", "off"],
)
def test_the_sentence_says_what_is_known_and_no_number_else(tries: Tries | None, said: str) -> None:
    luck = luck_of(RECORD, tries)
    shares = [share_text(value) for value in (luck.alone, luck.after_all, luck.after_effective) if math.isfinite(value)]
    start = "Probability that the true Sharpe is above zero: "
    assert luck_text("the true Sharpe", luck, tries, OF) == start + said.format(*shares)


def test_of_a_record_that_says_nothing_nothing_is_said() -> None:
    nothing = luck_of(moments(np.zeros(50)), TRIES)
    assert luck_text("the true Sharpe", nothing, TRIES, OF) == (
        "Nothing can be said of the true Sharpe: its record is too short, or does not move."
    )
    assert brief_text("Over bills", nothing) == ""


def test_a_second_ratio_is_told_in_brief() -> None:
    assert brief_text("Over bills", Luck(0.91, 0.4, 0.7)) == (
        "Over bills: 91% by itself, 40% after all, 70% after those that differ."
    )
    assert brief_text("Over bills", Luck(0.91, math.nan, math.nan)) == "Over bills: 91% by itself."


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0%"), (1e-9, "less than 1%"), (0.614, "61%"), (0.9999, "more than 99%"), (1.0, "100%")]
)
def test_a_share_is_never_none_or_all_unless_it_is(share: float, text: str) -> None:
    assert share_text(share) == text


def test_facts_are_plain_and_per_year() -> None:
    facts = plain(luck_facts(luck_of(RECORD, TRIES), TRIES))
    assert (facts["tries"], facts["effective_tries"], facts["effective_by"]) == (243, 12.0, "clusters")
    assert facts["sharpe_variance_ann"] == pytest.approx(0.0252)
    assert plain(luck_facts(luck_of(RECORD, None), TRIES))["deflated_sharpe"] is None
