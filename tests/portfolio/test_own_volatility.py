"""Stage 0 without scaling: equal shares are then equal in dollars."""

import numpy as np
import pytest
from support.book_run import UNBOUND, UNGOVERNED, Steady, run_book, walk_panel

PANEL = walk_panel(3, ("AAA", "BBB"), (0.05, 0.30), 160)
SLEEVES = {"calm": Steady({"AAA": 0.8}), "wild": Steady({"BBB": 1.0})}
EQUAL = {"method": "equal", "cap": 1.0, "skill_kappa": 0.0, "smoothing": 0.0, "apply_threshold": 0.0}
STAGES = {"preset": "book", **UNBOUND, **UNGOVERNED}


def allocated(scaling: str | None) -> np.ndarray:
    """Return (decisions, 2) the weights of the two sleeves after stage 1, equal shares."""
    normalize = {} if scaling is None else {"scaling": scaling}
    integrator = {**STAGES, "normalize": normalize, "allocate": EQUAL}
    book = run_book(PANEL, SLEEVES, first=80, integrator=integrator)
    at = book.setup.system.integrator.stages.index("s1_allocate")
    columns = [book.column(symbol) for symbol in ("AAA", "BBB")]
    return np.array([decision.target.trace[columns, at] for decision in book.decisions])


def test_without_scaling_each_sleeve_brings_its_own_weights_to_its_share() -> None:
    np.testing.assert_allclose(allocated("none"), np.broadcast_to([0.4, 0.5], (81, 2)), rtol=1e-12)


def test_with_scaling_the_calm_one_is_levered_to_the_same_risk() -> None:
    weights = allocated(None)
    assert weights.tobytes() == allocated("sleeve_vol").tobytes()
    ratio = weights[:, 0] / weights[:, 1]
    assert np.median(ratio) == pytest.approx(0.8 * 0.30 / 0.05, rel=0.3)


def test_a_sleeve_without_history_still_waits() -> None:
    integrator = {
        **STAGES,
        "normalize": {"scaling": "none", "min_obs": 40},
        "allocate": EQUAL,
    }
    book = run_book(PANEL, SLEEVES, first=30, integrator=integrator)
    held = [bool(decision.target.trace[:, 1].any()) for decision in book.decisions]
    assert (held[:11], held[12:]) == ([False] * 11, [True] * (len(held) - 12))
