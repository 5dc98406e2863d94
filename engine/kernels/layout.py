"""Where each number of an account lives in the arrays that kernels share."""

from typing import Final

# acct (ACCT_ROWS, N), one column per symbol
SHARES: Final = 0  # held, signed
MARK: Final = 1  # last known close, NaN before the first
LEG0: Final = 2  # working order, signed shares; the leg that reduces or flattens
LEG1: Final = 3  # working order that may fill only once LEG0 is done
ORDER0: Final = 4  # row of LEG0 in the order table, -1 = none
ORDER1: Final = 5
TARGET: Final = 6  # target weight, for orders sized at the fill
AT_CLOSE: Final = 7  # 1 = the working order fills at the close, 0 = at the open
SIGMA: Final = 8  # daily volatility at decision time, NaN = unknown
ADV: Final = 9  # average daily volume in shares at decision time, NaN = unknown
HALF_SPREAD: Final = 10  # fraction of the price
MAINT_LONG: Final = 11  # maintenance margin, fraction of market value
MAINT_SHORT: Final = 12
ACCT_ROWS: Final = 13

# scal (SCALARS,)
CASH: Final = 0
EQUITY: Final = 1
NAV: Final = 2  # time-weighted index, 1 at the start
PEAK: Final = 3  # of NAV
GROSS_NAV: Final = 4  # the same index before trading costs
STARTED: Final = 5  # 1 after the first session
N_FILLS: Final = 6  # rows used in the fill table
N_WORKING: Final = 7  # working orders
MAINTENANCE: Final = 8  # dollars required at the last mark
RUINED: Final = 9
# counters, shown in every result
MARGIN_CALLS: Final = 10
NEGATIVE_CASH: Final = 11  # closes with cash below zero
PARTIAL_FILLS: Final = 12
EXPIRED_ORDERS: Final = 13
VOLUME_UNKNOWN: Final = 14  # fills without a participation cap because volume is unknown
IMPACT_UNKNOWN: Final = 15  # fills without impact because volatility or volume is unknown
DELISTED_COUNT: Final = 16
# this session's regulatory fees so far, before rounding, in the order of the fill table
FEE_SUMS: Final = 17
FEE_KINDS: Final = 3
SCALARS: Final = 20

# rules (RULES,): the first COST_RULES entries are laid out in `plimsoll.engine.kernels.account.cost`
MAX_PARTICIPATION: Final = 4  # 0 = no cap
FRACTIONAL: Final = 5
CARRY: Final = 6  # 1 = what does not fill works on, 0 = it expires
SIZE_AT_FILL: Final = 7
MARGIN_ACCOUNT: Final = 8  # 1 = reg_t
MARGIN_SPREAD: Final = 9  # per year, over the bill rate
BORROW_RATE: Final = 10  # per year, on short market value
QTY_STEP: Final = 11  # smallest fraction of a share
RULES: Final = 12

# daily (DAILY, T): what is known about each bar beside prices
BILL: Final = 0  # return on cash over the bar
DAY: Final = 1  # 1/252 on the first bar of a session, else 0
# 2..5 the fee schedule, see `plimsoll.engine.kernels.account.cost`
FLOW: Final = 6  # deposit (+) or withdrawal (-) at the start of the bar
DAILY: Final = 7

# rec (T, RECORD), one row per bar, in dollars unless said
RECORD_COLUMNS: Final = (
    "equity",
    "equity_gross",
    "cash",
    "long",
    "short",
    "ret",
    "drawdown",
    "price_pnl",
    "dividends",
    "interest",
    "financing",
    "borrow",
    "commission",
    "spread",
    "impact",
    "fees",
    "traded",
    "flow",
    "maintenance",
)
R_EQUITY: Final = 0
R_EQUITY_GROSS: Final = 1  # index before costs, 1 at the start
R_CASH: Final = 2
R_LONG: Final = 3
R_SHORT: Final = 4
R_RET: Final = 5
R_DRAWDOWN: Final = 6
R_PRICE_PNL: Final = 7
R_DIVIDENDS: Final = 8
R_INTEREST: Final = 9
R_FINANCING: Final = 10
R_BORROW: Final = 11
R_COMMISSION: Final = 12
R_SPREAD: Final = 13
R_IMPACT: Final = 14
R_FEES: Final = 15
R_TRADED: Final = 16
R_FLOW: Final = 17
R_MAINTENANCE: Final = 18
RECORD: Final = 19

# fills (capacity, FILL), one row per fill
F_BAR: Final = 0
F_COLUMN: Final = 1
F_QTY: Final = 2
F_PRICE: Final = 3
F_COMMISSION: Final = 4
F_SPREAD: Final = 5
F_IMPACT: Final = 6
F_SEC: Final = 7
F_TAF: Final = 8
F_CAT: Final = 9
F_ORDER: Final = 10  # row in the order table, -1 = a delisting or liquidation
FILL: Final = 11
