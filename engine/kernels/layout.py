"""Where each number of an account lives in the arrays that kernels share."""

from typing import Final

from plimsoll.engine.kernels.cost import COST_COLUMNS, COSTS, FEE_RATES, N_SESSION_FEES, RATES

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
LOT: Final = 13  # smallest quantity of a long that trades, in shares: 1 = whole shares only
CARRIED: Final = 14  # 1 = the working order is older than the last decision's bar
ROOM: Final = 15  # scratch of a bar: shares that the market still gives
ADDS: Final = 16  # scratch of a bar: signed shares that would open or add
FORCED: Final = 17  # scratch of a bar: shares that a withdrawal has sold already
LIMIT: Final = 18  # dollars a share beyond which the working order does not fill, NaN = none
ACCT_ROWS: Final = 19

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
OWED: Final = 10  # a withdrawal that could not be paid in full yet, dollars
PLANNED: Final = 11  # 1 = the working orders were decided at the last close
# counters, shown in every result
MARGIN_CALLS: Final = 12
NEGATIVE_CASH: Final = 13  # closes with cash below zero
PARTIAL_FILLS: Final = 14
EXPIRED_ORDERS: Final = 15
VOLUME_UNKNOWN: Final = 16  # fills without a participation cap because volume is unknown
IMPACT_UNKNOWN: Final = 17  # fills without impact because volatility or volume is unknown
DELISTED_COUNT: Final = 18
CUT_AT_FILL: Final = 19  # orders cut at the fill to the money or the margin there was
LATE_PAYMENTS: Final = 20  # closes at which a part of a withdrawal was still owed
# this session's regulatory fees so far, before rounding, in the order of `SESSION_FEES`
FEE_SUMS: Final = 21
SCALARS: Final = FEE_SUMS + N_SESSION_FEES

# rules (RULES,): what holds for all symbols alike, by the names of the fields of `Terms`
RULE_NAMES: Final = (
    *RATES,
    "max_participation",
    "carry",
    "size_at_fill",
    "margin_account",
    "margin_spread",
    "borrow_rate",
    "short_rebate",
)
MAX_PARTICIPATION: Final = RULE_NAMES.index("max_participation")  # 0 = no cap
CARRY: Final = RULE_NAMES.index("carry")  # 1 = what does not fill works on, 0 = it expires
SIZE_AT_FILL: Final = RULE_NAMES.index("size_at_fill")
MARGIN_ACCOUNT: Final = RULE_NAMES.index("margin_account")  # 1 = reg_t
MARGIN_SPREAD: Final = RULE_NAMES.index("margin_spread")  # per year, over the bill rate
BORROW_RATE: Final = RULE_NAMES.index("borrow_rate")  # per year, on short market value
SHORT_REBATE: Final = RULE_NAMES.index("short_rebate")  # fraction of the bill rate that short proceeds earn
RULES: Final = len(RULE_NAMES)

# daily (DAILY, T): what is known about each bar beside prices
DAILY_ROWS: Final = (*FEE_RATES, "bill", "day", "flow", "next_out")
BILL: Final = DAILY_ROWS.index("bill")  # return on cash over the bar
DAY: Final = DAILY_ROWS.index("day")  # 1/252 on the first bar of a session, else 0
FLOW: Final = DAILY_ROWS.index("flow")  # deposit (+) or withdrawal (-) at the start of the bar
NEXT_OUT: Final = DAILY_ROWS.index("next_out")  # dollars to be paid out at the next bar: a schedule, known before
DAILY: Final = len(DAILY_ROWS)

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
    *COST_COLUMNS,
    "traded",
    "flow",
    "maintenance",
)
R_EQUITY: Final = RECORD_COLUMNS.index("equity")
R_EQUITY_GROSS: Final = RECORD_COLUMNS.index("equity_gross")  # index before costs, 1 at the start
R_CASH: Final = RECORD_COLUMNS.index("cash")
R_LONG: Final = RECORD_COLUMNS.index("long")
R_SHORT: Final = RECORD_COLUMNS.index("short")
R_RET: Final = RECORD_COLUMNS.index("ret")
R_DRAWDOWN: Final = RECORD_COLUMNS.index("drawdown")
R_PRICE_PNL: Final = RECORD_COLUMNS.index("price_pnl")
R_DIVIDENDS: Final = RECORD_COLUMNS.index("dividends")
R_INTEREST: Final = RECORD_COLUMNS.index("interest")
R_FINANCING: Final = RECORD_COLUMNS.index("financing")
R_BORROW: Final = RECORD_COLUMNS.index("borrow")
R_COSTS: Final = RECORD_COLUMNS.index(COST_COLUMNS[0])  # first of the costs
R_COSTS_STOP: Final = R_COSTS + len(COST_COLUMNS)
R_TRADED: Final = RECORD_COLUMNS.index("traded")
R_FLOW: Final = RECORD_COLUMNS.index("flow")
R_MAINTENANCE: Final = RECORD_COLUMNS.index("maintenance")
RECORD: Final = len(RECORD_COLUMNS)
# the record's column of each component of the costs
COST_TO: Final = tuple(RECORD_COLUMNS.index(cost.column) for cost in COSTS)

# fills (capacity, FILL), one row per fill; costs in dollars
FILL_COLUMNS: Final = ("bar", "column", "qty", "price", *(cost.name for cost in COSTS), "order")
F_BAR: Final = FILL_COLUMNS.index("bar")
F_COLUMN: Final = FILL_COLUMNS.index("column")
F_QTY: Final = FILL_COLUMNS.index("qty")
F_PRICE: Final = FILL_COLUMNS.index("price")
F_COSTS: Final = FILL_COLUMNS.index(COSTS[0].name)  # first of the costs, in the order of `COSTS`
F_ORDER: Final = FILL_COLUMNS.index("order")  # row in the order table, -1 = no order: see `ledger`
FILL: Final = len(FILL_COLUMNS)
# most fills of one symbol in one bar: cash in lieu, a withdrawal, two legs, a liquidation
FILLS_PER_BAR: Final = 5
