"""What a schema says about messages, and messages read with it.

    .proto ──protoc──▶ FileDescriptorSet ──▶ Schema: messages, enums, services
                                               │
                   bytes ──walk_as────────────▶ names, types, labels; and where they differ

Descriptors are messages themselves: the parts of descriptor.proto that matter for the wire are
written out here (``_DESCRIPTOR``), and read by the same walk as all others.  So a descriptor set
needs no package, and neither do the descriptors in a reply of the reflection service.

A field that was declared ``repeated`` is written once for each element, or packed.  Here a field is
what is in the bytes: each element is one, and a packed field is a LIST.  A map entry is a MAP with
one entry.  What is one value to people, and a message on the wire, is read as that value:

    Timestamp                    a TIME                  StringValue, Int32Value …  what they hold
    Duration                     a TEXT, "1.5s"          Struct, Value, ListValue   map, value, list
    Any                          a struct, its value decoded if the schema has its type

A field that was not written has its default value: its absence is not a difference, unless proto2
says ``required``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from ...errors import DecodeError, IdlError, Incomplete
from ...model import (
    Build,
    Definitions,
    Difference,
    Entries,
    Exchange,
    Gap,
    Limits,
    Listener,
    Message,
    MessageType,
    Namer,
    Naming,
    Record,
    Struct,
    TType,
    Value,
)
from .compact import unzigzag
from .protobuf import (
    EGROUP,
    LEN,
    WIRE_TYPES_OF,
    Protobuf,
    ProtobufWalk,
    Wire,
    fields_of,
    read_key,
    signed,
    sound,
)
from .reading import read_number

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = [
    "ProtoEnum",
    "ProtoField",
    "ProtoMessage",
    "ProtoMethod",
    "ProtoNaming",
    "ProtoService",
    "Schema",
    "walk_as",
]

# ── The types ────────────────────────────────────────────────────────────────────────

# FieldDescriptorProto.Type: by number, the word of the language.
_WORDS: Final = (
    *("", "double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string"),
    *("group", "message", "bytes", "uint32", "enum", "sfixed32", "sfixed64", "sint32", "sint64"),
)
_NUMBERS: Final = {word: number for number, word in enumerate(_WORDS) if word}

_DOUBLE: Final = 1
_FLOAT: Final = 2
_INT64: Final = 3
_UINT64: Final = 4
_INT32: Final = 5
_FIXED64: Final = 6
_FIXED32: Final = 7
_BOOL: Final = 8
_STRING: Final = 9
_GROUP: Final = 10
_MESSAGE: Final = 11
_BYTES: Final = 12
_UINT32: Final = 13
_ENUM: Final = 14
_SFIXED32: Final = 15
_SFIXED64: Final = 16
_SINT32: Final = 17
_SINT64: Final = 18

# The wire type of each, and what it is in the model.
_WIRE: Final = bytes((0, 1, 5, 0, 0, 0, 1, 5, 0, 2, 3, 2, 2, 0, 0, 5, 1, 0, 0))
_TTYPES: Final = (
    *(TType.STOP, TType.DOUBLE, TType.FLOAT, TType.I64, TType.INT, TType.I32, TType.INT, TType.INT),
    *(TType.BOOL, TType.STRING, TType.STRUCT, TType.STRUCT, TType.BYTES, TType.INT, TType.I32),
    *(TType.I32, TType.I64, TType.I32, TType.I64),
)

_OPTIONAL: Final = 1
_REQUIRED: Final = 2
_REPEATED: Final = 3

_MOST_NAME: Final = 60

# How many differences of one kind, in one message, are reported one by one.
_MOST_DIFFERENCES: Final = 10_000


class ProtoEnum:
    """An enum: ``values`` has the first name of each number; later names are aliases."""

    __slots__ = ("name", "values")

    def __init__(self, name: str, values: dict[int, str]) -> None:
        self.name = name
        self.values = values

    def __repr__(self) -> str:
        return f"<ProtoEnum {self.name}: {len(self.values)} values>"


class ProtoField:
    """A field as declared.

    ``kind`` is the number of its type (FieldDescriptorProto.Type), ``label`` 1 optional, 2
    required, 3 repeated.  ``type_name`` is the full name of its message or enum, else "".
    ``is_packed``: writers write it packed; readers take both.  ``oneof`` is the name of its oneof,
    else ""; the synthetic one for proto3's ``optional`` does not count.  ``has_presence``: its
    absence can be told from its default value.  ``extends`` is the full name of the message that an
    extension is for, else "".  ``default`` is its default, as the file writes it.
    """

    __slots__ = (
        "default",
        "extends",
        "has_presence",
        "is_packed",
        "json_name",
        "kind",
        "label",
        "name",
        "number",
        "oneof",
        "type_name",
        "word",
    )

    def __init__(
        self,
        number: int,
        name: str,
        kind: int,
        label: int = _OPTIONAL,
        type_name: str = "",
        *,
        is_packed: bool = False,
        oneof: str = "",
        json_name: str = "",
        has_presence: bool = False,
        default: str = "",
        extends: str = "",
        word: str = "",
    ) -> None:
        self.number = number
        self.name = name
        self.kind = kind
        self.label = label
        self.type_name = type_name
        self.is_packed = is_packed
        self.oneof = oneof
        self.json_name = json_name or name
        self.has_presence = has_presence
        self.default = default
        self.extends = extends
        self.word = word

    @property
    def is_repeated(self) -> bool:
        """Whether it was declared ``repeated``."""
        return self.label == _REPEATED

    def __repr__(self) -> str:
        return f"<ProtoField {self.number}: {_WORDS[self.kind]} {self.name}>"


class ProtoMessage:
    """A message: fields by number, including extensions.

    ``name`` is the full name, ``short`` the one without the package.  ``is_map_entry``: a map is a
    repeated field of such messages.
    """

    __slots__ = ("fields", "is_map_entry", "name", "short")

    def __init__(
        self, name: str, short: str, fields: Iterable[ProtoField], is_map_entry: bool = False
    ) -> None:
        self.name = name
        self.short = short
        self.fields = {field.number: field for field in fields}
        self.is_map_entry = is_map_entry

    def place(self, number: int) -> str:
        """Return where a field is in the schema."""
        return f"{self.short}, field {number}"

    def __repr__(self) -> str:
        return f"<ProtoMessage {self.name}: {len(self.fields)} fields>"


class ProtoMethod:
    """A method: the full names of its request and response, and which of them is a stream."""

    __slots__ = ("client_streaming", "input", "name", "output", "server_streaming", "service")

    def __init__(
        self,
        service: str,
        name: str,
        input: str,  # noqa: A002  # the specification's word
        output: str,
        client_streaming: bool = False,
        server_streaming: bool = False,
    ) -> None:
        self.service = service
        self.name = name
        self.input = input
        self.output = output
        self.client_streaming = client_streaming
        self.server_streaming = server_streaming

    @property
    def path(self) -> str:
        """The path as gRPC has it: "/package.Service/Method"."""
        return f"/{self.service}/{self.name}"

    def __str__(self) -> str:
        one = f"{'stream ' if self.client_streaming else ''}{self.input}"
        other = f"{'stream ' if self.server_streaming else ''}{self.output}"
        return f"rpc {self.name}({one}) returns ({other})"


class ProtoService:
    """A service: its full name, and its methods by name."""

    __slots__ = ("methods", "name")

    def __init__(self, name: str, methods: Iterable[ProtoMethod]) -> None:
        self.name = name
        self.methods = {method.name: method for method in methods}

    def __repr__(self) -> str:
        return f"<ProtoService {self.name}: {len(self.methods)} methods>"


class Schema:
    """Everything that the files say: messages, enums and services by their full names.

    ``files`` are the names of those that were read; ``missing`` those that are imported but were
    not given.  The types that everybody uses (google.protobuf.Timestamp …) are always known.
    ``notes`` are sentences on what was not read.
    """

    def __init__(self) -> None:
        self.messages: dict[str, ProtoMessage] = {}
        self.enums: dict[str, ProtoEnum] = {}
        self.services: dict[str, ProtoService] = {}
        self.files: dict[str, tuple[str, ...]] = {}  # and what each imports
        self.notes: list[str] = []
        self._extensions: dict[str, list[ProtoField]] = {}

    @classmethod
    def from_descriptor_set(cls, data: bytes, name: str = "descriptor set") -> Schema:
        """Read the bytes of a FileDescriptorSet.  Raises IdlError if they are not one."""
        body, found = _read(data, "FileDescriptorSet")
        files = [one for one in body.fields if one.name == "file"]
        if found or not files:
            raise IdlError(
                f"{name}: is no descriptor set ({found or 'no file is in it'})",
                "protoc --include_imports --descriptor_set_out=FILE makes one",
                path=name,
            )
        schema = cls()
        for file in files:
            schema._add(file.value.content, name)
        return schema

    def add_file(self, data: bytes, name: str = "file descriptor") -> bool:
        """Add what the bytes of a FileDescriptorProto say; return whether it is new.

        An earlier file of that name stays as it is.  Raises IdlError if the bytes are not one.
        """
        body, found = _read(data, "FileDescriptorProto")
        if found:
            raise IdlError(f"{name}: is no file descriptor ({found})", path=name)
        return self._add(body, name)

    @property
    def missing(self) -> tuple[str, ...]:
        """The files that are imported but were not given, in order of their names."""
        wanted = {one for imports in self.files.values() for one in imports}
        return tuple(sorted(wanted - set(self.files)))

    def message(self, name: str) -> ProtoMessage | None:
        """Return a message by its full name; None if no file has it."""
        return self.messages.get(name) or _KNOWN.get(name)

    def find(self, name: str) -> ProtoMessage:
        """Return a message by its full name, or by the end of it if no other ends like that.

        Raises ValueError if there is none, or more than one.
        """
        found = self.message(name)
        if found is not None:
            return found
        ends = [one for key, one in self.messages.items() if key.endswith(f".{name}")]
        if len(ends) == 1:
            return ends[0]
        if ends:
            names = ", ".join([one.name for one in ends[:12]])
            raise ValueError(f"several messages are called {name}: {names}: which?")
        names = ", ".join([one.name for one in self.messages.values() if not one.is_map_entry][:12])
        raise ValueError(f"there is no message {name!r}; there are {names or 'none'}")

    def method(self, path: str) -> ProtoMethod | None:
        """Return a method by its path, "/package.Service/Method"; None if no file has it."""
        service, _, name = path.lstrip("/").rpartition("/")
        known = self.services.get(service)
        return None if known is None else known.methods.get(name)

    def __repr__(self) -> str:
        return (
            f"<Schema: {len(self.files)} files, {len(self.services)} services, "
            f"{len(self.messages)} messages>"
        )

    # ── From descriptors ─────────────────────────────────────────────────────────────

    def _add(self, content: object, where: str) -> bool:
        if not isinstance(content, Struct):
            return False
        name = _text(content, "name")
        if name in self.files:
            return False
        if not name:
            raise IdlError(f"{where}: is no file descriptor (the file has no name)", path=where)
        self.files[name] = tuple([_of_text(one) for one in _all(content, "dependency")])
        package = _text(content, "package")
        syntax = _text(content, "syntax")
        # proto2 if nothing is said, and editions from 2023 on.
        is_new = _number(content, "edition") > 0 or syntax == "editions"
        rules = _Rules(
            has_presence=syntax != "proto3",
            is_packed=syntax == "proto3" or is_new,
            is_delimited=False,
            says_optional=not is_new and syntax != "proto3",
        ).of(content)
        self._scope(content, package, package, rules)
        for one in _structs(content, "service"):
            self._service(one, package)
        return True

    def _scope(self, content: Struct, scope: str, package: str, rules: _Rules) -> None:
        """Add the messages, enums and extensions of a file, or of a message."""
        waiting = [(content, scope, rules, "message_type")]
        while waiting:
            outer, name, rules, word = waiting.pop()
            for one in _structs(outer, "enum_type"):
                self._enum(one, name)
            for one in _structs(outer, "extension"):
                field = _field(one, rules, ())
                if field is not None:
                    self._extend(field)
            for one in _structs(outer, word):
                full = _joined(name, _text(one, "name"))
                inner = rules.of(one)
                self._message(one, full, package, inner)
                waiting.append((one, full, inner, "nested_type"))

    def _message(self, content: Struct, name: str, package: str, rules: _Rules) -> None:
        oneofs = [_text(one, "name") for one in _structs(content, "oneof_decl")]
        fields = [_field(one, rules, oneofs) for one in _structs(content, "field")]
        options = _struct(content, "options")
        is_entry = options is not None and _number(options, "map_entry") > 0
        short = name[len(package) + 1 :] if package else name
        made = ProtoMessage(name, short, [one for one in fields if one is not None], is_entry)
        self.messages.setdefault(name, made)
        for field in self._extensions.get(name, ()):
            self.messages[name].fields.setdefault(field.number, field)

    def _extend(self, field: ProtoField) -> None:
        self._extensions.setdefault(field.extends, []).append(field)
        known = self.messages.get(field.extends)
        if known is not None:
            known.fields.setdefault(field.number, field)

    def _enum(self, content: Struct, scope: str) -> None:
        name = _joined(scope, _text(content, "name"))
        values: dict[int, str] = {}
        for one in _structs(content, "value"):
            values.setdefault(_number(one, "number"), _text(one, "name"))
        self.enums.setdefault(name, ProtoEnum(name, values))

    def _service(self, content: Struct, package: str) -> None:
        name = _joined(package, _text(content, "name"))
        methods = [
            ProtoMethod(
                name,
                _text(one, "name"),
                _text(one, "input_type").lstrip("."),
                _text(one, "output_type").lstrip("."),
                _number(one, "client_streaming") > 0,
                _number(one, "server_streaming") > 0,
            )
            for one in _structs(content, "method")
        ]
        self.services.setdefault(name, ProtoService(name, methods))


class _Rules:
    """What holds for the fields of a file, or of a message, unless they say otherwise.

    Editions let each of them change it (FeatureSet).
    """

    __slots__ = ("has_presence", "is_delimited", "is_packed", "says_optional")

    def __init__(
        self, has_presence: bool, is_packed: bool, is_delimited: bool, says_optional: bool
    ) -> None:
        self.says_optional = says_optional
        self.has_presence = has_presence
        self.is_packed = is_packed
        self.is_delimited = is_delimited

    def of(self, content: Struct) -> _Rules:
        """Return the rules after the changes in the options of a file, a message or a field."""
        options = _struct(content, "options")
        features = None if options is None else _struct(options, "features")
        if features is None:
            return self
        presence = _number(features, "field_presence")  # 1 EXPLICIT, 2 IMPLICIT, 3 required
        packed = _number(features, "repeated_field_encoding")  # 1 PACKED, 2 EXPANDED
        how = _number(features, "message_encoding")  # 1 LENGTH_PREFIXED, 2 DELIMITED
        return _Rules(
            presence != 2 if presence else self.has_presence,
            packed == 1 if packed else self.is_packed,
            how == 2 if how else self.is_delimited,
            self.says_optional,
        )


_NOT_PACKED: Final = (_STRING, _GROUP, _MESSAGE, _BYTES)


def _field(
    content: Struct, rules: _Rules, oneofs: tuple[str, ...] | list[str]
) -> ProtoField | None:
    kind = _number(content, "type")
    number = _number(content, "number")
    if not 1 <= kind < len(_WORDS) or number < 1:
        return None
    own = rules.of(content)
    label = _number(content, "label") or _OPTIONAL
    options = _struct(content, "options")
    features = None if options is None else _struct(options, "features")
    if features is not None and _number(features, "field_presence") == 3:
        label = _REQUIRED
    if kind == _MESSAGE and own.is_delimited:
        kind = _GROUP
    is_packed = own.is_packed
    if options is not None and _first(options, "packed") is not None:
        is_packed = _number(options, "packed") > 0
    at = _number(content, "oneof_index") if _first(content, "oneof_index") is not None else -1
    is_marked = _number(content, "proto3_optional") > 0
    oneof = oneofs[at] if 0 <= at < len(oneofs) and not is_marked else ""
    is_message = kind in (_MESSAGE, _GROUP)
    return ProtoField(
        number,
        _text(content, "name"),
        kind,
        label,
        _text(content, "type_name").lstrip("."),
        is_packed=is_packed and label == _REPEATED and kind not in _NOT_PACKED,
        oneof=oneof,
        json_name=_text(content, "json_name"),
        has_presence=label != _REPEATED
        and (own.has_presence or is_marked or bool(oneof) or is_message),
        default=_text(content, "default_value"),
        extends=_text(content, "extendee").lstrip("."),
        word="optional " if is_marked or (own.says_optional and not oneof) else "",
    )


def _joined(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name


def _all(content: Struct, name: str) -> list[Value]:
    return [one.value for one in content.fields if one.name == name]


def _first(content: Struct, name: str) -> Value | None:
    """Return the value that counts for a field that is not repeated: the last one."""
    found = None
    for one in content.fields:
        if one.name == name:
            found = one.value
    return found


def _structs(content: Struct, name: str) -> list[Struct]:
    return [one.content for one in _all(content, name) if isinstance(one.content, Struct)]


def _struct(content: Struct, name: str) -> Struct | None:
    found = _first(content, name)
    return found.content if found is not None and isinstance(found.content, Struct) else None


def _of_text(value: Value | None) -> str:
    raw = None if value is None else value.content
    return raw.decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else ""


def _text(content: Struct, name: str) -> str:
    return _of_text(_first(content, name))


def _number(content: Struct, name: str) -> int:
    found = _first(content, name)
    return int(found.content) if found is not None and isinstance(found.content, int) else 0


# A descriptor set does not come from a stranger: it may hold many values.
_MANY: Final = Limits(values=20_000_000)


def _read(data: bytes, name: str) -> tuple[Struct, str]:
    """Return the descriptors in ``data``, and what is wrong with them ("" if nothing is)."""
    build = Build()
    found = walk_as(data, 0, len(data), (), _MANY, build, _DESCRIPTORS, _DESCRIPTORS.messages[name])
    body = build.body
    wrong = [one.text for one in body.findings if one.severity > 0]
    wrong += [one.text for one in found if one.kind == "type"]
    if body.stop is None and not wrong:
        wrong = ["it breaks off"]
    return body, wrong[0] if wrong else ""


# ── What is known without a file ─────────────────────────────────────────────────────

_PB: Final = "google.protobuf."

# descriptor.proto, then the types that everybody uses: number, name, type; "*" repeated.
_DESCRIPTOR: Final = {
    "FileDescriptorSet": "1 file *FileDescriptorProto",
    "FileDescriptorProto": (
        "1 name string, 2 package string, 3 dependency *string, 4 message_type *DescriptorProto, "
        "5 enum_type *EnumDescriptorProto, 6 service *ServiceDescriptorProto, "
        "7 extension *FieldDescriptorProto, 8 options Options50, 12 syntax string, 14 edition int32"
    ),
    "DescriptorProto": (
        "1 name string, 2 field *FieldDescriptorProto, 3 nested_type *DescriptorProto, "
        "4 enum_type *EnumDescriptorProto, 6 extension *FieldDescriptorProto, 7 options Options12, "
        "8 oneof_decl *OneofDescriptorProto"
    ),
    "FieldDescriptorProto": (
        "1 name string, 2 extendee string, 3 number int32, 4 label int32, 5 type int32, "
        "6 type_name string, 7 default_value string, 8 options Options21, 9 oneof_index int32, "
        "10 json_name string, 17 proto3_optional bool"
    ),
    "OneofDescriptorProto": "1 name string",
    "EnumDescriptorProto": "1 name string, 2 value *EnumValueDescriptorProto",
    "EnumValueDescriptorProto": "1 name string, 2 number int32",
    "ServiceDescriptorProto": "1 name string, 2 method *MethodDescriptorProto",
    "MethodDescriptorProto": (
        "1 name string, 2 input_type string, 3 output_type string, 5 client_streaming bool, "
        "6 server_streaming bool"
    ),
    # FileOptions, MessageOptions, FieldOptions: named by the number of their features field.
    "Options50": "50 features FeatureSet",
    "Options12": "7 map_entry bool, 12 features FeatureSet",
    "Options21": "2 packed bool, 21 features FeatureSet",
    "FeatureSet": (
        "1 field_presence int32, 3 repeated_field_encoding int32, 5 message_encoding int32"
    ),
}

_WELL_KNOWN: Final = {
    "Timestamp": "1 seconds int64, 2 nanos int32",
    "Duration": "1 seconds int64, 2 nanos int32",
    "Any": "1 type_url string, 2 value bytes",
    "Empty": "",
    "FieldMask": "1 paths *string",
    "Struct": "1 fields *Struct.FieldsEntry",
    "Struct.FieldsEntry": "1 key string, 2 value Value",
    "Value": (
        "1 null_value int32, 2 number_value double, 3 string_value string, 4 bool_value bool, "
        "5 struct_value Struct, 6 list_value ListValue"
    ),
    "ListValue": "1 values *Value",
    "DoubleValue": "1 value double",
    "FloatValue": "1 value float",
    "Int64Value": "1 value int64",
    "UInt64Value": "1 value uint64",
    "Int32Value": "1 value int32",
    "UInt32Value": "1 value uint32",
    "BoolValue": "1 value bool",
    "StringValue": "1 value string",
    "BytesValue": "1 value bytes",
}


def _made(name: str, text: str, package: str) -> ProtoMessage:
    fields = []
    for one in text.split(", ") if text else ():
        number, field, word = one.split()
        label = _REPEATED if word[0] == "*" else _OPTIONAL
        word = word.lstrip("*")
        kind = _NUMBERS.get(word, _MESSAGE)
        type_name = package + word if kind == _MESSAGE else ""
        fields.append(ProtoField(int(number), field, kind, label, type_name))
    return ProtoMessage(package + name, name, fields, name.endswith("Entry"))


_KNOWN: Final = {_PB + name: _made(name, text, _PB) for name, text in _WELL_KNOWN.items()}

_DESCRIPTORS: Final = Schema()
for _name, _text_of in _DESCRIPTOR.items():
    _DESCRIPTORS.messages[_name] = _made(_name, _text_of, "")

_WRAPPERS: Final = frozenset(
    {_PB + name for name, text in _WELL_KNOWN.items() if text.startswith("1 value ")}
)
_TIMESTAMP: Final = _PB + "Timestamp"
_DURATION: Final = _PB + "Duration"
_ANY: Final = _PB + "Any"
_STRUCT: Final = _PB + "Struct"
_VALUE: Final = _PB + "Value"
_LIST_VALUE: Final = _PB + "ListValue"
# Full names of messages that are read as one value.
_AS_ONE: Final = frozenset({_TIMESTAMP, _DURATION, _STRUCT, _VALUE, _LIST_VALUE, *_WRAPPERS})

_NO_MESSAGE: Final = ProtoMessage("", "", ())


def written_duration(seconds: int, nanos: int) -> str:
    """Write a Duration as protobuf's JSON does.

    >>> written_duration(-1, -500_000_000), written_duration(3, 0)
    ('-1.5s', '3s')
    """
    whole = seconds * 1_000_000_000 + nanos
    sign = "-" if whole < 0 else ""
    seconds, rest = divmod(abs(whole), 1_000_000_000)
    decimals = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{sign}{seconds}{decimals}s"


_F64: Final = struct.Struct("<d")
_F32: Final = struct.Struct("<f")


def _floating(raw: int, size: int) -> float:
    value: float = (_F64 if size == 8 else _F32).unpack(raw.to_bytes(size, "little"))[0]
    return value


def _whole(kind: int, raw: int) -> int | None:
    """Convert ``raw``, as the bytes have it, to that type; None: it is too large for it."""
    if kind in (_INT64, _SFIXED64):
        return signed(raw, 64)
    if kind in (_UINT64, _FIXED64, _FIXED32):
        return raw
    if kind == _SINT64:
        return unzigzag(raw)
    if kind == _SFIXED32:
        return signed(raw, 32)
    if raw >> 32:
        # A negative int32 is written with 64 bits, all set above its own.
        number = signed(raw, 64)
        fits = (kind in (_INT32, _ENUM)) and -(1 << 31) <= number < 0
        return number if fits else None
    if kind == _SINT32:
        return unzigzag(raw)
    return raw if kind == _UINT32 else signed(raw, 32)


def declared(schema: Schema, field: ProtoField) -> str:
    """Return what precedes a field's name: ``repeated Line``, ``map<string, int32>``, its oneof."""
    inner = schema.message(field.type_name) if field.kind == _MESSAGE else None
    if inner is not None and inner.is_map_entry and field.label == _REPEATED:
        parts = [_type_word(schema, inner.fields[at]) for at in (1, 2) if at in inner.fields]
        return f"map<{', '.join(parts)}>"
    word = field.word
    if field.label != _OPTIONAL:
        word = "repeated " if field.label == _REPEATED else "required "
    behind = f" (oneof {field.oneof})" if field.oneof else ""
    return f"{word}{_type_word(schema, field)}{behind}"


def _type_word(schema: Schema, field: ProtoField) -> str:
    if not field.type_name:
        return _WORDS[field.kind]
    inner = schema.message(field.type_name)
    return field.type_name.rpartition(".")[2] if inner is None else inner.short


# ── Walking with types ───────────────────────────────────────────────────────────────


def walk_as(
    data: bytes,
    start: int,
    stop: int,
    gaps: tuple[Gap, ...],
    limits: Limits,
    listener: Listener,
    schema: Schema,
    message: ProtoMessage,
) -> tuple[Difference, ...]:
    """Tell ``listener`` about the message at ``data[start:stop]``, whose type is ``message``.

    Returns where it differs from what the schema says.  Raises nothing, like ``Protocol.walk``.
    """
    walk = _TypedWalk(data, start, stop, gaps, limits, listener)
    walk.schema = schema
    walk.type = message
    walk.whole()
    return tuple(walk.differences)


class _TypedWalk(ProtobufWalk):
    """Walks over one message with types; ``type`` is that of the current message."""

    __slots__ = ("_ways", "differences", "is_over", "schema", "type")

    def __init__(
        self,
        data: bytes,
        start: i64,
        stop: i64,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        super().__init__(data, start, stop, gaps, limits, listener)
        self.schema = _DESCRIPTORS
        self.type = _NO_MESSAGE
        self.is_over = False
        self.differences: list[Difference] = []
        # Where in ``differences`` the last of each way is.
        self._ways: dict[tuple[str, str, str], int] = {}

    def differ(self, kind: str, place: str, words: str, brief: str, offset: int) -> None:
        """Report a difference; if there are very many of one kind, only count them."""
        way = (kind, place, words)
        at = self._ways.get(way, -1)
        if at >= 0 and len(self.differences) >= _MOST_DIFFERENCES:
            self.differences[at] = self.differences[at].once_more()
            return
        self._ways[way] = len(self.differences)
        self.differences.append(Difference(kind, place, words, brief, offset))

    # ── Messages ─────────────────────────────────────────────────────────────────────

    def struct(self, depth: i64) -> None:
        mtype = self.type
        if mtype is _NO_MESSAGE:
            super().struct(depth)
            return
        listener = self.listener
        listener.struct(self.at)
        inner = self.any_type(mtype)
        seen: set[int] = set()
        chosen: dict[str, str] = {}
        is_open = True
        while self.at < self.end:
            start = self.at
            try:
                number, wire, self.at = read_key(self.data, start, self.there())
                if wire == EGROUP:
                    if number == self.group:
                        listener.struct_end(start, self.at)
                        is_open = False
                        break
                    self.at = start
                    raise self.no_group(number, start)
                if self.is_full():
                    self.at = start
                    break
                known = mtype.fields.get(number)
                listener.field(number, None if known is None else known.name, start)
                if known is None:
                    self.unknown(mtype, number, wire, start)
                    self.untyped(wire, number, depth)
                else:
                    if known.label != _REPEATED:
                        self.once(mtype, known, seen, chosen, start)
                    if inner is not None and number == 2 and wire == LEN:
                        self.of_any(inner, depth)
                    else:
                        self.is_over = False
                        self.typed(mtype, known, wire, depth, start)
                        if self.is_over and not self.broken:
                            listener.field_end(self.at)
            except DecodeError as error:
                self.failed(error)
            if self.broken:
                break
        if is_open:
            self.ended()
        if not self.broken:
            self.required(mtype, seen)

    def unknown(self, mtype: ProtoMessage, number: int, wire: int, start: int) -> None:
        words = f"is {WIRE_TYPES_OF[wire]}, and the schema has no such field"
        self.differ("unknown field", mtype.place(number), words, "no such field", start)

    def once(
        self,
        mtype: ProtoMessage,
        known: ProtoField,
        seen: set[int],
        chosen: dict[str, str],
        start: int,
    ) -> None:
        """Check that a field that is not repeated comes once, and of a oneof only one field."""
        oneof = known.oneof
        if oneof and chosen.get(oneof, known.name) != known.name:
            words = f"has {known.name} behind {chosen[oneof]}: a oneof is one of them, the last"
            brief = f"a second field of the oneof {oneof}"
            self.differ("union", f"{mtype.short}, oneof {oneof}", words, brief, start)
        elif known.number in seen and known.kind != _MESSAGE and known.kind != _GROUP:
            # A message that comes again is merged with the one before.
            words = "is there again, and it is not repeated: the last one counts"
            self.differ("union", mtype.place(known.number), words, "not repeated", start)
        if oneof:
            chosen[oneof] = known.name
        seen.add(known.number)

    def required(self, mtype: ProtoMessage, seen: set[int]) -> None:
        for one in mtype.fields.values():
            if one.label == _REQUIRED and one.number not in seen:
                words = f"is missing, want the {declared(self.schema, one)} {one.name}"
                brief = f"{one.number} {one.name} is required"
                self.differ("missing", mtype.place(one.number), words, brief, self.at)

    def untyped(self, wire: int, number: int, depth: int) -> None:
        """Report a value about which the schema says nothing."""
        before = self.type
        self.type = _NO_MESSAGE
        self.wire(wire, number, depth)
        self.type = before

    # ── Values ───────────────────────────────────────────────────────────────────────

    def typed(
        self, mtype: ProtoMessage, known: ProtoField, wire: int, depth: int, start: int
    ) -> None:
        kind = known.kind
        wanted = _WIRE[kind]
        if wire == wanted:
            if wire == LEN:
                self.typed_length(mtype, known, depth, start)
            elif kind == _GROUP:
                self.group_as(known, depth)
            else:
                self.scalar(mtype, known)
            return
        is_list = known.label == _REPEATED and kind not in _NOT_PACKED
        if wire == LEN and is_list and self.packed(mtype, known, wanted):
            return
        said = f"is {WIRE_TYPES_OF[wire]}, and the schema says {declared(self.schema, known)}"
        words = f"{said} ({WIRE_TYPES_OF[wanted]})"
        brief = declared(self.schema, known)
        self.differ("type", mtype.place(known.number), words, brief, start)
        self.untyped(wire, known.number, depth)

    def group_as(self, known: ProtoField, depth: int) -> None:
        before = self.type
        self.type = self.schema.message(known.type_name) or _NO_MESSAGE
        if self.type is not _NO_MESSAGE:
            self.listener.label(self.type.short)
        self.plain_group(known.number, depth)
        self.type = before

    def scalar(self, mtype: ProtoMessage, known: ProtoField) -> None:
        """Read a number at the current place."""
        kind = known.kind
        wire = _WIRE[kind]
        start = self.at
        raw = 0
        if wire == 0:
            raw = self.number()
        elif not self.fixed_is_there(8 if wire == 1 else 4):
            return
        else:
            raw = int.from_bytes(self.data[start : self.at], "little")
        self.listener.own(_WORDS[kind])
        self.tell(mtype, known, raw, start, self.at)

    def tell(self, mtype: ProtoMessage, known: ProtoField, raw: int, start: int, stop: int) -> None:
        """Report a number, ``raw`` as the bytes have it."""
        kind, listener = known.kind, self.listener
        if kind == _BOOL:
            listener.truth(raw != 0, start, stop)
            return
        if kind in (_DOUBLE, _FLOAT):
            size = 8 if kind == _DOUBLE else 4
            value: float = _floating(raw, size)
            if kind == _DOUBLE:
                listener.double(value, start, stop)
            else:
                listener.single(value, start, stop)
            return
        number = _whole(kind, raw)
        if number is None:
            number = signed(raw, 64) if raw >> 63 else raw
            words = f"is {number}, which is no {_WORDS[kind]}"
            brief = f"no {_WORDS[kind]}"
            self.differ("type", mtype.place(known.number), words, brief, start)
        if kind == _ENUM:
            enum = self.schema.enums.get(known.type_name)
            if enum is not None:
                name = enum.values.get(number)
                if name is None:
                    short = enum.name.rpartition(".")[2]
                    words = f"is {number}, and the enum {short} has no such value"
                    brief = f"{short} has no {number}"
                    self.differ("enum", mtype.place(known.number), words, brief, start)
                else:
                    listener.label(name)
        listener.number(_TTYPES[kind], number, start, stop)

    def packed(self, mtype: ProtoMessage, known: ProtoField, wanted: int) -> bool:
        """Report a list of numbers after a length; False, and no report, if it is not one."""
        start = self.at
        size = self.length()
        inside = self.at
        end = inside + size
        width = 0 if wanted == 0 else 8 if wanted == 1 else 4
        is_here = end <= self.end and end <= self.stop
        lost = self.lost_in(inside, end) if self.gaps else 0
        if is_here and not lost:
            wrong = size % width if width else size and self.data[end - 1] > 127
            if wrong:
                self.at = start
                return False
        listener = self.listener
        self.within(inside, end)
        listener.own(f"packed {_WORDS[known.kind]}")
        listener.items(15, _TTYPES[known.kind], -1, 0, start, inside - start)
        count = 0
        try:
            while self.at < end and not self.broken:
                if self.is_full():
                    break
                self.scalar(mtype, known)
                if not self.broken:
                    count += 1
        except DecodeError as error:
            self.failed(error)
        listener.settle(_TTYPES[known.kind], count)
        listener.end(end if self.is_loss or not self.broken else self.at)
        self.without(end)
        return True

    def typed_length(self, mtype: ProtoMessage, known: ProtoField, depth: int, start: int) -> None:
        """Report a string, bytes, a message, or a map entry."""
        at = self.at
        size = self.length()
        inside = self.at
        end = inside + size
        kind = known.kind
        if kind in (_STRING, _BYTES):
            self.string_as(mtype, known, at, inside, end)
            return
        inner = self.schema.message(known.type_name)
        if inner is None:
            # It is a message, but no file says which.
            self.listener.label(known.type_name.rpartition(".")[2])
            self.message_as(_NO_MESSAGE, at, inside, end, depth, mtype, known, start)
        elif inner.is_map_entry and known.label == _REPEATED:
            self.entry(inner, at, inside, end, depth, mtype, known, start)
        else:
            self.message_as(inner, at, inside, end, depth, mtype, known, start)

    def string_as(
        self, mtype: ProtoMessage, known: ProtoField, at: int, inside: int, end: int
    ) -> None:
        is_text = known.kind == _STRING
        data, listener = self.data, self.listener
        stop = min(end, self.end, self.stop)
        solid = min(self.there(), stop)
        lost = (end - inside) - (solid - inside)
        if stop < end:
            self.fail(_past(inside, end, stop))
        elif lost:
            size = end - inside
            missing = self.lost_in(inside, end)
            text = (
                f"{_WORDS[known.kind]} at offset {inside}: {missing} of its {size} bytes were lost"
            )
            self.warn(text, inside)
        self.at = stop
        listener.own(_WORDS[known.kind])
        if not is_text:
            listener.binary(data[inside:solid], at, inside - at, stop, lost)
            return
        listener.string(data, inside, solid, at, inside - at, stop, lost)
        if not lost and not _is_utf8(data, inside, solid):
            place = mtype.place(known.number)
            self.differ("type", place, "is a string and no UTF-8", "string", at)

    def message_as(
        self,
        inner: ProtoMessage,
        at: int,
        inside: int,
        end: int,
        depth: int,
        mtype: ProtoMessage,
        known: ProtoField,
        start: int,
    ) -> None:
        """Report a message after its length, which was at ``at``."""
        is_here = end <= self.end and end <= self.stop
        is_whole = is_here and not (self.gaps and self.lost_in(inside, end))
        if is_whole and sound(self.data, inside, end, self.limits.depth) < 0:
            said = declared(self.schema, known)
            words = f"is no message, and the schema says {said}"
            self.differ("type", mtype.place(known.number), words, said, start)
            self.plain_length(at, end - inside, depth)
            return
        if depth >= self.limits.depth:
            self.too_deep(at, depth)
            self.at = at
            self.left_as_bytes(at, inside, end)
            return
        if is_whole and inner.name in _AS_ONE and self.one(inner.name, at, inside, end, depth):
            return
        if not is_here and self.end <= self.stop and end > self.end and self._ends:
            # Past the end of its outer message, though that was not cut off.
            self.at = inside
            self.fail(_past(inside, end, self.end))
            self.bytes_or_text(at, inside, self.end, self.end, end - self.end)
            self.at = self.end
            return
        listener = self.listener
        if inner is not _NO_MESSAGE:
            listener.label(self.any_name(inner, inside, min(end, self.stop)) or inner.short)
        before = self.type
        self.type = inner
        self.plain_message(inside, end, depth)
        self.type = before

    def left_as_bytes(self, at: int, inside: int, end: int) -> None:
        stop = min(end, self.end, self.stop)
        self.at = inside
        solid = min(self.there(), stop)
        self.at = stop
        self.listener.own("message")
        self.listener.binary(self.data[inside:solid], at, inside - at, stop, end - solid)
        if stop < end:
            self.fail(_past(inside, end, stop))

    # ── Maps ─────────────────────────────────────────────────────────────────────────

    def entry(
        self,
        inner: ProtoMessage,
        at: int,
        inside: int,
        end: int,
        depth: int,
        mtype: ProtoMessage,
        known: ProtoField,
        start: int,
    ) -> None:
        """Report a map entry: a message with a key and a value; either may be left out as default.

        An entry that was cut off, or partly lost, is read as an ordinary message.
        """
        key, value = inner.fields.get(1), inner.fields.get(2)
        fields: list[Wire] | None = None
        if end <= self.end and end <= self.stop and not (self.gaps and self.lost_in(inside, end)):
            fields = fields_of(self.data, inside, end, 64)
        if fields is None or key is None or value is None or depth >= self.limits.depth:
            self.message_as(inner, at, inside, end, depth, mtype, known, start)
            return
        first: Wire | None = None
        second: Wire | None = None
        for one in fields:
            if one.number == 1 and one.wire == _WIRE[key.kind]:
                first = one
            elif one.number == 2 and one.wire == _WIRE[value.kind]:
                second = one
            else:
                self.message_as(inner, at, inside, end, depth, mtype, known, start)
                return
        if fields and fields[-1].stop != end:
            self.message_as(inner, at, inside, end, depth, mtype, known, start)
            return
        listener = self.listener
        listener.own("map")
        of_value = _TTYPES[value.kind]
        if value.kind == _MESSAGE and value.type_name in _AS_ONE:
            of_value = TType.STOP
        of_key = TType.STOP if of_value is TType.STOP else _TTYPES[key.kind]
        listener.entries(of_key, of_value, 1, 0, at, inside - at)
        self.within(inside, end)
        self.part(inner, key, first, end, depth)
        if not self.broken:
            self.part(inner, value, second, end, depth)
        listener.end(end if not self.broken or self.is_loss else self.at)
        self.without(end)

    def part(
        self, inner: ProtoMessage, known: ProtoField, found: Wire | None, end: int, depth: int
    ) -> None:
        """Report the key or the value of an entry; its default if it was left out."""
        if self.is_full():
            return
        if found is None:
            self.default(known, end)
            return
        self.at = found.value
        try:
            self.typed(inner, known, found.wire, depth + 1, found.start)
        except DecodeError as error:
            self.failed(error)

    def default(self, known: ProtoField, at: int) -> None:
        """Report a value that is not there, and so is the default of its type."""
        kind, listener = known.kind, self.listener
        listener.own(_WORDS[kind])
        if kind == _STRING:
            listener.string(self.data, at, at, at, 0, at, 0)
        elif kind == _BYTES:
            listener.binary(b"", at, 0, at, 0)
        elif kind in (_MESSAGE, _GROUP):
            inner = self.schema.message(known.type_name)
            if inner is not None:
                listener.label(inner.short)
            listener.struct(at)
            listener.struct_end(at, at)
        else:
            self.tell(_NO_MESSAGE, known, 0, at, at)

    # ── Well-known types ─────────────────────────────────────────────────────────────

    def one(self, name: str, at: int, inside: int, end: int, depth: int) -> bool:
        """Report a message that is one value to people.

        Returns False, and reports nothing, if it is not what it should be.
        """
        most = max(64, min(self.left, (end - inside) // 2))
        fields = fields_of(self.data, inside, end, most + 1)
        if fields is None or len(fields) > most or (fields and fields[-1].stop != end):
            return False
        if name in (_TIMESTAMP, _DURATION):
            return self.time(name == _TIMESTAMP, at, inside, end, fields)
        if name == _STRUCT:
            return self.struct_value(at, inside, end, depth, fields)
        if name == _LIST_VALUE:
            return self.list_value(at, inside, end, depth, fields)
        known = _KNOWN[name]
        if len(fields) > 1:
            return False
        if name == _VALUE and not fields:
            return False
        if not fields:
            # A wrapper without a value holds the default.
            self.default(known.fields[1], end)
            self.over(end)
            return True
        field = known.fields.get(fields[0].number)
        if field is None or fields[0].wire != _WIRE[field.kind]:
            return False
        self.within(inside, end)
        self.at = fields[0].value
        if name == _VALUE and field.number == 1:
            self.number()
            self.listener.own("null_value")
            self.listener.null(fields[0].value, end)
        else:
            self.typed(known, field, fields[0].wire, depth + 1, fields[0].start)
        self.without(end)
        self.over(end)
        return True

    def over(self, end: int) -> None:
        """Skip the rest: the reported value may end before what contains it does."""
        self.at = end
        self.is_over = True

    def time(self, is_stamp: bool, at: int, inside: int, end: int, fields: list[Wire]) -> bool:
        seconds = nanos = 0
        for one in fields:
            if one.wire != 0 or one.number > 2:
                return False
            raw, _ = read_number(self.data, one.value, end, "")
            if one.number == 1:
                seconds = signed(raw, 64)
            else:
                nanos = signed(raw, 32)
        self.at = end
        listener = self.listener
        if is_stamp:
            listener.own("Timestamp")
            listener.number(22, seconds * 1_000_000_000 + nanos, at, end)
        else:
            listener.own("Duration")
            listener.text(written_duration(seconds, nanos), at, inside - at, end, 0)
        return True

    def struct_value(self, at: int, inside: int, end: int, depth: int, fields: list[Wire]) -> bool:
        """Report a Struct: a map from text to Values."""
        pairs: list[tuple[Wire, Wire]] = []
        for one in fields:
            if one.number != 1 or one.wire != LEN:
                return False
            parts = fields_of(self.data, one.inside, one.stop, 3)
            if parts is None or len(parts) != 2 or parts[1].stop != one.stop:
                return False
            first, second = parts
            if first.number != 1 or second.number != 2 or first.wire != LEN or second.wire != LEN:
                return False
            pairs.append((first, second))
        entry = _KNOWN[_STRUCT + ".FieldsEntry"]
        listener = self.listener
        listener.own("Struct")
        listener.entries(0, 0, len(pairs), 0, at, inside - at)
        self.within(inside, end)
        for first, second in pairs:
            self.within(first.start, second.stop)
            self.part(entry, entry.fields[1], first, end, depth)
            if not self.broken:
                self.part(entry, entry.fields[2], second, end, depth)
            self.without(second.stop)
            if self.broken:
                break
        listener.end(end if not self.broken else self.at)
        self.without(end)
        return True

    def list_value(self, at: int, inside: int, end: int, depth: int, fields: list[Wire]) -> bool:
        for one in fields:
            if one.number != 1 or one.wire != LEN:
                return False
        values = _KNOWN[_LIST_VALUE]
        listener = self.listener
        listener.own("ListValue")
        listener.items(15, 0, len(fields), 0, at, inside - at)
        self.within(inside, end)
        for one in fields:
            self.part(values, values.fields[1], one, end, depth)
            if self.broken:
                break
        listener.end(end if not self.broken else self.at)
        self.without(end)
        return True

    # ── Any ──────────────────────────────────────────────────────────────────────────

    def any_name(self, mtype: ProtoMessage, inside: int, end: int) -> str:
        """Return the full name of the type in the Any there; "" if there is none, or no name."""
        if mtype.name != _ANY:
            return ""
        for one in fields_of(self.data, inside, end, 8) or ():
            if one.number == 1 and one.wire == LEN:
                if self.gaps and self.lost_in(one.inside, one.stop):
                    return ""
                url = self.data[one.inside : min(one.stop, one.inside + 1000)]
                return url.decode("utf-8", "backslashreplace").rpartition("/")[2]
        return ""

    def any_type(self, mtype: ProtoMessage) -> ProtoMessage | None:
        """Return the type in the Any that begins here; None: not an Any, or an unknown type."""
        if mtype.name != _ANY:
            return None
        return self.schema.message(self.any_name(mtype, self.at, min(self.end, self.stop)))

    def of_any(self, inner: ProtoMessage, depth: int) -> None:
        at = self.at
        size = self.length()
        known = ProtoField(2, "value", _MESSAGE, _OPTIONAL, inner.name)
        start = at
        self.message_as(inner, at, self.at, self.at + size, depth, _KNOWN[_ANY], known, start)


def _past(inside: int, end: int, stop: int) -> DecodeError:
    return Incomplete("length-delimited value", inside, needs=end - inside, left=stop - inside)


def _is_utf8(data: bytes, start: int, stop: int) -> bool:
    try:
        data[start:stop].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


# ── Names ────────────────────────────────────────────────────────────────────────────


class ProtoNaming(Definitions):
    """Names the fields of a capture's messages, by their method and by who sent them.

    A client sends what the method takes, a server what it returns, whether one message or a stream
    of them.  Methods of services that the schema does not have (health, reflection) keep their
    numbers; that is not a difference.
    """

    def __init__(self, schema: Schema, name: str = "") -> None:
        self.schema = schema
        self.name = name

    def namer(self) -> Namer:
        return _PlainNamer(self)

    def of_struct(self, name: str) -> Naming:
        return self.of_message(name)

    @property
    def struct_names(self) -> list[str]:
        return list(self.schema.messages)

    def of_message(self, name: str) -> Naming:
        """Return the naming for records that are such a message.

        Raises ValueError if there is no message of that name, or more than one.
        """
        return _AsMessage(self.schema, self.schema.find(name))

    def of_method(self, path: str, is_call: bool) -> Naming | None:
        """Return the naming for what a method takes (``is_call``) or returns.

        None if the schema does not have the method.
        """
        method = self.schema.method(path)
        if method is None:
            return None
        known = self.schema.message(method.input if is_call else method.output)
        return None if known is None else _AsMessage(self.schema, known)

    def give_names(self, record: Record, body: Struct) -> tuple[Struct, tuple[Difference, ...]]:
        if not isinstance(record, Message) or not isinstance(record.protocol, Protobuf):
            return body, ()
        kind = record.type
        if kind is MessageType.EXCEPTION or kind is MessageType.EVENT:
            return body, ()
        is_call = kind is MessageType.CALL or kind is MessageType.ONEWAY
        if kind is MessageType.PART:
            is_call = record.from_client
        naming = self.of_method(record.method, is_call)
        if naming is not None:
            return naming.give_names(record, body)
        service, _, name = record.method.lstrip("/").rpartition("/")
        if service not in self.schema.services or self.schema.method(record.method) is not None:
            return body, ()
        short = name if len(name) <= _MOST_NAME else name[:_MOST_NAME] + "…"
        words = "is called, and the schema has no such method"
        at = record.header.method_span.start
        odd = Difference("method", f"{service}, method {short}", words, "no such method", at)
        return body, (odd,)


class _PlainNamer(Namer):
    """A namer for messages that say themselves which method they belong to."""

    def __init__(self, naming: Naming) -> None:
        self._naming = naming

    def give(self, message: Message, exchange: Exchange) -> None:
        message.use_names(self._naming)


class _AsMessage(Naming):
    """Names the fields of a record that is a certain message."""

    def __init__(self, schema: Schema, known: ProtoMessage) -> None:
        self.schema = schema
        self.known = known
        self.label = known.short

    def give_names(self, record: Record, body: Struct) -> tuple[Struct, tuple[Difference, ...]]:
        if not isinstance(record.protocol, Protobuf):
            return body, ()
        build = Build()
        start, stop = record.start, record.stop
        found = walk_as(
            record.data, start, stop, record.gaps, record.limits, build, self.schema, self.known
        )
        typed = build.body
        _declare(self.schema, typed, self.known, {one.offset for one in found})
        return typed, found


def _declare(schema: Schema, body: Struct, known: ProtoMessage, odd: set[int]) -> None:
    """Mark fields with their declarations, except those that differ."""
    waiting = [(body, known)]
    texts: dict[int, str] = {}
    while waiting:
        content, mtype = waiting.pop()
        for field in content.fields:
            declaration = mtype.fields.get(field.field_id)
            if declaration is None:
                continue
            text = texts.get(id(declaration))
            if text is None:
                text = texts[id(declaration)] = declared(schema, declaration)
            if text != _WORDS[declaration.kind]:
                field.declared = text
            if field.span.start in odd:
                continue
            field.in_idl = field.value.span.start not in odd
            inner = schema.message(declaration.type_name)
            value = field.value
            if mtype.name == _ANY and field.field_id == 2:
                inner = schema.message(_text(content, "type_url").rpartition("/")[2])
            if inner is None:
                continue
            if isinstance(value.content, Struct):
                waiting.append((value.content, inner))
            elif isinstance(value.content, Entries) and inner.is_map_entry:
                part = inner.fields.get(2)
                of_part = None if part is None else schema.message(part.type_name)
                for _, item in value.content.items:
                    if of_part is not None and isinstance(item.content, Struct):
                        waiting.append((item.content, of_part))
