"""The texts of exceptions, in which handlers quote what they were given: of every family."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from doors import run
from frames import (
    HELLO,
    SETTINGS,
    dubbo_call,
    dubbo_error,
    dubbo_reply,
    motan1_call,
    motan1_error,
    motan2_call,
    motan2_error,
    rpcx,
    rpcx_call,
    rpcx_error,
    thrown,
)
from http2s import enveloped, frame, request, trailers
from making import Talk, call, said

from pingpong import write_capture

SECRET = "hunter2 and more"
_WORDS = SECRET.encode()
_UNKNOWN = struct.pack(">BHI", 11, 1, len(_WORDS)) + _WORDS + bytes.fromhex("0800020000000600")

# What is answered, and whether the text stands in a value: elsewhere it is masked in any case.
SAID: dict[str, tuple[bytes, bytes, bool]] = {
    "Thrift": (call("login"), said("login", 3, 0, _UNKNOWN.hex()), True),
    "Dubbo, a status": (dubbo_call(1, "login"), dubbo_error(1, 70, SECRET), True),
    "Dubbo, thrown": (
        dubbo_call(1, "login"),
        dubbo_reply(1, thrown("com.shop.No", SECRET), 3),
        True,
    ),
    "Motan 1": (motan1_call(1, "login"), motan1_error(1, 10001, SECRET), True),
    "Motan 2": (motan2_call(1, "login"), motan2_error(1, 10001, SECRET), False),
    "rpcx": (rpcx_call(1, "Login"), rpcx_error(1, SECRET, "Login"), False),
    "rpcx, with a reply": (
        rpcx_call(1, "Login"),
        rpcx(0x81, 1, "Orders", "Login", {"__rpcx_error__": "no"}, b"\xb0" + _WORDS),
        True,
    ),
    "gRPC": (
        HELLO + request(1, "/shop.Users/Login") + frame(0, 1, 1, enveloped(b"")),
        SETTINGS + trailers(1, "2", grpc_message=SECRET, grpc_status_details_bin="AAAA"),
        False,
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_the_text_of_an_exception(name: str, tmp_path: Path) -> None:
    ask, answer, is_value = SAID[name]
    talk = Talk().open().call(ask).reply(answer).close()
    source, safe = tmp_path / "in.pcap", tmp_path / "out.pcap"
    write_capture(str(source), talk.packets)
    assert _WORDS in source.read_bytes()
    _, out, _ = run("redact", str(source), str(safe), "-f", "*.9")
    assert ("of exceptions left as they are: --text masks them" in out) is is_value, out
    assert (_WORDS in safe.read_bytes()) is is_value
    _, out, _ = run("redact", str(source), str(safe), "-f", "*.9", "--text")
    assert "left as they are" not in out
    assert "of exceptions masked" in out, out
    assert _WORDS not in safe.read_bytes()
    assert _WORDS.hex() not in run("show", str(safe), "--all")[1].replace(" ", "")
