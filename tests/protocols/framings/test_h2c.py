"""HTTP/2 by upgrade: a request of HTTP/1.1, 101, and then streams, of which the first answers it.

What the ends say is written by hyper-h2, which speaks both sides of it.
"""

from __future__ import annotations

import pytest
from http2s import Read, Said, talked
from relatives import look_at, seen_in, talk_of

from pingpong.model import MessageType, Outcome
from pingpong.redaction.messages import Redactor

config = pytest.importorskip("h2.config", reason="the library h2 is the witness")
connection = pytest.importorskip("h2.connection")

SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
JSON = [("content-type", "application/json")]


def _upgrading(path: str, settings: bytes) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: shop\r\nAccept: */*\r\nConnection: Upgrade, HTTP2-Settings\r"
        f"\nUpgrade: h2c\r\nHTTP2-Settings: {settings.decode()}\r\n\r\n"
    ).encode()


def _talk(before: list[Said], is_eager: bool) -> list[Said]:
    """A connection that goes on in HTTP/2; if ``is_eager``, the server answers before the client's
    preface is there."""
    client = connection.H2Connection(config.H2Configuration(client_side=True))
    server = connection.H2Connection(config.H2Configuration(client_side=False))
    asked = client.initiate_upgrade_connection()
    assert asked is not None
    server.initiate_upgrade_connection(asked)
    said = [*before, (True, _upgrading("/first", asked))]
    opening = server.data_to_send()

    def answer(stream: int) -> bytes:
        server.send_headers(stream, [(":status", "200"), *JSON])
        server.send_data(stream, b'{"stream": %d}' % stream, end_stream=True)
        out: bytes = server.data_to_send()
        return out

    first = answer(1)
    preface = client.data_to_send()
    if is_eager:
        said += [(False, SWITCHING + opening + first), (True, preface)]
    else:
        said += [(False, SWITCHING), (True, preface), (False, opening + first)]
    server.receive_data(preface)
    client.receive_data(opening + first)
    head = [(":method", "GET"), (":path", "/second"), (":scheme", "http"), (":authority", "shop")]
    client.send_headers(3, head, end_stream=True)
    asked_again = client.data_to_send()
    server.receive_data(asked_again)
    server.data_to_send()
    return [*said, (True, asked_again), (False, answer(3))]


PLAIN: list[Said] = [
    (True, b"GET /plain HTTP/1.1\r\nHost: shop\r\nAccept: application/json\r\n\r\n"),
    (
        False,
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    ),
]


@pytest.mark.parametrize("size", [0, 1, 7])
@pytest.mark.parametrize("is_eager", [True, False])
@pytest.mark.parametrize("before", [0, 1, 2])
def test_stream_1_answers_the_request(before: int, is_eager: bool, size: int) -> None:
    said = _talk(PLAIN * before, is_eager)
    found = seen_in(talked(said, size))
    assert found.findings == []
    assert [one.method for one in found.calls] == [
        *["GET /plain"] * before,
        "GET /first",
        "GET /second",
    ]
    assert {one.outcome for one in found.calls} == {Outcome.SUCCESS}
    answered = [one.reply for one in found.calls[before:]]
    assert [one and one.data[one.start : one.stop] for one in answered] == [
        b'{"stream": 1}',
        b'{"stream": 3}',
    ]
    look_at(found.messages)
    (upgrade,) = [one for one in found.messages if one.method == "upgrade"]
    assert (upgrade.type, upgrade.data) == (MessageType.EVENT, SWITCHING)
    # Every byte of each direction is in one message.
    for by_client in (True, False):
        mine = sorted(
            (part.offset, part.size)
            for one in found.messages
            if one.from_client is by_client
            for part in one.layout
            if part.offset >= 0
        )
        at = 0
        for offset, length in mine:
            assert offset == at
            at += length
        assert at == sum(len(data) for by, data in said if by is by_client)


def test_a_server_that_does_not_switch_goes_on_in_http_1() -> None:
    answers = PLAIN[1][1]
    said = [(True, _upgrading("/first", b"AAMAAABk")), (False, answers), *PLAIN]
    found = seen_in(talked(said))
    assert [(one.method, one.outcome) for one in found.calls] == [
        ("GET /first", Outcome.SUCCESS),
        ("GET /plain", Outcome.SUCCESS),
    ]


def test_a_redacted_upgrade_is_read_alike() -> None:
    before = seen_in(talked(_talk(PLAIN, True)))
    packets = talk_of(before.lines)
    hidden = seen_in(packets, Redactor((), texts=True))
    look_at(hidden.messages)
    assert [one.outcome for one in hidden.calls] == [one.outcome for one in before.calls]


def test_the_first_request_may_go_unanswered() -> None:
    said = _talk([], False)[:3]  # the request, 101, the preface
    read = Read(talked(said))
    (one,) = read.exchanges
    assert (one.method, one.outcome) == ("GET /first", Outcome.CLOSED_BY_CLIENT)
