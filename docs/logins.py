"""The table of the README that sets the same login side by side, in every family.

    python docs/logins.py     print it

    captures/login_*.pcap ─▶ the first login, the hundredth ─▶ shares ─▶ a row

Thrift, gRPC and HTTP are spoken by their own libraries, which lesson 16 runs; their recordings have
a hundred logins.  Of Dubbo, Motan and rpcx there is one recorded login of the real ones each, and
the hundredth is what our small ones write (``pingpong/live/ours``), which write the first as the
real ones do.  ``tests/house/test_readme.py`` holds that the README has what this prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pingpong import decode, read
from pingpong.capture import Pipeline
from pingpong.live.ours.dubbo import Dubbo
from pingpong.live.ours.motan import Motan
from pingpong.live.ours.rpcx import Rpcx
from pingpong.live.ours.speaking import Speaker
from pingpong.model import Message, MessageType
from pingpong.protocols.shares import PURPOSES, shares
from pingpong.wire.capturefile import open_capture

CAPTURES = Path(__file__).resolve().parent.parent / "captures"

LIVE, RECORDED, OURS = "●", "○", "◇"

ARGUMENTS = {"username": "admin", "password": "123456"}
RESULT = "登录成功!"


class Way(NamedTuple):
    """One way to say it: a row.  ``speaker`` says the hundredth; None: it was recorded, too."""

    title: str
    capture: str
    who: str
    speaker: Speaker | None = None


USERS = "com.thinkrpc.UserService"
WAYS = (
    Way("Thrift, binary", "login_thrift", "thriftpy2"),
    Way("gRPC", "login_grpc", "grpcio"),
    Way("HTTP/1.1 + JSON", "login_http1", "httpcore, hypercorn"),
    Way("HTTP/2 + JSON", "login_http2", "httpcore, hypercorn"),
    Way("Dubbo 2, hessian2", "login_dubbo", "Java 2.6.12", Dubbo(USERS)),
    Way("Motan 2, simple", "login_motan", "motan-go", Motan(USERS)),
    Way("rpcx, MessagePack", "login_rpcx", "rpcx in Go", Rpcx("UserService")),
)

HEAD = """\
| login("admin", "123456") | spoken by | greeting | 1st login | {0} | {1} | {2} | {3} | 100th | {0} | {1} | {2} | {3} |
|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
"""  # noqa: E501  # a row of a table is a line


def table() -> str:
    """The table, as it stands in the README."""
    return HEAD.format(*PURPOSES) + "".join(map(row, WAYS))


def row(way: Way) -> str:
    """One row: the bytes of the call and its answer, by purpose; and who says so."""
    logins = [
        (one.call, one.reply)
        for one in read(CAPTURES / f"{way.capture}.pcap").exchanges
        if one.call is not None and one.reply is not None and "login" in one.method.lower()
    ]
    first = logins[0]
    if way.speaker is None:
        assert len(logins) == 100
        last, marks = logins[99], (LIVE, LIVE)
    else:
        last, marks = said(way.speaker), (RECORDED, OURS)
    cells = [way.title, way.who, str(greeting(way.capture, first[0])), *figures(first, marks[0])]
    return f"| {' | '.join([*cells, *figures(last, marks[1])])} |\n"


def said(speaker: Speaker) -> tuple[Message, Message]:
    """The hundredth login, and its answer, as ours write them."""
    call = decode(speaker.call(99, "login", ARGUMENTS, {}))
    return call, decode(speaker.reply(call, RESULT))


def figures(messages: Sequence[Message], mark: str) -> list[str]:
    """How many bytes in all, with its mark, and how many for each purpose."""
    spent = [shares(message) for message in messages]
    parts = [sum(one[purpose] for one in spent) for purpose in PURPOSES]
    return [f"{sum(parts)} {mark}", *map(str, parts)]


def greeting(capture: str, call: Message) -> int:
    """How many bytes the connection of ``call`` says for itself before the call is answered."""
    pipeline, said_so_far = Pipeline(events=True), 0
    with open_capture(CAPTURES / f"{capture}.pcap") as packets:
        for packet in packets:
            for message in pipeline.feed(packet).messages:
                if message.flow != call.flow:
                    continue
                if message.type is MessageType.EVENT:
                    said_so_far += message.size
                elif not message.from_client:
                    return said_so_far
    return said_so_far


if __name__ == "__main__":
    print(table(), end="")
