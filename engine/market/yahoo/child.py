"""The child process that talks to Yahoo: a line of JSON in, a line of JSON out, for each symbol.

A process of its own, because yfinance keeps answers, HTTP 500 among them, for the life of a process, and because a
process can be ended whatever it hangs in. Run as ``python -m plimsoll.engine.market.yahoo.child``.
"""

import json
import os
import sys
import warnings
from typing import Any

from plimsoll.engine.market.yahoo.witness import Seen, judged, witness_session

_COLUMNS = {
    "Open": "open",
    "High": "high",
    "Low": "low",
    "Close": "close",
    "Adj Close": "adj_close",
    "Volume": "volume",
    "Dividends": "dividend",
    "Stock Splits": "split",
    "Capital Gains": "gain",
}


def main() -> None:
    """Answer requests on standard input until it ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints does not belong among the answers
    warnings.simplefilter("ignore")
    setting = json.loads(sys.stdin.readline())
    import yfinance

    yfinance.set_tz_cache_location(setting["scratch"])
    yfinance.config.debug.hide_exceptions = False
    seen: list[Seen] = []
    session = witness_session(seen, proxy=setting["proxy"], ca_file=setting["ca_file"], timeout_s=setting["timeout_s"])
    for line in sys.stdin:
        asked = json.loads(line)
        seen.clear()
        answers.write(json.dumps(_answer(asked["symbol"], asked["start"], session, seen)) + "\n")
        answers.flush()


def _answer(symbol: str, start: str, session: Any, seen: list[Seen]) -> dict[str, Any]:
    import yfinance

    frame, failure = None, None
    try:
        ticker = yfinance.Ticker(symbol, session=session)
        frame = ticker.history(start=start, interval="1d", auto_adjust=False, actions=True, keepna=True)
        meta = ticker.history_metadata
    except Exception as error:  # noqa: BLE001  (yfinance raises what its parsers raise; the answers seen decide)
        failure = error
    wrong = judged(seen, failure)
    if wrong is not None or frame is None:
        kind, text = wrong or ("garbled", "no frame")
        return {"kind": kind, "text": text}
    told: dict[str, Any] = {
        key: meta.get(key) for key in ("instrumentType", "exchangeTimezoneName", "currency", "symbol")
    }
    stamps = frame.index
    told["zone"] = str(stamps.tz)
    told["midnight"] = bool((stamps.normalize() == stamps).all())
    told["session"] = [str(day) for day in stamps.date]
    for theirs, ours in _COLUMNS.items():
        if theirs in frame.columns:
            told[ours] = [float(value) for value in frame[theirs].to_numpy()]
    return {"rows": told}


if __name__ == "__main__":
    main()
