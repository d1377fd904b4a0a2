"""What stands around messages, and what is missing of them: PROXY headers, HTTP's responses and
packed bodies, frames in frames, WebSocket, bytes left over, ends that never came.

Cases recorded with real programs lie beside the checkout (shared/cases).
"""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import pytest
from making import (
    ACK,
    ADD,
    PING,
    PONG,
    RST,
    Talk,
    ethernet,
    framed,
    ipv4,
    packet,
    thriftpy2_message,
    udp,
)
from surrounding import answer, lines, post
from surrounding import ttheader_frame as theader_like

from pingpong import check_cover, cli, explain, read, read_packets
from pingpong.capture import Capture
from pingpong.model import (
    CUT_CLOSED,
    CUT_ENDED,
    CUT_LOST,
    MESSAGE_TYPES,
    Header,
    Message,
    Outcome,
    Severity,
    Span,
    Struct,
)
from pingpong.protocols import proxy
from pingpong.protocols.encodings import binary, compact
from pingpong.protocols.encodings import thrift_json as json
from pingpong.protocols.encodings import thriftpy2_json as thriftpy2json
from pingpong.protocols.families.thrift import websocket

ONEWAY = bytes.fromhex("8001000400000004 66697265 00000007 00".replace(" ", ""))
VOID = bytes.fromhex("8001000200000004 70696e67 0000002a 00".replace(" ", ""))


@pytest.fixture(scope="session")
def cases(root: Path) -> Path:
    path = root.parent / "shared/cases"
    if not path.is_dir():
        pytest.skip("the cases are not on this machine")
    return path


def heard(*said: tuple[bool, bytes], end: str = "FIN") -> Capture:
    """One connection: by the client?, and the bytes of a segment."""
    talk = Talk().open()
    for by_client, data in said:
        for at in range(0, len(data), 60_000):
            talk.send(by_client, data[at : at + 60_000])
    if end == "FIN":
        talk.close()
    elif end == "RST":
        talk.add(False, RST | ACK)
    return read_packets(talk.packets)


def methods(capture: Capture) -> list[str]:
    for message in capture.messages:
        check_cover(explain(message), len(message.data))
    return [f"{one.type.name} {one.method}" for one in capture.messages]


def errors(message: Message) -> list[str]:
    return [one.text for one in message.faults if one.severity is Severity.ERROR]


# ── What a reply says ────────────────────────────────────────────────────────────────

EMPTY = Struct((), Span(0, 1))


def _void(protocol: str) -> bytes:
    header = Header("ping", MESSAGE_TYPES[2], 42, True, Span(0, 0), Span(0, 0))
    if protocol == "json":
        return json.write_message(header, EMPTY)
    if protocol == "thriftpy2-json":
        return thriftpy2json.write_message(header, EMPTY)
    if protocol == "compact":
        return compact.write_header(b"ping", 2, 42) + b"\0"
    return binary.write_old_header(b"ping", 2, 42) + b"\0" if protocol == "binary-old" else VOID


@pytest.mark.parametrize("wrap", ["unframed", "framed", "http", "zlib", "theader"])
@pytest.mark.parametrize("protocol", ["binary", "binary-old", "compact", "json", "thriftpy2-json"])
def test_an_empty_struct_is_void_in_every_protocol(protocol: str, wrap: str) -> None:
    data = _void(protocol)
    number = "02" if protocol == "compact" else "00"
    wrapped = {
        "unframed": data,
        "framed": framed(data),
        "http": answer(data, "Content-Type: application/x-thrift"),
        "zlib": zlib.compress(data),
        "theader": theader_like(f"{number} 00", data).replace(b"\x10\0", b"\x0f\xff", 1),
    }[wrap]
    capture = heard((False, wrapped))
    (reply,) = capture.messages
    assert reply.protocol.name == protocol
    assert (reply.answer, reply.fault) == (Outcome.SUCCESS, None)


def test_a_struct_that_cannot_be_read_is_no_success() -> None:
    cut = PONG[:-9] + b"\x80\x01\x00\x03" + PONG[-5:]
    (reply,) = heard((False, framed(cut))).messages
    assert reply.first_field == 0
    assert reply.answer is Outcome.UNREADABLE
    assert reply.fault is not None
    assert "string length" in reply.fault.text


def test_what_the_capture_lost_of_a_reply_does_not_make_it_unreadable() -> None:
    talk = Talk().open().reply(framed(PONG)[:-3]).skip(False, 3)
    talk.reply(framed(PONG)).close()
    first, second = read_packets(talk.packets).messages
    assert (first.answer, second.answer) == (Outcome.SUCCESS, Outcome.SUCCESS)
    assert first.gaps or first.cut == CUT_LOST


# ── Left over, two in one, cut ───────────────────────────────────────────────────────


def test_bytes_behind_the_struct_are_an_error() -> None:
    (call,) = heard((True, framed(ADD + b"more"))).messages
    assert call.listed == ()
    assert errors(call) == ["4 bytes left over behind the struct at offset 34"]
    assert call.fault is not None


@pytest.mark.parametrize("second", [PING, compact.write_header(b"ping", 1, 7) + b"\0"])
def test_a_second_message_inside_the_first(second: bytes) -> None:
    is_compact = second[0] == 0x82
    half = (compact.write_header(b"add", 1, 1) if is_compact else ADD[:15]) + (
        b"\x18" if is_compact else b"\x0b\0\x01"
    )
    (call,) = heard((True, framed(half + second))).messages
    said = errors(call)
    at = 4 + len(half)
    wanted = f"another message begins at offset {at}, inside this one: CALL 'ping'"
    # The compact length swallows the header's first bytes as its own.
    assert any(text.startswith(wanted) for text in said) or is_compact
    assert call.fault is not None


def test_a_message_in_a_string_is_content() -> None:
    whole = ADD[:15] + b"\x0b\0\x01" + struct.pack(">i", len(PING)) + PING + b"\0"
    (good,) = heard((True, framed(whole))).messages
    assert good.fault is None
    (call,) = heard((True, framed(whole + b"left"))).messages
    assert errors(call) == [f"4 bytes left over behind the struct at offset {4 + len(whole)}"]


def test_a_seqid_that_begins_another_message() -> None:
    mixed = ADD[:11] + PING[:4] + b"\0"
    capture = heard((True, PING), (False, PONG), (True, mixed), (True, ADD))
    odd = capture.messages[2]
    assert odd.seqid == -0x7FFEFFFF
    assert odd.fault is not None
    assert "which is how another message begins" in odd.fault.text


def test_where_a_stream_breaks() -> None:
    capture = heard((True, PING + b"\x07garbage that is no Thrift" + bytes(30)), (False, PONG))
    (flow,) = capture.flows
    assert flow.from_client.broke == len(PING)
    assert flow.from_client.why
    assert flow.from_server.broke == -1


@pytest.mark.parametrize(
    ("end", "cut"), [("RST", CUT_CLOSED), ("FIN", CUT_CLOSED), ("", CUT_ENDED)]
)
def test_what_a_cut_message_announced(end: str, cut: str) -> None:
    whole = ADD[:15] + b"\x0b\0\x01" + struct.pack(">i", 100_000) + bytes(100_000) + b"\0"
    http = lines("POST / HTTP/1.1", f"Content-Length: {len(whole)}")
    for data, size in (
        (framed(whole), len(whole) + 4),
        (http + whole, len(http) + len(whole)),
        (theader_like("00 00", whole).replace(b"\x10\0", b"\x0f\xff", 1), len(whole) + 18),
    ):
        (call,) = heard((True, data[:5000]), end=end).messages
        assert (call.size, call.announced, call.cut) == (5000, size, cut)
    (whole_one,) = heard((True, framed(ADD))).messages
    assert (whole_one.announced, whole_one.cut) == (whole_one.size, "")


def test_what_was_begun_and_never_came_whole() -> None:
    """The length of a reply, or of a later one, and the capture ends."""
    capture = heard((True, framed(PING)), (False, framed(PONG)[:4]), end="")
    assert capture.flows[0].from_server.begun == 4
    said = [(True, framed(PING)), (False, framed(PONG)), (False, framed(PONG)[:6])]
    for end in ("", "FIN"):
        capture = heard(*said, end=end)
        assert capture.flows[0].from_server.begun == 6
        assert capture.flows[0].from_client.begun == 0
    foreign = heard((False, b"220 mail.example ESMTP ready\r\n"))
    assert foreign.flows[0].from_server.begun == 0


# ── Nothing in it ────────────────────────────────────────────────────────────────────


def test_frames_with_nothing_in_them_are_healthy() -> None:
    capture = heard((True, framed(PING) + bytes(4)), (False, framed(PONG) + bytes(4)))
    assert methods(capture) == ["CALL ping", "REPLY ping"]
    assert capture.findings == ()
    capture = heard((True, framed(PING) + bytes(4) + framed(ADD)))
    assert methods(capture) == ["CALL ping", "CALL add"]
    # Zeros without end are no frames.
    assert heard((True, framed(PING) + bytes(400))).findings


def test_zlib_that_is_finished() -> None:
    packer = zlib.compressobj()
    data = packer.compress(PING) + packer.flush(zlib.Z_SYNC_FLUSH)
    end = packer.flush()
    for tail in (end, b"", end + zlib.compress(b"")):
        capture = heard((True, data + tail))
        assert methods(capture) == ["CALL ping"]
        assert capture.findings == ()


# ── HTTP ─────────────────────────────────────────────────────────────────────────────


def packed(body: bytes, coding: str, start: str = "HTTP/1.1 200 OK") -> bytes:
    heads = (f"Content-Encoding: {coding}", "Content-Type: application/x-thrift")
    return lines(start, *heads, f"Content-Length: {len(body)}") + body


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def test_packed_bodies() -> None:
    half = len(PONG) // 2
    for body, coding in (
        (gzip.compress(PONG), "gzip"),
        (gzip.compress(PONG[:half]) + gzip.compress(PONG[half:]), "x-gzip"),
        (zlib.compress(PONG), "deflate"),
        (raw_deflate(PONG), "deflate"),
    ):
        capture = heard((True, post(PING)), (False, packed(body, coding)))
        assert methods(capture) == ["CALL ping", "REPLY ping"]
        assert capture.findings == ()
        assert capture.exchanges[0].outcome is Outcome.SUCCESS


def test_bodies_that_cannot_be_unpacked() -> None:
    capture = heard((True, post(PING)), (False, packed(b"\x1b\x03\0\0", "br")))
    assert methods(capture) == ["CALL ping"]
    assert "packed with br, which is not unpacked" in capture.findings[0].text
    broken = gzip.compress(PONG)[:-6]
    capture = heard((True, post(PING)), (False, packed(broken, "gzip")))
    (_, reply) = capture.messages
    assert "its end is missing" in errors(reply)[0]
    bomb = gzip.compress(PONG + bytes(200 << 20))
    capture = heard((True, post(PING)), (False, packed(bomb, "gzip")))
    assert any("over 16384000 bytes" in one.text for one in capture.findings)


def test_a_response_without_a_message_is_its_call_s() -> None:
    refused = answer(b"<p>who are you?</p>", "Content-Type: text/html", status="401 Unauthorized")
    capture = heard((True, post(PING)), (False, refused), (True, post(PING)), (False, answer(PONG)))
    first, second = (one for one in capture.messages if one.from_client)
    assert first.response is not None
    assert str(first.response) == "HTTP 401 Unauthorized"
    assert (first.response.content_type, first.response.size) == ("text/html", 19)
    assert first.response.text == "<p>who are you?</p>"
    assert second.response is None


def test_responses_are_told_apart_when_requests_are_sent_ahead() -> None:
    good, bad = answer(b""), answer(b"", status="500 Internal Server Error")
    early = heard(
        (True, post(ONEWAY) + post(PING) + post(ONEWAY)), (False, good + answer(PONG) + bad)
    )
    calls = [one for one in early.messages if one.from_client]
    assert [one.response.status if one.response else 0 for one in calls] == [200, 0, 500]
    hinted = lines("HTTP/1.1 100 Continue") + bad
    (call,) = heard((True, post(PING)), (False, hinted)).messages
    assert call.response is not None
    assert call.response.status == 500


def test_a_response_before_its_request_has_ended() -> None:
    whole = post(PING)
    full = answer(b"", status="413 Content Too Large")
    (call,) = heard((True, whole[:-4]), (False, full), (True, whole[-4:])).messages
    assert call.response is not None
    assert call.response.status == 413


def test_a_oneway_call_over_http() -> None:
    for status in ("200 OK", "202 Accepted"):
        capture = heard((True, post(ONEWAY)), (False, answer(b"", status=status)))
        (call,) = capture.messages
        assert call.response is not None
        assert call.response.is_good
        server = capture.flows[0].from_server.detection
        assert server is not None
        assert server.transport == "http"
    (call,) = heard((True, post(ONEWAY))).messages
    assert call.response is None


def test_structs_without_a_message() -> None:
    bare = b"\x08\0\x01\0\0\0\x07\x0b\0\x02\0\0\0\x02hi\0"
    bodies = (bare, b"\x15\x0e\x18\x02hi\0", b'{"1":{"i32":7}}')
    for body, name in zip(bodies, ("binary", "compact", "json"), strict=True):
        accepted = answer(b"", status="202 Accepted")
        capture = heard(*[(True, post(body)), (False, accepted)] * 2)
        (flow,) = capture.flows
        assert (len(capture.messages), capture.findings) == (0, ())
        assert flow.structs is not None
        assert flow.structs.protocol.name == name
        assert (flow.structs.count, flow.structs.statuses) == (2, {202: 2})
        for half in (flow.from_client, flow.from_server):
            assert half.detection is not None
            assert half.detection.transport == "http"
    # The answer's body, which is none, may end with the connection.
    plain = heard((True, post(bare)), (False, lines("HTTP/1.0 202 Accepted"))).flows[0]
    assert plain.structs is not None
    assert plain.structs.statuses == {202: 1}
    assert plain.from_server.detection is not None
    assert plain.from_server.detection.transport == "http"
    # Nobody says that this is Thrift; and this is said to be, and is none.
    assert heard((True, post(bare, "text/plain"))).flows[0].structs is None
    capture = heard((True, post(b"\x08\0\x01\0\0\0\x07\x0b\0\x02 nothing")))
    assert capture.flows[0].structs is None
    assert "begins no message" in capture.findings[0].text


def test_a_head_whose_body_never_came() -> None:
    capture = heard((True, post(PING)[: -len(PING)]), end="RST")
    client = capture.flows[0].from_client.detection
    assert client is not None
    assert client.transport == "http"
    assert "nothing of its body of 17 bytes was sent" in capture.findings[0].text


# ── Frames in frames ─────────────────────────────────────────────────────────────────


def test_theader_in_frames_has_places_for_all_its_bytes() -> None:
    inner = theader_like("00 00 01 01 03 6b6579 01 76", PING).replace(b"\x10\0", b"\x0f\xff", 1)
    (call,) = heard((True, framed(inner))).messages
    assert call.transport == "framed-theader"
    assert call.header.span.start == 4 + len(inner) - len(PING)
    labels = [note.label for note in explain(call)]
    assert labels[:3] == ["frame length", "frame length", "magic"]
    assert "key" in labels
    assert not {note.kind for note in explain(call)} & {"unread"}


# ── WebSocket ────────────────────────────────────────────────────────────────────────


def frame(data: bytes, first: int = 0x82, key: bytes = b"") -> bytes:
    mask = 0x80 if key else 0
    size = len(data)
    head = (
        bytes((first, mask | size)) if size < 126 else struct.pack(">BBH", first, mask | 126, size)
    )
    masked = bytes(byte ^ key[at % 4] for at, byte in enumerate(data)) if key else data
    return head + key + masked


ASK = lines("GET /calc HTTP/1.1", "Host: calc", "Connection: Upgrade", "Upgrade: WebSocket")
ACCEPT = lines("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade")
KEY = b"\x37\xfa\x21\x3d"


def test_a_websocket_that_carries_no_thrift() -> None:
    said = frame(b'{"type": "hello", "id": 1}', 0x81)
    capture = heard((True, ASK), (False, ACCEPT), (True, frame(said, key=KEY)), (False, said))
    assert (len(capture.messages), capture.findings) == (0, ())
    assert capture.flows[0].detection is not None
    assert capture.flows[0].detection.transport is None


def test_a_websocket_that_was_refused_is_http() -> None:
    capture = heard((True, ASK), (False, answer(b"no", status="403 Forbidden")))
    assert len(capture.messages) == 0
    assert websocket.begins(ASK)
    assert websocket.begins(answer(b"")) is False


def test_what_is_no_websocket_frame() -> None:
    good = frame(PING, key=KEY)
    for wrong in (b"\x93\0", frame(PING, 0x80, KEY), b"\xb2\0", b"\x89\x7e\0\xff" + bytes(255)):
        capture = heard((True, ASK), (False, ACCEPT), (True, good), (True, wrong + good))
        assert methods(capture) == ["CALL ping"]
        assert any("WebSocket frame" in one.text for one in capture.findings)
        assert capture.flows[0].from_client.broke == len(ASK) + len(good)


def test_several_messages_in_a_websocket_frame() -> None:
    for first, data in ((0x82, PING + ADD), (0xC2, raw_deflate(PING + ADD)[:-4])):
        if first == 0xC2:
            packer = zlib.compressobj(wbits=-15)
            data = (packer.compress(PING + ADD) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
        capture = heard((True, ASK), (False, ACCEPT), (True, frame(data, first, KEY)))
        assert methods(capture) == ["CALL ping", "CALL add"]
        one, two = capture.messages
        assert one.offset == len(ASK)
        assert two.offset == one.offset + one.size
        assert two.offset + two.size == capture.flows[0].sent


def test_a_packed_websocket_message_is_bounded() -> None:
    packer = zlib.compressobj(wbits=-15)
    bomb = (packer.compress(bytes(200 << 20)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    head = struct.pack(">BBQ", 0xC2, 127, len(bomb))
    capture = heard((True, ASK), (False, ACCEPT), (True, frame(PING)), (True, head + bomb[:60_000]))
    assert methods(capture) == ["CALL ping"]


# ── PROXY ────────────────────────────────────────────────────────────────────────────

V1 = b"PROXY TCP4 203.0.113.7 192.0.2.1 51234 9090\r\n"
SIGN = b"\r\n\r\n\0\r\nQUIT\n"


def v2(family: int, block: bytes, tlvs: bytes = b"", command: int = 0x21) -> bytes:
    size = struct.pack(">H", len(block) + len(tlvs))
    return SIGN + bytes((command, family)) + size + block + tlvs


V4 = bytes((203, 0, 113, 7, 192, 0, 2, 1)) + struct.pack(">HH", 51234, 9090)
V6 = bytes.fromhex("20010db8" + "00" * 11 + "07") + bytes(16) + struct.pack(">HH", 51234, 9090)
HEADERS = {
    "version 1": (V1, "203.0.113.7:51234"),
    "version 1, IPv6": (
        b"PROXY TCP6 2001:db8::7 2001:db8::1 51234 9090\r\n",
        "[2001:db8::7]:51234",
    ),
    "version 1, unknown": (b"PROXY UNKNOWN\r\n", "None"),
    "version 2": (v2(0x11, V4), "203.0.113.7:51234"),
    "version 2, IPv6 and TLVs": (v2(0x21, V6, b"\x02\0\x04calc"), "[2001:db8::7]:51234"),
    "version 2, local": (v2(0, b"", command=0x20), "None"),
}


@pytest.mark.parametrize("wrap", [bytes, framed, post, zlib.compress])
@pytest.mark.parametrize("name", HEADERS)
def test_a_proxy_header_before_anything(name: str, wrap: object) -> None:
    head, client = HEADERS[name]
    assert callable(wrap)
    data = head + wrap(PING)
    for step in (1, 5, len(data)):
        said = [(True, data[at : at + step]) for at in range(0, len(data), step)]
        capture = heard(*said)
        assert methods(capture) == ["CALL ping"]
        assert (str(capture.flows[0].proxied), capture.findings) == (client, ())
        assert capture.messages[0].offset == len(head)
        assert str(capture.messages[0].proxied) == client


@pytest.mark.parametrize(
    "data",
    [
        b"PROXY TCP4 somewhere 192.0.2.1 51234 9090\r\n",
        b"PROXY TCP4 203.0.113.7 192.0.2.1 99999 9090\r\n",
        b"PROXY " + b"x" * 200,
        SIGN + b"\x31\x11\0\x0c" + V4,
        SIGN[:-1] + b"!",
    ],
)
def test_what_is_no_proxy_header(data: bytes) -> None:
    capture = heard((True, data + PING))
    assert capture.flows[0].proxied is None
    assert capture.flows[0].from_client.broke == -1


def test_a_proxy_header_alone() -> None:
    capture = heard((True, V1))
    assert str(capture.flows[0].proxied) == "203.0.113.7:51234"
    assert proxy.read(V1[:-1]) is None


def test_a_proxy_header_in_the_middle_is_none() -> None:
    capture = heard((True, framed(PING) + V1 + framed(ADD)))
    assert capture.flows[0].proxied is None
    assert capture.findings


# ── Datagrams ────────────────────────────────────────────────────────────────────────


def datagram(data: bytes) -> Capture:
    return read_packets([packet(1, ethernet(ipv4(udp(50001, 6831, data), 17)))])


def test_a_datagram_that_was_cut() -> None:
    whole = compact.write_header(b"emitBatch", 4, 1) + b"\x1c\x18\x20" + b"s" * 32 + b"\0\0"
    assert datagram(whole).messages[0].fault is None
    for data in (whole[:-1], whole[:-2], whole[:-8]):
        (message,) = datagram(data).messages
        assert (message.method, message.cut) == ("emitBatch", CUT_CLOSED)
        assert message.fault is not None
    # Two bytes and a name prove nothing if little is read behind them.
    assert len(datagram(whole[:12] + bytes(range(200, 255))).messages) == 0
    assert len(datagram(whole[:12]).messages) == 0


# ── Tracing headers ──────────────────────────────────────────────────────────────────


def test_a_reply_that_lacks_the_header_the_others_had() -> None:
    name = b"__can__finagle__trace__v3__"
    asked = binary.write_header(name, 1, 0) + b"\0"
    agreed = binary.write_header(name, 2, 0) + b"\0"
    said = [(True, asked), (False, agreed), (True, b"\0" + PING), (False, b"\0" + PONG)]
    for wrap in (bytes, framed):
        capture = heard(*[(who, wrap(data)) for who, data in (*said, (False, PONG))])
        assert [one.fault is None for one in capture.messages] == [True] * 4 + [False]
        fault = capture.messages[4].fault
        assert fault is not None
        assert fault.text.startswith("no tracing header at offset")


# ── The doors, and what may be shown ─────────────────────────────────────────────────

SECRET = b"hunter2-of-the-sea"


def login(name: bytes = b"login") -> bytes:
    head = binary.write_header(name, 1, 1)
    return head + b"\x0b\0\x01" + struct.pack(">i", len(SECRET)) + SECRET + b"\0"


def test_nothing_of_what_is_opened_leaks() -> None:
    whole = login()
    refused = answer(SECRET, "Content-Type: text/plain", status="401 Unauthorized")
    for said in (
        [(True, packed(gzip.compress(whole, 0), "gzip", "POST / HTTP/1.1"))],
        [(True, post(PING)), (False, refused)],
        [(True, ASK), (False, ACCEPT), (True, frame(whole)), (True, frame(SECRET, 0x89))],
        [(True, ASK), (False, ACCEPT), (True, frame(whole)), (True, b"\xff" + SECRET)],
        [(True, v2(0x11, V4, b"\x02\0\x12" + SECRET) + whole)],
        [(True, b"PROXY UNKNOWN " + SECRET + b"\r\n" + whole)],
        [(True, post(SECRET * 3)), (False, answer(b""))],
        [(True, framed(whole + SECRET))],
    ):
        talk = Talk().open()
        for by_client, data in said:
            talk.send(by_client, data)
        capture = read_packets(talk.close().packets, redact=["login.1"])
        for one in capture.packets:
            assert SECRET not in one.data
        shown = str(capture) + str(list(map(str, capture.messages))) + str(capture.findings)
        shown += str(list(capture.flows))
        shown += str(
            [message.response and message.response.facts() for message in capture.messages]
        )
        assert SECRET.decode() not in shown


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("peers/http-gzip-reply", 2),
        ("peers/json-void-reply", 2),
        ("peers/theader-inside-frames", 1),
        ("peers/proxy-v2-accepted", 4),
        ("peers/theader-empty-frame-at-close", 2),
        ("threads/captures/jaeger_missing_stop_only", 2),
    ],
)
def test_cases_are_read(name: str, count: int, cases: Path) -> None:
    capture = read(cases / f"{name}.pcap")
    assert len(methods(capture)) == count
    is_wrong = "missing" in name
    assert any(one.fault is not None for one in capture.messages) == is_wrong


@pytest.mark.parametrize(
    ("name", "number", "words"),
    [
        ("leftover_framed", 3, "another message begins at offset 29"),
        ("exception_in_reply", 4, "EXCEPTION 'get'"),
        ("two_threads", 3, "which is how another message begins"),
        ("ttwitter_header", 6, "no tracing header"),
    ],
)
def test_cases_are_told(
    name: str, number: int, words: str, cases: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(cases / f"threads/captures/{name}.pcap")
    for command in (["messages", path], ["show", path]):
        assert cli.run(command) == cli.BAD
        said = capsys.readouterr().err
        assert any(words in one for one in said.splitlines() if f"message {number}:" in one)


def test_sizes_that_were_announced(cases: Path) -> None:
    sizes = {"frame_limit_size": 15_900_027, "frame_limit_reset": 1_500_027}
    for name, announced in sizes.items():
        capture = read(cases / f"threads/captures/{name}.pcap")
        cut = [one for one in capture.messages if one.cut]
        assert cut
        assert {(one.announced, one.cut) for one in cut} == {(announced, CUT_CLOSED)}


def test_a_message_that_thriftpy2_wrote_is_sound() -> None:
    from making import foo

    data = thriftpy2_message(foo().Foo.ping_args(), "ping") if hasattr(foo(), "Foo") else PING
    (call,) = heard((True, framed(data))).messages
    assert call.fault is None
