"""A family that nobody speaks is added by one entry in a list, and every door knows it.

    54 4f 59   00 00 00 21   01   00 00 00 07   04 70 69 6e 67   {"who": "root"}
    "TOY"      length        kind id            method           fields by name

CONTRIBUTING.md says "Add a protocol": this holds that it is true.  What is here is all that such a
family needs: how its bytes are recognised, where a message ends, what its values are, what they
mean.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from making import Talk

from pingpong import cli, explain, is_compiled, read_packets
from pingpong.capture import Capture
from pingpong.errors import Incomplete
from pingpong.model import (
    MESSAGE_TYPES,
    NO_ID,
    Carrier,
    Error,
    Family,
    Field,
    Gap,
    Header,
    HeadMasks,
    Limits,
    Listener,
    Message,
    MessageType,
    Note,
    Outcome,
    Packet,
    Protocol,
    Record,
    Run,
    Skipper,
    Span,
    Value,
)
from pingpong.protocols import families
from pingpong.protocols.explain import check_cover
from pingpong.protocols.family import Entry, Wrapper
from pingpong.protocols.framing import ProtocolAt, Transport, Unit
from pingpong.views import html, text
from pingpong.wire.capturefile import write_capture

if is_compiled():
    pytest.skip("a class that is not compiled has no compiled parent", allow_module_level=True)

HEAD = 7
FIELD = re.compile(rb'"(\w+)": (?:"([^"]*)"|(-?\d+))')
SECRET = "opensesame"


class ToyJson(Protocol):
    """Fields by name, numbers and strings."""

    name = title = "toy-json"
    classes = ""
    has_names = True

    def read_header(self, data: bytes | bytearray, start: int, stop: int, limits: Limits) -> Header:
        if stop < start + 6 or stop < start + 6 + data[start + 5]:
            raise Incomplete("header", start, needs=6, left=stop - start)
        end = start + 6 + data[start + 5]
        method = bytes(data[start + 6 : end]).decode("utf-8", "backslashreplace")
        seqid = int.from_bytes(data[start + 1 : start + 5], "big")
        kind = MESSAGE_TYPES[min(max(data[start], 1), 4)]
        return Header(method, kind, seqid, True, Span(start, end), Span(start + 6, end))

    def walk(
        self,
        data: bytes,
        start: int,
        stop: int,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        listener.struct(start)
        for found in FIELD.finditer(data, start, stop):
            listener.field(NO_ID, found[1].decode(), found.start())
            place = 3 if found[2] is None else 2
            first, last = found.span(place)
            if place == 2:
                listener.string(data, first, last, first, 0, last, 0)
            else:
                listener.number(10, int(found[3]), first, last)
        listener.struct_end(stop - 1, stop)

    def skipper(self, start: int, limits: Limits) -> Skipper:
        raise NotImplementedError  # the framing says where a message ends

    def notes(self, record: Record) -> list[Note]:
        at = record.start if isinstance(record, Message) else 0
        notes = []
        if isinstance(record, Message):
            span = record.header.span
            notes.append(Note(span, "header", "toy header", f"{record.method}, {record.seqid}"))
        for field in record.body.fields:
            value = field.value
            if value.span.start > at:
                notes.append(Note(Span(at, value.span.start), "field", f"{field.name}", "its name"))
            shown = "redacted" if value.redacted else repr(value.plain)
            notes.append(Note(value.span, "value", f"{field.name}", shown, depth=1))
            at = value.span.stop
        return [*notes, Note(Span(at, len(record.data)), "stop", "end", "of the fields")]

    def mask(self, data: bytes, value: Value, field: Field | None, is_key: bool) -> Run:
        letter = b"x" if isinstance(value.content, bytes) else b"1"
        return value.span.start, letter * len(value.span)

    def blank(self, data: bytes) -> bytes:
        return b" " * len(data)


class Toy(Family):
    """A reply is a result; an error has a number and a text."""

    name = "toy"
    error_title = "a broken toy"

    def outcome(self, reply: Message) -> Outcome:
        failed = reply.type is MessageType.EXCEPTION
        return Outcome.APPLICATION_EXCEPTION if failed else Outcome.SUCCESS

    def error(self, exception: Message) -> Error:
        values = {field.name: field.value for field in exception.body.fields}
        number = values["code"].content if "code" in values else None
        assert number is None or isinstance(number, int)
        return Error("NO_SUCH_TOY", number, values.get("code"), values.get("text"))


TOY, TOY_JSON = Toy(), ToyJson()


class ToyCarrier(Carrier):
    """What stands before its messages holds no secret: without ``masks``, it would be hidden."""

    family = TOY
    around = "toy frames"

    def masks(self, message: Message) -> HeadMasks:
        return HeadMasks([])


class ToyFraming(Transport):
    """The length says where a message ends."""

    name = "toy"

    def __init__(self, limits: Limits, protocol_at: ProtocolAt) -> None:
        self.most = limits.frame

    def next(self, buffer: bytearray, have: int) -> Unit | None:
        stop = HEAD + int.from_bytes(buffer[3:HEAD], "big")
        if have < HEAD or have < stop:
            return None
        return Unit(stop, bytes(buffer[:stop]), HEAD, TOY_JSON)


def begins(data: bytes | bytearray) -> bool | None:
    mark = bytes(data[:3])
    return (True if mark == b"TOY" else None) if b"TOY".startswith(mark) else False


ENTRY = Entry(TOY, (), (Wrapper(ToyCarrier("toy"), "a toy", begins, ToyFraming, (b"TOY",)),))


def said(kind: int, number: int, method: str, **fields: Any) -> bytes:
    body = json.dumps(fields).encode()
    name = method.encode()
    inside = bytes((kind,)) + number.to_bytes(4, "big") + bytes((len(name),)) + name + body
    return b"TOY" + len(inside).to_bytes(4, "big") + inside


def packets() -> list[Packet]:
    talk = Talk().open()
    talk.call(said(1, 7, "login", who="root", word=SECRET)).reply(said(2, 7, "login", success=1))
    talk.call(said(1, 8, "nope")).reply(said(3, 8, "nope", code=5, text="nobody knows it"))
    return talk.close().packets


@pytest.fixture(autouse=True)
def listed() -> Iterator[None]:
    """The entry in the list: all that has to be done."""
    families.FAMILIES.append(ENTRY)
    yield
    families.FAMILIES.remove(ENTRY)


@pytest.fixture
def capture() -> Capture:
    return read_packets(packets())


@pytest.fixture
def path(tmp_path: Path) -> str:
    name = str(tmp_path / "toy.pcap")
    write_capture(name, packets())
    return name


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = cli.run(list(words))
    done = capsys.readouterr()
    assert "Traceback" not in done.err
    return code, done.out


def test_its_messages_are_read_and_its_calls_paired(capture: Capture) -> None:
    assert [(one.method, one.type.name, one.seqid) for one in capture.messages] == [
        ("login", "CALL", 7), ("login", "REPLY", 7), ("nope", "CALL", 8), ("nope", "EXCEPTION", 8),
    ]  # fmt: skip
    assert [one.outcome.name for one in capture.exchanges] == ["SUCCESS", "APPLICATION_EXCEPTION"]
    assert capture.exchanges[1].exception == "NO_SUCH_TOY"
    assert capture.messages[0].body.plain == {"who": "root", "word": SECRET}
    assert capture.messages[0].family is TOY


def test_every_byte_of_it_is_explained(capture: Capture) -> None:
    for message in capture.messages:
        notes = explain(message)
        check_cover(notes, len(message.data))
        assert notes[0].label == "before the message"
        assert "toy header" in [note.label for note in notes]


def test_the_views_of_a_notebook_show_it(capture: Capture) -> None:
    for one in (capture, capture.messages, *capture.messages, *capture.exchanges, *capture.flows):
        assert text(one)
        assert html(one)
    assert "NO_SUCH_TOY" in text(capture)
    assert text(capture.diagnosis)


def test_the_commands_show_it(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "messages", path)
    assert (code, out.count("toy-json/toy")) == (0, 4)
    code, out = run(capsys, "show", path)
    assert code == 0
    assert "login" in out
    code, out = run(capsys, "show", path, "-m", "1")
    assert code == 0
    assert SECRET in out
    code, out = run(capsys, "calls", path)
    assert code == 0
    assert "NO_SUCH_TOY" in out
    code, out = run(capsys, "diagnose", path)
    assert code == 3
    assert "it answers with a broken toy, NO_SUCH_TOY" in out


def test_it_is_json(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "show", path, "--json")
    assert code == 0
    rows = [json.loads(line) for line in out.splitlines()]
    assert rows[0]["fields"][1] == {
        "id": -1, "name": "word", "type": "STRING", "value": SECRET, "offset": 34, "length": 19,
    }  # fmt: skip
    assert [row["transport"] for row in rows] == ["toy"] * 4


def test_it_is_redacted(path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "masked.pcap"
    code, _ = run(capsys, "redact", path, str(out), "-f", "word")
    assert code == 0
    assert SECRET.encode() not in out.read_bytes()
    assert b"root" in out.read_bytes()
    code, said_again = run(capsys, "messages", str(out))
    assert (code, said_again.count("toy-json/toy")) == (0, 4)
