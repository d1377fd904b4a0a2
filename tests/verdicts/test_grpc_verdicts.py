"""gRPC and HTTP/2: what is said where two do not meet, and where a call has no answer.

Captures with real programs lie beside the checkout; streams without one are made here, frame by
frame, as RFC 9113 lays them out.
"""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from making import PING, PONG, Talk, call
from places import SHARED

from pingpong import read, read_packets
from pingpong.capture import MAX_GOAWAYS
from pingpong.model import Packet, Severity
from pingpong.verdicts.verdict import Diagnosis, Kind, Verdict

MS = 1_000_000
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


# ── Frames, by hand ──────────────────────────────────────────────────────────────────


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return (
        struct.pack(">I", len(payload))[1:]
        + bytes((kind, flags))
        + struct.pack(">I", stream)
        + payload
    )


def headers(stream: int, *lines: tuple[str, str], end: bool = False) -> bytes:
    """HEADERS whose lines are literals that go into no table."""
    block = b""
    for name, value in lines:
        key, said = name.encode(), value.encode()
        assert max(len(key), len(said)) < 127
        block += b"\0" + bytes((len(key),)) + key + bytes((len(said),)) + said
    return frame(1, 5 if end else 4, stream, block)


def data(stream: int, message: bytes, end: bool = False, flag: int = 0) -> bytes:
    return frame(0, int(end), stream, struct.pack(">BI", flag, len(message)) + message)


def reset(stream: int, code: int) -> bytes:
    return frame(3, 0, stream, struct.pack(">I", code))


def goaway(last: int, code: int, text: bytes = b"") -> bytes:
    return frame(7, 0, 0, struct.pack(">II", last, code) + text)


SETTINGS = frame(4, 0, 0, bytes.fromhex("000400100000"))
ACK = frame(4, 1, 0)
HELLO = PREFACE + SETTINGS


def asked(stream: int = 1, method: str = "/shop.Orders/Get", **more: str) -> bytes:
    lines = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", method),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        *((name.replace("_", "-"), value) for name, value in more.items()),
    ]
    return headers(stream, *lines) + data(stream, b"\x08\x01", end=True)


def answered(stream: int = 1) -> bytes:
    head = headers(stream, (":status", "200"), ("content-type", "application/grpc"))
    return head + data(stream, b"\x08\x02") + headers(stream, ("grpc-status", "0"), end=True)


def failed(code: int, text: str = "", stream: int = 1) -> bytes:
    """Trailers alone."""
    lines = [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", str(code))]
    return headers(stream, *lines, *([("grpc-message", text)] if text else []), end=True)


def begun(port: int = 50001) -> Talk:
    return Talk(port, server_port=50051).open().call(HELLO).reply(SETTINGS + ACK).call(ACK)


def together(*talks: Talk) -> list[Packet]:
    """The packets of several connections, one after the other, each with its pauses."""
    packets: list[Packet] = []
    for talk in talks:
        base = packets[-1].time + MS if packets else 0
        first = talk.packets[0].time
        for one in talk.packets:
            at = base + one.time - first
            packets.append(Packet(len(packets) + 1, at, 1, one.data, one.length))
    return packets


def diagnosed(*talks: Talk) -> Diagnosis:
    return read_packets(together(*talks)).diagnosis


def only(*talks: Talk) -> Verdict:
    (verdict,) = diagnosed(*talks).verdicts
    return verdict


def kinds(diagnosis: Diagnosis) -> list[Kind]:
    return [one.kind for one in diagnosis.verdicts]


# ── What is well ─────────────────────────────────────────────────────────────────────


def test_a_healthy_connection_has_no_trouble() -> None:
    verdict = only(begun().call(asked()).reply(answered()).close())
    assert verdict.kind is Kind.ALL_WELL
    assert "1 call in protobuf in HTTP/2, 1 answered" in verdict.sentence


def test_a_farewell_that_disturbs_nobody_is_none() -> None:
    talk = begun().call(asked()).reply(answered()).reply(goaway(2**31 - 1, 0, b"max_age"))
    assert only(talk.reply(goaway(1, 0)).close()).kind is Kind.ALL_WELL
    assert (
        only(begun().call(asked()).reply(answered()).call(goaway(0, 0)).close()).kind
        is Kind.ALL_WELL
    )


def test_a_channel_without_a_call_is_well() -> None:
    assert only(begun().close()).kind is Kind.ALL_WELL


def test_a_probe_to_which_the_server_sends_settings_is_well() -> None:
    verdict = only(Talk().open().reply(SETTINGS).close())
    assert verdict.kind is Kind.ALL_WELL
    assert "sent nothing" in verdict.sentence


def test_a_reset_behind_the_answer_is_no_trouble() -> None:
    """A server may answer before the client has ended, and then resets with NO_ERROR."""
    talk = begun().call(asked()).reply(answered() + reset(1, 0)).close()
    assert only(talk).kind is Kind.ALL_WELL


# ── Two that do not meet ─────────────────────────────────────────────────────────────


HELLO_OF_TLS = bytes.fromhex("1603010200010001fc0303") + bytes(60)
HEAD_OF_DUBBO = bytes.fromhex("dabbc200 0000000000000001 00000010") + bytes(16)
HEAD_OF_RPCX = bytes.fromhex("08000030 0000000000000000 00000010") + bytes(16)


@pytest.mark.parametrize(
    ("sent", "kind", "words", "advice"),
    [
        (HELLO_OF_TLS, Kind.TLS, "a TLS handshake", "TLS on both sides"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", Kind.HTTP, "an HTTP GET request", "no HTTP/1.1"),
        (HEAD_OF_DUBBO, Kind.OTHER_PROTOCOL, "hessian2 in Dubbo", "Dubbo"),
        (HEAD_OF_RPCX, Kind.OTHER_PROTOCOL, "an rpcx call", "rpcx"),
        (call("ping"), Kind.OTHER_PROTOCOL, "unframed binary", "Thrift is not gRPC"),
        (b"\x99" * 30, Kind.OTHER_PROTOCOL, "nothing of that", "who connects"),
    ],
)
@pytest.mark.parametrize("server_first", [True, False])
def test_a_client_of_another_kind_on_a_grpc_server(
    sent: bytes, kind: Kind, words: str, advice: str, server_first: bool
) -> None:
    talk = Talk().open()
    talk = talk.reply(SETTINGS).call(sent) if server_first else talk.call(sent).reply(SETTINGS)
    verdict = only(talk.fin(False).fin(True))
    assert verdict.kind is kind
    assert verdict.severity is Severity.ERROR
    assert "HTTP/2" in verdict.sentence
    assert words in verdict.sentence
    assert advice in verdict.advice


def test_a_grpc_client_on_a_port_with_tls() -> None:
    alert = bytes.fromhex("15030100020246")
    verdict = only(Talk().open().call(HELLO).reply(alert).fin(False).fin(True))
    assert verdict.kind is Kind.TLS
    assert "The client speaks HTTP/2 and has reached a server that speaks TLS" in verdict.sentence
    assert "bytes as they are" not in verdict.sentence
    assert "Use TLS on both sides" in verdict.advice


@pytest.mark.parametrize(
    ("body", "kind", "advice"),
    [
        (b"", Kind.HTTP, "no_proxy"),
        (b"Client sent an HTTP request to an HTTPS server.\n", Kind.TLS, "Use TLS on both sides"),
    ],
)
def test_an_answer_in_http1(body: bytes, kind: Kind, advice: str) -> None:
    said = b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    verdict = only(Talk().open().call(HELLO).call(asked()).reply(said).fin(False).fin(True))
    assert verdict.kind is kind
    assert "HTTP/1.1 400 Bad Request" in verdict.sentence
    assert advice in verdict.advice


def test_a_server_that_closes_on_a_preface() -> None:
    verdict = only(Talk().open().call(HELLO).fin(False).fin(True))
    assert verdict.kind is Kind.OTHER_PROTOCOL
    assert "Either it expects TLS, or it speaks something else" in verdict.sentence


def test_a_silent_server_is_told_by_what_it_says_elsewhere() -> None:
    reply = bytes.fromhex("dabb0214 0000000000000001 00000001 94")
    silent = Talk(101).open().call(HELLO).wait(2_000 * MS).close()
    elsewhere = Talk(102).open().call(HEAD_OF_DUBBO).reply(reply).close()
    found = [one for one in diagnosed(silent, elsewhere).verdicts if one.flow == 1]
    assert len(found) == 1
    assert "It speaks hessian2 in Dubbo" in found[0].sentence


def test_a_client_that_leaves_at_once_does_not_accuse_the_server() -> None:
    """A second is not over: SETTINGS may still have come."""
    verdict = only(Talk().open().call(HELLO).wait(MS).close())
    assert verdict.severity is not Severity.ERROR


def test_a_grpc_client_on_a_server_that_answers_thrift() -> None:
    well = Talk(101).open().call(PING).reply(PONG).close()
    lost = Talk(102).open().call(HELLO).fin(False).fin(True)
    (verdict,) = (one for one in diagnosed(well, lost).verdicts if one.flow == 2)
    assert "It speaks unframed binary" in verdict.sentence
    assert "gRPC is not Thrift" in verdict.advice


# ── Streams ──────────────────────────────────────────────────────────────────────────


def test_a_deadline_that_passed() -> None:
    talk = begun().call(asked(grpc_timeout="150m")).wait(150 * MS).call(reset(1, 8)).close()
    verdict = only(talk)
    assert verdict.kind is Kind.CLIENT_GAVE_UP
    assert verdict.severity is Severity.ERROR
    assert "The deadline of /shop.Orders/Get passed" in verdict.sentence
    assert "150 ms" in verdict.sentence
    assert "150 ms" not in verdict.plainly
    assert "DEADLINE_EXCEEDED" in verdict.sentence
    assert "TSocket" not in verdict.advice


@pytest.mark.parametrize("timeout", ["", "10S", "never"])
def test_a_call_that_was_cancelled(timeout: str) -> None:
    ask = asked(grpc_timeout=timeout) if timeout else asked()
    verdict = only(begun().call(ask).wait(150 * MS).call(reset(1, 8)).close())
    assert verdict.kind is Kind.CLIENT_GAVE_UP
    assert verdict.severity is Severity.WARNING
    assert "cancelled" in verdict.sentence
    assert "DEADLINE" not in verdict.sentence


def test_a_stream_that_was_cancelled_after_answers_is_a_note() -> None:
    head = headers(1, (":status", "200"), ("content-type", "application/grpc"))
    talk = begun().call(asked()).reply(head + data(1, b"\x08\x02")).reply(data(1, b"\x08\x03"))
    verdict = only(talk.call(reset(1, 8)).reply(data(1, b"\x08\x04")).close())
    assert verdict.severity is Severity.NOTE
    assert "2 messages of the answer had come" in verdict.evidence


@pytest.mark.parametrize(
    ("code", "name", "seen_as"),
    [
        (2, "INTERNAL_ERROR", "INTERNAL"),
        (7, "REFUSED_STREAM", "UNAVAILABLE"),
        (8, "CANCEL", "CANCELLED"),
        (11, "ENHANCE_YOUR_CALM", "RESOURCE_EXHAUSTED"),
    ],
)
def test_a_server_that_resets_a_stream(code: int, name: str, seen_as: str) -> None:
    verdict = only(begun().call(asked()).reply(reset(1, code)).close())
    assert verdict.kind is Kind.CLOSED_ON_CALL
    assert name in verdict.sentence
    assert f"take it for {seen_as}" in verdict.sentence


def test_streams_that_were_reset_hide_no_call_that_the_end_cut_off() -> None:
    talk = begun().call(asked(1)).call(reset(1, 8)).call(asked(3, "/shop.Orders/Put"))
    found = diagnosed(talk.fin(False).fin(True)).verdicts
    sentences = " ".join(one.sentence for one in found)
    assert len(found) == 2
    assert "cancelled /shop.Orders/Get" in sentences
    assert "/shop.Orders/Put" in sentences


# ── Farewells ────────────────────────────────────────────────────────────────────────


def test_a_farewell_while_calls_run() -> None:
    talk = begun().call(asked(1)).call(asked(3)).reply(goaway(1, 0, b"max_age")).reply(answered(1))
    diagnosis = diagnosed(talk.close())
    (verdict,) = (one for one in diagnosis.verdicts if one.kind is Kind.GOAWAY)
    assert verdict.severity is Severity.WARNING
    assert "“max_age”, last stream 1" in verdict.sentence
    assert "1 call that was under way ran on" in verdict.sentence
    assert "1 call beyond the last stream was refused: not worked on" in verdict.sentence
    assert not diagnosis.is_trouble


def test_a_client_that_says_farewell_refuses_none_of_its_own_calls() -> None:
    talk = begun().call(asked()).call(goaway(0, 0)).reply(answered()).close()
    assert Kind.ALL_WELL in kinds(diagnosed(talk))


def test_a_farewell_with_an_error() -> None:
    talk = begun().call(asked()).reply(answered()).call(goaway(0, 1, b"{bad} frame")).close()
    found = {one.kind: one for one in diagnosed(talk).verdicts}
    assert found[Kind.GOAWAY].severity is Severity.ERROR
    assert "The client ends the connection: GOAWAY PROTOCOL_ERROR" in found[Kind.GOAWAY].sentence


def test_farewells_without_end_are_not_all_kept() -> None:
    talk = begun().reply(goaway(2**31 - 1, 0) * 100).close()
    flow = read_packets(together(talk)).flows[0]
    assert len(flow.goaways) == MAX_GOAWAYS
    assert flow.events["GOAWAY"] == 100


# ── Statuses ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("code", "text", "kind", "severity"),
    [
        (12, "Method not found!", Kind.UNKNOWN_METHOD, Severity.ERROR),
        (12, "unknown service shop.Orders", Kind.UNKNOWN_METHOD, Severity.ERROR),
        (
            12,
            'grpc: Decompressor is not installed for grpc-encoding "gzip"',
            Kind.APPLICATION_EXCEPTION,
            Severity.ERROR,
        ),
        (
            8,
            "Received message larger than max (5000000 vs. 4194304)",
            Kind.FRAME_TOO_LARGE,
            Severity.ERROR,
        ),
        (
            8,
            "gRPC message exceeds maximum size 4194304: 5000000",
            Kind.FRAME_TOO_LARGE,
            Severity.ERROR,
        ),
        (8, "quota of user 7", Kind.APPLICATION_EXCEPTION, Severity.ERROR),
        (2, "Exception calling application: boom", Kind.HANDLER_CRASHED, Severity.ERROR),
        (5, "no such sku", Kind.SERVICE_ERRORS, Severity.NOTE),
        (3, "", Kind.SERVICE_ERRORS, Severity.NOTE),
        (13, "", Kind.APPLICATION_EXCEPTION, Severity.ERROR),
        (14, "shutting down", Kind.APPLICATION_EXCEPTION, Severity.ERROR),
        (99, "", Kind.APPLICATION_EXCEPTION, Severity.ERROR),
    ],
)
def test_a_status(code: int, text: str, kind: Kind, severity: Severity) -> None:
    verdict = only(begun().call(asked()).reply(failed(code, text)).close())
    assert (verdict.kind, verdict.severity) == (kind, severity)
    said = " ".join((verdict.sentence, verdict.advice, *verdict.evidence))
    assert "TApplicationException" not in said
    assert "throws" not in said
    assert text in said


@pytest.mark.parametrize("status", [404, 415, 502, 503])
def test_a_proxy_that_answers_with_a_page(status: int) -> None:
    page = b"<html><body>Sorry {nobody} is here</body></html>"
    head = headers(1, (":status", str(status)), ("content-type", "text/html"))
    verdict = only(begun().call(asked()).reply(head + frame(0, 1, 1, page)).close())
    assert verdict.kind is Kind.HTTP
    assert f"with {status} " in verdict.sentence
    assert "no gRPC status" in verdict.sentence
    assert any("Sorry" in one for one in verdict.evidence)
    assert verdict.advice


def test_an_answer_without_a_status() -> None:
    head = headers(1, (":status", "200"), ("content-type", "application/grpc"))
    verdict = only(begun().call(asked()).reply(head + data(1, b"\x08\x02", end=True)).close())
    assert "no grpc-status" in verdict.sentence
    assert "proxy" in verdict.advice


def test_a_message_that_is_packed_and_nobody_says_how() -> None:
    head = headers(1, (":status", "200"), ("content-type", "application/grpc"))
    reply = head + data(1, b"\x08\x02", flag=1) + headers(1, ("grpc-status", "0"), end=True)
    verdict = only(begun().call(asked()).reply(reply).close())
    assert verdict.kind is Kind.UNREADABLE
    assert "grpc-encoding" in verdict.advice
    assert "thread" not in verdict.advice


WEB = "application/grpc-web+proto"


def over_http1(kind: str, body: bytes, *said: str, status: str = "200 OK") -> Talk:
    """A call in that content type over HTTP/1.1, and its answer."""
    head = f"POST /shop.Orders/Get HTTP/1.1\r\nContent-Type: {kind}\r\nContent-Length: "
    lines = "".join(f"{one}\r\n" for one in (f"HTTP/1.1 {status}", *said, "Content-Length: 0"))
    talk = Talk().open().call(f"{head}{len(body)}\r\n\r\n".encode() + body)
    return talk.reply(f"{lines}\r\n".encode()).close()


@pytest.mark.parametrize(
    ("said", "status", "kind"),
    [
        (("Content-Type: text/plain",), "415 Unsupported Media Type", Kind.HTTP),
        (
            (
                "Content-Type: application/grpc",
                "grpc-status: 3",
                f"grpc-message: bad content-type {WEB}",
            ),
            *("415 Unsupported Media Type", Kind.DIALECTS_DIFFER),
        ),
        (
            (
                f"Content-Type: {WEB}",
                "grpc-status: 13",
                f"grpc-message: invalid content-type: {WEB}",
            ),
            *("200 OK", Kind.DIALECTS_DIFFER),
        ),
    ],
)
def test_a_content_type_that_is_refused(said: tuple[str, ...], status: str, kind: Kind) -> None:
    talk = over_http1(WEB, b"\0\0\0\0\2\x08\1", *said, status=status)
    verdict = only(talk)
    assert (verdict.kind, verdict.severity) == (kind, Severity.ERROR)
    assert f"“{WEB}”" in verdict.sentence
    (types,) = (one for one in verdict.evidence if one.startswith("content types: "))
    assert WEB in types
    assert said[0].partition(": ")[2] in types
    assert "application/grpc-web" in verdict.advice


def test_go_says_which_content_type_it_does_not_take() -> None:
    text = f'invalid gRPC request content-type "{WEB}"'
    call = headers(1, (":method", "POST"), (":path", "/s.S/Get"), ("content-type", WEB))
    reply = headers(
        1,
        (":status", "415"),
        ("content-type", "application/grpc"),
        ("grpc-status", "3"),
        ("grpc-message", text),
        end=True,
    )
    verdict = only(begun().call(call + data(1, b"\x08\1", end=True)).reply(reply).close())
    assert verdict.kind is Kind.DIALECTS_DIFFER
    assert WEB in verdict.sentence


@pytest.mark.parametrize("text", ["content-type image/png is not for us", "no such row"])
def test_a_handler_may_speak_of_content_types_of_its_own(text: str) -> None:
    verdict = only(begun().call(asked()).reply(failed(3, text)).close())
    assert verdict.kind is Kind.SERVICE_ERRORS


# ── Captures with real programs ──────────────────────────────────────────────────────


def capture(name: str) -> Diagnosis:
    path: Path = SHARED / "captures" / f"{name}.pcap"
    if not path.is_file():
        pytest.skip(f"the captures of the relatives are not on this machine (looked for {path})")
    return read(str(path)).diagnosis


# Of each capture the kinds of verdicts, the worst first, without connections that were refused.
CAPTURES = {
    "relatives/mismatch_on_grpc": "HTTP TLS OTHER_PROTOCOL OTHER_PROTOCOL OTHER_PROTOCOL "
    "OTHER_PROTOCOL ALL_WELL ALL_WELL",
    "relatives/grpc_toomanypings": "GOAWAY ALL_WELL",
    "relatives/grpc_py_goaway": "GOAWAY ALL_WELL",
    "relatives/grpc_py_rich": "HANDLER_CRASHED UNKNOWN_METHOD UNKNOWN_METHOD CLIENT_GAVE_UP "
    "UNREADABLE SERVICE_ERRORS SERVICE_ERRORS",
    "relatives/grpc_py_many": "ALL_WELL",
    "family/grpc": "ALL_WELL",
    "family/x_dubbocli_grpcsrv": "ALL_WELL",
    "family/x_grpccli_dubbosrv": "ALL_WELL",
    "family/x_dubbopy_node": "HTTP",
}


@pytest.mark.parametrize("name", CAPTURES)
def test_a_capture(name: str) -> None:
    diagnosis = capture(name)
    found = [one.name for one in kinds(diagnosis) if one is not Kind.REFUSED]
    assert found == CAPTURES[name].split()
    for one in diagnosis.verdicts:
        said = " ".join((one.sentence, one.advice, *one.evidence))
        assert "bytes as they are" not in said
        assert "TSocket" not in said
        assert "(throws)" not in said


def test_who_meets_a_grpc_server() -> None:
    sentences = [one.sentence for one in capture("relatives/mismatch_on_grpc").verdicts]
    for words in (
        "the client speaks unframed binary",
        "hessian2 in Dubbo",
        "in Motan 2",
        "in rpcx",
        "a client's hello",
        "an HTTP GET request",
    ):
        assert sum(words in one for one in sentences) == 1


def test_who_meets_a_dubbo_server() -> None:
    (verdict,) = (
        one
        for one in capture("relatives/mismatch_on_dubbo").verdicts
        if "client speaks HTTP/2" in one.sentence
    )
    assert verdict.severity is Severity.ERROR
    assert "Dubbo's" in verdict.sentence or "Dubbo" in verdict.advice


def test_too_many_pings_is_one_verdict() -> None:
    verdict = capture("relatives/grpc_toomanypings").verdicts[0]
    assert "“too_many_pings”" in verdict.sentence
    assert "1 call that was under way failed with it" in verdict.sentence
    assert "keepalive_time" in verdict.advice


def test_max_age_lets_calls_run_on() -> None:
    diagnosis = capture("relatives/grpc_py_goaway")
    (verdict,) = (one for one in diagnosis.verdicts if one.kind is Kind.GOAWAY)
    assert "ran on to the end" in verdict.sentence
    assert verdict.severity is Severity.NOTE


def test_a_reply_in_another_encoding_than_the_call_is_no_mismatch() -> None:
    """Each message says what it is in: HTTP's content type, the number in a frame's head."""
    for name in ("relatives/rpcx_gateway", "relatives/motan2_go_simple"):
        kinds = {one.kind for one in capture(name).verdicts}
        assert Kind.DIALECTS_DIFFER not in kinds, name
    head = b"POST /login HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
    (verdict,) = diagnosed(Talk().open().call(head).reply(answer).close()).verdicts
    assert verdict.kind is Kind.ALL_WELL


def test_a_status_from_before_the_capture_is_no_unreadable_reply() -> None:
    found = capture("relatives/grpc_node_rich_midstream").verdicts
    assert Kind.UNREADABLE not in {one.kind for one in found}
    (verdict,) = (one for one in found if one.kind is Kind.BEGAN_LATE)
    assert verdict.severity is Severity.NOTE
    assert "10 calls" in verdict.sentence


@pytest.mark.parametrize(("limit", "is_over"), [(3, True), (5000, False)])
def test_a_deadline_of_connect_over_http_1_1_passes(limit: int, is_over: bool) -> None:
    head = (
        "POST /shop.Orders/Get HTTP/1.1\r\nContent-Type: application/json\r\n"
        f"Connect-Protocol-Version: 1\r\nConnect-Timeout-Ms: {limit}\r\nContent-Length: 2\r\n\r\n"
    )
    talk = Talk().open().call(head.encode() + b"{}")
    for _ in range(5):
        talk.add(False, 16)  # ACK
    capture = read_packets(talk.close().packets)
    (verdict,) = capture.diagnosis.verdicts
    assert ("deadline of /shop.Orders/Get passed" in str(verdict)) is is_over


# ── Streams that are left ────────────────────────────────────────────────────────────

HEAD = headers(1, (":status", "200"), ("content-type", "application/grpc"))


@pytest.mark.parametrize("count", [1, 3])
def test_a_server_that_closes_in_its_answer_understood_the_call(count: int) -> None:
    talk = begun().call(asked()).reply(HEAD + data(1, b"\x08\x02") * count)
    verdict = only(talk.fin(False).fin(True))
    assert verdict.kind is Kind.CLOSED_ON_CALL
    messages = f"{count} message{'s' if count > 1 else ''} of the answer to /shop.Orders/Get"
    assert messages in verdict.sentence
    assert "host and port" not in f"{verdict}"
    assert "HTTP/2" not in verdict.sentence


def test_a_client_that_leaves_a_stream_is_not_told_of_limits() -> None:
    talk = begun().call(asked()).reply(HEAD + data(1, b"\x08\x02") * 3)
    verdict = only(talk.fin(True).fin(False))
    assert (verdict.kind, verdict.severity) == (Kind.CLIENT_GAVE_UP, Severity.WARNING)
    assert "3 messages of the answer" in verdict.sentence
    assert "maxFrameSize" not in f"{verdict}"


def test_a_client_that_closes_behind_the_head_is_not_told_of_thrift() -> None:
    verdict = only(begun().call(asked()).reply(HEAD).fin(True).fin(False))
    assert verdict.kind is Kind.CLIENT_GAVE_UP
    assert "Thrift" not in f"{verdict}"
    assert "maxFrameSize" not in f"{verdict}"
