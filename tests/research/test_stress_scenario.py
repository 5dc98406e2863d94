"""Scenarios: the published figures to their last digit, and files of one's own with one clear line per mistake."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.research.stress.classes import CLASSES, class_of
from plimsoll.engine.research.stress.moves import Moves
from plimsoll.engine.research.stress.scenario import IndicatorMove, built_in, read_scenarios

BY_NAME = {scenario.name: scenario for scenario in built_in()}
# name, symbol, published move: ALGORITHMS' own table and the shock of 1987
PUBLISHED = [
    ("gfc_lehman_phase", "SPY", -0.398), ("gfc_lehman_phase", "USO", -0.515), ("gfc_full", "TLT", 0.251),
    ("silver_2011", "SLV", -0.295), ("debt_ceiling_2011", "TQQQ", -0.401), ("volmageddon_2018", "QQQ", -0.086),
    ("covid_2020", "TQQQ", -0.698), ("covid_2020", "TAIL", 0.284), ("negative_wti_2020", "USO", -0.494),
    ("energy_spike_2022", "DBC", 0.183), ("inflation_2022_ytd_low", "PFIX", 0.833), ("tariff_2025", "SVOL", -0.247),
    ("metals_flush_2026", "SLV", -0.285), ("metals_flush_2026", "GLD", -0.103),
    ("black_monday_1987", "SPY", -0.205), ("black_monday_1987", "IWM", -0.12), ("black_monday_1987", "TQQQ", -0.615),
    ("black_monday_1987", "IEF", 0.05), ("black_monday_1987", "TLT", 0.08), ("black_monday_1987", "GLD", 0.02),
]  # fmt: skip


@pytest.mark.parametrize(("name", "symbol", "move"), PUBLISHED, ids=str)
def test_a_published_move_is_the_shock_of_its_fund(name: str, symbol: str, move: float) -> None:
    assert Moves(BY_NAME[name], {}).shock(symbol) == pytest.approx(move, abs=5.1e-4)


def test_every_measured_return_is_the_golden_one_to_its_last_digit(golden: Callable[[str], dict[str, Any]]) -> None:
    found = golden("scenarios")["scenarios"]
    assert set(found) <= set(BY_NAME)
    for name, expected in found.items():
        ours, theirs = BY_NAME[name], dict(expected["returns"])
        levels = [theirs.pop(key) for key in ("VIX_from", "VIX_max_close", "VIX_to")]
        del theirs["_SPY_worst_day"]
        assert ours.returns == theirs
        assert (ours.start, ours.end) == tuple(date.fromisoformat(expected[key]) for key in ("from", "to"))
        vix = ours.indicators["VIX"]
        assert isinstance(vix, IndicatorMove)
        assert [vix.start, vix.peak, vix.end] == levels
        assert ours.measured


def test_sessions_are_those_of_the_exchange() -> None:
    # a session, four, and five, counted on a calendar; 23 from 2020-02-19 to 03-23 with no holiday between
    counted = {
        "black_monday_1987": 1,
        "tariff_2025": 4,
        "volmageddon_2018": 5,
        "covid_2020": 23,
        "metals_flush_2026": 1,
    }
    assert {name: BY_NAME[name].n for name in counted} == counted


def test_a_file_holds_one_scenario_or_several(tmp_path: Path) -> None:
    one = tmp_path / "one.toml"
    one.write_text('name = "a"\n[returns]\nSPY = -0.2\n[indicators]\nVIX = [60.0]\n')
    (found,) = read_scenarios(one)
    assert (found.name, found.n, found.returns) == ("a", 1, {"SPY": -0.2})
    two = tmp_path / "two.toml"
    two.write_text(
        '[[scenario]]\nname = "a"\nsessions = 5\nclasses = {us_equity = -0.2}\n'
        '[[scenario]]\nname = "b"\n[scenario.paths]\nSPY = [-0.1, 0.05]\n'
    )
    assert [(scenario.name, scenario.n) for scenario in read_scenarios(two)] == [("a", 5), ("b", 2)]


WRONG = {
    "no name": ("[returns]\nSPY = -0.2", "'name' is missing"),
    "a path for a name": ('name = "../../etc/passwd"\n[returns]\nSPY = -0.2', "name: "),
    "a name of markup": ('name = "<script>"\n[returns]\nSPY = -0.2', "name: "),
    "control characters": ('name = "a"\ntitle = "\\u001b[31mred"\n[returns]\nSPY = -0.2', "printable"),
    "a symbol of markup": ('name = "a"\n[returns]\n"<b>" = -0.2', "returns"),
    "nothing moves": ('name = "a"', "nothing moves"),
    "per cent": ('name = "a"\n[returns]\nSPY = -20', "greater than or equal to -1"),
    "a gain in per cent": ('name = "a"\n[returns]\nSPY = 20', "less than or equal to 10"),
    "not finite": ('name = "a"\n[returns]\nSPY = nan', "returns.SPY"),
    "a text": ('name = "a"\n[returns]\nSPY = "-0.2"', "returns.SPY"),
    "unknown class": ('name = "a"\n[classes]\nus_equties = -0.2', "did you mean 'us_equity'?"),
    "unknown key": ('name = "a"\nreturn = 1\n[returns]\nSPY = -0.2', "did you mean 'returns'?"),
    "two lengths": ('name = "a"\n[paths]\nSPY = [-0.1, -0.1]\nTLT = [0.1]', "they must be the same"),
    "an empty path": ('name = "a"\n[paths]\nSPY = []', "it has 0 sessions"),
    "both ways": ('name = "a"\nreturns = {SPY = -0.1}\npaths = {SPY = [-0.1]}', "both 'returns' and 'paths'"),
    "start alone": ('name = "a"\nstart = 2020-02-19', "go together"),
    "backwards": ('name = "a"\nstart = 2020-03-23\nend = 2020-02-19', "not after start"),
    "a Sunday": ('name = "a"\nstart = 2020-02-16\nend = 2020-02-19', "no session"),
    "before the calendar": ('name = "a"\nstart = 1929-10-25\nend = 1929-10-28', "1929"),
    "measured nowhere": ('name = "a"\nmeasured = true\n[returns]\nSPY = -0.1', "'measured' needs"),
    "a level of nothing": ('name = "a"\nreturns = {SPY = -0.1}\nindicators = {VIX = [0.0]}', "indicators"),
    "too long": ('name = "a"\nsessions = 100000\nreturns = {SPY = -0.1}', "sessions"),
    "beside others": ('name = "a"\n[[scenario]]\nname = "b"', "stands beside other keys"),
    "no table": ("scenario = [1]", "a table of keys"),
    "none": ("scenario = []", "no scenario"),
    "two of a name": ('[[scenario]]\nname = "a"\nreturns = {SPY = -0.1}\n' * 2, "two scenarios are called 'a'"),
    "no TOML": ("name = ", "not valid TOML"),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_told_in_one_line_that_names_the_file(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_scenarios(path)
    line = str(caught.value)
    assert said in line
    assert "own.toml" in line
    assert "\n" not in line
    assert "\x1b" not in line


def test_every_class_leads_to_another_or_nowhere_and_never_round() -> None:
    for one in CLASSES.values():
        seen, at = {one.name}, one
        while at.parent:
            at = CLASSES[at.parent]
            assert at.name not in seen
            seen.add(at.name)


def test_ones_own_class_goes_first_and_must_be_one() -> None:
    assert class_of("SPY", {"SPY": "gold"}) == "gold"
    assert class_of("TQQQ", {}) == "nasdaq"
    assert class_of("NVDA", {}) == ""
    with pytest.raises(ConfigError, match="did you mean 'gold'"):
        class_of("SPY", {"SPY": "golde"})
