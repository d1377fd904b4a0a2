"""Connect, gRPC-Web, Triple and JSON over HTTP/1, against captures of real peers and their truth
tables: method, how it ended, what it said."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from places import SHARED

from pingpong import read
from pingpong.model import Exchange, Outcome
from pingpong.protocols.explain import check_cover, explain

CAPTURES = SHARED / "captures"


def capture_of(name: str) -> Path:
    path = CAPTURES / f"{name}.pcap"
    if not path.is_file():
        pytest.skip(f"the captures of real peers are not on this machine (looked for {path})")
    return path


def truth(name: str) -> list[dict[str, str]]:
    text = capture_of(name).with_suffix(".tsv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def exchanges(name: str) -> list[Exchange]:
    capture = read(capture_of(name))
    assert capture.findings == ()
    for message in capture.messages:
        check_cover(explain(message), len(message.data))
        assert message.faults == ()
    return list(capture.exchanges)


def word(name: str) -> str:
    """A status in one spelling: NotFound, NOT_FOUND."""
    return name.replace("_", "").upper()


@pytest.mark.parametrize(
    ("name", "carrier"), [("connect_node_connect", "connect"), ("connect_node_grpcweb", "grpc-web")]
)
def test_the_truth_table(name: str, carrier: str) -> None:
    rows = truth(f"relatives/{name}")
    found = exchanges(f"relatives/{name}")
    assert len(found) == len(rows) == 10
    for one, row in zip(found, rows, strict=True):
        assert one.call is not None
        assert (one.call.method, one.call.transport) == (row["method"], carrier)
        assert one.call.service == "thinkrpc.Shop"
        if row["note"] == "deadline":
            # The client gave up: its status never travels.
            assert (one.reply, one.outcome) == (None, Outcome.CLOSED_BY_CLIENT)
            continue
        assert one.reply is not None
        responses = row["responses"].split(" | ") if row["responses"] else []
        assert one.parts_received == (len(responses) if "stream" in row["kind"] else 0)
        if row["code"] == "0":
            assert one.outcome is Outcome.SUCCESS
            continue
        assert one.outcome is Outcome.APPLICATION_EXCEPTION
        error = one.reply.family.error(one.reply)
        assert word(error.name) == word(row["code"])
        assert error.text is not None
        assert error.text.content == json.loads(row["message"])


@pytest.mark.parametrize("name", ["connect_node_connect", "connect_node_grpcweb"])
def test_a_message_is_its_protobuf(name: str) -> None:
    ping = exchanges(f"relatives/{name}")[0]
    assert ping.call is not None
    assert ping.reply is not None
    assert ping.call.data[ping.call.start : ping.call.stop] == b""
    assert ping.reply.data[ping.reply.start : ping.reply.stop] == b"\x0a\x04pong"


# name: the calls, each with its transport and how it ended
CALLS = {
    "family/std": [
        ("POST /ping", "http", "SUCCESS"), ("POST /login", "http", "SUCCESS"),
    ],
    "family/uvicorn": [
        *(("POST /ping", "http", "SUCCESS"), ("POST /login", "http", "SUCCESS")),
        ("POST /ping", "http", "SUCCESS"),
    ],
    "family/triple_node_h1": [
        ("/thinkrpc.UserService/ping", "triple", "SUCCESS"),
        ("/thinkrpc.UserService/login", "triple", "SUCCESS"),
        # curl: nothing in it says Triple.
        ("POST /thinkrpc.UserService/login", "http", "SUCCESS"),
    ],
    "relatives/rpcx_gateway": [
        *(("POST /", "http", "SUCCESS"), ("POST /", "http", "APPLICATION_EXCEPTION")),
        *(("POST /", "http", "SUCCESS"), ("POST /", "http", "SUCCESS")),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_calls(name: str) -> None:
    found = [
        (one.call.method, str(one.call.transport), one.outcome.name)
        for one in exchanges(name)
        if one.call is not None
    ]
    assert found == CALLS[name]


@pytest.mark.parametrize("name", ["mismatch_on_dubbo", "mismatch_on_grpc"])
def test_http_on_another_port_is_no_call(name: str) -> None:
    """A GET that something else answers says nothing of an API."""
    capture = read(capture_of(f"relatives/{name}"))
    assert [one.method for one in capture.messages if one.transport == "http"] == []
