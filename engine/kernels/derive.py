"""What follows from prices as given: total returns, the forward total-return index, split factors, status."""

from typing import Final

import numpy as np

from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.types import Bools, Codes, Floats, Ints

# Status of a symbol at a bar.
UNBORN: Final = 0  # no row yet
TRADING: Final = 1  # has a row
HALTED: Final = 2  # no row, fewer than DELIST_SESSIONS sessions after its last one
DELISTED: Final = 3  # no row for DELIST_SESSIONS sessions
OUTSIDE: Final = 4  # would be trading or halted, and is no member of the universe

# Sessions without a row after which a symbol counts as delisted. Knowable at the time: a symbol that comes back later
# was sold and is listed anew.
DELIST_SESSIONS: Final = 6
# Sessions without a row after which a symbol that comes back is another one: no return leads across the gap, and
# nothing that was learnt before counts. A shorter gap is a halt as far as returns go.
RELIST_SESSIONS: Final = 20


@kernel
def derive_step(
    t: int,
    session_index: Ints,
    block: Floats,
    last_close: Floats,
    last_session: Ints,
    ret: Floats,
    status: Codes,
) -> None:
    """Derive bar `t` of `ret` and `status` from a panel's block.

    block (5, T, N) open, close, volume, dividend, split; last_close (N,) and last_session (N,) int64, NaN and -1
    before a symbol's first row, mutated. Writes row t of ret (T, N) and status (T, N) int8.

        ret_t = (C_t + D_t) * split_t / C_prev - 1,   C_prev the last known close

    NaN where there is no row, and at the first row of a listing.

    Source: the return a cash ledger earns when dividends arrive in cash and splits in shares on the ex-date.
    """
    for i in range(block.shape[2]):
        close = block[1, t, i]
        if np.isnan(close):
            ret[t, i] = np.nan
            if last_session[i] < 0:
                status[t, i] = UNBORN
            elif session_index[t] - last_session[i] >= DELIST_SESSIONS:
                status[t, i] = DELISTED
            else:
                status[t, i] = HALTED
        else:
            if session_index[t] - last_session[i] - 1 > RELIST_SESSIONS:
                last_close[i] = np.nan
            ret[t, i] = (close + block[3, t, i]) * block[4, t, i] / last_close[i] - 1.0
            last_close[i] = close
            last_session[i] = session_index[t]
            status[t, i] = TRADING


@kernel
def mark_outside(first: int, stop: int, outside: Bools, status: Codes) -> None:
    """Write OUTSIDE to status (T, N), bars [first, stop), where outside (T, N) says so of what trades or is halted."""
    for t in range(first, stop):
        for i in range(status.shape[1]):
            if outside[t, i] and (status[t, i] == TRADING or status[t, i] == HALTED):
                status[t, i] = OUTSIDE


@inline_kernel
def comes_back(before: int, status: int, ret: float) -> bool:
    """Return whether a symbol comes back as a new one: what was seen of it before counts no more.

    before : its status at the bar before; status, ret at this one, see `derive_step`. A first listing is not one of
    these: nothing was seen before it. Takes numbers, for what is pasted into a loop takes references on its arrays each
    time around, at ten times the price of the comparison.
    """
    return before == DELISTED and status in (TRADING, OUTSIDE) and np.isnan(ret)


@kernel
def listed_anew(t: int, ret: Floats, status: Codes, out: Bools) -> None:
    """Write to out (K,) which symbols come back at bar t as new ones, see `comes_back`."""
    for i in range(out.shape[0]):
        out[i] = t > 0 and comes_back(status[t - 1, i], status[t, i], ret[t, i])


@kernel
def listed_anew_scan(ret: Floats, status: Codes, out: Bools) -> None:
    """Run `listed_anew` over all bars, out (T, K)."""
    for t in range(out.shape[0]):
        listed_anew(t, ret, status, out[t])


@kernel
def last_listed_anew(first: int, t: int, ret: Floats, status: Codes) -> int:
    """Return the last bar in (first, t] at which any symbol comes back as a new one; 0 if there is none."""
    for k in range(t, max(first, 0), -1):
        gone = 0  # counted without a branch: most rows of most markets have none, and no symbol to look at twice
        for i in range(status.shape[1]):
            gone += status[k - 1, i] == DELISTED
        if gone > 0:
            for i in range(status.shape[1]):
                if comes_back(status[k - 1, i], status[k, i], ret[k, i]):
                    return k
    return 0


@kernel
def own_rows(t: int, array: Floats, ret: Floats, status: Codes, rows: Floats) -> None:
    """Write the last rows of array (T, K) through bar t to rows (n, K): of the listings in force, NaN on top."""
    n = rows.shape[0]
    for i in range(rows.shape[1]):
        known = True  # until an earlier listing, or the time before the history, is reached
        for back in range(n):
            k = t - back
            known = known and k >= 0
            rows[n - 1 - back, i] = array[k, i] if known else np.nan
            known = known and not (k > 0 and comes_back(status[k - 1, i], status[k, i], ret[k, i]))


@kernel
def rows_until(array: Floats, t: int, n: int, ret: Floats, status: Codes) -> Floats:
    """Return rows t - n + 1 .. t of array (T, K), as a window of a sleeve with these returns and states shows them.

    Always n, NaN on top before the history and before the listing in force.
    """
    if t + 1 >= n and last_listed_anew(t + 1 - n, t, ret, status) == 0:
        return array[t + 1 - n : t + 1]
    rows = np.empty((n, array.shape[1]))
    own_rows(t, array, ret, status, rows)
    return rows


@kernel
def derive_scan(
    first: int,
    stop: int,
    session_index: Ints,
    block: Floats,
    last_close: Floats,
    last_session: Ints,
    ret: Floats,
    status: Codes,
) -> None:
    """Run `derive_step` over bars [first, stop)."""
    for t in range(first, stop):
        derive_step(t, session_index, block, last_close, last_session, ret, status)


@kernel
def index_scan(first: int, stop: int, ret: Floats, close: Floats, level: Floats, out: Floats) -> None:
    """Chain returns into the forward total-return index over bars [first, stop).

    ret, close (T, N); level (N,) the last known level, NaN before the first row, mutated; out (T, N) is 1 at the
    first row of a listing, NaN where there is no row, and is never restated by what comes later.
    """
    for t in range(first, stop):
        for i in range(ret.shape[1]):
            if np.isnan(close[t, i]):
                out[t, i] = np.nan
            else:
                level[i] = 1.0 if np.isnan(ret[t, i]) else level[i] * (1.0 + ret[t, i])
                out[t, i] = level[i]


@kernel
def factor_scan(first: int, stop: int, split: Floats, level: Floats, out: Floats) -> None:
    """Accumulate splits over bars [first, stop): out (T, N) = shares now held per share of the first bar."""
    for t in range(first, stop):
        for i in range(split.shape[1]):
            level[i] *= split[t, i]
            out[t, i] = level[i]
