"""A panel with everything that follows from it, computed forward only."""

from typing import TypeVar

import numpy as np

from plimsoll.engine.errors import StrategyError, did_you_mean
from plimsoll.engine.kernels.derive import derive_scan, factor_scan, index_scan, mark_outside
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.types import Bools, Codes, Floats

A = TypeVar("A", Floats, Codes)
FIELDS = ("ret", "tr", "open", "high", "low", "close", "volume")


class Feed:
    """Derived series of a panel, shared by every sleeve and by the simulator.

    ret : (T, N) total return since the last known bar; NaN where there is no row and at the first one.
    status : (T, N) int8, the codes of `plimsoll.engine.kernels.derive`.

    Every array is read-only. `tr`, and prices and volumes in first-bar units, are made when first asked for; where
    a panel has no split they are the panel's own arrays.
    """

    def __init__(self, panel: Panel) -> None:
        n_bars, n_symbols = panel.n_bars, panel.n_symbols
        self.panel = panel
        self.ret: Floats = np.empty((n_bars, n_symbols))
        self.status: Codes = np.empty((n_bars, n_symbols), dtype=np.int8)
        derive_scan(
            0,
            n_bars,
            panel.clock.session_index,
            panel.block,
            np.full(n_symbols, np.nan),
            np.full(n_symbols, -1, dtype=np.int64),
            self.ret,
            self.status,
        )
        if panel.outside.size:
            mark_outside(0, n_bars, panel.outside, self.status)
        self._made: dict[str, Floats] = {"ret": _frozen(self.ret)}
        self._action: Bools | None = None
        _frozen(self.status)

    def field(self, name: str) -> Floats:
        """Return the (T, N) array of one of `FIELDS`, in first-bar units, read-only."""
        if name not in self._made:
            self._made[name] = _frozen(self._make(name))
        return self._made[name]

    def columns(self, name: str, cols: tuple[int, ...]) -> Floats:
        """Return the (T, K) columns of a field, C-contiguous; the field itself where that is all of them."""
        whole = self.field(name)
        if cols == tuple(range(whole.shape[1])):
            return whole
        key = f"{name} {cols}"
        if key not in self._made:
            self._made[key] = _frozen(np.ascontiguousarray(whole[:, list(cols)]))
        return self._made[key]

    def indicator(self, name: str) -> Floats:
        """Return the (T,) closes of an indicator of the panel, C-contiguous, read-only.

        Raises
        ------
        StrategyError
            If the panel has no such indicator.
        """
        key = f"indicator {name}"
        if key not in self._made:
            column = self.panel.indicator[:, self.indicator_column(name)]
            self._made[key] = _frozen(np.ascontiguousarray(column))
        return self._made[key]

    def indicator_column(self, name: str) -> int:
        """Return the column of an indicator; StrategyError if the panel has none of that name."""
        names = self.panel.indicators
        if name not in names:
            raise StrategyError(
                f"indicator {name!r} is not loaded", fix=f"add it to [data] indicators; {did_you_mean(name, names)}"
            )
        return names.index(name)

    def status_of(self, cols: tuple[int, ...]) -> Codes:
        """Return the (T, K) status of some columns, C-contiguous; the whole array where that is all of them."""
        if cols == tuple(range(self.status.shape[1])):
            return self.status
        part = np.ascontiguousarray(self.status[:, list(cols)])
        part.flags.writeable = False
        return part

    @property
    def factor(self) -> Floats:
        """(T, N) shares now held per share of the first bar."""
        if "factor" not in self._made:
            out = np.empty_like(self.ret)
            factor_scan(0, len(out), self.panel.split, np.ones(out.shape[1]), out)
            self._made["factor"] = _frozen(out)
        return self._made["factor"]

    @property
    def action(self) -> Bools:
        """(T,) whether any symbol has a split or a dividend at a bar."""
        if self._action is None:
            panel = self.panel
            self._action = (panel.split != 1.0).any(axis=1) | (panel.dividend != 0.0).any(axis=1)
        return self._action

    def _make(self, name: str) -> Floats:
        panel = self.panel
        if name == "tr":
            out = np.empty_like(self.ret)
            index_scan(0, len(out), self.ret, panel.close, np.full(out.shape[1], np.nan), out)
            return out
        raw: Floats = getattr(panel, name)
        if bool(np.all(panel.split == 1.0)):
            return raw
        return raw / self.factor if name == "volume" else raw * self.factor


def _frozen(array: A) -> A:
    array.flags.writeable = False
    return array
