"""Triple: what Java's peers say that they said is what is read, out of the wrapper around it."""

from __future__ import annotations

import pytest
from http2s import OPENING, Read, enveloped, frame, request, response, talked, trailers
from relatives import (
    look_at,
    packets_of,
    plain,
    seen,
    seen_in,
    truth,
)

from pingpong.model import Message, MessageType, Outcome
from pingpong.protocols.encodings.hessian2 import Hessian2Protocol
from pingpong.protocols.families.grpc.wrapped import TripleObjects, is_wrapper
from pingpong.redaction.messages import Redactor
from pingpong.redaction.selectors import parse_selectors

JAVA = "triple_java_rich"


def _said(messages: list[Message]) -> list[object]:
    return [plain(field.value) for one in messages for field in one.fields]


def _is_said(value: object, row: str) -> bool:
    """Is a value what a row says of it?"""
    if row == "Order" or (row == "小明" and isinstance(value, dict)):
        return isinstance(value, dict) and "小明" in str(value)
    if isinstance(value, list):
        value = dict(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={one}" for key, one in value.items()) + "}" == row
    return ("null" if value is None else str(value)) == row


def test_the_truth_is_met_value_by_value() -> None:
    rows = truth(JAVA)
    found = seen("relatives", JAVA)
    assert [one.method.rpartition("/")[2] for one in found.calls] == [r["method"] for r in rows]
    for row, one in zip(rows, found.calls, strict=True):
        assert one.call is not None
        assert one.reply is not None
        of = [each for each in found.messages if each.seqid == one.call.seqid]
        sent = _said([each for each in of if each.from_client])
        came = _said([each for each in of if not each.from_client])
        if row["method"] == "slow":
            assert sent == [2600]
        elif row["args"] == "a, b, attachment traceparent":
            assert sent == ["a", "b"]
            assert any(each.name == "traceparent" for each in one.call.metadata)
        elif row["method"] in ("watch", "chat"):
            assert ", ".join(str(each) for each in sent) == row["args"].partition(" (")[0]
        elif row["args"]:
            assert len(sent) == (2 if row["args"] == "admin, 123456" else 1)
            parts = row["args"].split(", ") if len(sent) > 1 else [row["args"]]
            assert all(map(_is_said, sent, parts))
        else:
            assert sent == []
        if row["outcome"] == "exception":
            assert one.outcome is Outcome.APPLICATION_EXCEPTION
            error = one.reply.family.error(one.reply)
            assert error.text is not None
            said = f"{error.name} : {error.text.content!s}"
            if row["method"] == "slow":
                # The client gave up by itself; the server's status came later.
                assert f": {error.name} : Waiting" in row["value"]
                continue
            assert row["value"] == f"org.apache.dubbo.rpc.StatusRpcException: {said}"
            continue
        assert one.outcome is Outcome.SUCCESS
        if row["value"].startswith("["):
            assert f"[{', '.join(str(each) for each in came)}]" == row["value"]
        elif row["method"] == "nothing":
            assert came in ([None], [])
        else:
            (value,) = came
            assert _is_said(value, row["value"]), row


def test_every_byte_has_a_note_and_nothing_is_odd() -> None:
    found = seen("relatives", JAVA)
    look_at(found.messages)
    assert found.findings == []
    assert [one.findings for one in found.messages if one.fault is not None] == []
    assert sum(isinstance(one.protocol, TripleObjects) for one in found.messages) == 29


def test_an_argument_is_masked_and_the_wrapper_is_read_alike() -> None:
    before = seen("relatives", JAVA)
    hidden = seen_in(packets_of("relatives", JAVA), Redactor(parse_selectors(["login.1"])))
    look_at(hidden.messages)
    for one, other in zip(before.messages, hidden.messages, strict=True):
        if one.method.endswith("/login") and one.type is MessageType.CALL:
            first, second = other.fields
            assert first.value.redacted
            assert not second.value.redacted
            assert b"admin" not in other.data
        elif one.type is not MessageType.EVENT:
            assert _said([one]) == _said([other])


# ── By hand ──────────────────────────────────────────────────────────────────────────


def part(number: int, content: bytes) -> bytes:
    return bytes((number << 3 | 2, len(content))) + content


ADMIN = part(1, b"hessian4") + part(2, b"\x05admin") + part(3, b"java.lang.String")


def calls(body: bytes, answer: bytes) -> Read:
    """A call of Triple's with these messages."""
    asked = request(1, tri_consumer_appname="shop") + frame(0, 1, 1, enveloped(body))
    came = response(1) + frame(0, 0, 1, enveloped(answer)) + trailers(1)
    return Read(talked([*OPENING, (True, asked), (False, came)]))


def _row(message: Message) -> list[tuple[int, object]]:
    return [(field.field_id, plain(field.value)) for field in message.fields]


def test_a_request_has_arguments_and_a_reply_a_result() -> None:
    read = calls(ADMIN + part(2, b"N") + part(3, b"int"), ADMIN)
    look_at(read.messages)
    call, reply = (one for one in read.messages if one.type is not MessageType.EVENT)
    assert _row(call) == [(1, "admin"), (2, None)]
    assert _row(reply) == [(0, "admin")]
    assert isinstance(call.protocol, Hessian2Protocol)


@pytest.mark.parametrize(
    ("body", "is_one"),
    [
        (ADMIN, True),
        (part(1, b"hessian4"), True),
        (part(1, b"hessian2") + part(2, b"N"), True),
        (part(1, b"msgpack"), False),
        (ADMIN + b"\x10\x01", False),
        (ADMIN + part(4, b"x"), False),
        (ADMIN + part(1, b"hessian4"), False),
        (ADMIN[:-1], False),
        (b"", False),
    ],
)
def test_what_is_a_wrapper(body: bytes, is_one: bool) -> None:
    assert is_wrapper(body) is is_one
    look_at(calls(body, ADMIN).messages)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"\x05adm", "string"),
        (b"\x05adminX", "left over"),
        (b"\x45", "value"),
        (b"", "value"),
    ],
)
def test_a_broken_value_is_a_fault(value: bytes, said: str) -> None:
    read = calls(part(1, b"hessian4") + part(2, value) + part(3, b"S"), ADMIN)
    look_at(read.messages)
    (call,) = [one for one in read.messages if one.type is MessageType.CALL]
    assert any(said in one.text for one in call.faults)
    assert "lost" not in " ".join(one.text for one in call.faults)
