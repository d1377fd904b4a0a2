"""Names from the capture itself: what a server tells a client that asks what it offers.

    /grpc.reflection.v1.ServerReflection/ServerReflectionInfo  (v1alpha too)
    a reply's field 4, file_descriptor_response, has field 1: FileDescriptorProtos

grpc/doc/server-reflection.md, and its reflection.proto.
"""

from __future__ import annotations

from ....model import Definitions, Message, MessageType
from ...encodings.protobuf import PROTOBUF, fields_of
from ...encodings.protobuf_types import ProtoNaming, Schema

__all__ = ["learn"]

_METHODS = frozenset(
    f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
    for version in ("v1", "v1alpha")
)
_FILES = 4  # file_descriptor_response
_FILE = 1  # file_descriptor_proto

# How many fields of a reply are looked at.
_MOST = 10_000


def learn(message: Message, known: Definitions | None) -> Definitions | None:
    """Add to ``known`` what a message says about services and messages; None if it says nothing."""
    if message.method not in _METHODS or message.from_client or message.protocol is not PROTOBUF:
        return None
    if message.type is MessageType.EXCEPTION or message.gaps or message.redacted:
        return None
    data = message.data
    naming = known if isinstance(known, ProtoNaming) else None
    has_more = False
    for outer in fields_of(data, message.start, message.stop, _MOST) or ():
        if outer.number != _FILES or outer.wire != 2:
            continue
        for inner in fields_of(data, outer.inside, outer.stop, _MOST) or ():
            if inner.number == _FILE and inner.wire == 2:
                if naming is None:
                    naming = ProtoNaming(Schema(), "reflection")
                has_more |= _add(naming.schema, data[inner.inside : inner.stop])
    return naming if has_more else None


def _add(schema: Schema, descriptor: bytes) -> bool:
    """Add a file to what is known; False if it cannot be read, or was known already."""
    from ....errors import IdlError

    try:
        return schema.add_file(descriptor, "a reflection reply")
    except IdlError:
        return False
