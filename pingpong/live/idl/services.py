"""The services of a .proto file, to serve and to call.

    foo.proto ──protoc──▶ descriptors ──protobuf──▶ classes of messages, made as it runs
                                         └────────▶ RpcService: its methods, and their messages

A method is called as in Python, by the names of the fields of its request; what it returns is the
field of its reply, if there is just one.  So the handler that Thrift and HTTP have serves gRPC too:

    rpc login(LoginRequest) returns (LoginReply)      login(username, password) → text

What is read as a message in a field, or as a reply with several fields, is a dict by field names.
``protobuf`` comes with the extra ``relatives``; reading captures does not need it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from pingpong.errors import IdlError

from .proto import descriptor_set

__all__ = ["RpcMethod", "RpcService", "load_services"]


class RpcMethod:
    """A method of a service: its ``path`` on the wire, and how its messages become values.

    ``asks_many`` and ``answers_many`` say on which sides it has a stream.
    """

    def __init__(self, service: str, described: Any, classes: Mapping[str, Any]) -> None:
        self.name: str = described.name
        self.path = f"/{service}/{described.name}"
        self.asks_many: bool = described.client_streaming
        self.answers_many: bool = described.server_streaming
        self._request = classes[described.input_type.full_name]
        self._reply = classes[described.output_type.full_name]

    @property
    def fields(self) -> list[str]:
        """The names of the request's fields, in the order of their numbers."""
        found = sorted(self._request.DESCRIPTOR.fields, key=lambda field: int(field.number))
        return [field.name for field in found]

    def request(self, arguments: Mapping[str, Any]) -> bytes:
        """The bytes of a request with these fields.

        Raises TypeError or ValueError for a field that it does not have, or of another type.
        """
        data: bytes = self._request(**arguments).SerializeToString(deterministic=True)
        return data

    def request_of(self, text: str) -> dict[str, Any]:
        """The fields of a request that is written as JSON.  Raises ValueError."""
        from google.protobuf import json_format

        try:
            read = json_format.Parse(text, self._request(), max_recursion_depth=100)
        except json_format.Error as error:
            known = self._request.DESCRIPTOR.fields_by_name
            ways = {one for field in known.values() for one in (field.name, field.json_name)}
            unknown = [name for name in _names(text) if name not in ways]
            if unknown:
                has = ", ".join(known) or "none"
                raise ValueError(f"there is no field {unknown[0]}; it has {has}") from None
            raise ValueError(" ".join(str(error).split())) from None
        return {field.name: getattr(read, field.name) for field, _ in read.ListFields()}

    def in_json(self, name: str, text: str) -> Any:
        """A field's value as JSON has it: a string is ``text`` as it is, all else is read from it.

        What is no JSON is a string too: the name of an enum's value, a time.
        """
        field = self._request.DESCRIPTOR.fields_by_name[name]
        if field.type == field.TYPE_STRING and not _is_many(field):
            return text
        try:
            return json.loads(text)
        except ValueError:
            return text

    def arguments(self, data: bytes) -> dict[str, Any]:
        """The fields of a request, also those that did not travel.  Raises ValueError."""
        return _fields(_read(self._request, data))

    def reply(self, result: Any) -> bytes:
        """The bytes of a reply that says ``result``.  Raises TypeError or ValueError."""
        names = [field.name for field in self._reply.DESCRIPTOR.fields]
        if isinstance(result, self._reply):
            made = result
        elif len(names) == 1:
            made = self._reply(**{names[0]: result})
        else:
            made = self._reply(**(result or {}))
        data: bytes = made.SerializeToString(deterministic=True)
        return data

    def empty(self) -> Any:
        """A reply in which nothing is said, for a handler to return."""
        return self._reply()

    def result(self, data: bytes) -> Any:
        """What a reply says: its field if it has one, else all fields as a dict, or None.

        Raises ValueError.
        """
        return _one(_fields(_read(self._reply, data)))

    def argument(self, data: bytes) -> Any:
        """What a message of a stream of requests says, likewise."""
        return _one(_fields(_read(self._request, data)))

    def __repr__(self) -> str:
        return f"<RpcMethod {self.path}>"


class RpcService:
    """A service of a .proto file: ``methods`` by name.  ``path`` is the file it is from."""

    def __init__(self, described: Any, classes: Mapping[str, Any], path: str) -> None:
        self.__name__: str = described.name
        self.name: str = described.full_name
        self.path = path
        self.methods = {
            method.name: RpcMethod(self.name, method, classes) for method in described.methods
        }

    def __repr__(self) -> str:
        return f"<RpcService {self.name}>"


def load_services(
    path: str | os.PathLike[str], include: Sequence[str | os.PathLike[str]] = ()
) -> ModuleType:
    """The services of a .proto file, or of a set of descriptors, by their names.

    ``services`` is the list of them.  Raises IdlError, which says what is wrong or not installed.
    """
    where = os.fspath(path)
    try:
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    except ImportError as error:
        raise IdlError(
            f"{where}: its services cannot be made here: {error}",
            'Install it: pip install "pingpong[relatives]"',
            path=where,
        ) from None
    pool, data = descriptor_pool.DescriptorPool(), descriptor_set(where, include)
    try:
        files = descriptor_pb2.FileDescriptorSet.FromString(data).file
        for one in files:
            pool.Add(one)
        found = [
            pool.FindServiceByName(f"{one.package}.{service.name}".lstrip("."))
            for one in files
            for service in one.service
        ]
    except (TypeError, KeyError, ValueError) as error:
        raise IdlError(f"{where}: {error}", path=where) from None
    except Exception as error:  # DecodeError, which has no other base
        raise IdlError(f"{where}: is no set of descriptors: {error}", path=where) from None
    made = ModuleType(os.path.splitext(os.path.basename(where))[0])
    made.services = []  # type: ignore[attr-defined]  # a module has what one gives it
    for described in found:
        types = {t for m in described.methods for t in (m.input_type, m.output_type)}
        classes = {one.full_name: message_factory.GetMessageClass(one) for one in types}
        service = RpcService(described, classes, where)
        made.services.append(service)
        setattr(made, described.name, service)
    return made


def _names(text: str) -> list[str]:
    """The names of the fields in a JSON object; none if it is something else."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return list(said) if isinstance(said, dict) else []


def _read(kind: Any, data: bytes) -> Any:
    from google.protobuf.message import DecodeError

    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise ValueError(str(error)) from None


def _fields(message: Any) -> dict[str, Any]:
    """All fields of a message by name: what was not sent has its default, or None."""
    found: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if not _is_many(field) and field.has_presence and not message.HasField(field.name):
            found[field.name] = None
        else:
            found[field.name] = _plain(field, value)
    return found


def _plain(field: Any, value: Any) -> Any:
    if not _is_many(field):
        return _fields(value) if field.type in _MESSAGES else value
    entry = field.message_type
    if entry is not None and entry.GetOptions().map_entry:
        return {key: _plain(entry.fields_by_name["value"], value[key]) for key in value}
    return [_fields(one) if field.type in _MESSAGES else one for one in value]


def _one(fields: dict[str, Any]) -> Any:
    if not fields:
        return None
    return next(iter(fields.values())) if len(fields) == 1 else fields


# FieldDescriptorProto.Type: a group, a message.
_MESSAGES = (10, 11)


def _is_many(field: Any) -> bool:
    """Is it a list or a map?  ``label`` said so before protobuf 6, and warns since."""
    many = getattr(field, "is_repeated", None)
    return bool(field.label == field.LABEL_REPEATED if many is None else many)
