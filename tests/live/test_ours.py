"""Our small clients and servers of Dubbo, Motan and rpcx: their bytes are the real ones'."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from places import ROOT

from pingpong import LiveError, decode, lab, read
from pingpong.live.ours.dubbo import Dubbo, hessian
from pingpong.live.ours.motan import Motan, simple
from pingpong.live.ours.rpcx import Rpcx, msgpack
from pingpong.live.ours.speaking import OurServer, Speaker, connect_ours, serving_ours
from pingpong.live.private import PrivateNetwork, unavailable
from pingpong.live.recording import recording
from pingpong.model import Message, MessageType, Outcome

USERS = "com.thinkrpc.UserService"
LOGIN = {"username": "admin", "password": "123456"}


class Dispatcher:
    secret = 3

    def ping(self) -> str:
        return "pong"

    def login(self, username: str, password: str) -> str:
        if password == "wrong":
            raise ValueError("try again")
        return "登录成功!"

    def echo(self, value: Any) -> Any:
        return value


SPEAKERS: dict[str, Speaker] = {"dubbo": Dubbo(USERS), "motan": Motan(USERS), "rpcx": Rpcx(USERS)}


@pytest.fixture(params=SPEAKERS)
def speaker(request: pytest.FixtureRequest) -> Speaker:
    return SPEAKERS[request.param]


@pytest.fixture
def server(speaker: Speaker) -> Iterator[OurServer]:
    before = threading.active_count()
    with serving_ours(speaker, Dispatcher()) as made:
        yield made
    assert threading.active_count() == before
    assert not made.is_open


# ── The same bytes ───────────────────────────────────────────────────────────────────


def of_flow(name: str, *flows: int) -> list[Message]:
    return [one for one in read(ROOT / "captures" / name).messages if one.flow in flows]


# The recorded conversation; and for each call the Speaker that made it, and the call's number.
DUBBO_JAVA = of_flow("login_dubbo.pcap", 1)
DUBBO_PYTHON = of_flow("login_dubbo.pcap", 2)
MOTAN = of_flow("login_motan.pcap", 1, 2)
RPCX = of_flow("login_rpcx.pcap", 1)
OLD = Dubbo(USERS, dubbo="2.4.10", timeout=None)
# Go writes a map's pairs in an order of its own each time.
GO = ("M_s", "M_p", "M_pp", "M_g", "M_m"), ("M_p", "M_m", "M_s", "M_g", "M_pp")
RECORDED: dict[str, tuple[list[Message], list[tuple[Speaker, int]]]] = {
    "Dubbo, Java": (DUBBO_JAVA, [(Dubbo(USERS), 0), (Dubbo(USERS), 1)]),
    "Dubbo, Python to Java": (DUBBO_PYTHON, [(OLD, 0), (OLD, 1)]),
    "Motan, Go": (
        MOTAN,
        [(Motan(USERS, order=GO[at], first=MOTAN[2 * at].seqid), 0) for at in (0, 1)],
    ),
    "rpcx, Go": (RPCX, [(Rpcx("UserService"), 0), (Rpcx("UserService"), 1)]),
}


@pytest.mark.parametrize("who", RECORDED)
def test_calls_and_replies_are_the_recorded_ones(who: str) -> None:
    messages, ways = RECORDED[who]
    assert [one.type.name for one in messages] == ["CALL", "REPLY"] * 2
    values: list[tuple[str, dict[str, str], str]] = [
        ("ping", {}, "pong"),
        ("login", LOGIN, "登录成功!"),
    ]
    for at, (speaker, number) in enumerate(ways):
        method, arguments, result = values[at]
        call, reply = messages[2 * at : 2 * at + 2]
        assert speaker.call(number, method, arguments, {}) == call.data
        assert speaker.reply(decode(call.data), result) == reply.data


# Out of recordings that are too long to be kept here: shared/captures/relatives.  A call, and what
# the real server answered.
SHOP = Rpcx("Shop")
RPCX_WHO = (
    "0800003000000000000000080000006300000004 53686f70 00000003 57686f 0000004b"
    "00000004 75736572 00000006 e5b08fe6988e 00000008 74726163652d6964"
    "00000020 3061663736353139313663643433646438343438656232313163383033313963"
    "00000001 65 00000000 00000001 80"
)
RPCX_FAIL = (
    "080000300000000000000003 0000002f 00000004 53686f70 00000004 4661696c 00000000"
    "00000017 82a8557365726e616d65a161a850617373776f7264a162"
)
RPCX_FAILED = (
    "080081300000000000000003 00000049 00000004 53686f70 00000004 4661696c 00000030"
    "0000000e 5f5f727063785f6572726f725f5f"
    "0000001a 6f7574206f662073746f636b3a20e5ba93e5ad98e4b88de8b6b3 00000001 a0"
)
RPCX_NOWHERE = "080000300000000000000007 00000022 0000000d 4e6f5375636853657276696365"
RPCX_NOWHERE += "00000004 50696e67 00000000 00000001 80"
RPCX_NOT_THERE = (
    b"\x08\x00\x81\x30\0\0\0\0\0\0\0\x07\0\0\0\x5d\0\0\0\x0dNoSuchService\0\0\0\x04Ping"
)
RPCX_NOT_THERE += b"\0\0\0\x3c\0\0\0\x0e__rpcx_error__"
RPCX_NOT_THERE += b"\0\0\0\x26rpcx: can't find service NoSuchService\0\0\0\0"
MOTAN_CALL = (
    b"\xf1\xf1\x00\x080\x18\xeb\xec\x8e%\xe0\x00\t\x00\x00\x00QM_m\nnoSuchMethod\nM_pp\nmotan2\n"
    b"M_s\nshop-client\nM_g\nshop-group\nM_p\ncom.thinkrpc.Shop\x00\x00\x00\x06\x01\x00\x00\x00\x01x"
)
MOTAN_NO_METHOD = (
    b"\xf1\xf1\x01\t0\x18\xeb\xec\x8e%\xe0\x00\t\x00\x00\x00_M_pt\n0\nM_e\n"
    b'{"errcode":500,"errmsg":"method noSuchMethod is not found in provider.","errtype":1}'
    b"\x00\x00\x00\x00"
)


def test_a_trace_id_stands_where_the_real_one_put_it() -> None:
    pairs = {"user": "小明", "trace-id": "0af7651916cd43dd8448eb211c80319c", "e": ""}
    assert SHOP.call(8, "who", {}, pairs) == bytes.fromhex(RPCX_WHO)
    call = Motan("com.thinkrpc.Shop", group="shop-group", source="shop-client").call(
        0, "login", {"a": "a", "b": "b"}, {"trace-id": "0af7"}
    )
    assert b"\ntrace-id\n0af7\x00\x00\x00\x0c\x01\x00\x00\x00\x01a" in call
    # Java: its attachments are a map, in whatever order its hashes have.
    pairs = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    ours = Dubbo("com.thinkrpc.Shop", timeout=2000).call(46, "attach", {}, {"用户": "小明"} | pairs)
    assert len(ours) == 217  # as the recorded one
    assert decode(ours).metadata[-1].value == pairs["traceparent"]


def test_errors_are_the_recorded_ones() -> None:
    call = decode(bytes.fromhex(RPCX_FAIL))
    assert SHOP.call(3, "fail", {"username": "a", "password": "b"}, {}) == call.data
    assert SHOP.error(call, ValueError("out of stock: 库存不足")) == bytes.fromhex(RPCX_FAILED)
    call = decode(bytes.fromhex(RPCX_NOWHERE))
    assert SHOP.missing(call) == RPCX_NOT_THERE
    shop = Motan(
        "com.thinkrpc.Shop",
        group="shop-group",
        source="shop-client",
        order=("M_m", "M_pp", "M_s", "M_g", "M_p"),
        first=decode(MOTAN_CALL).seqid,
    )
    assert shop.call(0, "noSuchMethod", {"x": "x"}, {}) == MOTAN_CALL
    assert shop.missing(decode(MOTAN_CALL)) == MOTAN_NO_METHOD
    # The Java server's exception has 2909 bytes, for its stack: ours has its class and its text.
    recorded = next(
        one for one in read(ROOT / "captures" / "error_dubbo.pcap").exchanges
        if one.outcome is Outcome.DECLARED_EXCEPTION
    ).reply  # fmt: skip
    assert recorded is not None
    ours = Dubbo("com.thinkrpc.Shop")
    mine = decode(ours.error(decode(ours.call(5, "declared", {}, {})), ValueError("no")))
    assert (mine.answer, mine.data[:4]) == (recorded.answer, recorded.data[:4])
    assert mine.data[16] == recorded.data[16]
    assert ours.said(mine) == "ValueError: no"
    assert ours.said(recorded).startswith("com.thinkrpc.StockException: ")


def test_heartbeats_come_back_as_the_real_ones_do() -> None:
    # shared/captures/relatives: dubbo2_java_heartbeat, rpcx_msgpack_heartbeat; Motan by its source.
    asked = bytes.fromhex("dabbe200 0000000000000000 00000001 4e")
    answer = bytes.fromhex("dabb2214 0000000000000000 00000001 4e")
    assert SPEAKERS["dubbo"].alive(decode(asked)) == answer
    assert SPEAKERS["dubbo"].alive(decode(answer)) == b""
    asked = bytes.fromhex("08004030 0000000000000001 00000019 00000000 00000000 00000000 00000009")
    asked += bytes.fromhex("d317d5c3a1b2c3d4e5")
    answer = asked[:2] + b"\xc0" + asked[3:]
    assert SPEAKERS["rpcx"].alive(decode(asked)) == answer
    assert SPEAKERS["rpcx"].alive(decode(answer)) == b""
    asked = bytes.fromhex("f1f1100830 0000000000000001 00000000 00000000")
    answer = SPEAKERS["motan"].alive(decode(asked))
    assert answer == bytes.fromhex("f1f1110830 0000000000000001 00000000 00000000")
    assert SPEAKERS["motan"].alive(decode(answer)) == b""


# ── Values ───────────────────────────────────────────────────────────────────────────

NUMBERS = [0, 1, -1, 15, 16, -8, -9, 47, 127, 128, -32, -33, 255, 256, 2047, 2048, -2048, -2049]
NUMBERS += [65535, 65536, 262143, 262144, -262144, -262145, 2**31 - 1, 2**31, -(2**31), 2**63 - 1]
NUMBERS += [-(2**63), -(2**31) - 1, -128, -129, -32768, -32769]
TEXTS = ["", "a", "登录", "a😀b", "x" * 31, "x" * 32, "é" * 255, "x" * 1023, "x" * 1024]
TEXTS += ["x" * 32767, "x" * 32768, "x" * 65536, "x" * 32767 + "😀" + "y" * 40000]


def test_values_come_back_as_they_went(server: OurServer) -> None:
    with server.client() as client:
        for value in [None, True, False, *NUMBERS, *TEXTS]:
            assert client.call("echo", value=value) == value


def test_msgpack_writes_the_same_values() -> None:
    oracle = pytest.importorskip("msgpack", reason="pip install msgpack")
    for value in [None, True, False, *NUMBERS, *TEXTS, {"a": 1, "b": "c"}]:
        assert msgpack(value) == oracle.packb(value)


def test_java_libraries_write_the_same_numbers() -> None:
    """``shared/wire-relatives.md``: out of a Java client's longs, and one text of its."""
    told = {
        0: "e0",
        15: "ef",
        -8: "d8",
        16: "f810",
        -9: "f7f7",
        2048: "3c0800",
        262144: "5900040000",
    }
    assert {value: hessian(value).hex() for value in told} == told
    assert hessian("a😀b").hex(" ") == "04 61 ed a0 bd ed b8 80 62"


@pytest.mark.parametrize("write", [hessian, simple, msgpack])
def test_a_value_that_is_not_carried_is_named(write: Any) -> None:
    with pytest.raises(TypeError, match=r"value is 1\.5, want a text, a whole number"):
        write(1.5)


# ── The life of it ───────────────────────────────────────────────────────────────────


def test_a_call_is_answered_and_recorded(speaker: Speaker) -> None:
    with serving_ours(speaker, Dispatcher()) as server, recording(server, way="tap") as wire:
        with server.client(metadata={"trace-id": "abc"}) as client:
            assert client.call("ping") == "pong"
            assert client.call("login", **LOGIN) == "登录成功!"
            with pytest.raises(LiveError, match="try again"):
                client.call("login", username="admin", password="wrong")
            for method in ("nothing", "_answer", "secret"):
                with pytest.raises(LiveError, match=method[1:]):
                    client.call(method)
            with pytest.raises(LiveError, match="password"):
                client.call("login", username="admin")
            assert client.call("ping") == "pong"
        assert next(str(one) for one in server.errors) == "login: ValueError: try again"
    assert wire.capture.findings == ()
    outcomes = [one.outcome for one in wire.exchanges]
    assert [outcome is Outcome.SUCCESS for outcome in outcomes] == [True, True, *[False] * 5, True]
    for one in wire.exchanges:
        assert one.call is not None
        assert ("trace-id", "abc") in [(datum.name, datum.value) for datum in one.call.metadata]


def test_another_service_is_told_so(server: OurServer, speaker: Speaker) -> None:
    other = type(speaker)("com.thinkrpc.Other")
    with server.client(speaker=other) as client, pytest.raises(LiveError, match=r"com\.thinkrpc"):
        client.call("ping")


def test_bytes_may_come_one_by_one(server: OurServer, speaker: Speaker) -> None:
    call = speaker.call(0, "login", LOGIN, {})
    with socket.create_connection(server.address) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(call)):
            sock.sendall(call[at : at + 1])
        sock.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    assert decode(answer).body.fields[0].value.plain == "登录成功!"


def test_calls_may_come_together(server: OurServer, speaker: Speaker) -> None:
    calls = [speaker.call(number, "ping", {}, {}) for number in range(3)]
    with socket.create_connection(server.address) as sock:
        sock.sendall(b"".join(calls))
        sock.shutdown(socket.SHUT_WR)
        answers = b"".join(iter(lambda: sock.recv(65536), b""))
    want = [speaker.reply(decode(call), "pong") for call in calls]
    assert answers == b"".join(want)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        bytes(64),
        b"\xff" * 64,
        b"\x80\x01\x00\x01\x00\x00\x00\x04ping\x00\x00\x00\x00\x00" + bytes(40),
    ],
)
def test_another_family_ends_its_own_connection_alone(
    server: OurServer, speaker: Speaker, sent: bytes
) -> None:
    with socket.create_connection(server.address) as sock:
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(65536) == b""
    with server.client() as client:
        assert client.call("ping") == "pong"
    assert all(one.method is None for one in server.errors)


def test_a_server_that_says_something_else(speaker: Speaker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            sock = listener.accept()[0]
            with sock:
                sock.recv(65536)
                sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        address: tuple[str, int] = listener.getsockname()
        with (
            connect_ours(speaker, address, timeout_ms=5000) as client,
            pytest.raises(LiveError, match=r"no frame of \w+: it begins 48 54 54 50"),
        ):
            client.call("ping")
        thread.join()


HEARTBEATS = {
    "Dubbo": ("dabbe200 0000000000000009 00000001 4e", "dabb2214 0000000000000009 00000001 4e"),
    "Motan": (
        "f1f1100830 0000000000000009 00000000 00000000",
        "f1f1110830 0000000000000009 00000000 00000000",
    ),
    "rpcx": (
        "08004000 0000000000000009 00000010 00000000 00000000 00000000 00000000",
        "0800c000 0000000000000009 00000010 00000000 00000000 00000000 00000000",
    ),
}


def test_a_heartbeat_before_the_reply_is_answered_and_no_reply(speaker: Speaker) -> None:
    beat, answer = (bytes.fromhex(one) for one in HEARTBEATS[speaker.title])
    got = b""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            nonlocal got
            with listener.accept()[0] as sock:
                call = decode(sock.recv(65536))
                sock.sendall(beat + answer + speaker.reply(call, "pong"))
                got = sock.recv(len(answer), socket.MSG_WAITALL)

        thread = threading.Thread(target=serve)
        thread.start()
        address: tuple[str, int] = listener.getsockname()
        with connect_ours(speaker, address, timeout_ms=20_000) as client:
            assert client.call("ping") == "pong"
        thread.join()
    assert got == answer


def test_what_is_no_call_has_no_answer(server: OurServer, speaker: Speaker) -> None:
    beat, answer = (bytes.fromhex(one) for one in HEARTBEATS[speaker.title])
    call = speaker.call(0, "ping", {}, {})
    with socket.create_connection(server.address) as sock:
        sock.sendall(speaker.reply(decode(call), "pong") + answer + beat + call)
        sock.shutdown(socket.SHUT_WR)
        answers = b"".join(iter(lambda: sock.recv(65536), b""))
    assert answers == answer + speaker.reply(decode(call), "pong")


def test_closing_ends_a_client_that_waits(server: OurServer) -> None:
    client = server.client()
    assert client.call("ping") == "pong"
    server.close()
    with pytest.raises(LiveError, match="calling ping"):
        client.call("ping")
    assert not client.is_open
    assert "closed" in repr(server)


def test_in_a_cell_that_is_run_again() -> None:
    try:
        for _ in range(2):
            server = lab.serve_ours(lab.Dubbo(USERS), Dispatcher(), port=0, private=False)
            with lab.record(server, way="tap") as wire, server.client() as client:
                client.call("ping")
        assert [one.type for one in wire.messages] == [MessageType.CALL, MessageType.REPLY]
    finally:
        lab.close()


def test_in_a_private_network(speaker: Speaker) -> None:
    reason = unavailable()
    if reason is not None:
        pytest.skip(reason)
    with PrivateNetwork() as network:
        with (
            serving_ours(speaker, Dispatcher(), port=speaker.port, network=network) as server,
            recording(server) as wire,
        ):
            with server.client() as client:
                client.call("login", **LOGIN)
            assert wire.way == "private"
        assert [one.type for one in wire.messages] == [MessageType.CALL, MessageType.REPLY]
