"""Every threshold of the gate, both ways."""

import copy
from typing import Any

import pytest

from plimsoll.engine.config.validate import GateSection
from plimsoll.engine.research.validate.gate import checks_of, luck_needed, reasons

EVIDENCE: dict[str, Any] = {
    "judged": "rolling",
    "synthetic": False,
    "over": "",
    "walks": {
        "rolling": {"walk": "rolling", "sessions": 2520, "stitched": {"sharpe_excess": 0.8, "max_drawdown": -0.1}}
    },
    "luck": {
        "dsr": 0.97, "psr": 0.99, "of": "tries", "tries": 50, "effective_tries": 8.0, "lucky_sharpe": 0.3,
        "sharpe_excess": 0.9,
    },
    "pbo": {
        "pbo": 0.2, "why": "", "columns": 40, "splits": 12870,
        "null": {"mean": 0.5, "sd": 0.15, "matrices": 30, "at_or_below": 0.03},
    },
    "sensitivity": {"worst": 0.1, "verdict": "flat", "failed": 0, "rows": [{}, {}]},
    "capacity": {"capacity_usd": 5e6},
}  # fmt: skip
GATE = GateSection(
    min_sharpe=0.5, min_dsr=0.95, max_pbo=0.5, max_drawdown=0.15, max_sensitivity=0.25, min_capacity_usd=1e6
)


def failed(*changes: tuple[str, Any], gate: GateSection = GATE) -> list[str]:
    """Return the names of the thresholds that are missed with parts of the evidence changed."""
    evidence = copy.deepcopy(EVIDENCE)
    for path, value in changes:
        *way, last = path.split(".")
        at = evidence
        for part in way:
            at = at[part]
        at[last] = value
    return [one.name for one in checks_of(evidence, gate) if not one.ok]


def test_all_of_them_hold_and_there_is_no_reason() -> None:
    assert failed() == []
    assert reasons(checks_of(EVIDENCE, GATE)) == []


SHARPE, FELL = "walks.rolling.stitched.sharpe_excess", "walks.rolling.stitched.max_drawdown"


@pytest.mark.parametrize(
    ("name", "path", "holds", "misses"),
    [
        ("sharpe", SHARPE, 0.5, 0.4999),
        ("dsr", "luck.dsr", 0.95, 0.9499),
        ("pbo", "pbo.pbo", 0.4999, 0.5),  # less than a half is required, a half is what noise gives
        ("drawdown", FELL, -0.15, -0.1501),
        ("sensitivity", "sensitivity.worst", 0.25, 0.2501),
        ("capacity", "capacity.capacity_usd", 1e6, 999_999.0),
        ("data", "synthetic", False, True),
    ],
)
def test_a_threshold_holds_on_one_side_and_not_on_the_other(name: str, path: str, holds: Any, misses: Any) -> None:
    assert failed((path, holds)) == []
    assert failed((path, misses)) == [name]


@pytest.mark.parametrize(
    ("name", "path"),
    [("sharpe", SHARPE), ("dsr", "luck.dsr"), ("pbo", "pbo.pbo"), ("drawdown", FELL),
     ("sensitivity", "sensitivity.worst"), ("capacity", "capacity.capacity_usd")],
)  # fmt: skip
def test_what_could_not_be_measured_passes_nothing(name: str, path: str) -> None:
    assert failed((path, None)) == [name]


def test_a_threshold_of_nothing_asks_for_nothing() -> None:
    easy = GateSection(min_sharpe=0, min_dsr=0, max_pbo=1, max_drawdown=1, max_sensitivity=10, min_capacity_usd=0)
    low = ((SHARPE, -3.0), ("luck.dsr", None), ("pbo.pbo", 0.99), (FELL, -0.9), ("capacity.capacity_usd", None))
    assert failed(*low, gate=easy) == []


def test_perturbations_that_fail_or_were_not_made_are_not_flat() -> None:
    assert failed(("sensitivity.failed", 1)) == ["sensitivity"]
    assert failed(("sensitivity.verdict", "not measured")) == ["sensitivity"]


def test_the_reasons_name_what_was_found_and_what_was_asked() -> None:
    evidence = copy.deepcopy(EVIDENCE)
    evidence["pbo"]["pbo"], evidence["synthetic"] = 0.62, True
    assert reasons(checks_of(evidence, GATE)) == [
        "probability of overfitting 62.00%, asked at most 50.00%",
        "generated prices prove nothing",
    ]


def test_the_words_say_what_luck_would_have_to_do() -> None:
    said = " ".join(luck_needed(EVIDENCE))
    assert "best of 8 independent out of 50 tries without any skill would show a Sharpe ratio of 0.30" in said
    assert "has a probability of 3.00%" in said
    assert "In 20.00% of 12,870 ways" in said
    nothing = copy.deepcopy(EVIDENCE)
    nothing["luck"] |= {"dsr": None, "psr": None, "lucky_sharpe": None}
    nothing["pbo"]["pbo"] = None
    nothing["walks"]["rolling"]["stitched"]["max_drawdown"] = None
    assert luck_needed(nothing) == []
