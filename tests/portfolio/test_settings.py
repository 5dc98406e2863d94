"""Names lead from a configuration to the kernels and back: parameters, bits and figures are never told by place."""

from typing import NamedTuple

import numpy as np
import pytest

from plimsoll.engine.config.stages import CapsSection, GovernorSection, RegimeSection, TurnoverSection
from plimsoll.engine.portfolio import book_facts, book_memory
from plimsoll.engine.portfolio.settings import by_name
from plimsoll.engine.portfolio.stages import s4_caps, s5_governor


class Two(NamedTuple):
    gross: float
    at: int


def test_a_field_is_what_is_given_or_else_what_the_section_calls_so() -> None:
    assert by_name(Two, CapsSection(gross=3), at=4) == Two(gross=3.0, at=4)
    assert by_name(Two, CapsSection(gross=3.0), at=4, gross=1) == Two(gross=1.0, at=4)
    assert type(by_name(Two, CapsSection(gross=3.0), at=4, gross=1).gross) is float  # a kernel meets one type


def test_a_field_that_is_nowhere_and_a_value_for_no_field_are_errors() -> None:
    with pytest.raises(AttributeError, match="gross"):
        by_name(Two, RegimeSection(), at=1)
    with pytest.raises(TypeError, match="near"):
        by_name(Two, CapsSection(), at=1, near=2)


def test_every_cap_is_taken_from_the_configuration_by_its_name() -> None:
    section = CapsSection(name=0.11, cluster=0.22, gross=1.33, net=0.44)
    found = by_name(s4_caps.Params, section)
    assert {name: getattr(section, name) for name in found._fields} == found._asdict()


def test_no_threshold_of_the_governor_changes_places() -> None:
    section = GovernorSection(
        d0=0.01,
        d_hard=0.02,
        m_min=0.03,
        flat=0.9,
        day_loss=0.05,
        warn=0.06,
        throttle=0.07,
        throttle_to=0.08,
        no_new=0.09,
    )
    found = by_name(s5_governor.Params, section, product=True)
    assert (found.d0, found.d_hard, found.m_min, found.flat) == (0.01, 0.02, 0.03, 0.9)
    assert (found.day_loss, found.warn, found.throttle, found.throttle_to, found.no_new) == (
        0.05, 0.06, 0.07, 0.08, 0.09,
    )  # fmt: skip
    assert found.product is True


def test_the_band_and_the_target_live_with_their_stages() -> None:
    assert TurnoverSection().band is None
    assert "neutral" not in RegimeSection.model_fields


def test_each_bound_has_a_bit_of_its_own_and_only_caps_are_told_as_caps() -> None:
    bits = [getattr(s4_caps, f"BOUND_{name.upper()}") for name in s4_caps.BINDING]
    assert bits == [1, 2, 4, 8, 16, 32, 64, 128]  # written into run folders: they do not move
    assert s4_caps.names_of(sum(bits)) == ["name", "cluster", "gross", "net", "restricted", "hedge"]
    assert s4_caps.names_of(s4_caps.BOUND_NET | s4_caps.BOUND_MARGIN) == ["net"]


def test_each_figure_of_a_decision_stands_under_its_name() -> None:
    memory = book_memory.init(2, 3, 0.10)
    memory.s1.hrp[:], memory.s1.erc[:], memory.skill[:] = (101.0, 102.0), (103.0, 104.0), (105.0, 106.0)
    memory.s1.applied[:] = (109.0, 110.0)
    names = book_facts.names_of(("a", "b"))
    row = np.full(len(names), np.nan)
    book_facts.of_sleeves(row, book_facts.SHARE, 2)[:] = (107.0, 108.0)
    given = {name: float(k) for k, name in enumerate(book_facts.Facts._fields)}
    book_facts.write_facts(book_facts.Facts(**given), memory, row)
    assert dict(zip(names, row.tolist(), strict=True)) == given | {
        "share.a": 107.0, "share.b": 108.0, "hrp.a": 101.0, "hrp.b": 102.0, "erc.a": 103.0, "erc.b": 104.0,
        "skill.a": 105.0, "skill.b": 106.0, "slot.a": 109.0, "slot.b": 110.0,
    }  # fmt: skip
