"""The figures of a validation's page."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from plimsoll.engine.report.metrics.returns import growth, underwater
from plimsoll.engine.report.page.figure_parts import (
    Figure,
    bars,
    dates,
    inert,
    line,
    number_axis,
    percent_axis,
    series_colour,
    thin,
)
from plimsoll.engine.report.validate.table import short_names, value_text
from plimsoll.engine.types import Floats

Block = Mapping[str, Any]
NAMES = {"rolling": "rolling walk", "expanding": "expanding walk", "configured": "as configured", "bill": "bills"}


def equity_figure(walk: pd.DataFrame) -> Figure:
    """Return the growth of 1 of the stitched walks, the configuration and bills, from the first session tested."""
    tested = walk.loc[walk["rolling"].first_valid_index() :]
    days = np.asarray(tested.index.to_numpy(), dtype="datetime64[D]")
    at = thin(len(days))
    data = [
        line(name, dates(days[at]), growth(_filled(tested[column]))[1:][at], series_colour(k))
        for k, (column, name) in enumerate(NAMES.items())
    ]
    layout = number_axis("growth of 1") | {"xaxis": {"type": "date"}}
    return Figure("equity", "Stitched out-of-sample equity", "Growth of 1 of the walks, of the configuration held "
                  "throughout, and of bills, from the first session tested.", data, layout, log_switch=True,
                  height=340)  # fmt: skip


def drawdown_figure(walk: pd.DataFrame) -> Figure:
    """Return the drawdown of the stitched walks and of the configuration."""
    tested = walk.loc[walk["rolling"].first_valid_index() :]
    days = np.asarray(tested.index.to_numpy(), dtype="datetime64[D]")
    at = thin(len(days))
    data = [
        line(NAMES[column], dates(days[at]), underwater(_filled(tested[column]))[-len(days) :][at], series_colour(k))
        for k, column in enumerate(("rolling", "expanding", "configured"))
    ]
    layout = percent_axis() | {"xaxis": {"type": "date"}}
    return Figure("drawdown", "Drawdown out of sample", "Loss from the highest point so far.", data, layout, height=220)


def window_figure(walk: Block) -> Figure:
    """Return the Sharpe ratio in sample and out of sample, window by window."""
    labels = [one["test_from"] for one in walk["windows"]]
    data = [
        bars(name, labels, np.array([_known(one[key]) for one in walk["windows"]]), series_colour(k))
        for k, (key, name) in enumerate((("in_sample", "in sample"), ("out_of_sample", "out of sample")))
    ]
    layout = number_axis("Sharpe over bills") | {"barmode": "group", "xaxis": {"type": "category"}}
    return Figure("windows", "What was promised and what came", "Net Sharpe ratio over bills of the chosen setting in "
                  "each window, in sample and out of sample.", data, layout)  # fmt: skip


def tornado_figure(block: Block) -> Figure:
    """Return how far the Sharpe ratio moves with each parameter, the widest on top."""
    title, alt = "What a half more or less does", "Difference of the Sharpe ratio for each parameter moved down and up."
    tornado = block["tornado"]
    if not tornado:
        return Figure("tornado", title, alt, empty="Nothing was perturbed.")
    short = short_names([bar["key"] for bar in tornado])
    data = []
    for k, side in enumerate(("low", "high")):
        ends = [bar[side] for bar in reversed(tornado)]
        trace = bars("lower" if side == "low" else "higher", [], np.array(
            [_known(None if end is None else end["difference"]) for end in ends]), series_colour(k))  # fmt: skip
        texts = ["" if end is None else inert(value_text(end["is"])) for end in ends]
        names = [inert(f"{short[bar['key']]} {value_text(bar['was'])}") for bar in reversed(tornado)]
        data.append({**trace, "x": trace["y"], "y": names, "orientation": "h", "text": texts})
    layout = {
        "barmode": "overlay", "yaxis": {"type": "category", "tickformat": "", "automargin": True},
        "xaxis": {"title": {"text": "Sharpe over bills less the configured"}, "tickformat": "", "hoverformat": ".3f"},
    }  # fmt: skip
    return Figure("tornado", title, alt, data, layout, height=90 + 46 * len(tornado))


def pbo_figure(pbo: Block) -> Figure:
    """Return the distribution of the logits: left of 0 the best of one half is at or below the median of the other."""
    title, alt = "Where the best of one half ends in the other", "Distribution of the logit of its relative rank."
    if pbo["why"]:
        return Figure("logits", title, alt, empty=pbo["why"])
    edges = np.linspace(-5.0, 5.0, len(pbo["logits"]) + 1)
    centres = (edges[:-1] + edges[1:]) / 2.0
    colours = ["@bad" if centre <= 0.0 else "@s0" for centre in centres]
    trace = bars("splits", [f"{centre:z.2f}" for centre in centres], np.array(pbo["logits"], dtype=np.float64), colours)
    return Figure("logits", title, alt, [trace], number_axis("splits", ",.0f") | {"xaxis": {"type": "category"}},
                  note="Red: at or below the median.")  # fmt: skip


def paths_figure(cpcv: Block, walk: Block) -> Figure:
    """Return the Sharpe ratio of each path of the cross-validation, the worst first, beside the walk's."""
    title, alt = (
        "Other paths through the same past",
        "Sharpe ratio of each path of the cross-validation and of the walk.",
    )
    if cpcv["why"]:
        return Figure("paths", title, alt, empty=cpcv["why"])
    ratios = np.sort([_known(one) for one in cpcv["sharpe"]])
    walked = np.array([_known(walk["stitched"]["sharpe_excess"])])
    data = [
        bars("paths", [str(k + 1) for k in range(len(ratios))], ratios, series_colour(0)),
        bars(NAMES[walk["walk"]], [NAMES[walk["walk"]]], walked, series_colour(1)),
    ]
    layout = number_axis("Sharpe over bills") | {"xaxis": {"type": "category"}}
    return Figure("paths", title, alt, data, layout, height=220, note="The worst first. A path goes through all "
                  "sessions, the walk through those after its first training.")  # fmt: skip


def _filled(series: pd.Series) -> Floats:
    values: Floats = np.nan_to_num(series.to_numpy(dtype=np.float64))
    return values


def _known(value: float | None) -> float:
    return float("nan") if value is None else float(value)
