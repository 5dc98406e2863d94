"""The tables of a validation's page, made of its evidence."""

from collections.abc import Mapping, Sequence
from typing import Any

from plimsoll.engine.report.metrics import ladder_words
from plimsoll.engine.report.metrics.labels import DASH, Label, shown
from plimsoll.engine.report.tearsheet.page_table import PageTable
from plimsoll.engine.report.validate.table import (
    FORWARD,
    OF_A_WINDOW,
    cells,
    money,
    settings_text,
    short_names,
    value_text,
)

Block = Mapping[str, Any]
MOST = 5  # settings named of those that a cross-validation chose


def gate_table(checks: Sequence[Block]) -> PageTable:
    """Return the thresholds and what was held against them."""
    rows = [(one["title"], one["said"], one["asked"], "pass" if one["ok"] else "FAIL", one["why"]) for one in checks]
    return PageTable("The gate", ("", "Found", "Asked", "", "Of"), rows)


def forward_table(block: Block) -> PageTable:
    """Return the stitched walks beside the configuration held throughout the same sessions."""
    rows = [(f"{kind}, chosen anew in each window", *cells(walk["stitched"], FORWARD))
            for kind, walk in block["walks"].items()]  # fmt: skip
    rows.append(("as configured, same sessions", *cells(block["configured"], FORWARD)))
    rows.append((f"as configured, from {block['from']}", *cells(block["whole"], FORWARD)))
    judged = block["walks"][block["judged"]]
    note = (
        f"Out of sample {judged['from']} to {judged['to']}, net of costs; the {block['judged']} walk is judged. "
        f"A switch between settings trades the difference of their holdings at the close before, at what the new "
        f"setting's own trades have cost per dollar until then: {judged['switches']} switches, "
        f"{shown(judged['switch_cost_bps'], 'bps')} bps in all. Each path was run in an account of its own, so "
        f"impact, tiers of capital and the governor are of that account. As configured is no test: it was known "
        f"throughout. Volatility target and effective N are of a book's decisions."
    )
    return PageTable("Stitched out of sample", ("", *(label for _, label, _ in FORWARD)), rows, note)


def windows_table(walk: Block) -> PageTable:
    """Return one row a window."""
    head = (
        "Test", "Trained on", "Chosen", "In sample", "Out", "Rank", "Return", "Volatility", "Target", "Drawdown",
        "Turnover", "Effective N", "Switch",
    )  # fmt: skip
    rows = [
        (
            f"{one['test_from']} to {one['test_to']}",
            f"{one['train_from']} to {one['train_to']}",
            settings_text(one["chosen"]),
            shown(one["in_sample"], "ratio"),
            shown(one["out_of_sample"], "ratio"),
            str(one["rank"]),
            *cells(one, OF_A_WINDOW),
            f"{shown(one['switch_cost_bps'], 'bps')} bps",
        )
        for one in walk["windows"]
    ]
    note = (
        "In sample and out: net Sharpe over bills of the chosen setting. Rank: of it among the family, out of sample."
    )
    return PageTable(f"Windows of the {walk['walk']} walk", head, rows, note)


def drift_table(walk: Block) -> PageTable | None:
    """Return what was chosen of each key from window to window; None where there is nothing to choose."""
    short = short_names(list(walk["drift"]))
    rows = [
        (short[key], ", ".join(value_text(value) for value in one["values"]), f"{one['changes']} of {one['of']}")
        for key, one in walk["drift"].items()
    ]
    note = "A parameter that changes with every window follows noise."
    return PageTable("Drift of the parameters", ("", "Chosen", "Changes"), rows, note) if rows else None


def ladder_table(ladder: Block | None) -> PageTable | None:
    """Return the ways to share the book."""
    if ladder is None:
        return None
    rows = [ladder_words.row(rung, ladder["configured"]) for rung in ladder["rungs"]]
    note = " ".join([*ladder_words.verdicts(ladder), *ladder_words.remarks({**ladder, "rungs": [
        {"fallen_back": 0, "decided": {}, **rung} for rung in ladder["rungs"]]})])  # fmt: skip
    told = f"{note} Over the sessions of the walk; turnover and costs of the whole run."
    return PageTable("Ways to share the book, net of costs", ladder_words.head(), rows, told)


def pairs_table(block: Block) -> PageTable | None:
    """Return the perturbations, the worst first."""
    if not block["rows"]:
        return None
    short = short_names(list({move["key"] for row in block["rows"] for move in row["moves"]}))
    ordered = sorted(block["rows"], key=lambda row: (row["difference"] is not None, row["difference"] or 0.0))
    rows = [
        (
            ", ".join(f"{short[move['key']]} {value_text(move['was'])} to {value_text(move['is'])}"
                      for move in row["moves"]),
            shown(row["sharpe_excess"], "ratio"),
            ladder_words.signed(row["difference"]),
        )
        for row in ordered
    ]  # fmt: skip
    return PageTable("Every perturbation, the worst first", ("", "Sharpe over bills", "Difference"), rows)


def sleeves_table(block: Block) -> PageTable | None:
    """Return every sleeve by itself, those without capital too."""
    if len(block["sleeves"]) < 2:
        return None
    labels: tuple[Label, ...] = (("sharpe_excess", "", "ratio"), ("cagr", "", "percent"), ("vol_ann", "", "percent"),
              ("max_drawdown", "", "percent"), ("with_book", "", "ratio"))  # fmt: skip
    rows = [(one["name"], one["status"], *cells(one, labels)) for one in block["sleeves"]]
    head = ("", "Status", "Sharpe over bills", "CAGR", "Volatility", "Max drawdown", "Correlation with the book")
    note = "Notional portfolios before costs, cash at the bill rate. Incubating sleeves are followed without capital."
    return PageTable("The sleeves on paper", head, rows, note)


def uplift_table(uplift: Block | None) -> PageTable | None:
    """Return what putting the sleeves together should have added, and did."""
    if uplift is None:
        return None
    ratio = (uplift["realised"] or 0.0) / uplift["mean_sharpe"] if uplift["mean_sharpe"] else None
    rows = [
        ("Sleeves with capital, K", str(uplift["k"])),
        ("Their mean Sharpe over bills, SR", shown(uplift["mean_sharpe"], "ratio")),
        ("Their mean correlation, rho", shown(uplift["mean_correlation"], "ratio")),
        ("Predicted, SR sqrt(K / (1 + (K - 1) rho))", shown(uplift["predicted"], "ratio")),
        ("Realised by the book, net of costs", shown(uplift["realised"], "ratio")),
        ("Realised over the mean sleeve", shown(ratio, "ratio")),
    ]
    note = "The formula is of equal risk, before costs, without caps, governor or regimes, and of one correlation."
    return PageTable("What the book adds to its sleeves", ("", ""), rows, note)


def luck_table(luck: Block) -> PageTable:
    """Return the probabilities and the lengths a record would need."""
    rows = [
        ("Probabilistic Sharpe ratio, had it been the only try", shown(luck["psr"], "percent")),
        (f"Deflated, after {luck['tries']:,} {luck['of']}", shown(luck["deflated_sharpe"], "percent")),
        ("Deflated, after the independent ones among them", shown(luck["deflated_sharpe_effective"], "percent")),
        ("The same of the walk", shown(luck["walk"]["deflated_sharpe_effective"], "percent")),
        ("Independent tries", shown(luck["effective_tries"], "ratio")),
        ("Sharpe of the luckiest of so many without skill", shown(luck["lucky_sharpe"], "ratio")),
        ("Years of this record", shown(luck["years"], "ratio")),
        ("Years for 95% that it is above 0 (MinTRL)", shown(luck["min_track_record_years"], "ratio")),
        ("Years below which so many tries give a Sharpe of 1 by luck (MinBTL)", shown(luck["min_backtest_years"],
                                                                                   "ratio")),
    ]  # fmt: skip
    return PageTable("How much of it luck could be", ("", ""), rows, luck["text"])


def pbo_table(pbo: Block) -> PageTable:
    """Return the probability of overfitting beside what noise gives."""
    if pbo["why"]:
        return PageTable("Probability of backtest overfitting", ("", ""), [("not measured", DASH)], pbo["why"])
    null = pbo["null"]
    rows = [
        ("Probability of overfitting (PBO)", shown(pbo["pbo"], "percent")),
        (f"Of noise of the same shape, mean of {null['matrices']}", shown(null["mean"], "percent")),
        ("Its spread", shown(null["sd"], "percent")),
        ("Noise that looks no more overfitted", shown(null["at_or_below"], "percent")),
        ("The best of one half loses in the other", shown(pbo["loss"], "percent")),
        ("Mean correlation of the settings", shown(pbo["mean_correlation"], "ratio")),
        ("Slope of out-of-sample on in-sample Sharpe", shown(pbo["slope"], "ratio")),
    ]
    note = (
        f"{pbo['columns']} settings, {pbo['splits']:,} ways to halve {pbo['blocks']} blocks. Required is less than "
        f"50%, aimed at less than 20%; above, the choice among the settings is noise and 1/N-risk ships. Noise "
        f"scatters by a sixth around a half: one number below 50% proves little."
    )
    return PageTable("Probability of backtest overfitting", ("", ""), rows, note)


def cpcv_table(cpcv: Block) -> PageTable:
    """Return what the paths of the cross-validation come to, and which settings they hold."""
    title = "Combinatorial purged cross-validation (CPCV)"
    if cpcv["why"]:
        return PageTable(title, ("", ""), [("not measured", DASH)], cpcv["why"])
    rows = [
        (f"Sharpe over bills, mean of {len(cpcv['sharpe'])} paths", shown(cpcv["mean"], "ratio")),
        ("Their spread", shown(cpcv["sd"], "ratio")),
        ("The worst", shown(cpcv["worst"], "ratio")),
        ("Below zero", shown(cpcv["below_zero"], "percent")),
        *((f"Chosen: {one['setting']}", f"{one['splits']:,} of {cpcv['splits']:,}") for one in cpcv["chosen"][:MOST]),
    ]
    rest = len(cpcv["chosen"]) - MOST
    more = f" {rest} more settings were chosen less often." if rest > 0 else ""
    note = (
        f"{cpcv['groups']} groups of sessions, {cpcv['test_groups']} tested at a time; purge {cpcv['purge']}, embargo "
        f"{cpcv['embargo']} sessions. A choice sees sessions after its test too and switches cost nothing: no account "
        f"could have had such a path. Paths share sessions, so their spread is less than that of luck.{more}"
    )
    return PageTable(title, ("", ""), rows, note)


def capacity_table(block: Block) -> PageTable:
    """Return with how much money it still earns."""
    capacity = "without limit: the cost model has no impact" if block["capacity_usd"] is None else money(
        block["capacity_usd"])  # fmt: skip
    rows = [
        (f"Assets at which costs eat {block['cost_share']:z.0%}", capacity),
        ("Earned over bills before costs, a year", shown(block["earned_before_costs"], "percent")),
        ("Costs, a year", shown(block["drag"], "percent")),
        ("of which market impact", shown(block["impact"], "percent")),
        ("Mean equity of the run", money(block["equity_mean"])),
    ]
    return PageTable(
        "Capacity", ("", ""), rows, "Impact grows with the square root of the assets, the rest with the trades."
    )


def beside_table(beside: Block | None) -> PageTable | None:
    """Return two run folders side by side."""
    if beside is None:
        return None
    one, two = beside["books"]
    labels: tuple[Label, ...] = (("vol_ann", "Volatility a year", "percent"), ("vol_target", "its target", "percent"),
              ("turnover_per_year", "Turnover a year", "ratio"), ("gross_mean", "Gross, mean", "percent"),
              ("gross_max", "Gross, most", "percent"), ("return", "Return", "percent"))  # fmt: skip
    rows = [(label, shown(one[key], kind), shown(two[key], kind)) for key, label, kind in labels]
    tracking = beside["tracking"]
    note = (
        f"{beside['sessions']} sessions, {beside['first']} to {beside['last']}: difference "
        f"{shown(tracking['difference_bps'], 'bps')} bps, tracking error {shown(tracking['error_ann'], 'percent')} a "
        f"year, active share {shown(tracking['active_share'], 'percent')}."
    )
    return PageTable("Two runs side by side", ("", one["name"], two["name"]), rows, note)
