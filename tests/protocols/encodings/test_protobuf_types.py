"""protobuf with a schema, held against the ``protobuf`` package: it writes, and says what it read.

The schema is made of descriptors that the package has, so that no compiler is needed; what needs
protoc says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pingpong.errors import IdlError
from pingpong.live.idl import proto
from pingpong.live.idl.proto import read_schema
from pingpong.model import (
    Carrier,
    Endpoint,
    Entries,
    Field,
    Gap,
    Header,
    Items,
    Message,
    MessageType,
    Naming,
    Record,
    Span,
    Struct,
    TType,
    Value,
)
from pingpong.protocols.encodings.protobuf import PROTOBUF
from pingpong.protocols.encodings.protobuf_types import ProtoNaming, Schema, written_duration
from pingpong.protocols.explain import check_cover, explain
from pingpong.redaction.messages import Redactor, masked_with
from pingpong.redaction.selectors import parse_selectors
from pingpong.views.json import record_row

pytest.importorskip("google.protobuf", reason="protobuf writes what is read here")

from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    duration_pb2,
    json_format,
    message_factory,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)

# ── A schema ─────────────────────────────────────────────────────────────────────────

SCALARS = (
    *("double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string"),
    *("bytes", "uint32", "sfixed32", "sfixed64", "sint32", "sint64"),
)
WELL_KNOWN = {
    "when": "Timestamp",
    "took": "Duration",
    "any": "Any",
    "struct": "Struct",
    "value": "Value",
    "list": "ListValue",
    "w_string": "StringValue",
    "w_bytes": "BytesValue",
    "w_int": "Int32Value",
    "w_long": "Int64Value",
    "w_uint": "UInt32Value",
    "w_ulong": "UInt64Value",
    "w_double": "DoubleValue",
    "w_float": "FloatValue",
    "w_bool": "BoolValue",
}
D = descriptor_pb2.FieldDescriptorProto


def made_file(syntax: str) -> Any:
    """A file with every type that there is, single, repeated, packed or not, in maps and oneofs."""
    package = f"t{syntax[-1]}"
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package)
    if syntax != "proto2":
        file.syntax = syntax
    for module in (any_pb2, duration_pb2, struct_pb2, timestamp_pb2, wrappers_pb2):
        file.dependency.append(module.DESCRIPTOR.name)
    colour = file.enum_type.add(name="Colour")
    colour.options.allow_alias = True
    for name, number in (("NONE", 0), ("RED", 1), ("ROT", 1), ("FAR", 150), ("NEG", -1)):
        colour.value.add(name=name, number=number)
    item = file.message_type.add(name="Item")
    item.field.add(name="sku", number=1, type=D.TYPE_STRING, label=D.LABEL_OPTIONAL)
    item.field.add(name="count", number=2, type=D.TYPE_INT32, label=D.LABEL_OPTIONAL)
    item.field.add(
        name="inner",
        number=3,
        type=D.TYPE_MESSAGE,
        type_name=f".{package}.Item",
        label=D.LABEL_OPTIONAL,
    )
    all_of = file.message_type.add(name="All")
    all_of.oneof_decl.add(name="choice")
    number = 0

    def add(name: str, kind: str, label: int = D.LABEL_OPTIONAL, **more: Any) -> Any:
        nonlocal number
        number += 1
        ftype = D.Type.Value(f"TYPE_{kind.upper()}")
        if kind == "enum":
            more["type_name"] = f".{package}.Colour"
        elif kind in ("message", "group") and "type_name" not in more:
            more["type_name"] = f".{package}.Item"
        return all_of.field.add(name=name, number=number, type=ftype, label=label, **more)

    for kind in (*SCALARS, "enum", "message"):
        add(f"s_{kind}", kind)
        add(f"r_{kind}", kind, D.LABEL_REPEATED)
        if kind not in ("string", "bytes", "message"):
            add(f"p_{kind}", kind, D.LABEL_REPEATED).options.packed = True
            add(f"u_{kind}", kind, D.LABEL_REPEATED).options.packed = False
        add(f"o_{kind}", kind, oneof_index=0)
    for key in ("int32", "string", "bool", "sint64", "fixed32"):
        for kind in ("string", "double", "enum", "message", "bytes", "timestamp"):
            name = f"m_{key}_{kind}"
            entry = all_of.nested_type.add(name=json_name(name) + "Entry")
            entry.options.map_entry = True
            of_key = D.Type.Value(f"TYPE_{key.upper()}")
            entry.field.add(name="key", number=1, type=of_key, label=D.LABEL_OPTIONAL)
            value = entry.field.add(name="value", number=2, label=D.LABEL_OPTIONAL)
            if kind == "timestamp":
                value.type, value.type_name = D.TYPE_MESSAGE, ".google.protobuf.Timestamp"
            else:
                value.type = D.Type.Value(f"TYPE_{kind.upper()}")
                if kind in ("enum", "message"):
                    value.type_name = f".{package}.{'Colour' if kind == 'enum' else 'Item'}"
            type_name = f".{package}.All.{entry.name}"
            add(name, "message", D.LABEL_REPEATED, type_name=type_name)
    for name, word in WELL_KNOWN.items():
        type_name = f".google.protobuf.{word}"
        add(f"k_{name}", "message", type_name=type_name)
        add(f"l_{name}", "message", D.LABEL_REPEATED, type_name=type_name)
    if syntax == "proto2":
        group = all_of.nested_type.add(name="Group")
        group.field.add(name="a", number=1, type=D.TYPE_SINT32, label=D.LABEL_OPTIONAL)
        group.field.add(name="b", number=2, type=D.TYPE_STRING, label=D.LABEL_REPEATED)
        add("group", "group", type_name=f".{package}.All.Group")
        add("groups", "group", D.LABEL_REPEATED, type_name=f".{package}.All.Group")
    return file


def json_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def descriptor_set(*files: Any) -> Any:
    found = descriptor_pb2.FileDescriptorSet()
    for module in (any_pb2, duration_pb2, struct_pb2, timestamp_pb2, wrappers_pb2):
        module.DESCRIPTOR.CopyToProto(found.file.add())
    found.file.extend(files)
    return found


SET = descriptor_set(made_file("proto3"), made_file("proto2"))
CLASSES = message_factory.GetMessages(list(SET.file))
SCHEMA = Schema.from_descriptor_set(SET.SerializeToString())
NAMING = ProtoNaming(SCHEMA)

# ── Messages ─────────────────────────────────────────────────────────────────────────

NUMBERS = {
    "INT32": st.integers(-(1 << 31), (1 << 31) - 1),
    "INT64": st.integers(-(1 << 63), (1 << 63) - 1),
    "UINT32": st.integers(0, (1 << 32) - 1),
    "UINT64": st.integers(0, (1 << 64) - 1),
    "DOUBLE": st.floats(allow_nan=False),
    "FLOAT": st.floats(allow_nan=False, width=32),
    "BOOL": st.booleans(),
    "ENUM": st.sampled_from([0, 1, 150, -1]),
    "STRING": st.text(max_size=12),
    "BYTES": st.binary(max_size=12),
}
JSONS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(-1e6, 1e6), st.text(max_size=5)),
    lambda one: st.one_of(
        st.lists(one, max_size=3), st.dictionaries(st.text(max_size=4), one, max_size=3)
    ),
    max_leaves=5,
)
SECONDS = st.integers(-62_135_596_800, 253_402_300_799)


def fill(message: Any, data: st.DataObject, depth: int = 0) -> Any:
    """Set some fields of a message to anything."""
    descriptor = message.DESCRIPTOR
    name = descriptor.full_name.removeprefix("google.protobuf.")
    if name == "Timestamp":
        message.seconds, message.nanos = data.draw(SECONDS), data.draw(st.integers(0, 999_999_999))
    elif name == "Duration":
        sign = data.draw(st.sampled_from([1, -1]))
        message.seconds = sign * data.draw(st.integers(0, 10**6))
        message.nanos = sign * data.draw(st.integers(0, 999_999_999))
    elif name == "Any":
        inner = fill(CLASSES["t3.Item"](), data, depth + 1)
        message.Pack(inner)
    elif name == "Struct":
        json_format.ParseDict(
            data.draw(st.dictionaries(st.text(max_size=4), JSONS, max_size=3)), message
        )
    elif name == "Value":
        json_format.ParseDict(data.draw(JSONS), message)
    elif name == "ListValue":
        json_format.ParseDict(data.draw(st.lists(JSONS, max_size=3)), message)
    else:
        fields = list(descriptor.fields)
        most = len(fields) if len(fields) < 4 else 8
        for field in data.draw(st.lists(st.sampled_from(fields), max_size=most, unique=True)):
            fill_field(message, field, data, depth)
    return message


def fill_field(message: Any, field: Any, data: st.DataObject, depth: int) -> None:
    is_message = field.message_type is not None
    if is_message and field.message_type.GetOptions().map_entry:
        key, value = field.message_type.fields
        for _ in range(data.draw(st.integers(0, 3))):
            one = data.draw(scalar(key))
            there = getattr(message, field.name)
            if value.message_type is None:
                there[one] = data.draw(scalar(value))
            else:
                fill(there[one], data, depth + 1)
    elif field.is_repeated:
        for _ in range(data.draw(st.integers(0, 3))):
            there = getattr(message, field.name)
            if is_message:
                fill(there.add(), data, depth + 1)
            else:
                there.append(data.draw(scalar(field)))
    elif not is_message:
        setattr(message, field.name, data.draw(scalar(field)))
    elif depth < 4:
        there = getattr(message, field.name)
        there.SetInParent()
        fill(there, data, depth + 1)


def scalar(field: Any) -> Any:
    return NUMBERS[kind_of(field)]


def kind_of(field: Any) -> str:
    word: str = D.Type.Name(field.type).removeprefix("TYPE_")
    for prefix, kind in (("SINT", "INT"), ("SFIXED", "INT"), ("FIXED", "UINT")):
        if word.startswith(prefix):
            return kind + word.removeprefix(prefix)
    return word


# ── What the package says, and what was read, in one shape ────────────────────────────


def wanted(message: Any) -> Any:
    name = message.DESCRIPTOR.full_name.removeprefix("google.protobuf.")
    if name == "Timestamp":
        return message.ToNanoseconds()
    if name == "Duration":
        return written_duration(message.seconds, message.nanos)
    if name in ("Struct", "Value", "ListValue"):
        return json_format.MessageToDict(message)
    if name.endswith("Value"):
        return message.value
    if name == "Any":
        inner = CLASSES[message.type_url.rpartition("/")[2]]()
        inner.ParseFromString(message.value)
        value = {"value": wanted(inner)} if message.value else {}
        return {"type_url": message.type_url, **value}
    found: dict[str, Any] = {}
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            is_message = field.message_type.fields_by_name["value"].message_type is not None
            found[field.name] = {
                key: wanted(value[key]) if is_message else value[key] for key in value
            }
        elif field.is_repeated:
            found[field.name] = [
                wanted(one) if field.message_type is not None else one for one in value
            ]
        else:
            found[field.name] = wanted(value) if field.message_type is not None else value
    return found


def plain(value: Value) -> Any:
    content = value.content
    if isinstance(content, Struct):
        return gathered(content)
    if isinstance(content, Items):
        return [plain(one) for one in content.items]
    if isinstance(content, Entries):
        return {plain(key): plain(one) for key, one in content.items}
    return value.text if value.ttype is TType.STRING else content


def gathered(body: Struct) -> dict[str, Any]:
    """A struct's fields by name, the repeated ones together."""
    found: dict[str, Any] = {}
    for field in body.fields:
        assert field.name is not None
        assert field.in_idl
        value = plain(field.value)
        if field.declared.startswith("repeated "):
            packed = field.value.own.startswith("packed ")
            found.setdefault(field.name, []).extend(value if packed else [value])
        elif field.declared.startswith("map<"):
            found.setdefault(field.name, {}).update(value)
        else:
            found[field.name] = value
    return found


def record_of(data: bytes, name: str, schema: Schema = SCHEMA, **more: Any) -> Record:
    record = Record(data=data, protocol=PROTOBUF, **more)
    record.use_names(ProtoNaming(schema).of_message(name))
    return record


@pytest.mark.parametrize("name", ["t3.All", "t2.All"])
@given(st.data())
def test_all_types_are_read_as_the_package_reads_them(name: str, data: st.DataObject) -> None:
    message = fill(CLASSES[name](), data)
    raw = message.SerializeToString(deterministic=True)
    record = record_of(raw, name)
    assert record.differences == ()
    assert record.faults == ()
    assert gathered(record.body) == wanted(message)
    at = 0
    for field in record.fields:
        assert field.span.start == at
        at = field.span.stop
    assert at == len(raw)
    notes = explain(record)
    check_cover(notes, len(raw))
    assert not any(note.kind == "unread" for note in notes)
    assert record_row(record).isprintable()


@given(st.data())
def test_a_mask_is_read_as_the_message_was(data: st.DataObject) -> None:
    raw = fill(CLASSES["t3.All"](), data).SerializeToString()
    record = record_of(raw, "t3.All")
    mask = Redactor(parse_selectors("*.*")).mask(record)
    masked = masked_with(raw, mask.runs)
    assert len(masked) == len(raw)
    CLASSES["t3.All"]().ParseFromString(masked)
    after = record_of(masked, "t3.All")
    assert [f.span for f in after.fields] == [f.span for f in record.fields]
    assert after.faults == ()


@given(st.data())
def test_what_is_cut_lost_or_changed_is_no_exception(data: st.DataObject) -> None:
    raw = fill(CLASSES["t2.All"](), data).SerializeToString()
    at = data.draw(st.integers(0, max(len(raw) - 1, 0)))
    whole = record_of(raw, "t2.All").fields
    kept = [repr(field) for field in whole if field.span.stop <= at]
    for record in (
        record_of(raw[:at], "t2.All"),
        record_of(raw, "t2.All", gaps=(Gap(at, 3),) if at + 3 <= len(raw) else ()),
        record_of(raw[:at] + b"\xff" + raw[at + 1 :], "t2.All"),
    ):
        assert [repr(field) for field in record.fields[: len(kept)]] == kept
        check_cover(explain(record), len(record.data))
        record_row(record)


# ── Where it differs ─────────────────────────────────────────────────────────────────


def numbered(name: str, of: str = "t3.All") -> int:
    (found,) = [one.number for one in SCHEMA.messages[of].fields.values() if one.name == name]
    return found


def key(name: str, wire: int, of: str = "t3.All") -> bytes:
    value = numbered(name, of) << 3 | wire
    return bytes([value & 127 | 128, value >> 7]) if value > 127 else bytes([value])


def differs(data: bytes, name: str = "t3.All") -> list[tuple[str, str]]:
    record = record_of(data, name)
    check_cover(explain(record), len(data))
    return [(one.kind, one.words) for one in record.differences]


def test_an_unknown_field_keeps_its_readings() -> None:
    record = record_of(b"\x08\x01" + b"\x48\x96\x01", "t3.Item")
    (wrong, unknown) = record.differences
    assert wrong.kind == "type"  # field 1 is a string
    assert (unknown.kind, unknown.place) == ("unknown field", "Item, field 9")
    field = record.fields[1]
    assert (field.name, field.in_idl) == (None, False)
    assert [one.plain for one in field.value.readings] == [150, 75]
    assert not record.fields[0].in_idl


def test_a_wrong_wire_type_is_a_difference_and_is_read() -> None:
    found = differs(b"\x12\x03abc", "t3.Item")
    assert found == [("type", "is LEN, and the schema says int32 (VARINT)")]
    assert record_of(b"\x12\x03abc", "t3.Item").fields[0].value.text == "abc"
    found = differs(b"\x1a\x03abc", "t3.Item")
    assert found == [("type", "is no message, and the schema says Item")]


def test_packed_and_not_packed_are_both_right() -> None:
    assert differs(key("p_int32", 0) + b"\x01" + key("p_int32", 0) + b"\x02") == []
    record = record_of(key("u_int32", 2) + b"\x02\x01\x02", "t3.All")
    assert record.differences == ()
    assert record.fields[0].value.plain == [1, 2]


def test_numbers_that_the_type_does_not_have_are_differences() -> None:
    assert differs(key("s_enum", 0) + b"\x07") == [
        ("enum", "is 7, and the enum Colour has no such value")
    ]
    found = differs(key("s_int32", 0) + b"\x80\x80\x80\x80\x10")
    assert found == [("type", "is 4294967296, which is no int32")]
    found = differs(key("s_string", 2) + b"\x01\xff")
    assert found == [("type", "is a string and no UTF-8")]


def test_the_last_counts_and_that_is_said() -> None:
    twice = key("s_int32", 0) + b"\x01" + key("s_int32", 0) + b"\x02"
    words = "is there again, and it is not repeated: the last one counts"
    assert differs(twice) == [("union", words)]
    assert differs(key("s_message", 2) + b"\x00" + key("s_message", 2) + b"\x00") == []
    oneof = key("o_int32", 0) + b"\x01" + key("o_bool", 0) + b"\x01"
    words = "has o_bool behind o_int32: a oneof is one of them, the last"
    assert differs(oneof) == [("union", words)]
    assert differs(key("s_int32", 0) + b"\x01") == []


def test_an_alias_does_not_hide_the_first_name() -> None:
    record = record_of(key("s_enum", 0) + b"\x01", "t3.All")
    assert record.fields[0].value.label == "RED"
    assert record.fields[0].declared == "Colour"


def test_entries_without_key_or_value_have_the_defaults() -> None:
    for entry, pair in (
        (b"", (0, "")),
        (b"\x08\x07", (7, "")),
        (b"\x12\x01x", (0, "x")),
        (b"\x12\x01x\x08\x07", (7, "x")),
    ):
        data = key("m_int32_string", 2) + bytes([len(entry)]) + entry
        record = record_of(data, "t3.All")
        assert record.differences == ()
        assert record.fields[0].value.plain == [pair]
        check_cover(explain(record), len(data))
    record = record_of(key("m_int32_string", 2) + b"\x02\x18\x01", "t3.All")
    assert [one.kind for one in record.differences] == ["unknown field"]


def test_presence_is_what_the_file_says() -> None:
    def of(name: str) -> dict[str, Any]:
        return {field.name: field for field in SCHEMA.messages[name].fields.values()}

    new, old = of("t3.All"), of("t2.All")
    assert not new["s_int32"].has_presence
    assert old["s_int32"].has_presence
    assert new["s_message"].has_presence
    assert new["o_int32"].has_presence
    assert (new["r_int32"].is_packed, old["r_int32"].is_packed) == (True, False)
    assert (new["u_int32"].is_packed, old["p_int32"].is_packed) == (False, True)
    assert not new["r_string"].is_packed


def test_a_required_field_is_missed() -> None:
    file = descriptor_pb2.FileDescriptorProto(name="r.proto", package="r")
    made = file.message_type.add(name="R")
    made.field.add(name="id", number=1, type=D.TYPE_INT32, label=D.LABEL_REQUIRED)
    made.extension_range.add(start=100, end=200)
    file.extension.add(
        name="more", number=100, type=D.TYPE_STRING, label=D.LABEL_OPTIONAL, extendee=".r.R"
    )
    schema = Schema()
    assert schema.add_file(file.SerializeToString())
    assert not schema.add_file(file.SerializeToString())
    (found,) = record_of(b"", "R", schema).differences
    assert (found.kind, found.text) == (
        "missing",
        "R, field 1 at offset 0: is missing, want the required int32 id",
    )
    record = record_of(b"\x08\x01\xa2\x06\x01x", "r.R", schema)
    assert record.differences == ()
    assert [field.name for field in record.fields] == ["id", "more"]
    # A message that breaks off may have had it.
    assert record_of(b"\x12\x05a", "R", schema).differences[0].kind == "unknown field"
    assert len(record_of(b"\x12\x05a", "R", schema).differences) == 1


def test_a_wrong_well_known_type_is_read_as_the_message_that_it_is() -> None:
    data = key("k_when", 2) + b"\x04\x0d\x00\x00\x00"
    assert [kind for kind, _ in differs(data)] == ["type"]
    data = key("k_when", 2) + b"\x05\x0d\x00\x00\x00\x01"
    record = record_of(data, "t3.All")
    assert isinstance(record.fields[0].value.content, Struct)
    assert [one.kind for one in record.differences] == ["type"]
    far = key("k_when", 2) + b"\x0b\x08" + b"\xff" * 8 + b"\x7f\x10"  # seconds far away, cut
    record_row(record_of(far, "t3.All"))


def test_a_lost_part_of_a_nested_message_ends_there() -> None:
    inner = b"\x0a\x05apple\x10\x07"
    data = key("s_message", 2) + bytes([len(inner)]) + inner + key("s_bool", 0) + b"\x01"
    at = data.index(b"\x10\x07")
    record = record_of(data, "t3.All", gaps=(Gap(at, 1),))
    assert [field.name for field in record.fields] == ["s_message", "s_bool"]
    assert record.fields[0].value.plain == {"sku": "apple"}
    check_cover(explain(record), len(data))


# ── Descriptors and .proto files ─────────────────────────────────────────────────────

SHOP = Path(__file__).resolve().parents[4] / "shared/captures/relatives"


def test_what_is_no_descriptor_set_is_refused(tmp_path: Path) -> None:
    for data in (b"", b"\x08\x01", b"\x0a\x02\x08", b"\x0a\x00", b"\x0a\x03\x0a\x05x"):
        with pytest.raises(IdlError, match="is no "):
            Schema.from_descriptor_set(data)
    with pytest.raises(IdlError, match=r"no/such\.proto: No such file"):
        read_schema("no/such.proto")
    path = tmp_path / "odd.desc"
    path.write_bytes(SET.SerializeToString()[:-3])
    with pytest.raises(IdlError, match="is no descriptor set"):
        read_schema(path)


def test_a_descriptor_set_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "set.txt"
    path.write_bytes(SET.SerializeToString())
    assert read_schema(path).message("t3.All") is not None
    path.write_bytes(made_file("proto3").SerializeToString())
    schema = read_schema(path)
    assert schema.message("t3.All") is not None
    assert "google/protobuf/any.proto" in schema.missing
    assert schema.message("google.protobuf.Any") is not None


def test_names_are_found_by_their_end() -> None:
    assert SCHEMA.find("t3.All").name == "t3.All"
    with pytest.raises(ValueError, match=r"several messages are called All: t3\.All, t2\.All"):
        SCHEMA.find("All")
    with pytest.raises(ValueError, match="there is no message 'Nope'; there are "):
        SCHEMA.find("Nope")


PROTO = """
syntax = "proto3";
package p;
import "deep/other.proto";
message M { deep.Other other = 1; optional int32 n = 2; reserved 5; }
service S {
  rpc Get(M) returns (deep.Other);
  rpc Watch(stream M) returns (stream deep.Other);
}
"""
OTHER = """
edition = "2023";
package deep;
message Other {
  repeated int32 n = 1;
  G g = 2 [features.message_encoding = DELIMITED];
  message G { string s = 1; }
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pytest.importorskip("grpc_tools", reason="grpcio-tools brings protoc")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "p.proto").write_text(PROTO)
    (tmp_path / "deep" / "other.proto").write_text(OTHER)
    return tmp_path


def test_a_proto_file_is_compiled_with_its_imports(folder: Path) -> None:
    schema = read_schema(folder / "deep" / "er" / "p.proto")
    assert sorted(schema.messages) == ["deep.Other", "deep.Other.G", "p.M"]
    assert schema.missing == ()
    method = schema.method("/p.S/Watch")
    assert method is not None
    assert str(method) == "rpc Watch(stream p.M) returns (stream deep.Other)"
    assert (method.client_streaming, method.server_streaming, method.path) == (
        True,
        True,
        "/p.S/Watch",
    )
    # Editions: packed, and a message between the keys of a group.
    record = record_of(b"\x0a\x02\x01\x02\x13\x0a\x01x\x14", "deep.Other", schema)
    assert record.differences == ()
    assert record.body.plain == {"n": [1, 2], "g": {"s": "x"}}
    check_cover(explain(record), len(record.data))


def test_a_proto_file_that_is_wrong_is_refused_with_its_place(folder: Path) -> None:
    path = folder / "wrong.proto"
    path.write_text('syntax = "proto3";\nmessage M { int32 n 1; }\n')
    with pytest.raises(IdlError, match=r"wrong\.proto:2:\d+: ") as caught:
        read_schema(path)
    assert (caught.value.line, caught.value.path) == (2, str(path))
    path.write_text('syntax = "proto3";\nimport "gone.proto";\n')
    with pytest.raises(IdlError, match=r"gone\.proto"):
        read_schema(path)


def test_without_protoc_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proto, "find_spec", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    path = tmp_path / "p.proto"
    path.write_text(PROTO)
    with pytest.raises(IdlError, match=r"pip install 'pingpong\[relatives\]'"):
        read_schema(path)


def test_the_shop_is_read(tmp_path: Path) -> None:
    if not SHOP.is_dir():
        pytest.skip(f"the captures of the relatives are not on this machine (looked in {SHOP})")
    schema = read_schema(SHOP / "shop.binpb")
    assert schema.services["thinkrpc.Shop"].methods["Buy"].input == "thinkrpc.Kitchen"
    assert schema.missing == ()
    line = next(
        one
        for one in (SHOP / "rpcx_protobuf_rich.tsv").read_text("utf-8").splitlines()
        if "Shop.PB" in one and "reply" in one
    )
    body = bytes.fromhex(line.split("\t")[-1])
    assert record_of(body, "Text", schema).body.plain == {"message": "登录成功!"}


# ── Messages of a capture ────────────────────────────────────────────────────────────


class _Wire(Carrier):
    __slots__ = ()


def message_of(kind: MessageType, method: str, data: bytes, from_client: bool) -> Message:
    header = Header(method, kind, 1, True, Span(0, 0), Span(0, 0))
    end = Endpoint("127.0.0.1", 1)
    return Message(
        header=header,
        data=data,
        protocol=PROTOBUF,
        transport=_Wire("wire"),
        client=end,
        server=end,
        from_client=from_client,
    )


def names(naming: Naming, message: Message) -> list[str | None]:
    message.use_names(naming)
    fields: tuple[Field, ...] = message.fields
    return [field.name for field in fields]


def test_who_sends_it_says_what_it_is(folder: Path) -> None:
    naming = ProtoNaming(read_schema(folder / "deep" / "er" / "p.proto"))
    call, reply = b"\x10\x01", b"\x0a\x01\x01"
    for kind, from_client, data, name in (
        (MessageType.CALL, True, call, "n"),
        (MessageType.PART, True, call, "n"),
        (MessageType.REPLY, False, reply, "n"),
        (MessageType.PART, False, reply, "n"),
    ):
        message = message_of(kind, "/p.S/Watch", data, from_client)
        assert names(naming, message) == [name]
        assert message.differences == ()
    wrong = message_of(MessageType.CALL, "/p.S/Nope", call, True)
    assert names(naming, wrong) == [None]
    assert [one.kind for one in wrong.differences] == ["method"]
    other = message_of(MessageType.CALL, "/grpc.health.v1.Health/Check", call, True)
    assert names(naming, other) == [None]
    assert other.differences == ()
    assert naming.of_method("/p.S/Get", True) is not None
    assert naming.of_method("/p.S/Gone", True) is None


def test_a_duration_is_written_as_people_do() -> None:
    assert written_duration(0, 0) == "0s"
    assert written_duration(-0, -1) == "-0.000000001s"
