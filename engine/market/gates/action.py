"""Gates about dividends and volume: cash that cannot be, gains counted as dividends, shares in another unit."""

from dataclasses import replace
from typing import Final

import numpy as np

from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.history import History

# A dividend above this share of the price shows in the price; if less than half of it does, it is in another unit.
SHOWS: Final = 0.10
# What separates the two readings of a gain must stand out of an ordinary night.
TELLS: Final = 0.01
UNIT: Final = 30.0
WINDOW: Final = 20


def count_gains(history: History) -> tuple[History, list[GateFinding]]:
    """Return the rows with `dividend` as all cash of the session, gains in it once, and what was decided.

    Sources list a gain beside the dividend, or in it as well as beside it. The overnight step tells which: it is
    nearest to minus what was really paid. Decided from the row and the close before alone, so no other row changes it.
    """
    dividend, found = history.dividend.copy(), []
    for row in np.flatnonzero(history.gain > 0.0):
        listed, gain = float(dividend[row]), float(history.gain[row])
        inside = listed >= gain * (1.0 - 1e-6)
        if not inside:
            dividend[row] = listed + gain
            continue
        text = f"a dividend of {listed:.6g} and a gain of {gain:.6g} are listed"
        if row == 0 or gain * history.split[row] / history.close[row - 1] < TELLS:
            text += "; cannot tell whether the gain is in the dividend, read as in it"
        else:
            drop = history.close[row - 1] / history.split[row] - history.open[row]
            inside = abs(drop - listed) < abs(drop - listed - gain)
            dividend[row] = listed if inside else listed + gain
            text += f"; the price fell by {drop:.4g} overnight, so {dividend[row]:.6g} was paid"
        found.append(GateFinding("dividend_counts_gain", "note", history.symbol, text, str(history.session[row])))
    return replace(history, dividend=dividend), found


def impossible(history: History) -> list[GateFinding]:
    """Return the actions that are no numbers, or negative: with one of them nothing can be reckoned."""
    found = []
    for name, least in (("split", np.nextafter(0.0, 1.0)), ("dividend", 0.0), ("gain", 0.0)):
        column = history.column(name)
        for row in np.flatnonzero(~(np.isfinite(column) & (column >= least))):
            text = f"a {name} of {column[row]:.10g}"
            found.append(GateFinding(f"{name}_impossible", "symbol", history.symbol, text, str(history.session[row])))
    return found


def dividends(history: History) -> list[GateFinding]:
    """Return what is wrong with dividends: those above the price, and large ones that the price did not notice."""
    found = []
    before = np.append(np.nan, history.close[:-1]) / history.split
    above = history.dividend > before
    share = history.dividend / before
    unseen = (share > SHOWS) & ~above & (history.close > before * (1.0 - 0.5 * share))
    for row in np.flatnonzero(above | unseen):
        gate = "dividend_above_price" if above[row] else "dividend_unseen"
        text = f"a dividend of {history.dividend[row]:.6g} on a share of {before[row]:.6g}"
        text += "" if above[row] else f" that closed at {history.close[row]:.6g}: in another unit?"
        found.append(GateFinding(gate, "symbol", history.symbol, text, str(history.session[row])))
    return found


def large(history: History) -> list[GateFinding]:
    """Note dividends above a tenth of the price: where sources differ most, and a total return depends on it most."""
    before = np.append(np.nan, history.close[:-1]) / history.split
    share = history.dividend / before
    return [
        GateFinding(
            "dividend_large",
            "note",
            history.symbol,
            f"{history.dividend[row]:.6g} a share was paid, {100 * share[row]:.1f}% of the price: says the issuer so?",
            str(history.session[row]),
        )
        for row in np.flatnonzero((share > SHOWS) & (share <= 1.0))
    ]


def volumes(history: History) -> list[GateFinding]:
    """Note where the median volume of 20 sessions is 30 times that of the 20 before, or a thirtieth.

    Another unit moves every session: no volume after it is like one before. A young fund's grows 30-fold, too, but its
    busy days before it did are like its quiet days after.
    """
    volume = np.where(history.volume > 0.0, history.volume, np.nan)
    if history.index or len(volume) < 2 * WINDOW or np.isnan(volume).all():
        return []
    windows = np.lib.stride_tricks.sliding_window_view(volume, WINDOW)
    middle = np.full(len(windows), np.nan)
    known = np.isfinite(windows).sum(axis=1) > WINDOW // 2
    middle[known] = np.nanmedian(windows[known], axis=1)
    ratio = middle[WINDOW:] / middle[:-WINDOW]
    high = np.where(np.isnan(windows), -np.inf, windows).max(axis=1)
    low = np.where(np.isnan(windows), np.inf, windows).min(axis=1)
    beyond = (ratio > UNIT) & (low[WINDOW:] > high[:-WINDOW]) | (ratio < 1.0 / UNIT) & (high[WINDOW:] < low[:-WINDOW])
    found = []
    for start in np.flatnonzero(beyond & ~np.append(False, beyond[:-1])):
        stop = start + int(np.argmin(np.append(beyond[start:], False)))
        peak = start + int(np.argmax(np.abs(np.log(ratio[start:stop]))))
        text = f"volume goes from about {middle[peak]:.3g} to about {middle[peak + WINDOW]:.3g} shares: another unit?"
        nearby = np.nan_to_num(np.abs(np.diff(np.log(volume[peak : peak + 2 * WINDOW]))))
        day = history.session[peak + 1 + int(np.argmax(nearby))]
        found.append(GateFinding("volume_unit", "note", history.symbol, text, str(day)))
    return found
