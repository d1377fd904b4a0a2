"""Names from an IDL, and where the wire is not what it says.

thriftpy2 is the witness: it reads the same bytes with the same .thrift file.  In the fixtures
(tests/kit/idl) is all that an interface can say.  PINGPONG_IDLS names a folder of other .thrift
files that are read too: HBase's, Hive's, Impala's, Parquet's.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import thriftpy2
from hypothesis import given, settings
from hypothesis import strategies as st
from making import Talk, foo, thriftpy2_message
from places import KIT, ROOT
from thriftpy2.protocol import (
    TBinaryProtocol,
    TCompactProtocol,
    TJSONProtocol,
    TMultiplexedProtocol,
)
from thriftpy2.protocol.apache_json import TApacheJSONProtocol
from thriftpy2.thrift import TApplicationException, TMessageType
from thriftpy2.transport import TMemoryBuffer
from witness import empty_memory

import pingpong
from pingpong.calls.filters import condition
from pingpong.capture import Capture, decode, decode_struct, read_packets
from pingpong.live.idl import as_interface, read_interface
from pingpong.model import (
    Difference,
    Entries,
    Field,
    Gap,
    Items,
    Message,
    MessageType,
    Record,
    Severity,
    Span,
    Struct,
    TType,
    Value,
)
from pingpong.protocols.encodings import compact
from pingpong.protocols.encodings import thrift_json as json
from pingpong.protocols.encodings.binary import BINARY, write_header, write_struct
from pingpong.protocols.explain import check_cover, explain
from pingpong.protocols.families.thrift.names import (
    BASE_TYPES,
    EnumType,
    FieldType,
    Interface,
    StructType,
    Type,
)
from pingpong.protocols.families.thrift.transports import UNFRAMED
from pingpong.views import one_line as short
from pingpong.views.hexdump import hexdump
from pingpong.views.html import message_html
from pingpong.views.json import message_row
from pingpong.views.text import plain
from pingpong.views.tree import tree

T = TypeVar("T")

IDL = KIT / "idl"
SHOP = read_interface(IDL / "shop.thrift")


@functools.cache
def shop() -> Any:
    # thriftpy2 would take the shared.thrift of any other test.
    with empty_memory():
        return thriftpy2.load(str(IDL / "shop.thrift"))


PROTOCOLS = {
    "binary": TBinaryProtocol,
    "compact": TCompactProtocol,
    "json": TApacheJSONProtocol,
    "thriftpy2-json": TJSONProtocol,
}


def message(
    struct: Any, method: str, mtype: int = TMessageType.CALL, protocol: str = "binary"
) -> bytes:
    """A message as thriftpy2 writes it."""
    buffer = TMemoryBuffer()
    writer = PROTOCOLS[protocol](buffer)
    writer.write_message_begin(method, mtype, 0)
    writer.write_struct(struct)
    writer.write_message_end()
    return bytes(buffer.getvalue())


def said(record: Record) -> list[str]:
    return [f"{one.kind}: {one.text}" for one in record.differences]


def order() -> Any:
    """An order with something in every field."""
    module = shop()
    shared = module.shared
    item = module.Item(
        name="塔",
        count=2,
        colour=6,
        picture=b"\xff\x00",
        others={0, 5},
        sizes={5: [1, 2], 0: []},
        sold=True,
        shelf=-1,
        price=0.5,
    )
    leaf = shared.Node(value=2, others=[], named={})
    tree = shared.Node(value=1, left=leaf, others=[leaf, leaf], named={"a": leaf})
    return module.Order(
        at=7, items=[item, item], payment=module.Payment(barter=item), tree=tree, address="x"
    )


# ── The interface ────────────────────────────────────────────────────────────────────


def test_what_a_file_says() -> None:
    assert list(SHOP.services) == ["Shop", "Stock", "Archive"]
    assert list(SHOP.included) == ["shared.Health"]
    assert SHOP.services["Shop"].extends == "shared.Health"
    assert [str(one) for one in SHOP.services["Shop"].methods.values()] == [
        "Order buy(1: Items (list<Item>) items, 2: Payment payment) "
        "throws (1: SoldOut gone, 2: shared.NotFound lost)",
        "void cancel(1: required shared.Timestamp (i64) at)",
        "oneway void note(1: string text)",
        "Colour colour(1: string name)",
        "i32 find(1: string name)",
        "string status()",
        "shared.Timestamp (i64) started()",
    ]
    assert str(SHOP.structs["Item"]) == (
        "struct Item {\n"
        "  1: required string name\n"
        "  2: i32 count = 3\n"
        "  3: optional Colour colour = Colour.GREEN\n"
        "  4: binary picture\n"
        "  7: set<Colour> others\n"
        "  8: map<Colour,list<i16>> sizes\n"
        "  9: bool sold = false\n"
        "  10: i8 shelf\n"
        "  11: double price = 2.5\n"
        "}"
    )
    assert {name: struct.kind for name, struct in SHOP.structs.items()} == {
        "Item": "struct",
        "Order": "struct",
        "Payment": "union",
        "SoldOut": "exception",
        "shared.Node": "struct",
        "shared.NotFound": "exception",
    }
    assert SHOP.enums["Colour"].values == {0: "RED", 5: "GREEN", 6: "BLUE"}
    assert SHOP.struct("Node") is SHOP.structs["shared.Node"]
    assert SHOP.services["Shop"].methods["status"].service == "shared.Health"


def test_a_struct_that_is_not_there() -> None:
    with pytest.raises(ValueError, match=r"shop.thrift has no struct 'Nodes'; it has Item, Order"):
        SHOP.struct("Nodes")


def test_methods_by_name() -> None:
    assert [one.service for one in SHOP.methods("buy")] == ["Shop"]
    assert [one.service for one in SHOP.methods("find")] == ["Shop", "Stock"]
    assert [one.service for one in SHOP.methods("Stock:find")] == ["Stock"]
    assert [one.service for one in SHOP.methods("find", "Stock")] == ["Stock"]
    # Both say the same, so it does not matter which.
    assert [one.service for one in SHOP.methods("same")] == ["Stock"]
    # A server chooses what stands before the colon.
    assert [one.service for one in SHOP.methods("depot:count")] == ["Stock"]
    assert SHOP.methods("Stock:buy") == SHOP.methods("sell") == []


def without_address() -> Interface:
    """The shop, before orders had an address."""
    structs = []
    for struct in SHOP.structs.values():
        fields = [one for one in struct.fields.values() if one.name != "address"]
        structs.append(StructType(struct.name, struct.kind, fields))
    return Interface("shop.thrift", SHOP.services.values(), structs, SHOP.enums.values())


# ── Well-formed data: thriftpy2 is the witness ───────────────────────────────────────


def named(value: Value) -> Any:
    """A value with the names and labels that it was given."""
    content = value.content
    if isinstance(content, Struct):
        return (value.label, {field.name: named(field.value) for field in content})
    if isinstance(content, Items):
        items = [named(item) for item in content.items]
        return items if value.ttype is TType.LIST else sorted(items)
    if isinstance(content, Entries):
        return [(named(key), named(item)) for key, item in content.items]
    return value.label or value.plain


def expected(value: Any, ttype: int, inner: Any = None) -> Any:
    """The same from thriftpy2's object and its own description of it."""
    if hasattr(value, "thrift_spec"):
        name = SHOP.struct(type(value).__name__).name
        fields = {}
        for spec in value.thrift_spec.values():
            field = getattr(value, spec[1])
            if field is not None:
                fields[spec[1]] = expected(field, spec[0], spec[2] if len(spec) == 4 else None)
        return (name, fields)
    if isinstance(inner, tuple) and ttype != 13:
        ttype_of, inner_of = inner
    else:
        ttype_of, inner_of = inner, None
    if isinstance(value, list):
        return [expected(item, ttype_of, inner_of) for item in value]
    if isinstance(value, set):
        return sorted(expected(item, ttype_of, inner_of) for item in value)
    if isinstance(value, dict):
        both = [one if isinstance(one, tuple) else (one, None) for one in inner]
        return [(expected(k, *both[0]), expected(v, *both[1])) for k, v in value.items()]
    if hasattr(inner, "_VALUES_TO_NAMES"):
        return inner._VALUES_TO_NAMES[value]
    return value


@pytest.mark.parametrize("protocol", ["binary", "compact", "json"])
def test_names_and_values_are_thriftpy2s(protocol: str) -> None:
    sold = order()
    for item in (*sold.items, sold.payment.barter) if protocol == "json" else ():
        # thriftpy2 cannot write a map with enums for keys, and binary as base64.
        item.sizes = item.picture = None
    data = message(shop().Shop.buy_result(success=sold), "buy", TMessageType.REPLY, protocol)
    got = decode(data, protocol=protocol, transport="unframed", idl=SHOP)
    assert said(got) == []
    assert [field.name for field in got.fields] == ["success"]
    assert named(got.fields[0].value) == expected(sold, 12)


def test_names_on_the_wire_are_checked_too() -> None:
    result = shop().Shop.buy_result(success=order())
    got = decode(message(result, "buy", TMessageType.REPLY, "thriftpy2-json"), idl=SHOP)
    assert got.protocol.name == "thriftpy2-json"
    assert said(got) == []
    assert got.fields[0].field_id == -1
    assert got.fields[0].value.label == "Order"
    labels = [one.label for one in values(got.body) if one.label]
    assert labels.count("BLUE") == 3
    assert labels.count("shared.Node") == 5
    address = got.data.index(b'"address"')
    got.use_names(without_address())
    assert said(got) == [
        f"unknown field: Order, address at offset {address}: is STRING, and the IDL has no such "
        "field"
    ]


def values(struct: Struct) -> Iterator[Value]:
    """Every value, at any depth."""
    for field in struct:
        yield from _inside(field.value)


def _inside(value: Value) -> Iterator[Value]:
    yield value
    content = value.content
    if isinstance(content, Struct):
        yield from values(content)
    elif isinstance(content, Items):
        for item in content.items:
            yield from _inside(item)
    elif isinstance(content, Entries):
        for key, item in content.items:
            yield from _inside(key)
            yield from _inside(item)


# ── Where the wire differs ───────────────────────────────────────────────────────────

I32, STRING = BASE_TYPES["i32"], BASE_TYPES["string"]


def text_field(field_id: int, data: bytes) -> bytes:
    return b"\x0b" + field_id.to_bytes(2, "big") + len(data).to_bytes(4, "big") + data


def number_field(field_id: int, number: int) -> bytes:
    return b"\x08" + field_id.to_bytes(2, "big") + number.to_bytes(4, "big")


def struct_field(field_id: int, inside: bytes) -> bytes:
    return b"\x0c" + field_id.to_bytes(2, "big") + inside + b"\0"


def list_field(field_id: int, etype: int, *items: bytes) -> bytes:
    head = b"\x0f" + field_id.to_bytes(2, "big") + bytes((etype,))
    return head + len(items).to_bytes(4, "big") + b"".join(items)


CALL, REPLY, ONEWAY = MessageType.CALL, MessageType.REPLY, MessageType.ONEWAY

# Method, type, fields of the message; what is said of it.
DIFFER = {
    "as it should be": ("find", CALL, text_field(1, b"x"), []),
    "an argument that is not known": (
        "colour",
        CALL,
        text_field(1, b"x") + number_field(2, 5),
        [
            "unknown field: Shop.colour, argument 2 at offset 26: is I32, and the IDL has no such "
            "field"
        ],
    ),
    "an argument of another type": (
        "colour",
        CALL,
        number_field(1, 5),
        ["type: Shop.colour, argument 1 at offset 18: is I32, and the IDL says string"],
    ),
    "a required argument": (
        "cancel",
        CALL,
        b"",
        [
            "missing: Shop.cancel, argument 1 at offset 18: is missing, "
            "want the required shared.Timestamp (i64) at"
        ],
    ),
    "an enum's number": (
        "colour",
        REPLY,
        number_field(0, 7),
        ["enum: Shop.colour, result at offset 21: is 7, and the enum Colour has no such value"],
    ),
    "a reply with nothing in it": (
        "colour",
        REPLY,
        b"",
        ["union: Shop.colour, reply at offset 18: has no field, want one of success"],
    ),
    "void": ("cancel", REPLY, b"", []),
    "a reply with two fields": (
        "buy",
        REPLY,
        struct_field(1, b"") + struct_field(2, text_field(1, b"")),
        ["union: Shop.buy, reply at offset 30: has 2 fields, want one of success, gone, lost"],
    ),
    "void, with a result": (
        "cancel",
        REPLY,
        number_field(0, 7),
        ["unknown field: Shop.cancel, result at offset 18: is I32, and the IDL has no such field"],
    ),
    "an exception that is not declared": (
        "buy",
        REPLY,
        struct_field(3, b""),
        [
            "unknown field: Shop.buy, exception 3 at offset 15: is STRUCT, and the IDL has no such "
            "field"
        ],
    ),
    "an empty union": (
        "buy",
        CALL,
        struct_field(2, b""),
        ["union: Payment at offset 18: has no field, want one: it is a union"],
    ),
    "a union with two fields": (
        "buy",
        CALL,
        struct_field(2, text_field(1, b"") + text_field(9, b"")),
        [
            "unknown field: Payment, field 9 at offset 25: is STRING, and the IDL has no such "
            "field",
            "union: Payment at offset 32: has 2 fields, want one: it is a union",
        ],
    ),
    "in an element": (
        "buy",
        CALL,
        list_field(1, 12, text_field(1, b"") + b"\0", number_field(2, 3) + b"\0"),
        ["missing: Item, field 1 at offset 38: is missing, want the required string name"],
    ),
    "elements of another type": (
        "buy",
        CALL,
        list_field(1, 8, b"\0\0\0\1"),
        [
            "type: Shop.buy, argument 1 at offset 18: is LIST of I32, "
            "and the IDL says Items (list<Item>)"
        ],
    ),
    "an empty list of another type": (
        "buy",
        CALL,
        list_field(1, 8),
        [
            "type: Shop.buy, argument 1 at offset 18: is LIST of I32, "
            "and the IDL says Items (list<Item>)"
        ],
    ),
    "no such method": (
        "sell",
        CALL,
        number_field(1, 3),
        ["method: shop.thrift, method sell at offset 8: is called, and the IDL has no such method"],
    ),
    "no such method of the service": (
        "Stock:buy",
        CALL,
        b"",
        ["method: Stock, method buy at offset 8: is called, and the IDL has no such method"],
    ),
    "oneway, and the IDL wants a reply": (
        "colour",
        ONEWAY,
        b"",
        ["oneway: Shop.colour, message type at offset 0: is ONEWAY, and the method is not oneway"],
    ),
    "a call of a oneway method": (
        "note",
        CALL,
        b"",
        ["oneway: Shop.note, message type at offset 0: is CALL, and the method is oneway"],
    ),
    "a tracing system's question": ("__can__finagle__trace__v3__", CALL, number_field(1, 1), []),
}


def wire(method: str, mtype: int, fields: bytes) -> bytes:
    return write_header(method.encode(), mtype, 0) + fields + b"\0"


@pytest.mark.parametrize("name", DIFFER)
def test_where_the_wire_differs(name: str) -> None:
    method, mtype, fields, wanted = DIFFER[name]
    got = decode(wire(method, mtype, fields), idl=SHOP)
    assert said(got) == wanted
    assert [one.text for one in got.findings] == [text.partition(": ")[2] for text in wanted]
    assert {one.severity for one in got.findings} <= {Severity.WARNING}
    # Beside the value, in the note of the very byte, and in the tree.
    notes = explain(got)
    check_cover(notes, len(got.data))
    for one in got.differences:
        offset = 3 if one.kind == "oneway" else one.offset
        note = next(note for note in notes if note.span.start <= offset < note.span.stop)
        assert note.meaning.endswith(one.brief), (note, one)
        assert f"≠ IDL: {one.brief}" in plain(tree(got))
        assert f"≠ IDL: {one.brief}" in plain(hexdump(got, width=200))
        assert f'"text": "{one.text}", "difference": "{one.kind}"' in message_row(got)


def test_an_error_of_the_server_has_its_names() -> None:
    data = thriftpy2_message(TApplicationException(1, "no sell"), "sell", TMessageType.EXCEPTION)
    got = decode(data, idl=SHOP)
    assert said(got) == []
    assert [(field.name, field.value.label) for field in got.fields] == [
        ("message", ""),
        ("type", "UNKNOWN_METHOD"),
    ]


def test_what_was_lost_is_not_missing() -> None:
    data = wire("cancel", CALL, b"")
    assert said(decode(data, idl=SHOP)) != []
    assert said(decode(data[:-1], idl=SHOP)) == []
    lost = Message(
        header=decode(data).header,
        data=data,
        protocol=BINARY,
        transport=UNFRAMED,
        client=decode(data).client,
        server=decode(data).server,
        from_client=True,
        gaps=(Gap(18, 1),),
    )
    lost.use_names(SHOP)
    assert said(lost) == []


def test_services_of_includes(tmp_path: Path) -> None:
    """A server may offer those too, by their bare names; what the file itself says goes first."""
    (tmp_path / "a.thrift").write_text("service A { i32 f(1: i32 a), void g(1: i32 of_a) }\n")
    (tmp_path / "b.thrift").write_text("service B { i32 f(1: i32 b), void h() }\n")
    own = "service Own { void g(1: i32 own) }\n"
    for text, services, included in (("", ["a.A", "b.B"], []), (own, ["Own"], ["a.A", "b.B"])):
        (tmp_path / "x.thrift").write_text('include "a.thrift"\ninclude "b.thrift"\n' + text)
        interface = read_interface(tmp_path / "x.thrift")
        assert list(interface.services) == services
        assert list(interface.included) == included
        assert [one.service for one in interface.methods("B:f")] == ["b.B"]
        assert [one.service for one in interface.methods("f")] == ["a.A", "b.B"]
        assert [one.service for one in interface.methods("h")] == ["b.B"]
        assert [one.service for one in interface.methods("g")] == ["Own" if text else "a.A"]
        assert interface.methods("B:g") == interface.methods("z") == []
        odd = decode(wire("B:g", CALL, b""), idl=interface)
        assert said(odd) == [
            "method: b.B, method g at offset 8: is called, and the IDL has no such method"
        ]


# ── Which service ────────────────────────────────────────────────────────────────────


def test_the_shape_decides_where_nothing_else_does() -> None:
    by_name = decode(wire("find", CALL, text_field(1, b"x")), idl=SHOP)
    assert by_name.fields[0].name == "name"
    by_number = decode(wire("find", CALL, b"\x0a\0\1" + bytes(8)), idl=SHOP)
    assert by_number.fields[0].name == "number"
    neither = decode(wire("find", CALL, number_field(1, 3)), idl=SHOP)
    assert (neither.fields[0].name, said(neither)) == (None, [])
    both = decode(wire("find", CALL, b""), idl=SHOP)
    assert said(both) == []


def conversation(*messages: tuple[bool, bytes]) -> Capture:
    talk = Talk().open()
    for by_client, data in messages:
        talk.send(by_client, data)
    return read_packets(talk.close().packets, idl=SHOP)


def test_a_reply_is_of_the_service_that_was_called() -> None:
    yes = b"\x02\0\0\x01"
    capture = conversation(
        (True, wire("Stock:find", CALL, b"\x0a\0\1" + bytes(8))),
        (False, wire("find", REPLY, number_field(0, 1))),
        (True, wire("Shop:find", CALL, text_field(1, b"x"))),
        (False, wire("find", REPLY, yes)),
        (False, wire("find", REPLY, yes)),
    )
    assert SHOP.within("shared.Health") is SHOP.within("shared.Health") is not SHOP
    assert SHOP.within("depot") is SHOP
    assert [said(one) for one in capture.messages] == [
        [],
        ["type: Stock.find, result at offset 16: is I32, and the IDL says bool"],
        [],
        ["type: Shop.find, result at offset 16: is BOOL, and the IDL says i32"],
        [],  # nobody asked: its shape decides
    ]


def test_a_multiplexed_call_as_thriftpy2_writes_it() -> None:
    buffer = TMemoryBuffer()
    writer = TMultiplexedProtocol(TBinaryProtocol(buffer), "Stock")
    writer.write_message_begin("find", TMessageType.CALL, 0)
    writer.write_struct(shop().Stock.find_args(number=7))
    got = decode(bytes(buffer.getvalue()), idl=SHOP)
    assert got.method == "Stock:find"
    assert got.body.plain == {"number": 7}


def test_long_and_short_ways_give_the_same_names() -> None:
    talk = Talk().open()
    for number in range(20):
        service, field = (
            ("Stock", b"\x0a\0\1" + bytes(8)) if number % 3 else ("Shop", text_field(1, b""))
        )
        talk.call(wire(f"{service}:find", CALL, field)).reply(
            wire("find", REPLY, number_field(0, 1))
        )
    talk.close()
    pipelines = [pingpong.Pipeline(interface=SHOP) for _ in range(2)]
    taken = [one for packet in talk.packets for one in pipelines[0].take(packet)]
    fed = [one for packet in talk.packets for one in pipelines[1].feed(packet).messages]
    assert [said(one) for one in taken] == [said(one) for one in fed]
    assert sum(bool(one.differences) for one in taken) == 13


def test_a_reply_behind_a_lost_one_has_the_names_of_its_own_call() -> None:
    """The first reply is lost, and the second is to a call of the other service."""
    talk = Talk().open()
    talk.call(wire("Stock:find", CALL, b"\x0a\0\1" + bytes(8)))
    lost = len(talk.packets)
    talk.reply(wire("find", REPLY, number_field(0, 1)))
    talk.call(wire("Shop:find", CALL, text_field(1, b"x")))
    talk.reply(wire("find", REPLY, number_field(0, 1))).close()
    packets = [one for at, one in enumerate(talk.packets) if at != lost]
    capture = pingpong.read_packets(packets, idl=SHOP)
    assert [one.method for one in capture.messages] == ["Stock:find", "Shop:find", "find"]
    assert [one.findings for one in capture.messages] == [(), (), ()]


# ── The report, and the doors ────────────────────────────────────────────────────────


def test_a_report_counts_each_way_once() -> None:
    odd = wire("colour", CALL, text_field(1, b"x") + number_field(2, 5))
    worse = wire("buy", CALL, list_field(1, 12, b"\0", b"\0") + number_field(7, 1))
    good = wire("find", CALL, text_field(1, b"x"))
    capture = conversation((True, good), (True, worse), (True, odd), (True, odd), (True, odd))
    assert [one.summary for one in capture.differences] == [
        "Item, field 1: is missing, want the required string name "
        "(2 times in 1 message; first: message 2, offset 23)",
        "Shop.buy, argument 7: is I32, and the IDL has no such field (message 2, offset 25)",
        "Shop.colour, argument 2: is I32, and the IDL has no such field "
        "(3 times in 3 messages; first: message 3, offset 26)",
    ]
    assert [one.text for one in capture.messages[1].findings] == [
        "Item, field 1 at offset 23: is missing, want the required string name (2 times)",
        "Shop.buy, argument 7 at offset 25: is I32, and the IDL has no such field",
    ]
    shown = str(capture.differences)
    assert "message 3, offset 26" in shown
    assert "Where wire and IDL differ" in str(capture)
    assert "Where wire and IDL differ" in capture._repr_html_()
    assert "Where wire and IDL differ" not in str(capture.use_idl(None))
    assert len(capture.differences) == 0


def test_a_report_stays_small() -> None:
    numbers = [number.to_bytes(4, "big") for number in range(100, 1700)]
    item = (
        text_field(1, b"") + b"\x0e\0\7\x08" + len(numbers).to_bytes(4, "big") + b"".join(numbers)
    )
    capture = conversation((True, wire("buy", CALL, list_field(1, 12, item + b"\0"))))
    report = capture.differences
    assert (len(report), report.more) == (1000, 600)
    assert "in other ways 600 times" in str(report)


def test_very_many_differences_are_counted() -> None:
    got = decode(wire("buy", CALL, list_field(1, 12, *([b"\0"] * 12_000))), idl=SHOP)
    assert len(got.differences) == 10_000
    assert [one.text for one in got.findings] == [
        "Item, field 1 at offset 23: is missing, want the required string name (12000 times)"
    ]
    assert '"place": "Item, field 1", "times": 2001}' in message_row(got)


LOGIN = thriftpy2_message(foo().PingPong.login_args(username="root", password="pwd"), "login")


@pytest.mark.parametrize(
    "idl",
    [
        str(ROOT / "foo.thrift"),
        ROOT / "foo.thrift",
        foo(),
        as_interface(foo()),
        pingpong.read_interface(ROOT / "foo.thrift"),
    ],
)
def test_the_doors_take_a_path_a_module_or_an_interface(idl: Any) -> None:
    wanted = {"username": "root", "password": "pwd"}
    assert decode(LOGIN, idl=idl).body.plain == wanted
    for path in ("ping_login.pcap", "ping_login_framed.pcap"):
        capture = pingpong.read(ROOT / "captures" / path, idl=idl)
        assert capture.messages[2].body.plain == wanted
        assert len(capture.differences) == 0
    record = decode_struct(b"\0", idl=SHOP, struct="Item")
    assert said(record) == [
        "missing: Item, field 1 at offset 0: is missing, want the required string name"
    ]


def test_what_no_idl_is() -> None:
    with pytest.raises(TypeError, match="idl is int, want a path"):
        decode(LOGIN, idl=7)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="idl needs struct, the name of one: Item, Order"):
        decode_struct(b"\0", idl=SHOP)
    with pytest.raises(ValueError, match="the struct 'Item' of which idl"):
        decode_struct(b"\0", struct="Item")


def test_without_an_idl_all_is_by_number() -> None:
    got = decode(LOGIN)
    assert [field.name for field in got.fields] == [None, None]
    assert (got.names, got.differences) == (None, ())
    got.use_names(SHOP)
    assert len(got.differences) == 1
    got.use_names(None)
    assert [field.name for field in got.fields] == [None, None]
    assert got.findings == ()


TREE = """\
CALL buy, seqid 0, client → server, {size} bytes, binary unframed
├─ 1 items: LIST of STRUCT, 1 element
│  └─ [0] STRUCT Item
│     ├─ 1 name: STRING "a"
│     ├─ 3 colour: I32 GREEN (5)
│     └─ 7 others: SET of I32, 2 elements
│        ├─ [0] I32 BLUE (6)
│        └─ [1] I32 9  ≠ IDL: Colour has no 9
├─ 2 payment: STRUCT Payment, empty  ≠ IDL: a union has one field
└─ 3: STRUCT  ≠ IDL: no such field
   └─ 1: I32 2
warning: Item, field 7 at offset {enum}: is 9, and the enum Colour has no such value
warning: Payment at offset {union}: has no field, want one: it is a union
warning: Shop.buy, argument 3 at offset {unknown}: is STRUCT, and the IDL has no such field"""


def test_a_tree_with_names() -> None:
    item = text_field(1, b"a") + number_field(3, 5)
    item += bytes.fromhex("0e0007 08 00000002 00000006 00000009")
    fields = (
        list_field(1, 12, item + b"\0") + struct_field(2, b"") + struct_field(3, number_field(1, 2))
    )
    got = decode(wire("buy", CALL, fields), idl=SHOP)
    enum, union, unknown = (one.offset for one in got.differences)
    assert plain(tree(got)) == TREE.format(size=got.size, enum=enum, union=union, unknown=unknown)


def test_an_exception_says_its_type() -> None:
    capture = conversation(
        (True, wire("buy", CALL, b"")),
        (False, wire("buy", REPLY, struct_field(2, text_field(1, b"it") + number_field(2, 10)))),
    )
    exchange = capture.exchanges[0]
    assert exchange.exception == "shared.NotFound"
    assert str(exchange).startswith("exchange 1: buy, declared exception shared.NotFound,")
    assert "shared.NotFound {what: " in str(capture.exchanges)
    assert '{what: "it", level: HIGH (10)}' in short.result(capture.messages[1])
    assert "Field 2 of a reply: an exception of the IDL." in str(exchange.reply)


@pytest.mark.parametrize(
    ("where", "is_there"),
    [
        ("items.colour=GREEN", True),
        ("items.colour=5", True),
        ("buy.items.3=G*", True),
        ("items.colour=RED", False),
        ("colour=GREEN", False),
    ],
)
def test_calls_are_found_by_names(where: str, is_there: bool) -> None:
    item = text_field(1, b"a") + number_field(3, 5) + b"\0"
    capture = conversation((True, wire("buy", CALL, list_field(1, 12, item))))
    assert condition(where).holds(capture.exchanges[0]) == is_there


# ── Any bytes, any interface ─────────────────────────────────────────────────────────

NAMES = st.sampled_from(["A", "B", "C"])
ENUMS = [EnumType("E", {0: "ZERO", 1: "ONE"}), EnumType("F", {})]


def types() -> st.SearchStrategy[Type]:
    leaves = st.one_of(
        st.sampled_from(list(BASE_TYPES.values())),
        NAMES.map(lambda name: Type(TType.STRUCT, name, struct=name)),
        st.sampled_from(ENUMS).map(lambda enum: Type(TType.I32, enum.name, enum=enum)),
    )

    def container(inner: st.SearchStrategy[Type]) -> st.SearchStrategy[Type]:
        return st.one_of(
            inner.map(lambda one: Type(TType.LIST, f"list<{one.name}>", element=one)),
            inner.map(lambda one: Type(TType.SET, f"set<{one.name}>", element=one)),
            st.tuples(inner, inner).map(
                lambda two: Type(
                    TType.MAP, f"map<{two[0].name},{two[1].name}>", key=two[0], element=two[1]
                )
            ),
        )

    return nested(leaves, container, 2)


def nested(
    leaves: st.SearchStrategy[T],
    container: Callable[[st.SearchStrategy[T]], st.SearchStrategy[T]],
    depth: int,
) -> st.SearchStrategy[T]:
    anything = leaves
    for _ in range(depth):
        anything = st.one_of(leaves, container(anything))
    return anything


def fields() -> st.SearchStrategy[list[FieldType]]:
    return st.lists(
        st.builds(
            lambda field_id, known, required: FieldType(field_id, f"f{field_id}", known, required),
            st.integers(-2, 6),
            types(),
            st.booleans(),
        ),
        max_size=5,
        unique_by=lambda field: field.field_id,
    )


def structs() -> st.SearchStrategy[list[StructType]]:
    kind = st.sampled_from(["struct", "union", "exception"])
    return st.tuples(*(st.builds(StructType, st.just(name), kind, fields()) for name in "ABC")).map(
        list
    )


PLACE = Span(0, 0)


def wires() -> st.SearchStrategy[Struct]:
    """Structs that need no interface: what a stranger might send."""
    numbers = st.sampled_from([TType.I8, TType.I16, TType.I32, TType.I64])
    leaves = st.one_of(
        st.tuples(numbers, st.integers(0, 2)).map(lambda two: Value(*two, PLACE)),
        st.booleans().map(lambda one: Value(TType.BOOL, one, PLACE)),
        st.just(Value(TType.DOUBLE, 0.5, PLACE)),
        st.binary(max_size=2).map(lambda one: Value(TType.STRING, one, PLACE)),
    )

    def made(values: list[tuple[int, Value]]) -> Value:
        inside = tuple(Field(field_id, value, PLACE) for field_id, value in values)
        return Value(TType.STRUCT, Struct(inside, PLACE), PLACE)

    def container(inner: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
        held = st.tuples(inner, st.integers(0, 2))
        return st.one_of(
            st.lists(st.tuples(st.integers(-2, 6), inner), max_size=4).map(made),
            st.tuples(held, st.sampled_from([TType.LIST, TType.SET])).map(
                lambda two: Value(
                    two[1], Items(two[0][0].ttype, two[0][1], (two[0][0],) * two[0][1]), PLACE
                )
            ),
            # An empty map says nothing of its types in the compact protocol.
            st.tuples(inner, inner, st.integers(1, 2)).map(
                lambda three: Value(
                    TType.MAP,
                    Entries(
                        three[0].ttype, three[1].ttype, three[2], ((three[0], three[1]),) * three[2]
                    ),
                    PLACE,
                )
            ),
        )

    anything = nested(leaves, container, 3)
    return st.lists(st.tuples(st.integers(-2, 6), anything), max_size=5).map(
        lambda values: Struct(tuple(Field(i, v, PLACE) for i, v in values), PLACE)
    )


@settings(max_examples=80)
@given(structs(), wires())
def test_any_struct_against_any_interface(known: list[StructType], struct: Struct) -> None:
    data = write_struct(struct)
    interface = Interface("any.thrift", [], known, ENUMS)
    record = decode_struct(data, protocol="binary", idl=interface, struct="A")
    for one in record.differences:
        check_true(one, record, interface)
    check_none_is_left_out(record.body, interface.structs["A"], record, interface)
    # All views show it.
    check_cover(explain(record), len(data))
    shown = plain(tree(record, limit=None, children=None))
    for remark in record.remarks.values():
        assert remark.partition(",")[0] in shown
    assert message_html(record)


@pytest.mark.parametrize(("writer", "name"), [(compact, "compact"), (json, "json")])
@settings(max_examples=40)
@given(known=structs(), struct=wires())
def test_protocols_agree(writer: Any, name: str, known: list[StructType], struct: Struct) -> None:
    """What differs is the same in every protocol; only the offsets are its own."""
    interface = Interface("any.thrift", [], known, ENUMS)
    binary = decode_struct(write_struct(struct), protocol="binary", idl=interface, struct="A")
    data = writer.write_struct(struct)
    record = decode_struct(data, protocol=name, idl=interface, struct="A")
    got = [(one.kind, one.place) for one in record.differences]
    assert got == [(one.kind, one.place) for one in binary.differences]
    check_cover(explain(record), len(data))
    assert plain(tree(record))


def check_true(one: Difference, record: Record, interface: Interface) -> None:
    """The bytes at the offset, read by hand, are what the difference says."""
    data = record.data
    if one.kind == "unknown field":
        field_id = int.from_bytes(data[one.offset + 1 : one.offset + 3], "big", signed=True)
        struct, _, place = one.place.partition(", field ")
        assert int(place) == field_id
        assert field_id not in interface.structs[struct].fields
        assert one.words.startswith(f"is {TType(data[one.offset]).name},")
    elif one.kind == "enum":
        number = int.from_bytes(data[one.offset : one.offset + 4], "big", signed=True)
        enum = interface.enums[one.brief.partition(" ")[0]]
        assert number not in enum.values
        assert one.brief.endswith(f" has no {number}")
    elif one.kind in ("missing", "union"):
        assert data[one.offset] == 0
        kind = interface.structs[one.place.partition(",")[0]].kind
        assert one.kind == "missing" or kind == "union"
    else:
        assert one.kind == "type"


def check_none_is_left_out(
    struct: Struct, stype: StructType, record: Record, interface: Interface
) -> None:
    """Each field of the outer struct is named, or a difference says why not."""
    offsets = {one.offset for one in record.differences}
    for field in struct:
        known = stype.fields.get(field.field_id)
        assert field.name == (None if known is None else known.name)
        if known is None or known.type.ttype is not field.ttype:
            assert field.span.start in offsets
    ids = {field.field_id for field in struct}
    assert struct.stop is not None
    wrong = any(one.required and one.field_id not in ids for one in stype.fields.values())
    wrong = wrong or (stype.kind == "union" and len(struct.fields) != 1)
    assert wrong == (struct.stop.start in offsets)


@settings(max_examples=40)
@given(wires(), st.integers(0, 40))
def test_any_message_against_the_shop(struct: Struct, at: int) -> None:
    """Nothing raises, whatever is in a message, however it is cut."""
    for method in ("buy", "Shop:buy", "find", "sell"):
        data = write_header(method.encode(), 1 + at % 4, 0) + write_struct(struct)
        for cut in (data, data[:-at] if at else data):
            try:
                got = decode(cut, idl=SHOP)
            except pingpong.DecodeError:
                continue
            for one in got.differences:
                assert 0 <= one.offset < len(cut)
            explain(got)
            message_row(got)
            str(got)
            plain(tree(got))
