"""The page of a validation: one self-contained HTML file, the same bytes for the same verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from plimsoll.engine.report.metrics.notices import SYNTHETIC
from plimsoll.engine.report.page.frame import SCRIPTS, STYLES, render_page
from plimsoll.engine.report.validate import figures as f
from plimsoll.engine.report.validate import tables as t
from plimsoll.engine.report.validate.stress import stress_figures, stress_tables
from plimsoll.engine.report.validate.table import settings_text

Block = Mapping[str, Any]


def validation_html(verdict: Block, walk: pd.DataFrame, checks: Sequence[Block], beside: Block | None = None) -> str:
    """Return the page; it loads nothing from anywhere.

    verdict : as in `verdict.json`. walk : session returns of the walks, the configuration and bills. checks : the
    thresholds with their words `said` and `asked`. beside : two run folders as `plimsoll twin` compares them.
    """
    block = verdict["evidence"]
    judged = block["walks"][block["judged"]]
    stress = block["stress"]
    stressed = () if stress["why"] else stress_figures(stress)
    drawn = [*stressed, f.equity_figure(walk), f.drawdown_figure(walk), f.window_figure(judged), f.tornado_figure(
        block["sensitivity"]), f.pbo_figure(block["pbo"]), f.paths_figure(block["cpcv"], judged)]  # fmt: skip
    context = {
        "heading": verdict["name"],
        "banners": _banners(verdict),
        "passed": verdict["passed"],
        "block": block,
        "gate": t.gate_table(checks),
        "luck": verdict["luck"],
        "figures": {one.key: one for one in drawn},
        "forward": t.forward_table(block),
        "windows": [t.windows_table(one) for one in block["walks"].values()],
        "drift": t.drift_table(judged),
        "ladder": t.ladder_table(block["ladder"]),
        "luck_table": t.luck_table(block["luck"]),
        "pbo": t.pbo_table(block["pbo"]),
        "cpcv": t.cpcv_table(block["cpcv"]),
        "pairs": t.pairs_table(block["sensitivity"]),
        "sensitivity": _sensitivity(block["sensitivity"]),
        "plateau": _plateau(block["family"]["plateau"]),
        "stress": stress,
        "stressed": stressed,
        "stress_tables": () if stress["why"] else stress_tables(stress),
        "capacity": t.capacity_table(block["capacity"]),
        "uplift": t.uplift_table(block["uplift"]),
        "sleeves": t.sleeves_table(block),
        "beside": t.beside_table(beside),
        "folders": [] if beside is None else beside["folders"],
        "failed": block["failed"],
        "origin": _origin(verdict),
    }
    payload = {"axes": {}, "figures": {one.key: {"data": one.data, "layout": one.layout}
                                       for one in drawn if not one.empty}}  # fmt: skip
    return render_page("validate/page.html.j2", context, payload, styles=STYLES, scripts=SCRIPTS)


def _banners(verdict: Block) -> list[tuple[str, str]]:
    found = [] if verdict["passed"] else [(f"FAIL: {'; '.join(verdict['reasons'])}", "red")]
    return [*found, (SYNTHETIC, "yellow")] if verdict["evidence"]["synthetic"] else found


def _sensitivity(block: Block) -> list[str]:
    said = []
    if block["rows"]:
        worst = "not known" if block["worst"] is None else f"{block['worst']:z.2f}"
        said.append(
            f"{block['verdict'].capitalize()}: the most that a perturbation takes off the Sharpe ratio is {worst}, "
            f"{block['threshold']:z.2f} is allowed; the median of the configuration and its neighbours is "
            f"{'not known' if block['level'] is None else format(block['level'], '.2f')}."
        )
    if block["best"] is not None and block["best"] > block["threshold"]:
        said.append(f"One adds {block['best']:z.2f}: what is configured is not the best of its surroundings.")
    return said + [f"Left out: {one}." for one in block["left_out"]]


def _plateau(block: Block | None) -> str:
    if block is None:
        return ""
    text = f"The best of the family over the whole span ({settings_text(block['settings'])}) has {block['best']:z.2f}"
    if block["worst"] is None:
        return f"{text}; it has no neighbours."
    text += f", with its {block['neighbours']} neighbours a median of {block['level']:z.2f} and a worst of "
    return f"{text}{block['worst']:z.2f}."


def _origin(verdict: Block) -> list[tuple[str, str]]:
    block, sums = verdict["evidence"], verdict["checksum"]
    keys = ", ".join(f"{key} = {values}" for key, values in block["family"]["keys"].items()) or "none"
    return [
        ("Sessions", f"{block['from']} to {block['to']}, {block['sessions']:,}"),
        ("Configurations run", f"{block['configurations']:,}"),
        ("Family", f"{block['family']['settings']} settings of {keys}"),
        ("Checksum", sums["all"]),
        ("Strategy source", sums["strategies"]),
        ("Configuration", sums["configuration"]),
        ("Data", sums["data"]),
        ("Seed", str(verdict["seed"])),
        ("Version", str(verdict["versions"]["plimsoll"])),
    ]
