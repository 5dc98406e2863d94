"""Files of every layout that is imported, each written by hand from its documentation, with the values in it."""

from dataclasses import dataclass, field

THREE_HEADERS = """Price,Close,Close,High,High,Low,Low,Open,Open,Volume,Volume
Ticker,QQQ,SPY,QQQ,SPY,QQQ,SPY,QQQ,SPY,QQQ,SPY
Date,,,,,,,,,,
2024-01-02,400.5,470.5,403.0,473.0,399.0,469.0,402.0,472.0,50000000,120000000
2024-01-03,397.0,466.0,401.0,470.0,396.0,465.0,400.0,469.0,51000000,103000000
"""


@dataclass(frozen=True)
class Case:
    """A file's name and text, the flags it needs, and its right values: the first two rows of one symbol.

    values : column -> the two values, as written into the imported file. stamps : as written. asks : the flag that is
    asked for if none is given.
    """

    name: str
    text: str
    stamps: tuple[str, str]
    values: dict[str, tuple[float, float]]
    symbol: str = "SPY"
    flags: dict[str, str] = field(default_factory=dict)
    asks: str = ""
    interval: str = "1d"
    columns: str = ""


DAYS = ("2024-01-02", "2024-01-03")
BARS = ("2024-01-02 09:30:00", "2024-01-02 09:31:00")
FIVE = ("2024-01-02 09:30:00", "2024-01-02 09:35:00")
OHLC = {"open": (472.0, 469.0), "high": (473.0, 470.0), "low": (469.0, 465.0), "close": (470.5, 466.0)}
SHARES = {"volume": (120e6, 103e6)}
CASES = {
    "yahoo": Case(
        "SPY.csv",
        "Date,Open,High,Low,Close,Adj Close,Volume\n"
        "2024-01-02,472.0,473.0,469.0,470.5,465.795,120000000\n2024-01-03,469.0,470.0,465.0,466.0,461.34,103000000\n",
        DAYS,
        OHLC | SHARES | {"adj_close": (465.795, 461.34)},
        columns="date,open,high,low,close,adj_close,volume",
    ),
    "yfinance with Adj Close and a 2:1 split": Case(  # Yahoo's prices before a split are halved, its volumes doubled
        "SPY.csv",
        "Date,Open,High,Low,Close,Adj Close,Volume,Dividends,Stock Splits\n"
        "2024-01-02 00:00:00-05:00,236.0,236.5,234.5,235.25,235.25,240000000,0.0,0.0\n"
        "2024-01-03 00:00:00-05:00,234.5,235.0,232.5,233.0,233.0,206000000,0.0,2.0\n",
        DAYS,
        {"open": (472.0, 234.5), "close": (470.5, 233.0), "volume": (120e6, 206e6), "split": (1.0, 2.0)},
    ),
    "yfinance, three header lines": Case("download.csv", THREE_HEADERS, DAYS, OHLC | SHARES),
    "yfinance, the other symbol": Case(
        "download.csv", THREE_HEADERS, DAYS, {"open": (402.0, 400.0), "volume": (50e6, 51e6)}, symbol="QQQ"
    ),
    "stooq bulk": Case(
        "spy.us.txt",
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
        "SPY.US,D,20240102,000000,472,473,469,470.5,120000000.25,0\n"
        "SPY.US,D,20240103,000000,469,470,465,466,103000000,0\n",
        DAYS,
        OHLC | {"volume": (120000000.25, 103e6)},
        flags={"adjustment": "all"},
        asks="--adjustment",
    ),
    "stooq site": Case(
        "spy_us_d.csv",
        "Date,Open,High,Low,Close,Volume\n2024-01-02,472,473,469,470.5,120000000\n2024-01-03,469,470,465,466,103000000\n",
        DAYS,
        OHLC | SHARES,
        flags={"adjustment": "all"},
        asks="--adjustment",
    ),
    "nasdaq, newest first": Case(
        "HistoricalData_1709300000000.csv",
        "Date,Close/Last,Volume,Open,High,Low\n"
        "01/03/2024,$466.00,103000000,$469.00,$470.00,$465.00\n01/02/2024,$470.50,120000000,$472.00,$473.00,$469.00\n",
        DAYS,
        OHLC | SHARES,
        flags={"symbol": "SPY", "adjustment": "all"},
        asks="--as",
    ),
    "investing.com, a continental edition": Case(
        "SPY Historical Data.csv",
        '"Date","Price","Open","High","Low","Vol.","Change %"\n'
        '"03.01.2024","466,00","469,00","470,00","465,00","103,00M","-0,96%"\n'
        '"02.01.2024","470,50","472,00","473,00","469,00","0,12B","-0,56%"\n',
        DAYS,
        OHLC | SHARES,
        flags={"date_order": "dmy", "adjustment": "all"},
        asks="--date-order",
    ),
    "alpaca minutes": Case(
        "bars.csv",
        "symbol,timestamp,open,high,low,close,volume,trade_count,vwap\n"
        "SPY,2024-01-02 14:29:00+00:00,471.0,471.5,470.5,471.0,900.0,9.0,471.0\n"
        "SPY,2024-01-02 14:30:00+00:00,472.0,473.0,471.5,472.5,5000.0,40.0,472.2\n"
        "SPY,2024-01-02 14:31:00+00:00,472.5,472.6,472.0,472.1,4000.0,30.0,472.3\n",
        BARS,
        {"open": (472.0, 472.5), "close": (472.5, 472.1), "volume": (5000.0, 4000.0)},
        flags={"adjustment": "raw"},
        asks="--adjustment",
        interval="1min",
    ),
    "tiingo": Case(
        "SPY.csv",
        "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor\n"
        "2024-01-02 00:00:00+00:00,470.5,473.0,469.0,472.0,120000000,233.5,235.0,233.0,234.5,240000000,0.0,1.0\n"
        "2024-01-03 00:00:00+00:00,233.0,235.0,232.5,234.5,206000000,233.0,235.0,232.5,234.5,206000000,1.0,2.0\n",
        DAYS,
        {"open": (472.0, 234.5), "close": (470.5, 233.0), "volume": (120e6, 206e6), "adj_close": (233.5, 233.0)}
        | {"dividend": (0.0, 1.0), "split": (1.0, 2.0)},
        columns="date,open,high,low,close,adj_close,volume,dividend,split",
    ),
    "polygon minutes": Case(  # nanoseconds of 14:30 and 14:31 UTC
        "2024-01-02.csv",
        "ticker,volume,open,close,high,low,window_start,transactions\n"
        "QQQ,1,400,400,400,400,1704205800000000000,1\n"
        "SPY,5000,472.0,472.5,473.0,471.5,1704205800000000000,40\n"
        "SPY,4000,472.5,472.1,472.6,472.0,1704205860000000000,30\n",
        BARS,
        {"open": (472.0, 472.5), "high": (473.0, 472.6), "low": (471.5, 472.0), "close": (472.5, 472.1)},
        flags={"only": "SPY"},
        interval="1min",
    ),
    "polygon days": Case(  # nanoseconds of New York's midnights
        "days.csv",
        "ticker,volume,open,close,high,low,window_start,transactions\n"
        "SPY,120000000,472,470.5,473,469,1704171600000000000,40\n"
        "SPY,103000000,469,466,470,465,1704258000000000000,30\n",
        DAYS,
        OHLC | SHARES | {"dividend": (0.0, 0.0)},
        flags={"no_dividends": "yes"},
        asks="--no-dividends",
    ),
    "databento, fixed prices": Case(
        "spy.csv",
        "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n"
        "1704205800000000000,33,2,15144,472000000000,473000000000,471500000000,472500000000,5000,SPY\n"
        "1704205860000000000,33,2,15144,472500000000,472600000000,472000000000,472100000000,4000,SPY\n",
        BARS,
        {"open": (472.0, 472.5), "close": (472.5, 472.1), "volume": (5000.0, 4000.0)},
        interval="1min",
    ),
    "databento, pretty": Case(
        "spy.csv",
        "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n"
        "2024-01-02T14:30:00.000000000Z,33,2,15144,472.000000000,473.000000000,471.500000000,472.500000000,5000,SPY\n"
        "2024-01-02T14:31:00.000000000Z,33,2,15144,472.500000000,472.600000000,472.000000000,472.100000000,4000,SPY\n",
        BARS,
        {"open": (472.0, 472.5), "close": (472.5, 472.1), "volume": (5000.0, 4000.0)},
        interval="1min",
    ),
    "kibot days": Case(
        "SPY.txt",
        "01/02/2024,472,473,469,470.5,120000000\n01/03/2024,469,470,465,466,103000000\n",
        DAYS,
        OHLC | SHARES,
        flags={"adjustment": "all"},
        asks="--adjustment",
    ),
    "kibot minutes": Case(
        "SPY.txt",
        "01/02/2024,09:30,472,473,471.5,472.5,5000\n01/02/2024,09:31,472.5,472.6,472,472.1,4000\n",
        BARS,
        {"open": (472.0, 472.5), "close": (472.5, 472.1), "volume": (5000.0, 4000.0)},
        flags={"adjustment": "all"},
        asks="--adjustment",
        interval="1min",
    ),
    "firstrate": Case(
        "SPY_full_1min_adjsplitdiv.txt",
        "2024-01-02 09:30:00,472,473,471.5,472.5,5000\n2024-01-02 09:31:00,472.5,472.6,472,472.1,4000\n",
        BARS,
        {"open": (472.0, 472.5), "close": (472.5, 472.1), "volume": (5000.0, 4000.0)},
        interval="1min",
    ),
    "tradingview": Case(
        "BATS_SPY, 5.csv",
        "time,open,high,low,close,Volume\n1704205800,472,473,471.5,472.5,5000\n1704206100,472.5,472.6,472,472.1,4000\n",
        FIVE,
        {"open": (472.0, 472.5), "volume": (5000.0, 4000.0)},
        flags={"adjustment": "split"},
        asks="--adjustment",
        interval="5min",
    ),
    "tradingview days, stamped with the open": Case(
        "BATS_SPY, 1D.csv",
        "time,open,high,low,close,Volume\n1704205800,472,473,469,470.5,120000000\n1704292200,469,470,465,466,103000000\n",
        DAYS,
        OHLC | SHARES,
        flags={"adjustment": "all"},
        asks="--adjustment",
    ),
    "interactive brokers, its zone in the stamp": Case(
        "SPY.csv",
        ",date,open,high,low,close,volume,average,barCount\n"
        "0,20240102  08:30:00 US/Central,472,473,471.5,472.5,5000,472.2,40\n"
        "1,20240102  08:35:00 US/Central,472.5,472.6,472,472.1,4000,472.3,30\n",
        FIVE,
        {"open": (472.0, 472.5), "volume": (5000.0, 4000.0)},
        flags={"stamp": "start", "adjustment": "split"},
        asks="--stamp",
        interval="5min",
    ),
    "norgate": Case(
        "SPY.csv",
        "Date,Open,High,Low,Close,Volume,Turnover,Unadjusted Close,Dividend\n"
        "20240102,472,473,469,470.5,120000000,56e9,470.5,0\n20240103,469,470,465,466,103000000,48e9,466,1.25\n",
        DAYS,
        OHLC | SHARES | {"dividend": (0.0, 1.25)},
        flags={"adjustment": "raw"},
        asks="--adjustment",
    ),
    "crsp": Case(  # a 2-for-1 split and 1.25 a new share: (2 x 233 + 2 x 1.25) / 470.5 = 0.995749
        "crsp.csv",
        "PERMNO,date,TICKER,BIDLO,ASKHI,PRC,VOL,RET,OPENPRC,CFACPR,CFACSHR\n"
        "84398,20240102,SPY,469,473,470.5,120000000,C,472,2,2\n"
        "84398,20240103,SPY,232.5,235,233,206000000,-0.004251,234.5,1,1\n",
        DAYS,
        {"open": (472.0, 234.5), "high": (473.0, 235.0), "low": (469.0, 232.5), "close": (470.5, 233.0)}
        | {"volume": (120e6, 206e6), "dividend": (0.0, 1.25), "split": (1.0, 2.0)},
    ),
    "crsp, returns alone": Case(  # 470.5 x 0.996281, a dividend in it that nothing tells from the price
        "crsp.csv",
        "date,TICKER,PRC,RET\n2024-01-02 00:00:00,SPY,470.5,C\n2024-01-03 00:00:00,SPY,-466,-0.003719\n",
        DAYS,
        {"adj_close": (470.5, 468.7502105)},
        columns="date,adj_close",
    ),
    "backtesting.py": Case(
        "SPY.csv",
        ",Open,High,Low,Close,Volume\n2024-01-02,472,473,469,470.5,120000000\n2024-01-03,469,470,465,466,103000000\n",
        DAYS,
        OHLC | SHARES,
        flags={"adjustment": "all"},
        asks="--adjustment",
    ),
    "bt": Case(
        "prices.csv",
        "Date,qqq,spy\n2024-01-02,400.5,470.5\n2024-01-03,397.0,466.0\n",
        DAYS,
        {"adj_close": (470.5, 466.0)},
        flags={"adjustment": "all"},
        asks="--adjustment",
        columns="date,adj_close",
    ),
    "a plain table, times of another zone, stamped with the end": Case(
        "SPY.csv",
        "timestamp;open;high;low;close;volume\n"
        "02/01/2024 14:31;472;473;471,5;472,5;5.000\n02/01/2024 14:32;472,5;472,6;472;472,1;4.000\n",
        BARS,
        {"open": (472.0, 472.5), "close": (472.5, 472.1), "volume": (5000.0, 4000.0)},
        flags={"date_order": "dmy", "zone": "Europe/London", "stamp": "end", "adjustment": "split"},
        asks="--date-order",
        interval="1min",
    ),
}
