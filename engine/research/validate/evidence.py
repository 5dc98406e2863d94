"""Everything a validation found, in plain values: what the gate judges, and what page and JSON show."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

import numpy as np

from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.table import plain
from plimsoll.engine.report.sweep.plateau import best_plateau, plateau, plateaus
from plimsoll.engine.report.sweep.table import read_sweep
from plimsoll.engine.research.sweep.block import BlockRows
from plimsoll.engine.research.sweep.grid import plain_value
from plimsoll.engine.research.validate.capacity import capacity_block
from plimsoll.engine.research.validate.cross_validation import cpcv_block
from plimsoll.engine.research.validate.forward import forward_block, path_figures
from plimsoll.engine.research.validate.luck import luck_block, pbo_block, tries_of_validation
from plimsoll.engine.research.validate.path import Path
from plimsoll.engine.research.validate.rungs import rungs_block
from plimsoll.engine.research.validate.runs import Paths, Ran
from plimsoll.engine.research.validate.sensitivity import sensitivity_block
from plimsoll.engine.research.validate.trials import ValidationPlan
from plimsoll.engine.research.validate.uplift import uplift_block
from plimsoll.engine.research.validate.walk import Walked, choices, walked
from plimsoll.engine.research.validate.windows import WALKS, Walk, windows_of
from plimsoll.engine.types import Dates, Floats


@dataclass(frozen=True, slots=True)
class Beside:
    """What does not come from the runs: what their trials are counted under, where, as `open_ledger` takes it, and the
    stress test in plain values, `why` there is none among them."""

    family: str
    ledger: tuple[str | File | None, Mapping[str, str]]
    stress: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What was found. block : plain values, None where not defined; days, walks, configured : what the page draws."""

    block: dict[str, Any]
    days: Dates
    walks: Mapping[Walk, Walked]
    configured: Path


def evidence_of(plan: ValidationPlan, ran: Ran, former: BlockRows | None, paths: Paths, beside: Beside) -> Evidence:
    """Return what the runs of a validation show.

    Raises
    ------
    DataError
        If the history is too short for one window.
    """
    configured = paths.of(plan.configured)
    bill, n = configured.bill, len(ran.sessions)
    matrix = ran.matrix[:, list(plan.family)]
    walks: dict[Walk, Walked] = {}
    for kind in WALKS:
        windows = windows_of(n, plan.section, kind)
        chosen = choices(windows, matrix, bill)
        walks[kind] = walked(kind, windows, chosen, matrix, bill, lambda at: paths.of(plan.family[at]))
    judged = walks[plan.section.window]
    held = slice(judged.first, judged.last)
    tries, of = tries_of_validation(ran.matrix, bill, beside.family, *beside.ledger)
    ratios = np.array([ran.figure("sharpe_excess", number) for number in plan.perturbed_at])
    base = m.sharpe(configured.returns, bill)
    promoted = [one.name for one in plan.config.sleeve if one.status == "promoted"]
    block = {
        "judged": plan.section.window,
        "synthetic": plan.panel.synthetic,
        "over": "" if plan.config.financing.cash_rate != 0.0 else ", over a rate of 0: financing.cash_rate names none",
        "sessions": n,
        "from": str(ran.sessions[0]),
        "to": str(ran.sessions[-1]),
        "configurations": len(plan.sweep.settings) + (former is not None),
        "failed": [{"setting": k, "reason": why} for k, why in enumerate(ran.reasons) if why],
        "family": {
            "keys": {axis.key: axis.plain() for axis in plan.axes},
            "settings": len(plan.family),
            "plateau": _plateau(plan, ran),
        },
        "walks": {
            kind: forward_block(walk, ran.sessions, bill, plan.axes, plan.chosen) for kind, walk in walks.items()
        },
        "configured": path_figures(configured, held),
        "whole": path_figures(configured, slice(0, n)),
        "luck": luck_block(configured.returns, bill, (judged.returns, bill[held]), tries, of),
        "pbo": pbo_block(matrix, bill, _labels(plan), plan.config.run.seed),
        "cpcv": cpcv_block(matrix, bill, _labels(plan), plan.section),
        "ladder": rungs_block(plan, ran, former, bill, held),
        "sensitivity": sensitivity_block(base, plan.perturbed, ratios, plan.gate.max_sensitivity, plan.left_out),
        "stress": beside.stress,
        "capacity": capacity_block(configured, plan.gate.cost_share),
        "uplift": uplift_block({name: configured.sleeves[name] for name in promoted if name in configured.sleeves},
                               configured.returns, bill),
        "sleeves": _sleeves(plan, configured),
    }  # fmt: skip
    return Evidence(plain(block), ran.sessions, walks, configured)


def _labels(plan: ValidationPlan) -> list[str]:
    """Return what the settings of the family are called, in its order."""
    keys = [axis.key for axis in plan.axes]
    return [
        ", ".join(f"{key}={value}" for key, value in zip(keys, values, strict=True)) or "as configured"
        for values in plan.chosen
    ]


def _sleeves(plan: ValidationPlan, path: Path) -> list[dict[str, Any]]:
    """Return how each sleeve's notional portfolio did: those without capital are followed all the same."""
    status = {sleeve.name: sleeve.status for sleeve in plan.config.sleeve}
    return [
        {
            "name": name,
            "status": status[name],
            "sharpe_excess": m.sharpe(returns, path.bill),
            "cagr": m.cagr(returns),
            "vol_ann": m.vol_ann(returns),
            "max_drawdown": m.max_drawdown(returns),
            "with_book": _correlation(returns - path.bill, path.returns - path.bill),
        }
        for name, returns in path.sleeves.items()
    ]


def _correlation(a: Floats, b: Floats) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if m.stdev(a) > m.SHALLOWEST and m.stdev(b) > m.SHALLOWEST else m.NAN


def _plateau(plan: ValidationPlan, ran: Ran) -> dict[str, Any] | None:
    """Return whether the best setting of the family over the whole span stands among good ones; None for no family."""
    import pandas as pd

    if len(plan.family) < 2:
        return None
    keys = [axis.key for axis in plan.axes]
    columns: dict[str, Any] = {"setting": np.arange(len(plan.family))}
    for k, key in enumerate(keys):
        columns[key] = [plain_value(values[k]) for values in plan.chosen]
    columns["sharpe_excess"] = [ran.figure("sharpe_excess", number) for number in plan.family]
    columns["status"] = ["failed" if ran.reasons[number] else "ok" for number in plan.family]
    columns["reason"] = [ran.reasons[number] for number in plan.family]
    if not np.isfinite(columns["sharpe_excess"]).any():
        return None
    sweep = read_sweep(plan.config.run.name, pd.DataFrame(columns), keys, "sharpe_excess")
    found = plateaus(sweep)
    best, lone = best_plateau(sweep, found), plateau(sweep, int(sweep.rank[0]))
    told = {"best": lone.own, "neighbours": lone.known, "level": lone.level, "worst": lone.worst,
            "settings": dict(zip(keys, plan.chosen[lone.row], strict=True))}  # fmt: skip
    if best is not None:
        told["plateau"] = {"level": best.level, "settings": dict(zip(keys, plan.chosen[best.row], strict=True))}
    return told
