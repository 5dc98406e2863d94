"""What whoever runs the exchange may do to it: move its clock, change how it behaves, order faults, halt a symbol."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from plimsoll.brokers.exchange.desk.fault import Fault
from plimsoll.brokers.exchange.desk.message import Reply, Request, local_stamp, read_moment
from plimsoll.brokers.exchange.hours import session_after
from plimsoll.brokers.exchange.refusal import bad_parameter
from plimsoll.brokers.exchange.settings import Behaviour, HandlingRule

if TYPE_CHECKING:
    from plimsoll.brokers.exchange.desk.desk import Desk

_Read = TypeVar("_Read")


class Move(BaseModel):
    """Where the clock goes: to a moment, some seconds on, or to an edge of a session."""

    model_config = {"extra": "forbid"}

    at: str | None = None
    seconds: float | None = None
    to: str | None = None


def get_clock(desk: "Desk", request: Request) -> Reply:
    """GET /_control/clock."""
    del request
    session = desk.exchange.session
    return Reply(
        payload={"now": local_stamp(desk.exchange.now), "is_open": desk.exchange.is_open, "session": session.day}
    )


def post_clock(desk: "Desk", request: Request) -> Reply:
    """POST /_control/clock {"at": moment} | {"seconds": n} | {"to": "open" | "close" | "next_open"}."""
    move = _read(Move, request.json())
    given = [move.at is not None, move.seconds is not None, move.to is not None]
    if sum(given) != 1:
        raise bad_parameter("give one of at, seconds and to")
    if not desk.clock.move(_target(desk, move)):
        raise bad_parameter("the clock is the machine's own, or would run backwards")
    desk.exchange.advance(desk.clock.now())
    return get_clock(desk, request)


def post_behaviour(desk: "Desk", request: Request) -> Reply:
    """POST /_control/behaviour: what is named changes, the rest stays."""
    body = request.json()
    if not isinstance(body, dict):
        raise bad_parameter("an object is needed")
    desk.exchange.behaviour = _read(Behaviour, {**desk.exchange.behaviour.model_dump(), **body})
    return Reply(payload=desk.exchange.behaviour.model_dump(mode="json"))


def post_handling(desk: "Desk", request: Request) -> Reply:
    """POST /_control/handling: a list of rules that takes the place of the ones before."""
    desk.exchange.handling_rules = _read(list[HandlingRule], request.json())
    return Reply(payload=[rule.model_dump(mode="json") for rule in desk.exchange.handling_rules])


def post_faults(desk: "Desk", request: Request) -> Reply:
    """POST /_control/faults: a list of faults that is added to the ones still to come."""
    faults = _read(list[Fault], request.json())
    for fault in faults:
        desk.faults.add(fault)
    return Reply(payload={"added": len(faults)})


def delete_faults(desk: "Desk", request: Request) -> Reply:
    """DELETE /_control/faults."""
    del request
    desk.faults.clear()
    return Reply(204)


def post_halt(desk: "Desk", request: Request) -> Reply:
    """POST /_control/halt {"symbol": s, "on": true}."""
    body = request.json()
    if not isinstance(body, dict) or set(body) != {"symbol", "on"} or body["symbol"] not in desk.exchange.tape.symbols:
        raise bad_parameter("symbol (of this exchange) and on are needed")
    desk.exchange.halt(body["symbol"], on=bool(body["on"]))
    desk.exchange.advance(desk.exchange.now)
    return Reply(payload={"halted": sorted(desk.exchange.halted)})


def get_transcript(desk: "Desk", request: Request) -> Reply:
    """GET /_control/transcript: JSON lines, up to the request before this one."""
    del request
    return Reply(text="".join(f"{line}\n" for line in desk.transcript.lines), content_type="application/x-ndjson")


def _target(desk: "Desk", move: Move) -> datetime:
    exchange = desk.exchange
    if move.at is not None:
        return read_moment(move.at, "at")
    if move.seconds is not None:
        if not 0 <= move.seconds < 1e9:
            raise bad_parameter("seconds must be from 0 to 1e9")
        return exchange.now + timedelta(seconds=move.seconds)
    following = session_after(exchange.session) if exchange.is_open else exchange.session
    edges = {
        "open": exchange.session.open,
        "close": exchange.session.close,
        "next_open": following.open,
    }
    if move.to not in edges:
        raise bad_parameter(f"to must be one of {', '.join(edges)}")
    return max(edges[move.to], exchange.now)


def _read(kind: type[_Read], body: Any) -> _Read:
    try:
        return TypeAdapter(kind).validate_python(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise bad_parameter(f"{where}: {first['msg']}") from None
