"""The tables and facts of one run, as a user of its result sees them."""

from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from plimsoll.engine.kernels.layout import R_COSTS_STOP, R_SHORT, RECORD_COLUMNS
from plimsoll.engine.market.panel import DataWarning
from plimsoll.engine.runtime.beside import Span

# the simulator's record, with what follows from it: exposures after the two sides, a sum after the costs
EQUITY_COLUMNS: Final = (
    *RECORD_COLUMNS[: R_SHORT + 1], "gross", "net",
    *RECORD_COLUMNS[R_SHORT + 1 : R_COSTS_STOP], "costs",
    *RECORD_COLUMNS[R_COSTS_STOP:],
)  # fmt: skip

# What a row is of the tables that have no other name for it than its number.
ROW_NAMES: Final = {"orders": "order", "fills": "fill", "diagnostics": "note", "trace": "row"}


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class RunFacts:
    """The tables and facts of one run. Money in USD, rates and weights as fractions, rows oldest first.

    equity : one row per traded bar, index "session" (bar stamps on intraday data), columns `EQUITY_COLUMNS`: account
        at the close; `ret` time-weighted net return of the bar; `drawdown` of the time-weighted index, <= 0; `gross`
        and `net` exposure as fractions of equity; `costs` = sum of `COST_COLUMNS`; `traded` = sum of
        |fill notional|; `flow` deposits (+) and withdrawals (-) at the start of the bar; `interest` received on cash;
        `financing` and `borrow` paid, > 0 is a cost; `equity_gross` the starting cash grown by ret + costs / base.
    weights : same index, a column per symbol, held at the close. targets : a row per decision, before the band.
    orders, fills : a row each. sleeves : "<sleeve>.equity", ".drawdown", ".weight" per bar.
    diagnostics : session, sleeve, name, value. trace : session, symbol and a column per stage.
    cash : what the account started with.
    benchmark, bill : simple return per session; None = none named (the bill rate is then 0). The benchmark's are of
        its own span; a session that it has no row on is NaN or missing, and in its next return.
    name, run_id : what it is called; the second with the start of its configuration's hash.
    config, config_toml, config_hash, data_hash, env : what it was made from.
    source, interval, synthetic : where the bars came from, how long each is, whether they are generated.
    warnings : what was odd about the data: kind, symbol, text, session.
    counts : events worth a look; all are shown. ruined : equity reached zero and trading stopped.
    certificate : what an audit of the run found, None without one.
    spans : where benchmark, bill series and indicators begin and end.
    verdict : what the gate's verdict on file says of this very configuration: `passed`, `fits` (it is of this strategy
        source, configuration and data), `path`; None where the configuration names none.
    """

    name: str
    run_id: str
    equity: pd.DataFrame
    weights: pd.DataFrame
    targets: pd.DataFrame
    orders: pd.DataFrame
    fills: pd.DataFrame
    sleeves: pd.DataFrame
    diagnostics: pd.DataFrame
    trace: pd.DataFrame
    cash: float
    benchmark: pd.Series | None
    bill: pd.Series | None
    config: dict[str, Any]
    config_toml: str
    config_hash: str
    data_hash: str
    synthetic: bool
    source: str
    interval: str
    warnings: tuple[DataWarning, ...]
    counts: dict[str, int | float]
    env: dict[str, Any]
    ruined: bool = False
    certificate: dict[str, Any] | None = None
    spans: tuple[Span, ...] = ()
    verdict: dict[str, Any] | None = None
