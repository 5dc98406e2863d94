"""Faults to order: what a network and a venue do on a bad day, at a chosen request."""

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from plimsoll.brokers.exchange.desk.message import Reply, Request

_HTML = "<html><head><title>504 Gateway Time-out</title></head><body><h1>Will be right back</h1></body></html>"


class Fault(BaseModel):
    """One fault and the requests it strikes.

    method, path : which requests; path is a regular expression that the whole path must match.
    skip, times : let so many matching requests pass first, then strike so many (None = all).
    when : "before" the request reaches the exchange, which then never sees it, or "after" it was carried out.
    do : "status" answers with `status` and `payload`; "html" with `status` and a page; "redirect" 302 with the reply's
        own body; "empty" 200 without a body; "reset" cuts the connection; "hang" never answers; "edit" changes the
        reply: `remove` drops keys wherever they are, `change` sets values by path ("quotes/SPY/ap", "*" any key).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    do: Literal["status", "html", "redirect", "empty", "reset", "hang", "edit"]
    method: str = "*"
    path: str = ".*"
    when: Literal["before", "after"] = "after"
    skip: int = Field(0, ge=0)
    times: int | None = Field(1, ge=1)
    status: int = Field(500, ge=200, le=599)
    payload: Any = None
    location: str = "http://127.0.0.1:9/elsewhere"
    remove: tuple[str, ...] = ()
    change: Mapping[str, Any] = Field(default_factory=dict)

    @field_validator("path")
    @classmethod
    def _compiles(cls, path: str) -> str:
        try:
            re.compile(path)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return path

    def strikes(self, request: Request) -> bool:
        """Say whether the request is one of those meant."""
        return self.method in ("*", request.method) and re.fullmatch(self.path, request.path) is not None

    def apply(self, reply: Reply) -> Reply:
        """Return what is sent in place of `reply`."""
        match self.do:
            case "status":
                payload = {"message": "internal server error occurred"} if self.payload is None else self.payload
                return Reply(self.status, payload)
            case "html":
                return Reply(self.status, text=_HTML, content_type="text/html")
            case "redirect":
                return Reply(302, reply.payload, headers={"Location": self.location})
            case "empty":
                return Reply(200, text="")
            case "edit":
                return Reply(reply.status, self._edited(reply.payload), headers=reply.headers)
            case _:
                return Reply(0, ending="hang" if self.do == "hang" else "reset")

    def _edited(self, payload: Any) -> Any:
        kept = _without(payload, frozenset(self.remove))
        for path, value in self.change.items():
            _put(kept, path.split("/"), value)
        return kept


class FaultPlan:
    """The faults that are still to come; each request takes the first one that strikes it."""

    def __init__(self) -> None:
        self._armed: list[tuple[Fault, int, int | None]] = []

    def add(self, fault: Fault) -> None:
        """Arm a fault."""
        self._armed.append((fault, fault.skip, fault.times))

    def clear(self) -> None:
        """Disarm all."""
        self._armed.clear()

    def take(self, request: Request) -> Fault | None:
        """Return the fault that strikes this request, or None, and count."""
        for at, (fault, skip, times) in enumerate(self._armed):
            if not fault.strikes(request):
                continue
            if skip > 0:
                self._armed[at] = (fault, skip - 1, times)
                continue
            if times == 1:
                del self._armed[at]
            else:
                self._armed[at] = (fault, 0, None if times is None else times - 1)
            return fault
        return None


def _without(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _without(inner, names) for key, inner in value.items() if key not in names}
    if isinstance(value, list):
        return [_without(inner, names) for inner in value]
    return value


def _put(value: Any, path: list[str], new: Any) -> None:
    """Set `path` in a nest of dicts and lists in place; where it leads nowhere nothing happens."""
    head, rest = path[0], path[1:]
    if isinstance(value, list):
        chosen = range(len(value)) if head == "*" else [int(head)] if head.isdigit() and int(head) < len(value) else []
        for at in chosen:
            if rest:
                _put(value[at], rest, new)
            else:
                value[at] = new
    elif isinstance(value, dict):
        for key in list(value) if head == "*" else [head]:
            if not rest:
                value[key] = new
            elif key in value:
                _put(value[key], rest, new)
