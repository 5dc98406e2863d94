"""What a draft's prices contain, told by the layout, by the listed actions, or by the user; and prices as traded."""

from dataclasses import replace
from typing import Final

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.adjustment import evidence
from plimsoll.engine.market.bars import RawBars
from plimsoll.engine.market.imports.draft import Draft
from plimsoll.engine.market.imports.flags import Adjustment, Flags, ask
from plimsoll.engine.market.ticker import is_index
from plimsoll.engine.market.yahoo.normalise import cents, later_splits
from plimsoll.engine.types import PriceKind

_ACTIONS: Final = ("dividend", "split", "gain")
_OHLC: Final = ("open", "high", "low", "close")
_FLAG: Final = "--adjustment raw, split or all (what prices contain: nothing, splits, or splits and dividends)"


def raw_of(draft: Draft) -> RawBars:
    """Return a draft in the form every source hands over."""
    unknown = np.full(len(draft.stamp), np.nan)
    column = draft.columns
    return RawBars(
        symbol=draft.symbol,
        where=draft.where,
        interval=draft.interval,
        stamp=draft.stamp,
        open=column.get("open", unknown),
        high=column.get("high", unknown),
        low=column.get("low", unknown),
        close=column.get("close", unknown),
        volume=column.get("volume", unknown),
        adj_close=column.get("adj_close"),
        dividend=column.get("dividend"),
        split=column.get("split"),
    )


def as_traded(draft: Draft, flags: Flags) -> tuple[Draft, PriceKind | None]:
    """Return a draft with prices as traded where that can be had, and what its prices are then; None = its own rules.

    Prices that contain listed splits are multiplied by those still to come, shares divided by them; where no split is
    listed they stay in today's shares. Prices that contain dividends lose the listed actions: counted again, they
    would be earned twice.

    Raises
    ------
    DataError
        If nobody says what the prices contain, or its dividends are known to nobody.
    """
    if is_index(draft.symbol):
        return draft, "raw"
    if draft.told == "own" and not flags.adjustment and not flags.pays_nothing:
        return draft, None
    draft = _plain_actions(draft)
    told, who = _told(draft, flags)
    if told == "all":
        kept = {name: column for name, column in draft.columns.items() if name not in _ACTIONS}
        closes_only = not kept.keys() & {"open", "high", "low"}
        if closes_only:
            kept = {"adj_close": kept.get("adj_close", kept.get("close", np.empty(0)))}
        elif "adj_close" in kept:
            del kept["adj_close"]
        draft = replace(draft, columns=kept).saying(f"prices contain splits and dividends, {who}")
        told_to_runs = 'a run on the folder needs [data.prices] SYMBOL = "adjusted"' if not closes_only else ""
        return draft.saying(told_to_runs), "adjusted"
    if missing := [name for name in _OHLC if name not in draft.columns]:
        what = f"{draft.symbol}: no {', '.join(missing)}; closes alone are usable as total returns only"
        raise DataError(what, where=draft.where, fix="say --adjustment all if they contain dividends")
    draft = _dividends_known(draft, flags)
    words = {"raw": "prices are as traded", "split": "prices contain splits but no dividends"}
    draft = draft.saying(f"{words[told]}, {who}")
    return (undone(draft) if told == "split" else draft), "raw"


def _told(draft: Draft, flags: Flags) -> tuple[Adjustment, str]:
    """Return what prices contain and who says so."""
    if flags.adjustment:
        return flags.adjustment, "as --adjustment says"
    if draft.told == "own":
        return "raw", "as far as the file tells"
    if draft.told == "actions":
        return _by_actions(draft)
    if draft.told == "":
        cause = "neither the file nor the vendor says"
        raise ask(f"{draft.symbol}: what do its prices contain?", draft.where, _FLAG, cause=cause)
    return draft.told, "as the vendor documents"


def _by_actions(draft: Draft) -> tuple[Adjustment, str]:
    """Read off the listed dividends and the prices whether these contain those; splits they always contain."""
    raw, ones = raw_of(draft), np.ones(len(draft.stamp))
    dividend = draft.columns.get("dividend", np.zeros(len(ones)))
    if raw.adj_close is not None:
        return "split", "as the vendor documents: an adjusted close stands beside the close"
    found = evidence(raw, dividend, ones, np.isfinite(raw.close))
    if found is None:
        cause = "its dividends are listed, but nothing tells whether prices contain them"
        raise ask(f"{draft.symbol}: what do its prices contain?", draft.where, "--adjustment split or all", cause=cause)
    return ("all", f"the file shows it: {found}") if found else ("split", "the file shows it")


def _plain_actions(draft: Draft) -> Draft:
    """Return it with 1 for no split and 0 for no cash, however the vendor writes none."""
    columns = dict(draft.columns)
    if "split" in columns:
        columns["split"] = np.where(np.isnan(columns["split"]) | (columns["split"] == 0.0), 1.0, columns["split"])
    for name in ("dividend", "gain"):
        if name in columns:
            columns[name] = np.nan_to_num(columns[name])
    return replace(draft, columns=columns)


def _dividends_known(draft: Draft, flags: Flags) -> Draft:
    if flags.pays_nothing:
        paid = np.flatnonzero(np.nan_to_num(draft.columns.get("dividend", np.zeros(0))) != 0.0)
        if len(paid):
            what = f"{draft.symbol}: {len(paid)} dividends are listed, the last on {str(draft.stamp[paid[-1]])[:10]}"
            fix = "leave it out, or mend the file"
            raise DataError(what, where=draft.where, cause="--no-dividends says that it never paid any", fix=fix)
        columns = {name: column for name, column in draft.columns.items() if name != "adj_close"}
        columns["dividend"] = np.zeros(len(draft.stamp))
        return replace(draft, columns=columns, passed=None).saying("no dividend was paid, as --no-dividends says")
    if draft.interval != "1d" or {"dividend", "adj_close"} & draft.columns.keys():
        return draft
    what = f"{draft.symbol}: neither dividends nor adjusted closes, so its total return is not known"
    raise ask(what, draft.where, "--no-dividends if it pays none, or --adjustment all if prices contain them")


def undone(draft: Draft) -> Draft:
    """Return prices and shares as they were traded, by the splits that are listed."""
    split = draft.columns.get("split")
    if split is None or not (split != 1.0).any():
        said = "no split is listed: shares are those of the last row" if split is None else ""
        return draft.saying(said)
    after = later_splits(split)
    columns = dict(draft.columns)
    for name in _OHLC:
        columns[name] = cents(columns[name] * after)
    for name in ("dividend", "gain"):
        if name in columns:
            columns[name] = columns[name] * after
    if "volume" in columns:
        columns["volume"] = np.round(columns["volume"] / after)
    said = f"put back as traded by its {int((split != 1.0).sum())} listed splits"
    return replace(draft, columns=columns, passed=None).saying(said)
