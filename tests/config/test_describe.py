"""`plimsoll config`: every key, as the models have it."""

import re
from typing import Any

import pytest

from plimsoll import ConfigError, describe_config, load_config
from plimsoll.engine.config.describe import config_keys, find_keys

BASE: dict[str, Any] = {"sleeve": [{"name": "s", "strategy": "equal_weight"}]}


def test_every_key_has_a_meaning_and_is_listed_once() -> None:
    keys = config_keys()
    assert len({one.key for one in keys}) == len(keys) > 150
    assert [one.key for one in keys if not one.meaning.endswith(".") or len(one.meaning) < 10] == []
    assert [one.key for one in keys if one.type == "any value"] == ["sleeve[].params"] or all(one.type for one in keys)


def test_every_value_of_a_configuration_is_a_listed_key_with_its_default() -> None:
    """A configuration of defaults, written out, holds no key that is not listed, and the values that are."""
    listed = {one.key: one.default for one in config_keys()}
    plain = load_config(BASE).plain()
    seen = 0
    for section in ("run", "costs", "account", "execution", "financing"):
        for name, value in plain[section].items():
            seen += 1
            shown = listed[f"{section}.{name}"]
            if isinstance(value, bool | str):
                assert shown == (str(value).lower() if isinstance(value, bool) else value)
            elif isinstance(value, int | float):
                assert float(shown.replace(",", "")) == value
    assert seen > 20


@pytest.mark.parametrize(
    ("key", "default", "unit", "kind"),
    [
        ("costs.flat_bps", "5", "bps", "number, >= 0"),
        ("run.cash", "100,000", "USD", "number, > 0"),
        ("sleeve[].status", "promoted", "", "promoted | incubating | quarantined"),
        ("integrator.governor.cooloff_sessions", "20", "sessions", "whole number, >= 0"),
        ("sleeve[].strategy", "(required)", "", "text"),
        ("live.max_spread_bps", "50", "bps", "number, > 0"),
        ("validate.test_sessions", "252", "sessions", "whole number, >= 1"),
    ],
)
def test_a_key_is_told_by_hand(key: str, default: str, unit: str, kind: str) -> None:
    (found,) = describe_config(key)
    assert (found.key, found.default, found.unit, found.type) == (key, default, unit, kind)


def test_sections_and_places_are_found() -> None:
    assert {one.key.split(".")[0] for one in find_keys("costs")} == {"costs"}
    assert (
        find_keys("sleeve.0.max_scale")
        == find_keys("sleeve.max_scale")
        == find_keys("sleeve[].max_scale".replace("[]", ""))
    )
    assert [one.key for one in find_keys("day_turnover")] == ["live.caps.day_turnover"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("cost", r"did you mean 'costs'\?"),
        ("costs.flat_bp", r"did you mean 'costs.flat_bps'\?"),
        ("sleeve.params.lookback", "plimsoll strategies NAME"),
        ("zzzzzz", "`plimsoll config` lists all"),
    ],
)
def test_a_key_that_is_none_is_answered(wrong: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said if "`" not in said else re.escape(said)):
        describe_config(wrong)
