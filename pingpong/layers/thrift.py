# SPDX-License-Identifier: GPL-2.0-or-later

# scapy.contrib.description = Apache Thrift (strict binary protocol, framed and unframed)
# scapy.contrib.status = loads

"""
Apache Thrift: the strict binary protocol, unframed and framed.

    TCP / Thrift                one message of an unframed transport, or
    TCP / ThriftFramed          one of a framed transport: the frame's length comes first
          / Thrift / …          a segment with several messages stacks them

    Thrift ── body ── ThriftField ── value ─┬─ a bool, an int, a float, bytes, a UUID
                      ThriftField           ├─ ThriftStruct ── body ── ThriftField …
                      …                     ├─ ThriftList ── items ── value …
                                            └─ ThriftMap ── entries ── ThriftEntry …

How it is used:

    >>> login = Thrift(method="login", seqid=1, body=[
    ...     ThriftField(field_id=1, value="root"),
    ...     ThriftField(field_id=2, ttype="SET", value=[1, 2, 3]),
    ... ])
    >>> Thrift(bytes(login)).summary()
    'Thrift CALL login seqid=1'

Whatever is None is worked out when the packet is built: lengths, counts, and types from values.

``fields_desc`` says how a message looks and how it is built.  It is read by pingpong's own
decoder, whose values become scapy's fields in ``do_dissect``: no byte is decoded in a second way.
A message is dissected whole or not at all; what is not a whole message stays Raw, and
``sniff(session=TCPSession)`` puts together what came in several segments.  TCPSession fills a lost
segment with zeros: what comes after it is held back until it is there, and is Raw if it never
arrives.  (``pingpong.read`` finds the messages after it.)

Thrift has no port.  A TCP payload that no other layer is bound to is looked at, and is taken for
Thrift if it begins as a message does.  ``bind_thrift_port`` is for a port that another layer
claims; ``conf.contribs["Thrift"]["any_port"] = False`` leaves only the bound ports.

References:
    * `Thrift binary protocol encoding
      <https://github.com/apache/thrift/blob/master/doc/specs/thrift-binary-protocol.md>`_
    * `Thrift remote procedure call
      <https://github.com/apache/thrift/blob/master/doc/specs/thrift-rpc.md>`_
"""

from __future__ import annotations

import uuid
from typing import Any, Final

from scapy.config import conf
from scapy.fields import (
    ByteEnumField,
    ConditionalField,
    Field,
    FieldLenField,
    PacketListField,
    SignedIntField,
    SignedShortField,
    StrField,
    StrLenField,
    XByteField,
    XShortField,
)
from scapy.layers.inet import TCP
from scapy.packet import Packet, bind_top_down

from pingpong import model
from pingpong.errors import DecodeError, Incomplete
from pingpong.model import (
    DEFAULT_LIMITS,
    MESSAGE_TYPES,
    MessageType,
    Severity,
    Span,
    TType,
)
from pingpong.protocols.detect import detect
from pingpong.protocols.encodings.binary import (
    BINARY,
    VERSION_1,
    WIRE_TYPES,
    read_header,
    write_struct,
)
from pingpong.protocols.families.thrift.answers import APPLICATION_ERRORS
from pingpong.protocols.families.thrift.framed import HEAD, read_frame_length
from pingpong.protocols.families.thrift.transports import FRAMED
from pingpong.views.text import escape, quote

__all__ = [
    "Thrift",
    "ThriftEntry",
    "ThriftField",
    "ThriftFramed",
    "ThriftList",
    "ThriftMap",
    "ThriftStruct",
    "bind_thrift_port",
]

# Thrift has no port of its own; its tutorial made this one customary.
DEFAULT_PORT: Final = 9090

# TCPSession copies everything that it holds with every segment, so longer messages would take it
# too long.  They stay Raw.
MAX_REASSEMBLED: Final = 4 * 1024 * 1024
MAX_GAPS: Final = 100

conf.contribs.setdefault("Thrift", {}).setdefault("any_port", True)


# ── Values: what Python and the user write ↔ what the decoder and the writer use ─────


def _from_model(value: model.Value) -> Any:
    """A value that the decoder read, as a field of a scapy packet holds it."""
    content = value.content
    if isinstance(content, model.Struct):
        return ThriftStruct(body=_fields_from_model(content), _internal=1)
    if isinstance(content, model.Items):
        items = [_from_model(item) for item in content.items]
        return ThriftList(
            etype=int(content.element_type), count=content.count, items=items, _internal=1
        )
    if isinstance(content, model.Entries):
        entries = [
            ThriftEntry(key=_from_model(key), value=_from_model(item), _internal=1)
            for key, item in content.items
        ]
        return ThriftMap(
            ktype=int(content.key_type),
            vtype=int(content.value_type),
            count=content.count,
            entries=entries,
            _internal=1,
        )
    return content


def _fields_from_model(struct: model.Struct) -> list[ThriftField]:
    return [
        ThriftField(
            ttype=int(field.ttype),
            field_id=field.field_id,
            value=_from_model(field.value),
            _internal=1,
        )
        for field in struct
    ]


def _from_user(value: Any, ttype: int | None) -> Any:
    """What somebody assigned, as a field of a scapy packet holds it."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytearray):
        return bytes(value)
    if isinstance(value, dict) or (ttype == TType.MAP and isinstance(value, list | tuple)):
        return ThriftMap(entries=value)
    if isinstance(value, list | tuple):
        is_body = bool(value) and all(isinstance(item, ThriftField) for item in value)
        if is_body or ttype == TType.STRUCT:
            return ThriftStruct(body=list(value))
        return ThriftList(items=list(value))
    return value


def _infer(values: list[Any]) -> int:
    """The one type that all of the values fit."""
    kinds = {_infer_one(value) for value in values}
    if kinds == {TType.I32, TType.I64}:
        return TType.I64
    return _infer_one(values[0]) if values else TType.STRING


def _infer_one(value: Any) -> int:
    if isinstance(value, bool):
        return TType.BOOL
    if isinstance(value, int):
        return TType.I32 if -(2**31) <= value < 2**31 else TType.I64
    for kind, ttype in (
        (float, TType.DOUBLE),
        (uuid.UUID, TType.UUID),
        (ThriftStruct, TType.STRUCT),
        (ThriftList, TType.LIST),
        (ThriftMap, TType.MAP),
    ):
        if isinstance(value, kind):
            return ttype
    return TType.STRING


def _zero(ttype: int) -> Any:
    """The value of a field that was given none."""
    if ttype in (TType.LIST, TType.SET):
        return ThriftList()
    zeros: dict[int, Any] = {
        TType.STRING: b"",
        TType.DOUBLE: 0.0,
        TType.UUID: uuid.UUID(int=0),
        TType.STRUCT: ThriftStruct(),
        TType.MAP: ThriftMap(),
    }
    return zeros.get(ttype, 0)


def _write(ttype: int, value: Any) -> bytes:
    """A value's bytes."""
    if value is None:
        value = _zero(ttype)
    if isinstance(value, Packet):
        return value.do_build()
    if ttype == TType.DOUBLE:
        value = float(value)
    written = model.Value(TType(ttype), value, Span(0, 0))
    # A struct of one field, without that field's type and id and without the STOP.
    return write_struct(model.Struct((model.Field(0, written, Span(0, 0)),), None))[3:-1]


def _read_struct(data: bytes, start: int, stop: int) -> model.Struct:
    """The struct at ``data[start:stop]``; DecodeError unless it is there to its end."""
    struct = BINARY.read_struct(data, start, stop, (), DEFAULT_LIMITS)
    if struct.stop is None:
        error = next(f for f in struct.findings if f.severity is Severity.ERROR)
        raise DecodeError("struct", start, found=f"broken ({error.text})", wanted="whole")
    return struct


# ── Fields ───────────────────────────────────────────────────────────────────────────


class _TypeField(ByteEnumField):
    """A type; None is worked out from the values that have it."""

    def __init__(self, name: str, values_of: str) -> None:
        super().__init__(name, None, {ttype.value: ttype.name for ttype in WIRE_TYPES})
        self.values_of = values_of

    def i2m(self, pkt: Any, x: Any) -> Any:
        return self.known(pkt, x)

    def known(self, pkt: Any, x: Any) -> int:
        if x is None:
            x = pkt.get_field(self.values_of).infer(pkt, self.name)
        return int(x)

    __slots__ = ["values_of"]


class _ValueField(Field[Any, Any]):
    """One value.  ``type_of`` names the field with its type; None leaves it to the value."""

    __slots__ = ["type_of"]
    ismutable = True

    def __init__(self, name: str, type_of: str | None = None) -> None:
        super().__init__(name, None)
        self.type_of = type_of

    def any2i(self, pkt: Any, x: Any) -> Any:
        return _from_user(x, pkt and pkt.fields.get(self.type_of))

    def infer(self, pkt: Any, which: str) -> int:
        return _infer_one(pkt.getfieldval(self.name))

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        ttype = _type_of(pkt, self.type_of) if self.type_of else _infer_one(val)
        return s + _write(ttype, val)

    def i2repr(self, pkt: Any, x: Any) -> str:
        shown = _shown(x)
        return f"{shown} ({APPLICATION_ERRORS[x]})" if pkt.is_error_type(x) else shown


class _ItemsField(Field[Any, Any]):
    """The elements of a list or a set."""

    __slots__ = ["type_of"]
    islist = 1

    def __init__(self, name: str, type_of: str) -> None:
        super().__init__(name, [])
        self.type_of = type_of

    def any2i(self, pkt: Any, x: Any) -> Any:
        etype = pkt and pkt.fields.get(self.type_of)
        return [_from_user(item, etype) for item in (x if isinstance(x, list | tuple) else [x])]

    def i2count(self, pkt: Any, x: Any) -> int:
        return len(x)

    def infer(self, pkt: Any, which: str) -> int:
        return _infer(pkt.getfieldval(self.name))

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        etype = _type_of(pkt, self.type_of)
        return s + b"".join([_write(etype, item) for item in val])

    def i2repr(self, pkt: Any, x: Any) -> str:
        if any(isinstance(item, Packet) for item in x):
            return "".join(f"\n{item.show(dump=True, label_lvl='|').rstrip()}" for item in x)
        return f"[{', '.join(map(_shown, x))}]"

    def randval(self) -> Any:
        return None  # fuzz() leaves the elements alone


class _BodyField(PacketListField):
    """The fields of a struct."""

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        # bytes(item) takes so much of Python's stack that 64 levels would not fit.
        return s + b"".join([item.do_build() for item in val])


class _EntriesField(PacketListField):
    """The entries of a map.  They may be written as a dict or as pairs."""

    def any2i(self, pkt: Any, x: Any) -> Any:
        ktype, vtype = (pkt and pkt.fields.get(name) for name in ("ktype", "vtype"))
        pairs = x.items() if isinstance(x, dict) else x
        entries = [
            pair
            if isinstance(pair, ThriftEntry)
            else ThriftEntry(key=_from_user(pair[0], ktype), value=_from_user(pair[1], vtype))
            for pair in pairs
        ]
        return super().any2i(pkt, entries)

    def infer(self, pkt: Any, which: str) -> int:
        side = "key" if which == "ktype" else "value"
        return _infer([entry.getfieldval(side) for entry in pkt.getfieldval(self.name)])

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        ktype, vtype = _type_of(pkt, "ktype"), _type_of(pkt, "vtype")
        return s + b"".join([_write(ktype, e.key) + _write(vtype, e.value) for e in val])


class _TextField(StrLenField):
    """A string that is shown as text if it is text."""

    def i2repr(self, pkt: Any, x: Any) -> str:
        return _shown(x)


def _type_of(pkt: Any, name: str) -> int:
    field: _TypeField = pkt.get_field(name)
    return field.known(pkt, pkt.getfieldval(name))


def _shown(value: Any) -> str:
    """A scalar, escaped: what was captured is not to be trusted."""
    if isinstance(value, bytes):
        try:
            return quote(value.decode())
        except UnicodeDecodeError:
            return repr(value)
    return str(value) if isinstance(value, uuid.UUID) else repr(value)


# ── The content of a message ─────────────────────────────────────────────────────────


class _ThriftPart(Packet):
    """A part of a message.

    Most parts are made from what the decoder has read.  One that is dissected by itself is read as
    the value of a field.
    """

    # The type and the id of a field, as they would come before such a part.
    before = b""

    def do_dissect(self, s: bytes) -> bytes:
        data = self.before + s + b"\0"
        struct = _read_struct(data, 0, len(data))
        if len(struct.fields) != 1 or struct.stop != Span(len(data) - 1, len(data)):
            raise DecodeError(str(self.name), 0, found=f"{len(s)} bytes", wanted="one whole part")
        made = _fields_from_model(struct)[0]
        self.fields.update((made.value if self.before else made).fields)
        self.explicit = 1
        return b""

    def is_error_type(self, value: Any) -> bool:
        return False


class ThriftField(_ThriftPart):
    """A field of a struct: ``ThriftField(field_id=1, value="root")``.

    ``value`` takes a bool, an int, a float, text, bytes, a UUID; a list of ThriftField for a
    struct, any other list for a list, a dict or pairs for a map; or the packets for these.
    The type follows from it, unless ``ttype`` says otherwise ("I16", "SET").
    """

    name = "Thrift field"
    fields_desc = [  # noqa: RUF012  (scapy's way)
        _TypeField("ttype", values_of="value"),
        SignedShortField("field_id", 1),
        _ValueField("value", type_of="ttype"),
    ]

    def is_error_type(self, value: Any) -> bool:
        """Whether ``value`` is the type of a TApplicationException, shown with its name."""
        # TApplicationException {1: string message, 2: i32 type}.
        return (
            isinstance(self.parent, Thrift)
            and self.parent.mtype == MessageType.EXCEPTION
            and (self.ttype, self.field_id) == (TType.I32, 2)
            and isinstance(value, int)
            and 0 <= value < len(APPLICATION_ERRORS)
        )


class ThriftStruct(_ThriftPart):
    """A struct inside a message."""

    name = "Thrift struct"
    before = bytes((TType.STRUCT, 0, 0))
    fields_desc = [  # noqa: RUF012
        _BodyField("body", [], ThriftField),
        ByteEnumField("stop", 0, {0: "STOP"}),
    ]


class ThriftList(_ThriftPart):
    """A list or a set: ``ThriftList(etype="I16", items=[1, 2])``."""

    name = "Thrift list"
    before = bytes((TType.LIST, 0, 0))
    fields_desc = [  # noqa: RUF012
        _TypeField("etype", values_of="items"),
        FieldLenField("count", None, count_of="items", fmt="i"),
        _ItemsField("items", type_of="etype"),
    ]


class ThriftEntry(_ThriftPart):
    """A key and its value.  Their types are in the map."""

    name = "Thrift entry"
    fields_desc = [  # noqa: RUF012
        _ValueField("key"),
        _ValueField("value"),
    ]

    def do_dissect(self, s: bytes) -> bytes:
        """Refuse: without its map, an entry has no types."""
        raise DecodeError(str(self.name), 0, found="alone", wanted="inside of its map")


class ThriftMap(_ThriftPart):
    """A map: ``ThriftMap(ktype="STRING", vtype="I64", entries={"a": 1})``."""

    name = "Thrift map"
    before = bytes((TType.MAP, 0, 0))
    fields_desc = [  # noqa: RUF012
        _TypeField("ktype", values_of="entries"),
        _TypeField("vtype", values_of="entries"),
        FieldLenField("count", None, count_of="entries", fmt="i"),
        _EntriesField("entries", [], ThriftEntry),
    ]


# ── The message ──────────────────────────────────────────────────────────────────────


class _Search:
    """Looks for the end of the first message, and resumes when there are more bytes."""

    def __init__(self) -> None:
        self.kind: type[Thrift] | None = None
        self._data = b""
        self._skipper: model.Skipper | None = None

    def goes_on_in(self, data: bytes) -> bool:
        """False if a late segment was put before bytes that were already looked at."""
        return data.startswith(self._data)

    def look(self, data: bytes, ended: bool) -> int:
        """Where the first message ends; -1 while it may still arrive, 0 if it never will."""
        self._data = data
        if not _may_begin(data):
            return 0
        if self.kind is None:
            detection = detect(data, ended, DEFAULT_LIMITS)
            if detection is None:
                return -1
            if detection.protocol is not BINARY:
                return 0
            self.kind = ThriftFramed if detection.transport is FRAMED else Thrift
        try:
            end = self._framed(data) if self.kind is ThriftFramed else self._skip(data, 0)
        except DecodeError:
            return 0
        return 0 if end < 0 and ended else end

    def _framed(self, data: bytes) -> int:
        stop = HEAD + read_frame_length(data, 0, len(data), DEFAULT_LIMITS)
        if stop > len(data):
            return -1
        # What does not fit into its frame is not a message.
        return stop if self._skip(data[:stop], HEAD) > 0 else 0

    def _skip(self, data: bytes, start: int) -> int:
        if self._skipper is None:
            self._skipper = BINARY.skipper(start, DEFAULT_LIMITS)
        return self._skipper.advance(data, len(data))


class _Received:
    """Which bytes TCPSession was given.  It fills the others with zeros and does not say so."""

    def __init__(self) -> None:
        self.ranges: list[tuple[int, int]] = []

    def add(self, start: int, stop: int) -> None:
        merged: list[tuple[int, int]] = []
        for one in sorted([*self.ranges, (start, stop)]):
            if merged and one[0] <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], one[1]))
            else:
                merged.append(one)
        self.ranges = merged

    def add_segment(self, data: bytes, metadata: dict[str, Any]) -> None:
        segment = metadata.get("original")
        if segment is None:
            # The rest of a whole message, or there is no TCP that could lose anything.
            start = metadata.get("relative_seq", 0) + 1
            self.add(start, start + len(data))
        elif segment[TCP].payload:
            start = segment[TCP].seq
            self.add(start, start + len(segment[TCP].payload.original))


def _may_begin(data: bytes) -> bool:
    """Whether these can be the first bytes of a message."""
    if len(data) >= 12:
        detection = detect(data, False, DEFAULT_LIMITS)
        return detection is not None and detection.protocol is BINARY
    version = VERSION_1.to_bytes(2, "big")
    # A frame is shorter than 2**24 bytes, so its first byte is 0.
    framed = data[:1] == b"\0" and version.startswith(data[HEAD : HEAD + 2])
    return framed or version.startswith(data[:2])


class Thrift(Packet):
    """A Thrift message, unframed: ``Thrift(method="ping", seqid=1)`` is a CALL.

    ``body`` holds the fields of its struct: a CALL's arguments, a REPLY's result.
    """

    name = "Thrift"
    match_subclass = True
    fields_desc = [  # noqa: RUF012
        XShortField("version", VERSION_1),
        XByteField("unused", 0),
        ByteEnumField("mtype", 1, {mtype.value: mtype.name for mtype in MESSAGE_TYPES[1:5]}),
        FieldLenField("method_len", None, length_of="method", fmt="i"),
        _TextField("method", b"", length_from=lambda pkt: pkt.method_len),
        SignedIntField("seqid", 0),
        _BodyField("body", [], ThriftField),
        ByteEnumField("stop", 0, {0: "STOP"}),
    ]
    # Where the message begins: after the frame's length, if there is one.
    _start = 0

    @classmethod
    def dispatch_hook(cls, _pkt: bytes = b"", *args: Any, **kargs: Any) -> Any:
        """Thrift or ThriftFramed, as the bytes say; Raw if they are not a whole message."""
        if not _pkt:
            return cls
        search = _Search()
        return search.kind if search.look(bytes(_pkt), True) > 0 else conf.raw_layer

    def do_dissect(self, s: bytes) -> bytes:
        """Read one message; what is left of ``s`` is returned, for the next layer."""
        stop = self._stop(s)
        header = read_header(s, self._start, stop, DEFAULT_LIMITS)
        struct = _read_struct(s, header.span.stop, stop)
        body = _fields_from_model(struct)
        for field in body:
            field.add_parent(self)
        self._set_frame(s, stop, struct)
        self.fields.update(
            version=VERSION_1,
            unused=s[self._start + 2],  # the specification gives it no meaning, nor the decoder
            mtype=int(header.type),
            method_len=len(header.method_span),
            method=header.method_span.of(s),
            seqid=header.seqid,
            body=body,
            stop=0,
        )
        end = self._end(stop, struct)
        # An unchanged message is built as it arrived.  scapy compares shallow copies to tell; these
        # are deep, so that a change inside a nested value counts.
        self.raw_packet_cache = s[:end]
        self.raw_packet_cache_fields = {"body": [(f.copy().fields, None) for f in body]}
        self.explicit = 1
        return s[end:]

    def _stop(self, s: bytes) -> int:
        return len(s)

    def _end(self, stop: int, struct: model.Struct) -> int:
        assert struct.stop is not None
        return struct.stop.stop

    def _set_frame(self, s: bytes, stop: int, struct: model.Struct) -> None:
        pass

    def guess_payload_class(self, payload: bytes) -> Any:
        """The next message, up to a limit: each one takes some of Python's stack."""
        depth = 0
        layer: Packet | None = self
        while isinstance(layer, Thrift):
            depth += 1
            layer = layer.underlayer
        return Thrift if depth < conf.max_list_count else conf.raw_layer

    @classmethod
    def tcp_reassemble(cls, data: bytes, metadata: dict[str, Any], session: Any = None) -> Any:
        """The messages at the start of a stream; None while the first one is incomplete.

        What is not Thrift comes back as Raw.
        """
        received, search = metadata.get("thrift", (_Received(), _Search()))
        received.add_segment(data, metadata)
        if not search.goes_on_in(data):
            search = _Search()
        metadata["thrift"] = received, search
        ended = "tcp_end" in metadata
        gaps = len(received.ranges) > 1
        end = search.look(data, ended) if not gaps else 0 if ended else -1
        if end < 0 and len(data) <= MAX_REASSEMBLED and len(received.ranges) <= MAX_GAPS:
            # The next segment will not look like Thrift, so TCPSession must not guess again.
            metadata.update(pay_class=cls, tcp_reassemble=cls.tcp_reassemble)
            return None
        if end <= 0:
            return conf.raw_layer(data)
        packet = Thrift(data)
        rest = packet.lastlayer()
        if not isinstance(rest, Thrift) and not ended:
            # TCPSession takes Padding for the beginning of the next message.
            last: Any = rest.underlayer
            last.remove_payload()
            last.add_payload(conf.padding_layer(rest.original))
        return packet

    def hashret(self) -> bytes:
        """Seqid and method: the same bytes for a call and its reply, by which scapy pairs them."""
        seqid: int = self.seqid
        return seqid.to_bytes(4, "big", signed=True) + self._bare_method()

    def answers(self, other: Packet) -> int:
        """Whether this is the reply to ``other``: 1 or 0, as scapy wants it."""
        return int(
            isinstance(other, Thrift)
            and other.mtype == MessageType.CALL
            and self.mtype in (MessageType.REPLY, MessageType.EXCEPTION)
            and self.seqid == other.seqid
            and self.method in (other.method, other._bare_method())
        )

    def _bare_method(self) -> bytes:
        """The method without its service: only a call says "Service:method", its reply does not."""
        method: bytes = self.method
        return method.partition(b":")[2] or method

    def mysummary(self) -> Any:
        """One line, and the layers below that are to be summed up beside it."""
        mtype = self.get_field("mtype").i2repr(self, self.mtype)
        method = escape(self.method.decode("utf-8", "backslashreplace"))
        return f"{self.name} {mtype} {method} seqid={self.seqid}", [TCP, Thrift, ThriftFramed]


class ThriftFramed(Thrift):
    """A Thrift message in a frame: its length comes first."""

    name = "Thrift framed"
    fields_desc = [  # noqa: RUF012
        # None: the real length.
        Field("frame_length", None, fmt="i"),
        *Thrift.fields_desc,
        # A frame may be longer than its message.
        ConditionalField(
            StrField("left_over", b""), lambda pkt: bool(pkt.getfieldval("left_over"))
        ),
    ]
    _start = HEAD

    @classmethod
    def dispatch_hook(cls, _pkt: bytes = b"", *args: Any, **kargs: Any) -> Any:
        """As Thrift's: the bytes say which of the two classes it is."""
        return super().dispatch_hook(_pkt)

    def _stop(self, s: bytes) -> int:
        stop = HEAD + read_frame_length(s, 0, len(s), DEFAULT_LIMITS)
        if stop > len(s):
            raise Incomplete("frame", HEAD, needs=stop - HEAD, left=len(s) - HEAD)
        return stop

    def _end(self, stop: int, struct: model.Struct) -> int:
        return stop

    def _set_frame(self, s: bytes, stop: int, struct: model.Struct) -> None:
        assert struct.stop is not None
        self.fields["frame_length"] = stop - HEAD
        if struct.stop.stop < stop:
            self.fields["left_over"] = s[struct.stop.stop : stop]

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        """Put the frame's length before it, unless ``frame_length`` was given."""
        if self.frame_length is None:
            pkt = (len(pkt) - HEAD).to_bytes(HEAD, "big") + pkt[HEAD:]
        return pkt + pay


# ── Bindings ─────────────────────────────────────────────────────────────────────────


def bind_thrift_port(port: int) -> None:
    """Dissect what goes to and from a TCP port as Thrift, before any other layer is tried.

    ``split_layers(TCP, Thrift, dport=port)``, and the same with ``sport=port``, undo it.
    """
    bound = [({side: port}, Thrift) for side in ("sport", "dport")]
    TCP.payload_guess = bound + [one for one in TCP.payload_guess if one not in bound]


_unbound = TCP.default_payload_class


def _default_payload_class(self: Any, payload: bytes) -> Any:
    """Thrift, on any port, if no layer is bound and the bytes may be a message."""
    # TCPSession asks once per message, perhaps at a segment without a payload.  Then it asks
    # tcp_reassemble, which looks at the bytes.
    if conf.contribs["Thrift"]["any_port"] and _may_begin(bytes(payload)):
        return Thrift
    return _unbound(self, payload)


TCP.default_payload_class = _default_payload_class  # type: ignore[method-assign]

# Only for building: without a port, TCP() says 80, which is HTTP's.
bind_top_down(TCP, Thrift, dport=DEFAULT_PORT)
bind_top_down(TCP, ThriftFramed, dport=DEFAULT_PORT)
