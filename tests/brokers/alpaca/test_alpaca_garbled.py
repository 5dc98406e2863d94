"""Bytes that no exchange would send, on a bare socket: an order stays unknown, whatever comes back."""

import socket
import threading

import pytest
from support.houses import Watch, intent

from plimsoll.brokers.alpaca.connect import connect
from plimsoll.engine.errors import VenueError
from plimsoll.engine.execution.venue import Unknown

KEYS = {"APCA_API_KEY_ID": "EXGARBLED", "APCA_API_SECRET_KEY": "canary-of-the-secret"}
ORDER = b'{"id":"a","client_order_id":"one","symbol":"B","side":"buy","status":"new","filled_qty":%s}'


def ok(body: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join((b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers, b"", body))


ANSWERS = {
    "brackets without end": ok(b"[" * 100_000),
    "too deep": ok(b"[" * 100_000 + b"]" * 100_000),
    "too deep, refused": ok(b"[" * 100_000).replace(b"200 OK", b"422 No"),
    "a number of 5,000 digits": ok(b"1" * 5000),
    "shares with a huge exponent": ok(ORDER % b"1e999999999"),
    "shares that are a word": ok(ORDER % b'"many"'),
    "a rate header of 5,000 digits": ok(b"{}", b"X-Ratelimit-Remaining: " + b"9" * 5000),
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nhello",
    "cut in the body": ok(ORDER % b'"0"').replace(b"Content-Length: ", b"Content-Length: 9"),
    "no gzip": ok(b"garbage", b"Content-Encoding: gzip"),
    "broken chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nfoo",
    "no HTTP": b"garbage\r\n\r\n",
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"\r\n",
    "a redirect to nowhere": b"HTTP/1.1 302 Found\r\nLocation: http://[bad\r\nContent-Length: 2\r\n\r\n{}",
    "a status of its own": b"HTTP/1.1 999 Foo\r\nContent-Length: 2\r\n\r\n{}",
    "null": ok(b"null"),
    "no text": ok(b"\xff\xfd" * 40),
    "nothing": b"",
}
every_answer = pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())


def answering(answer: bytes) -> tuple[str, list[bytes]]:
    """Answer every connection with these bytes; return where, and what was received."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(5.0)
    received: list[bytes] = []

    def serve() -> None:
        with listening:
            for _ in range(4):  # a question is asked four times
                try:
                    caller, _ = listening.accept()
                except TimeoutError:
                    return
                with caller:
                    received.append(caller.recv(65_536))
                    caller.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}", received


@every_answer
def test_an_order_is_unknown_and_was_sent_once(answer: bytes) -> None:
    url, received = answering(answer)
    found = connect(url, KEYS, timeout=(2.0, 2.0), sleep=Watch().sleep).submit(intent("one", "B", 1))
    assert isinstance(found, Unknown)
    assert "canary" not in repr(found)
    assert len(received) == 1


@every_answer
def test_a_question_has_no_answer(answer: bytes) -> None:
    url, _ = answering(answer)
    with pytest.raises(VenueError) as caught:
        connect(url, KEYS, timeout=(2.0, 2.0), sleep=Watch().sleep).clock()
    assert "canary" not in str(caught.value)


DATE = b"Date: Mon, 30 Nov 2026 15:00:30 GMT"  # 1796050830 seconds since 1970
BUSY = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\nConnection: close\r\n%s\r\n\r\n{}"
WAITS: dict[str, tuple[bytes, list[float]]] = {
    "says nothing": (b"A: b", [0.5, 1.0, 2.0]),
    "seconds": (b"Retry-After: 7", [7.0, 7.0, 7.0]),
    "less than our own": (b"Retry-After: 1", [1.0, 1.0, 2.0]),
    "too many seconds": (b"Retry-After: 86400", [60.0, 1.0, 2.0]),
    "when its minute ends": (b"X-Ratelimit-Reset: 1796050860\r\n" + DATE, [30.0, 30.0, 2.0]),
    "seconds, and its minute": (b"X-Ratelimit-Reset: 1796050860\r\nRetry-After: 3\r\n" + DATE, [3.0, 3.0, 3.0]),
    "its minute is over": (b"X-Ratelimit-Reset: 1796050800\r\n" + DATE, [0.5, 1.0, 2.0]),
    "its minute, and no date": (b"X-Ratelimit-Reset: 1796050860", [0.5, 1.0, 2.0]),
    "a date that is none": (b"X-Ratelimit-Reset: 1796050860\r\nDate: soon", [0.5, 1.0, 2.0]),
    "a minute of 5,000 digits": (b"X-Ratelimit-Reset: " + b"9" * 5000 + b"\r\n" + DATE, [0.5, 1.0, 2.0]),
}


@pytest.mark.parametrize(("headers", "waits"), WAITS.values(), ids=WAITS.keys())
def test_who_asks_to_be_left_alone_is_left_alone_for_so_long(headers: bytes, waits: list[float]) -> None:
    url, received = answering(BUSY % headers)
    watch = Watch()
    with pytest.raises(VenueError, match="429"):
        connect(url, KEYS, timeout=(2.0, 2.0), sleep=watch.sleep).clock()
    assert watch.waited == waits
    assert len(received) == 4
