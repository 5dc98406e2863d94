"""What Yahoo really answered: yfinance turns most failures into an empty frame, or into "possibly delisted"."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

CHART: Final = "/v8/finance/chart/"
_NO_ENTRY: Final = (401, 403)


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer to a chart request: its status and body, or what went wrong on the way."""

    status: int
    body: str
    failure: str = ""


def witness_session(seen: list[Seen], *, proxy: str, ca_file: str, timeout_s: float) -> Any:
    """Return a session for yfinance that writes down every chart answer in `seen`.

    It follows no redirect of a chart request, and allows no request more than `timeout_s` (yfinance itself passes 10 s
    and 30 s here and there).
    """
    from curl_cffi import requests

    class Witness(requests.Session[requests.Response]):
        def get(self, url: str, **given: Any) -> Any:
            given["timeout"] = min(timeout_s, given.get("timeout") or timeout_s)
            if CHART not in url:
                return super().get(url, **given)
            return _watched(lambda: requests.Session.get(self, url, **{**given, "allow_redirects": False}), seen)

    options: dict[str, Any] = {"impersonate": "chrome", "verify": ca_file or True}
    if proxy:
        options["proxies"] = {"http": proxy, "https": proxy}
    return Witness(**options)


def _watched(ask: Callable[[], Any], seen: list[Seen]) -> Any:
    from curl_cffi.requests import exceptions as broken

    try:
        answer = ask()
    except broken.Timeout as error:
        seen.append(Seen(0, str(error), "timed_out"))
        raise
    except (broken.IncompleteRead, broken.ChunkedEncodingError, broken.ContentDecodingError) as error:
        seen.append(Seen(0, str(error), "garbled"))
        raise
    except broken.RequestException as error:
        # curl's codes: 18 partial file, 52 empty reply, 56 failure while receiving: the way was there
        cut = getattr(error, "code", 0) in (18, 52, 56, 92)
        seen.append(Seen(0, str(error), "garbled" if cut else "unreachable"))
        raise
    seen.append(Seen(answer.status_code, answer.text))
    return answer


def judged(seen: list[Seen], error: BaseException | None) -> tuple[str, str] | None:
    """Return (kind, words) of what went wrong, None if the last answer is a chart with rows.

    seen : the chart answers in order. error : what yfinance raised, if it did.
    """
    if not seen:
        return "unreachable", f"no answer at all ({_brief(error)})"
    last = seen[-1]
    if last.failure:
        return last.failure, _first_line(last.body).split(" See https://")[0].rstrip(".")
    if last.status == 429:
        return "rate_limited", "too many requests (HTTP 429)"
    if 300 <= last.status < 400:
        return "garbled", f"redirected (HTTP {last.status}) instead of answering"
    if last.status >= 500:
        return "outage", f"HTTP {last.status}"
    return _body(last) or (("garbled", f"yfinance could not read the answer ({_brief(error)})") if error else None)


def _body(last: Seen) -> tuple[str, str] | None:
    try:
        chart = json.loads(last.body)["chart"]
        refusal, result = chart["error"], chart["result"]
    except (ValueError, KeyError, TypeError):
        return _no_chart(last)
    if refusal:
        words = f"{refusal.get('code')}: {refusal.get('description')}"
        if last.status == 404 and refusal.get("code") == "Not Found":
            return "no_such_data", f"unknown to Yahoo ({words!r}, its words for any symbol it does not find)"
        return ("denied" if last.status in _NO_ENTRY else "outage"), f"HTTP {last.status}, {words}"
    if last.status != 200:
        return "garbled", f"HTTP {last.status} with a chart"
    return None if result and result[0].get("timestamp") else ("no_such_data", "an answer without a single row")


def _no_chart(last: Seen) -> tuple[str, str]:
    if last.status in _NO_ENTRY:
        return "denied", f"HTTP {last.status}"
    if "Will be right back" in last.body:
        return "outage", 'a page that says "Will be right back"'
    return "garbled", f"HTTP {last.status} with {len(last.body)} characters that are no chart: {last.body[:40]!r}"


def _brief(error: BaseException | None) -> str:
    return "no error" if error is None else f"{type(error).__name__}: {_first_line(str(error))}"


def _first_line(text: str) -> str:
    return (text.splitlines() or [""])[0][:160]
