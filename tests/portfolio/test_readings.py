"""Which reading of the requirement is in force: each stage's own key first, then one word for all of them."""

from typing import Any

import pytest
from support.book_run import Steady, build_book, settings_of, walk_panel

PANEL = walk_panel(0, ("AAA", "SQQQ", "TQQQ"), (0.1, 0.2, 0.2), 150)

# stage, key, the ruled word, the letter's, whether the letter is in force as the kernels are told
KEYS: tuple[tuple[str, str, Any, Any, Any], ...] = (
    ("regime", "correlation", "positive", "signed", lambda s: s.watch.regime.signed),
    ("regime", "confidence", "label", "signal", lambda s: s.watch.regime.by_signal),
    ("regime", "dwell", "better", "every", lambda s: s.watch.regime.all_dwell),
    ("turnover", "lift", "falling", "below_one", lambda s: s.rules.turnover.below_one),
    ("turnover", "net_excess", "any", "band", lambda s: not s.rules.turnover.any_net),
    ("caps", "look_through", True, False, lambda s: s.rules.groups.per_cluster.max() == 1.0),
)


def read(**integrator: Any) -> dict[str, bool]:
    """Which keys are read to the letter."""
    stages = {"preset": "book", **integrator}
    told = settings_of(build_book(PANEL, {"s": Steady({"AAA": 0.5, "SQQQ": 0.1, "TQQQ": 0.4})}, integrator=stages))
    return {key: bool(is_letter(told)) for _, key, _, _, is_letter in KEYS}


@pytest.mark.parametrize(
    ("integrator", "letter"),
    [
        ({}, False),
        ({"readings": "ruled"}, False),
        ({"readings": "literal"}, True),
        ({"normalize": {"mode": "unit_gross"}}, True),
        ({"normalize": {"mode": "unit_gross"}, "readings": "ruled"}, False),
    ],
    ids=["nothing said", "ruled", "literal", "its own normalisation", "ruled beside it"],
)
def test_one_word_reads_every_stage_where_a_stage_says_nothing(integrator: dict[str, Any], letter: bool) -> None:
    assert set(read(**integrator).values()) == {letter}


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key[0]}.{key[1]}")
@pytest.mark.parametrize("whole", ["ruled", "literal"])
def test_a_stages_own_word_goes_first_and_moves_nothing_else(key: tuple[Any, ...], whole: str) -> None:
    stage, name, ruled, letter, _ = key
    others = whole == "literal"
    for word, expected in ((ruled, False), (letter, True)):
        found = read(readings=whole, **{stage: {name: word}})
        assert found == {k: expected if k == name else others for k in found}


def test_a_cap_looks_through_with_the_size_of_a_funds_leverage_and_the_accounts_own_word_for_it() -> None:
    sleeves = {"s": Steady({"AAA": 0.5, "SQQQ": 0.1, "TQQQ": 0.4})}
    setup = build_book(PANEL, sleeves, account={"leverage": {"AAA": -2.0}})
    told, at = settings_of(setup).rules.groups, [setup.panel.column(s) for s in ("AAA", "SQQQ", "TQQQ")]
    assert told.per_cluster[at].tolist() == [2.0, 3.0, 3.0]
    assert (told.per_name == 1.0).all()
    named = settings_of(build_book(PANEL, sleeves, integrator={"caps": {"look_through_names": True}})).rules.groups
    assert named.per_name[at].tolist() == [1.0, 3.0, 3.0]
