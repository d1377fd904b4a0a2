"""What the tests of the shell share: a command that is run, a file written, and bad captures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from making import PING, PONG, Talk, framed, packet

from pingpong import cli
from pingpong.protocols.encodings.binary import write_header
from pingpong.wire.capturefile import write_capture


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run(list(arguments))
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def written(tmp_path: Path, talk: Talk) -> str:
    path = str(tmp_path / "x.pcap")
    write_capture(path, talk.packets)
    return path


def _raw(data: bytes) -> Any:
    return lambda path: Path(path).write_bytes(data)


def _packets(*talks: Talk) -> Any:
    return lambda path: write_capture(path, [p for talk in talks for p in talk.packets])


def _cut(path: str) -> None:
    write_capture(path, Talk().open().call(PING).reply(PONG).packets)
    data = Path(path).read_bytes()
    Path(path).write_bytes(data[:-3])


def _snaplen(path: str) -> None:
    write_capture(path, Talk().open().call(PING).reply(PONG).packets)
    data = bytearray(Path(path).read_bytes())
    data[16:20] = (60).to_bytes(4, "little")
    Path(path).write_bytes(data)


NESTED = write_header(b"deep", 1, 0) + bytes.fromhex("0c0001") * 5000

BAD = {
    "not a capture": (_raw(b"hello"), "is not a capture: begins with 68 65 6c 6c", 0),
    "empty": (_raw(b""), "is empty, want a pcap or pcapng capture", 0),
    "a truncated last record": (_cut, "the file is cut off after packet 4", 1),
    "a wrong snaplen": (_snaplen, "the file's snaplen wants at most 60", 2),
    "an unknown link type": (
        lambda path: write_capture(path, [packet(1, bytes(60), link=147)]),
        "packet 1: link type is 147, want one of",
        0,
    ),
    "a message cut off": (
        _packets(Talk().open().call(PING).reply(PONG[:-3])),
        "message 2: message cut off at offset 25: the capture ends",
        2,
    ),
    "a length beyond what is there": (
        _packets(Talk().open().call(framed(PING[:-1] + bytes.fromhex("0b0001000000ff61")))),
        "string at offset 27: needs 255 bytes, 1 left",
        1,
    ),
    "a bad version": (
        _packets(Talk().open().call(b"\x80\x02" + PING[2:]).close()),
        "version at offset 0: is 0x8002, want 0x8001",
        0,
    ),
    "nesting without end": (
        _packets(Talk().open().call(NESTED)),
        "nesting at offset 208: is 65 deep, want at most 64",
        1,
    ),
    "a bad type": (
        _packets(Talk().open().call(PING[:-1] + b"\x63\0\0\0")),
        "field type at offset 16: is 99, want one of",
        1,
    ),
}  # fmt: skip
