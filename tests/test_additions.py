"""A column of orders and a component of the costs, added to a copy of the tree by their few files, are everywhere."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]

# file -> (text that is there, text that takes its place)
Edits = dict[str, list[tuple[str, str]]]

COLUMN: Edits = {
    "engine/kernels/account/order.py": [
        (
            '    target: Annotated[Floats, Column("weight',
            '    worth: Annotated[Floats, Column("signed dollars")]\n    target: Annotated[Floats, Column("weight',
        ),
        ("    orders.target[at] = target\n", "    orders.target[at] = target\n    orders.worth[at] = qty * price\n"),
    ],
}
COMPONENT: Edits = {
    "engine/kernels/cost.py": [
        ('Cost("impact", "impact"))', 'Cost("impact", "impact"), Cost("duty", "duty"))'),
        ('RATES: Final = ("flat_rate",', 'RATES: Final = ("duty", "flat_rate",'),
        (
            "        impact_cost(notional, shares, sigma, adv, rules[IMPACT_Y]),\n",
            (
                "        impact_cost(notional, shares, sigma, adv, rules[IMPACT_Y]),\n"
                '        notional * rules[RATES.index("duty")],\n'
            ),
        ),
    ],
    "engine/config/schema.py": [
        (
            "    commission_per_share: float",
            "    duty_bps: float = Field(0.0, ge=0)  # per dollar traded\n    commission_per_share: float",
        )
    ],
    "engine/execution/terms.py": [
        ("    flat_rate: float = 0.0\n", "    flat_rate: float = 0.0\n    duty: float = 0.0\n"),
        ("        flat_rate=", "        duty=costs.duty_bps * 1e-4,\n        flat_rate="),
    ],
}

RUN = """
import json
import numpy as np
from support.panels import make_panel
from support.scripted import Scripted, plain_config
from support.twins import both
from plimsoll.engine.config.schema import load_config
from plimsoll.engine.report.metrics.labels import COST_TITLES
from plimsoll.engine.report.result import result_of
from plimsoll.engine.research.proof.trail import recorded, trail_of
from plimsoll.engine.research.sweep.evaluate import outcome_of
from plimsoll.engine.runtime.assemble import build
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.runtime.collect import collect
from plimsoll.engine.runtime.compiled.brief import run_brief
from plimsoll.engine.sleeve.signals import signal_of

panel = make_panel(np.full((12, 2), 100.0), symbols=("A", "B"))
answers = {3: {"A": 0.5, "B": 0.2}, 6: {"A": 0.1, "B": 0.7}}
costs = json.loads(%r)
config = load_config(plain_config(run={"start": str(panel.clock.session[2])}, costs=costs))
both(config, panel, {"s": Scripted(panel.symbols, answers)}, pages=True)
setup = build(config, panel, {"s": recorded(Scripted(panel.symbols, answers))})
track = run_loop(setup)
result = result_of(collect(setup, track))
trail = trail_of(setup, track)
short = build(config, panel, {"s": Scripted(panel.symbols, answers)})
brief = run_brief(short, [signal_of(sleeve, short.system.cursor, panel.n_bars) for sleeve in short.system.sleeves])
orders = result.orders
print(json.dumps({
    "orders": {name: orders[name].tolist() for name in orders.columns if name != "session"},
    "trail": {name: rows.columns for name, rows in trail.rows.items() if name in ("order", "fill", "account")},
    "batch": track.decisions[0].plan.orders.rows._fields,
    "equity": {name: float(result.equity[name].sum()) for name in result.equity.columns},
    "fills": {name: float(result.fills[name].sum()) for name in result.fills.columns if name not in
              ("session", "symbol", "order_id")},
    "titles": COST_TITLES, "metrics": result.metrics["costs"], "conventions": result.metrics["conventions"]["costs"],
    "unexplained": result.metrics["pnl"]["unexplained"],
    "sweep": [outcome_of(setup, track, None, None).costs, brief.costs],
}))
"""


def told_with(edits: Edits, folder: Path, **costs: Any) -> dict[str, Any]:
    """Run both loops of a copy of the tree with edits made, interpreted; return what they left."""
    for name in ("engine", "strategies", "brokers", "src"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name, changes in edits.items():
        text = (folder / name).read_text()
        for there, then in changes:
            assert text.count(there) == 1, f"{name}: {there!r}"
            text = text.replace(there, then)
        (folder / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN % json.dumps(costs)],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": f"{folder / 'src'}{os.pathsep}{ROOT / 'tests'}", "NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_column_of_orders_is_added_by_one_file(tmp_path: Path) -> None:
    assert len(COLUMN) == 1
    told = told_with(COLUMN, tmp_path)
    assert told["orders"]["worth"] == pytest.approx([50_000.0, 20_000.0, -40_000.0, 50_000.0], abs=1e-6)
    assert list(told["orders"]).index("worth") == list(told["orders"]).index("price") + 1
    assert told["trail"]["order"] == told["batch"]
    assert "worth" in told["batch"]


def test_a_component_of_the_costs_is_added_by_three_files(tmp_path: Path) -> None:
    assert len(COMPONENT) == 3
    told = told_with(COMPONENT, tmp_path, preset="flat", flat_bps=10.0, duty_bps=20.0)
    duty = told["equity"]["duty"]
    assert duty == pytest.approx(2.0 * told["equity"]["commission"], rel=1e-12)
    assert duty == pytest.approx(0.002 * told["equity"]["traded"], rel=1e-12)
    assert told["equity"]["costs"] == pytest.approx(1.5 * duty, rel=1e-12)
    assert told["fills"]["duty"] == pytest.approx(duty, rel=1e-12)
    assert told["metrics"]["duty"] == pytest.approx(duty, rel=1e-12)
    assert told["metrics"]["total"] == pytest.approx(1.5 * duty, rel=1e-12)
    assert told["titles"]["duty"] == "Duty"
    assert told["conventions"].startswith("commission, spread, impact, duty and fees;")
    assert told["unexplained"] == pytest.approx(0.0, abs=1e-6)  # cash paid it
    assert "duty" in told["trail"]["fill"]
    assert "duty" in told["trail"]["account"]
    assert told["metrics"]["drag_bps_per_year"] is None  # of ten sessions there is no figure a year
    assert told["sweep"][0] == pytest.approx(told["sweep"][1], rel=1e-9)
    assert told["sweep"][0] > 0.0
