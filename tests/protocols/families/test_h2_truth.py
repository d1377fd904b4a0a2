"""What nghttp and nghttpd, grpc-js and etcd said of themselves, row by row."""

from __future__ import annotations

import re

from relatives import seen, truth

from pingpong.model import Message, MessageType, Outcome


def _frames(messages: list[Message], name: str) -> list[Message]:
    return [one for one in messages if one.method == name]


def _names(message: Message) -> dict[str, str | None]:
    return {one.name or "": one.value for one in message.metadata}


def test_nghttp() -> None:
    found = seen("relatives", "h2_nghttp")
    rows = {int(row["flow"]): row for row in truth("h2_nghttp")}
    flows = sorted({one.flow for one in found.messages})
    assert len(flows) == len(rows)
    for flow, row in zip(flows, rows.values(), strict=True):
        mine = [one for one in found.messages if one.flow == flow]
        asked = [one for one in mine if one.type is MessageType.CALL]
        pushed = [one for one in mine if one.type is MessageType.ONEWAY]
        own, _, pushes = row["streams"].partition(", ")
        assert [one.seqid for one in asked] == [int(each) for each in own.split()]
        wanted = [int(each) for each in re.findall(r"\d+", pushes)]
        assert [one.seqid for one in pushed] == wanted
        assert len(_frames(mine, "PUSH_PROMISE")) == len(wanted)
        paths = {one.method.partition(" ")[2] for one in asked}
        assert paths == set(re.findall(r" (/\w+)", row["command"]))
    assert len(_frames([m for m in found.messages if m.flow == flows[0]], "PRIORITY")) == 5
    first = found.calls[0]
    assert first.reply is not None
    assert "x-trailer" in _names(first.reply)
    padded = next(one for one in found.calls if one.first.flow == flows[1])
    assert padded.call is not None
    assert padded.call.data[9] == 76  # the length of its padding
    long = next(one for one in found.calls if one.first.flow == flows[2])
    assert long.call is not None
    sizes = [one.size - 9 for one in long.call.layout if one.what == "frame"]
    assert sizes == [16384, 2199]
    big = next(one for one in found.calls if one.first.flow == flows[5])
    assert big.reply is not None
    assert big.reply.stop - big.reply.start == 50_000
    last = found.calls[-1]
    assert last.call is not None
    said = _names(last.call)
    assert (said["x-secret"], said["x-t"]) == ("s3cret", "1")
    assert b'{"message":"pong"}' in last.call.data  # the file "ping"


def test_too_many_pings() -> None:
    (row,) = truth("grpc_toomanypings")
    found = seen("relatives", "grpc_toomanypings")
    (one,) = found.calls
    assert one.reply is not None
    error = one.reply.family.error(one.reply)
    # The server's status; grpc-js makes 8 of the GOAWAY, which is what its table has.
    assert (one.method, row["status"].split()[0]) == (row["method"], "8")
    assert error.number == 14
    assert error.text is not None
    assert error.text.content == "Too many pings"
    assert one.outcome is Outcome.APPLICATION_EXCEPTION
    (flow,) = [each for each in found.flows if each.goaways]
    (said,) = [each for each in flow.goaways if each.code == "ENHANCE_YOUR_CALM"]
    assert said.text == "too_many_pings"


def test_etcds_gateway_says_in_json_what_it_asks_in_grpc() -> None:
    found = seen("family", "etcd")
    outer = [one for one in found.calls if one.method.startswith("POST ")]
    inner = [one for one in found.calls if one.method.startswith("/etcdserverpb.")]
    pairs = {"grant": "LeaseGrant", "put": "Put", "range": "Range"}
    for one, other in zip(outer, inner, strict=False):
        assert pairs[one.method.rpartition("/")[2]] == other.method.rpartition("/")[2]
        assert one.outcome is other.outcome is Outcome.SUCCESS
    assert (len(outer), len(inner)) == (4, 5)
