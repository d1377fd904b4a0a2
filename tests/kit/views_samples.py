"""Messages for the tests of the views: ordinary, long, damaged and hostile."""

from __future__ import annotations

import struct

from making import ADD, PING, PONG, Talk, foo, framed, message, thriftpy2_message
from thriftpy2.thrift import TApplicationException, TMessageType

from pingpong.capture import Capture, read_packets
from pingpong.model import Message


def string(data: bytes) -> bytes:
    return struct.pack(">i", len(data)) + data


def field(ttype: int, field_id: int, value: bytes) -> bytes:
    return struct.pack(">bh", ttype, field_id) + value


def call(method: bytes, fields: bytes, mtype: int = 1, seqid: int = 0) -> bytes:
    head = struct.pack(">I", 0x80010000 | mtype) + string(method) + struct.pack(">i", seqid)
    return head + fields + b"\0"


_FOO = foo().PingPong
LOGIN = thriftpy2_message(_FOO.login_args(username="root", password="pwd"), "login")
LOGGED_IN = thriftpy2_message(_FOO.login_result(success="登录成功!"), "login", TMessageType.REPLY)
FAILED = thriftpy2_message(
    TApplicationException(6, "Internal error"), "boom", TMessageType.EXCEPTION
)
ONEWAY = call(b"log", field(11, 1, string(b"x")), 4, 3)
# A REPLY with field 1: an exception that the IDL names.
DECLARED = call(b"login", field(12, 1, field(11, 1, string(b"who?")) + b"\0"), 2)

EVERY_TYPE = call(
    b"everything",
    field(2, 1, b"\x01")
    + field(3, 2, b"\xff")
    + field(6, 3, b"\x01\x00")
    + field(8, 4, struct.pack(">i", -7))
    + field(10, 5, struct.pack(">q", 2**40))
    + field(4, 6, struct.pack(">d", 2.5))
    + field(11, 7, string("登录成功!".encode()))
    + field(11, 8, string(b"\xff\xfe\x00\x01"))
    + field(16, 9, bytes(range(16)))
    + field(12, 10, field(11, 1, string(b"inner")) + field(12, 2, b"\0") + b"\0")
    + field(15, 11, b"\x08" + struct.pack(">4i", 3, 1, 2, 3))
    + field(14, 12, b"\x0b" + struct.pack(">i", 2) + string(b"a") + string(b"b"))
    + field(13, 13, b"\x0b\x08" + struct.pack(">i", 1) + string(b"a") + struct.pack(">i", 1))
    + field(15, 14, b"\x0c" + struct.pack(">i", 2) + field(8, 1, b"\0\0\0\x05") + b"\0\0")
    + field(13, 15, b"\x0b\x0c" + struct.pack(">i", 1) + string(b"k") + b"\0")
    + field(4, 16, struct.pack(">d", float("-inf")))
    + field(13, 17, b"\0\0\0\0\0\0")
    + field(8, 4, struct.pack(">i", 8)),  # an id that comes twice
    seqid=7,
)
LONG = call(
    b"store",
    field(11, 1, string(b"x" * 4000))
    + field(15, 2, b"\x08" + struct.pack(">i", 3000) + struct.pack(">i", 7) * 3000),
)
HOSTILE = call(
    ("<b>\x1b[31m\u202eevil\n\0" + "n" * 200).encode(),
    field(11, 1, string("</td><script>alert(1)</script>\x1b]0;x\x07\u202e".encode()))
    + field(11, 2, string(("z" + "\u0301" * 9000).encode()))
    + field(11, 3, string(b'a", 2: "b'))
    + field(13, 4, b"\x0b\x0b" + struct.pack(">i", 1) + string(b"\n<i>") + string(b"\x9b1m")),
    seqid=-1,
)
# A method whose name a terminal and a page would obey.
BOOM_HOSTILE = call("<b>\x1b[31m\u202eevil{after}".encode(), b"")
DEEP = call(b"deep", b"\x0c\x00\x01" * 60 + b"\0" * 60)
STORE = call(b"store", field(11, 1, string(b"x" * 40)) + field(11, 2, string(b"yy")), seqid=9)


def lossy() -> Message:
    """STORE with 10 bytes of its first string lost."""
    talk = Talk().open().call(STORE[:40]).skip(True, 10).call(STORE[50:]).call(PING).close()
    return read_packets(talk.packets).messages[0]


def lesson(port: int = 50001) -> Capture:
    """The two calls of the lessons, with empty ACKs in between."""
    talk = Talk(port).open().call(PING).add(False, 16).reply(PONG).add(True, 16)
    return read_packets(talk.call(LOGIN).reply(LOGGED_IN).close().packets, "lesson.pcap")


def odd() -> Capture:
    """All that can go wrong, in one connection."""
    talk = Talk().open().call(PING).reply(PONG)
    talk.add(False, 24, PONG, back=len(PONG))
    talk.call(call(b"boom", b"")).reply(FAILED).call(LOGIN).reply(DECLARED).call(ONEWAY)
    talk.call(HOSTILE).reply(LOGGED_IN[:-3])
    return read_packets(talk.packets, "odd\x1b[1m.pcap")


def crowd(calls: int) -> Capture:
    talk = Talk().open()
    for _ in range(calls):
        talk.call(PING).reply(PONG)
    return read_packets(talk.packets, "crowd")


MESSAGES = {
    "ping": message(PING),
    "pong": message(PONG),
    "add": message(ADD),
    "framed login": message(framed(LOGIN), "framed"),
    "logged in": message(LOGGED_IN),
    "failed": message(FAILED),
    "declared": message(DECLARED),
    "oneway": message(ONEWAY),
    "every type": message(EVERY_TYPE),
    "long": message(LONG),
    "hostile": message(HOSTILE),
    "deep": message(DEEP),
    "lossy": lossy(),
    "cut off": message(LOGGED_IN[:-3]),
}
