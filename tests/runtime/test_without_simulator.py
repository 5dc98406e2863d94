"""The core stands without a simulator."""

import json
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def test_a_system_is_built_stepped_and_asked_for_orders_without_the_simulator_being_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "support.without_simulator"], cwd=TESTS, capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert told["simulator"] == []
    # 60% of 250,000 at 100 dollars, 40% at 50
    assert told["orders"]["direct"] == {"S000": 1500.0, "S001": 2000.0}
    assert set(told["orders"]["book"]) == set(told["orders"]["legacy"]) == {"S000", "S001"}
