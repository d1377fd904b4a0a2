"""What an IDL says, as plain values; and a record compared with it.

    .thrift ──live/idl──▶ Interface                             the wire's struct
                          ├─ services ─ methods ─┐                    │
                          ├─ structs ◀───────────┴───── StructType ───┤ give_names
                          └─ enums                                    ▼
                                             names, labels, and where the two differ

A type refers to a struct by its name, so that structs may contain each other.  What comes from an
include is named as the file names it: ``shared.User``.

Which method a message belongs to: in a multiplexed call, the service comes before the colon.  Its
reply has the method alone: the call that it answers tells the service (``calls.naming``).  If
several services have a method of that name, and nothing else tells which is meant, they have to
agree, or all but one have to differ from what is on the wire; otherwise the message keeps its
numbers.

Two things are not differences: a service name before the colon that no service has (servers choose
these names freely), and what is missing from a message because the capture lost it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from ....model import (
    NO_ID,
    Content,
    Definitions,
    Difference,
    Entries,
    Facts,
    Field,
    Items,
    Message,
    MessageType,
    Namer,
    Naming,
    Record,
    Struct,
    TType,
    Value,
)
from .answers import APPLICATION_ERRORS, THRIFT, UPGRADES
from .naming import ServiceNamer

__all__ = [
    "BASE_TYPES",
    "EnumType",
    "FieldType",
    "Interface",
    "MethodType",
    "Service",
    "StructType",
    "Type",
]

# How many right values a difference lists.
_MOST_LISTED: Final = 12

_MOST_NAME: Final = 60


# ── The types ────────────────────────────────────────────────────────────────────────


class EnumType(Facts):
    """An enum: ``values`` has a name for each number."""

    __slots__ = ("name", "values")
    __match_args__: ClassVar = ("name", "values")

    def __init__(self, name: str, values: dict[int, str]) -> None:
        self.name: Final = name
        self.values: Final = values

    def facts(self) -> tuple[object, ...]:
        return (self.name, tuple(self.values.items()))


class Type(Facts):
    """The type of a value: ``i32``, ``list<User>``, ``Color``.

    ``ttype`` is the type on the wire, ``name`` the one in the IDL (typedefs replaced by what they
    stand for).  ``struct`` is the name of its struct, else "".  ``key`` is a map's; ``element`` a
    list's or a set's, or the value of a map.  ``typedef`` is the name that the IDL uses for it, ""
    if it is no typedef; two typedefs of one type are equal.

    A type that no file at hand defines, or that has no encoding here, has STOP for its ``ttype``:
    whatever the wire has there is right.
    """

    __slots__ = ("element", "enum", "key", "name", "struct", "ttype", "typedef")
    __match_args__: ClassVar = ("ttype", "name", "struct", "enum", "key", "element")

    def __init__(
        self,
        ttype: TType,
        name: str,
        *,
        struct: str = "",
        enum: EnumType | None = None,
        key: Type | None = None,
        element: Type | None = None,
        typedef: str = "",
    ) -> None:
        self.ttype: Final = ttype
        self.name: Final = name
        self.typedef = typedef
        self.struct: Final = struct
        self.enum: Final = enum
        self.key: Final = key
        self.element: Final = element

    def facts(self) -> tuple[object, ...]:
        return (self.ttype, self.name, self.struct, self.enum, self.key, self.element)

    def __repr__(self) -> str:
        # Without its parts: typedefs can make a type of any size out of a few lines.
        return f"Type({self.ttype.name}, {str(self)!r})"

    def __str__(self) -> str:
        """Return text like ``UserId (i64)``."""
        return f"{self.typedef} ({self.name})" if self.typedef else self.name

    @property
    def is_known(self) -> bool:
        """Whether it says which type the wire has to have."""
        return self.ttype is not TType.STOP

    def called(self, name: str) -> Type:
        """Return the same type under the name of a typedef."""
        return Type(
            self.ttype,
            self.name,
            struct=self.struct,
            enum=self.enum,
            key=self.key,
            element=self.element,
            typedef=name,
        )


BASE_TYPES: Final = {
    name: Type(ttype, name)
    for name, ttype in (
        ("bool", TType.BOOL),
        ("i8", TType.I8),
        ("i16", TType.I16),
        ("i32", TType.I32),
        ("i64", TType.I64),
        ("double", TType.DOUBLE),
        ("string", TType.STRING),
        ("binary", TType.STRING),
        ("uuid", TType.UUID),
    )
}


class FieldType(Facts):
    """A field of a struct, an argument, a result.

    ``required``: its struct must not be without it.  ``optional``: it is not written unless it was
    set.  Neither is the third possibility: usually written, and not missed.  ``default`` is its
    default value as the IDL would write it, "" if it has none.
    """

    __slots__ = ("default", "field_id", "name", "optional", "required", "type")
    __match_args__: ClassVar = ("field_id", "name", "type", "required", "default", "optional")

    def __init__(
        self,
        field_id: int,
        name: str,
        type: Type,  # noqa: A002  # the specification's word
        required: bool = False,
        default: str = "",
        optional: bool = False,
    ) -> None:
        self.optional: Final = optional
        self.field_id: Final = field_id
        self.name: Final = name
        self.type: Final = type
        self.required: Final = required
        self.default: Final = default

    def facts(self) -> tuple[object, ...]:
        return (
            self.field_id,
            self.name,
            self.type,
            self.required,
            self.default,
            self.optional,
        )

    @property
    def declared(self) -> str:
        """Return what precedes its name: ``optional UserId (i64)``."""
        word = "required " if self.required else "optional " if self.optional else ""
        return f"{word}{self.type}"

    def __str__(self) -> str:
        default = f" = {self.default}" if self.default else ""
        return f"{self.field_id}: {self.declared} {self.name}{default}"


class StructType(Facts):
    """Fields by number.

    ``kind`` is "struct", "union" or "exception"; for a method, "arguments" or "result": a result is
    one of its fields, or nothing if ``is_void``.
    """

    __slots__ = ("_by_name", "fields", "is_void", "kind", "name")
    __match_args__: ClassVar = ("name", "kind", "fields", "is_void")

    def __init__(
        self, name: str, kind: str, fields: Iterable[FieldType], is_void: bool = False
    ) -> None:
        self.name: Final = name
        self.kind: Final = kind
        self.fields: Final = {field.field_id: field for field in fields}
        self.is_void: Final = is_void
        self._by_name = {field.name: field for field in self.fields.values()}

    def facts(self) -> tuple[object, ...]:
        return (self.name, self.kind, tuple(self.fields.values()), self.is_void)

    def field(self, field: Field) -> FieldType | None:
        """Return what the IDL says about a field; None: nothing."""
        if field.field_id == NO_ID and field.name is not None:
            return self._by_name.get(field.name)
        return self.fields.get(field.field_id)

    def place(self, field_id: int) -> str:
        """Return where a field is in the IDL."""
        if self.kind == "arguments":
            return f"{self.name}, argument {field_id}"
        if self.kind == "result":
            what = f"exception {field_id}" if field_id else "result"
            return f"{self.name}, {what}"
        return f"{self.name}, field {field_id}"

    def __str__(self) -> str:
        fields = "".join(f"  {field}\n" for field in self.fields.values())
        return f"{self.kind} {self.name} {{\n{fields}}}"


class MethodType(Facts):
    """A method: ``service`` is the one that declares it, which another may extend."""

    __slots__ = ("arguments", "name", "oneway", "result", "service")
    __match_args__: ClassVar = ("service", "name", "oneway", "arguments", "result")

    def __init__(
        self, service: str, name: str, oneway: bool, arguments: StructType, result: StructType
    ) -> None:
        self.service: Final = service
        self.name: Final = name
        self.oneway: Final = oneway
        self.arguments: Final = arguments
        self.result: Final = result

    def facts(self) -> tuple[object, ...]:
        return (self.service, self.name, self.oneway, self.arguments, self.result)

    def signature(self) -> tuple[object, ...]:
        """What the IDL says about its messages.

        Two methods of one interface agree if theirs are equal: a type's name is unique there.
        """
        return (
            self.oneway,
            self.result.is_void,
            tuple([_signature(one) for one in self.arguments.fields.values()]),
            tuple([_signature(one) for one in self.result.fields.values()]),
        )

    def __str__(self) -> str:
        success = self.result.fields.get(0)
        returns = "void" if success is None else str(success.type)
        taken = ", ".join(str(field) for field in self.arguments.fields.values())
        thrown = ", ".join(str(one) for one in self.result.fields.values() if one.field_id)
        throws = f" throws ({thrown})" if thrown else ""
        oneway = "oneway " if self.oneway else ""
        return f"{oneway}{returns} {self.name}({taken}){throws}"


def _signature(field: FieldType) -> tuple[object, ...]:
    return (field.field_id, field.name, field.type.name, field.required, field.default)


class Service(Facts):
    """A service.

    ``own`` are the methods that it declares itself, ``parent`` is what it extends, ``extends`` the
    name of that, or "".  ``lacks`` is the name of a service from which it inherits, directly or
    not, and which no file at hand defines, else "": then it has more methods than are known.
    """

    __slots__ = ("_methods", "extends", "lacks", "name", "own", "parent")
    __match_args__: ClassVar = ("name", "extends", "methods")

    def __init__(
        self,
        name: str,
        extends: str,
        methods: Iterable[MethodType],
        parent: Service | None = None,
        lacks: str = "",
    ) -> None:
        self.name: Final = name
        self.extends: Final = extends
        self.own = {method.name: method for method in methods}
        self.parent = parent
        self.lacks = lacks
        self._methods: dict[str, MethodType] | None = None

    @property
    def methods(self) -> dict[str, MethodType]:
        """Its methods, inherited ones after its own."""
        # Made on demand: a thousand services that extend each other have a thousand methods, and
        # half a million if they are listed for each.
        if self._methods is None:
            made = dict(self.own)
            parent = self.parent
            while parent is not None:
                for method in parent.own.values():
                    made.setdefault(method.name, method)
                parent = parent.parent
            self._methods = made
        return self._methods

    def method(self, name: str) -> MethodType | None:
        """Return a method by its name; None if there is none."""
        service: Service | None = self
        while service is not None:
            found = service.own.get(name)
            if found is not None:
                return found
            service = service.parent
        return None

    def facts(self) -> tuple[object, ...]:
        return (self.name, self.extends, tuple(self.methods.values()))

    def __str__(self) -> str:
        methods = "".join(f"  {method}\n" for method in self.methods.values())
        extends = f" extends {self.extends}" if self.extends else ""
        return f"service {self.name}{extends} {{\n{methods}}}"


_STRING: Final = BASE_TYPES["string"]
_ERROR: Final = EnumType("TApplicationException.type", dict(enumerate(APPLICATION_ERRORS)))

# The content of an EXCEPTION, whatever the method (lib/py/src/Thrift.py).
_APPLICATION_EXCEPTION: Final = StructType(
    "TApplicationException",
    "exception",
    (
        FieldType(1, "message", _STRING),
        FieldType(2, "type", Type(TType.I32, _ERROR.name, enum=_ERROR)),
    ),
)


# ── An interface, and who gives names with it ────────────────────────────────────────


class Interface(Definitions):
    """Everything that a .thrift file and its includes say.

    ``name`` is the file's.  ``services`` are those that the file itself declares or, if it declares
    none, those of its includes; ``included`` are the other services of includes, for methods that
    no service of the file has.  ``structs`` (including unions and exceptions) and ``enums`` are all
    there are.

    ``notes`` are sentences on what was not read, or not as it is written: an include that is
    missing, syntax that does not matter for the wire.
    """

    def __init__(
        self,
        name: str,
        services: Iterable[Service],
        structs: Iterable[StructType],
        enums: Iterable[EnumType] = (),
        included: Iterable[Service] = (),
        notes: Iterable[str] = (),
    ) -> None:
        self.name = name
        self.notes = tuple(notes)
        self.services = {service.name: service for service in services}
        self.included = {service.name: service for service in included}
        self.structs = {struct.name: struct for struct in structs}
        self.enums = {enum.name: enum for enum in enums}
        self._methods = _by_name(self.services.values())
        self._more_methods = _by_name(self.included.values())
        # A multiplexed call has no file name before the service.
        self._known: dict[str, Service] = {}
        for service in (*self.services.values(), *self.included.values()):
            self._known.setdefault(service.name.rpartition(".")[2], service)
        self._within: dict[str, Naming] = {}

    def __repr__(self) -> str:
        methods = sum([len(methods) for methods in self._methods.values()])
        return (
            f"<Interface {self.name!r}: {len(self.services)} services, {methods} methods, "
            f"{len(self.structs)} structs>"
        )

    def namer(self) -> Namer:
        return ServiceNamer(self)

    @property
    def struct_names(self) -> list[str]:
        return list(self.structs)

    def struct(self, name: str) -> StructType:
        """Return a struct by its name, with or without the file's name if that is unambiguous.

        Raises ValueError if there is none, or more than one.
        """
        found = self.structs.get(name)
        if found is not None:
            return found
        called_so = [one for key, one in self.structs.items() if key.endswith(f".{name}")]
        if len(called_so) == 1:
            return called_so[0]
        if called_so:
            raise ValueError(f"{self.name} has {_listed([one.name for one in called_so])}: which?")
        raise ValueError(
            f"{self.name} has no struct {name!r}; it has {_listed(list(self.structs))}"
        )

    def methods(self, method: str, service: str = "") -> list[MethodType]:
        """Return what a method of that name can be: one for each that differs.

        ``method`` is as on the wire, "Service:method" if services are multiplexed; ``service`` is
        known from elsewhere.
        """
        prefix, _, bare = method.rpartition(":")
        known = self.service(service or prefix)
        if known is not None:
            found = known.method(bare)
            return [] if found is None else [found]
        return self._methods.get(bare) or self._more_methods.get(bare, [])

    def oneway(self, method: str, service: str = "") -> bool | None:
        """Say whether calls of that method get no answer; None if the interface does not tell.

        ``method`` and ``service`` are as for ``methods``.  Some libraries send oneway calls as
        CALL, so the message's type is not enough.
        """
        kinds = {one.oneway for one in self.methods(method, service)}
        return kinds.pop() if len(kinds) == 1 else None

    def service(self, name: str) -> Service | None:
        """Return a service by its name, with or without that of a file before it."""
        return self.services.get(name) or self.included.get(name) or self._known.get(name)

    def of_struct(self, name: str) -> Naming:
        """Return the naming for records that are such a struct.  Raises what ``struct`` raises."""
        return _AsStruct(self, self.struct(name))

    def within(self, service: str) -> Naming:
        """Return the naming for messages of one service; of all services if it is unknown."""
        known = self._within.get(service)
        if known is None:
            if self.service(service) is None:
                return self
            known = self._within[service] = _Within(self, service)
        return known

    def give_names(self, record: Record, body: Struct) -> tuple[Struct, tuple[Difference, ...]]:
        return body, self.name_message(record, body, "")

    def name_message(self, record: Record, body: Struct, service: str) -> tuple[Difference, ...]:
        """Name a message of that service ("": unknown), and report where it differs from it."""
        if not isinstance(record, Message) or record.family is not THRIFT:
            return ()
        if record.method in UPGRADES:
            return ()
        if record.type is MessageType.EXCEPTION:
            # Each library has its own: more than the usual fields is not against the IDL.
            self.differences(record, body, _APPLICATION_EXCEPTION)
            return ()
        is_call = record.type is not MessageType.REPLY
        methods = self.methods(record.method, service)
        if not methods:
            return self._no_method(record, service)
        if len(methods) > 1:
            fitting = []
            for one in methods:
                if not self._held(record, body, one, is_call, give=False):
                    fitting.append(one)
            if len(fitting) != 1:
                return ()
            methods = fitting
        return self._held(record, body, methods[0], is_call, give=True)

    def _held(
        self, record: Message, body: Struct, method: MethodType, is_call: bool, give: bool
    ) -> tuple[Difference, ...]:
        """Return where a message differs from a method."""
        root = method.arguments if is_call else method.result
        found = self.differences(record, body, root, give=give)
        if is_call and method.oneway != (record.type is MessageType.ONEWAY):
            words = f"is {record.type.name}, and the method is "
            brief = "oneway" if method.oneway else "not oneway"
            # The header's: each protocol has its type in another place.
            where = record.header.span.start
            odd = Difference(
                "oneway",
                f"{method.service}.{method.name}, message type",
                words + brief,
                brief,
                where,
            )
            found = (odd, *found)
        return found

    def _no_method(self, record: Message, service: str) -> tuple[Difference, ...]:
        prefix, _, bare = record.method.rpartition(":")
        if not self.services:
            return ()  # an interface of structs says nothing of methods
        owner = self.service(service or prefix)
        asked = self.services.values() if owner is None else [owner]
        if any(one.lacks for one in asked):
            return ()  # it may be one of the unknown ones
        who = next(iter(self.services)) if len(self.services) == 1 else self.name
        if owner is not None:
            who = owner.name
        words = "is called, and the IDL has no such method"
        at = record.header.method_span.start
        return (Difference("method", f"{who}, method {_short(bare)}", words, "no such method", at),)

    def differences(
        self, record: Record, body: Struct, root: StructType, *, give: bool = True
    ) -> tuple[Difference, ...]:
        """Return where ``body`` differs from ``root``; with ``give``, also name its fields."""
        walk = _Walk(self.structs, record.protocol.has_names, give)
        walk.struct(body, root)
        return tuple(walk.found)


def _by_name(services: Iterable[Service]) -> dict[str, list[MethodType]]:
    """Return the methods of all services, and of what they extend, by name; equal ones once."""
    found: dict[str, dict[tuple[object, ...], MethodType]] = {}
    seen: set[int] = set()
    for one in services:
        service: Service | None = one
        while service is not None and id(service) not in seen:
            seen.add(id(service))
            for method in service.own.values():
                found.setdefault(method.name, {}).setdefault(method.signature(), method)
            service = service.parent
    return {name: list(methods.values()) for name, methods in found.items()}


class _Within(Naming):
    """Names the fields of messages of one service."""

    def __init__(self, interface: Interface, service: str) -> None:
        self._interface = interface
        self._service = service

    def give_names(self, record: Record, body: Struct) -> tuple[Struct, tuple[Difference, ...]]:
        return body, self._interface.name_message(record, body, self._service)


class _AsStruct(Naming):
    """Names the fields of a record that is a certain struct."""

    def __init__(self, interface: Interface, root: StructType) -> None:
        self._interface = interface
        self.label = root.name
        self._root = root

    def give_names(self, record: Record, body: Struct) -> tuple[Struct, tuple[Difference, ...]]:
        return body, self._interface.differences(record, body, self._root)


# ── Holding a struct against its type ────────────────────────────────────────────────


class _Walk:
    """Goes through a struct and its type together.

    ``loose``: the wire has only JSON's types (thriftpy2's JSON).  ``give``: write names and labels
    to the fields and values, instead of only looking.
    """

    MOST: ClassVar = 10_000

    def __init__(self, structs: dict[str, StructType], loose: bool, give: bool) -> None:
        self.structs = structs
        self.loose = loose
        self.give = give
        self.found: list[Difference] = []
        # Where in ``found`` the last of each way is.
        self._ways: dict[tuple[str, str, str], int] = {}

    def differ(self, kind: str, place: str, words: str, brief: str, offset: int) -> None:
        """Report a difference.

        A million elements may differ in the same way: then the words are the same, and after the
        first ``MOST`` they are only counted.
        """
        way = (kind, place, words)
        at = self._ways.get(way)
        if at is None:
            one = Difference(kind, place, words, brief, offset)
        else:
            last = self.found[at]
            if len(self.found) >= self.MOST:
                self.found[at] = last.once_more()
                return
            one = Difference(kind, last.place, last.words, last.brief, offset)
        self._ways[way] = len(self.found)
        self.found.append(one)

    def struct(self, struct: Struct, stype: StructType) -> None:
        for field in struct.fields:
            known = stype.field(field)
            if known is None:
                self.unknown(field, stype)
                continue
            if self.give:
                field.name = known.name
                field.in_idl = self.fits(field.value, known.type) and self.holds(
                    field.value.content, known.type
                )
                if known.required or known.optional or known.type.typedef:
                    field.declared = known.declared
            self.value(field.value, known.type, stype.place(known.field_id), field.span.start)
        # What seems absent was perhaps not read.
        if struct.stop is not None:
            self.whole(struct, stype, struct.stop.start)

    def unknown(self, field: Field, stype: StructType) -> None:
        named = self.loose and field.name is not None
        place = stype.place(field.field_id)
        if named and field.name is not None:
            place = f"{stype.name}, {_short(field.name)}"
        words = f"is {field.ttype.name}, and the IDL has no such field"
        self.differ("unknown field", place, words, "no such field", field.span.start)

    def whole(self, struct: Struct, stype: StructType, stop: int) -> None:
        """Report what is wrong with a struct as a whole, after it was read to its end."""
        count = len(struct.fields)
        if stype.kind == "union" and count != 1:
            words = f"has {_counted(count)}, want one: it is a union"
            self.differ("union", stype.name, words, "a union has one field", stop)
        elif stype.kind == "result" and (count > 1 or not (count or stype.is_void)):
            wanted = _listed([one.name for one in stype.fields.values()])
            words = f"has {_counted(count)}, want one of {wanted}"
            if stype.is_void:
                words += " at most"
            self.differ("union", f"{stype.name}, reply", words, "a reply has one field", stop)
        for one in stype.fields.values():
            if one.required and not any(stype.field(field) is one for field in struct.fields):
                words = f"is missing, want the {one.declared} {one.name}"
                brief = f"{one.field_id} {one.name} is required"
                self.differ("missing", stype.place(one.field_id), words, brief, stop)

    def value(self, value: Value, known: Type, place: str, offset: int) -> None:
        """Compare a value; ``place`` and ``offset`` are those of its field or container element."""
        content = value.content
        if not self.fits(value, known):
            words = f"is {value.ttype.name}, and the IDL says {known}"
            self.differ("type", place, words, str(known), offset)
        elif isinstance(content, Struct):
            stype = self.structs.get(known.struct)
            if stype is not None:
                if self.give:
                    value.label = stype.name
                self.struct(content, stype)
        elif isinstance(content, Items):
            self.items(value, content, known, place)
        elif isinstance(content, Entries):
            self.entries(value, content, known, place)
        elif known.enum is not None and isinstance(content, int):
            self.enum(value, content, known.enum, place)

    def enum(self, value: Value, number: int, enum: EnumType, place: str) -> None:
        name = enum.values.get(number)
        if name is None:
            words = f"is {number}, and the enum {enum.name} has no such value"
            brief = f"{enum.name} has no {number}"
            self.differ("enum", place, words, brief, value.span.start)
        elif self.give:
            value.label = name

    def holds(self, content: Content, known: Type) -> bool:
        """Say whether a container holds what the IDL says, down to the structs in it.

        If not, its field may be another one, whose id was damaged or has changed.
        """
        key, element = known.key, known.element
        if element is None:
            return True
        if isinstance(content, Items) and known.ttype is not TType.MAP:
            if not self.loose and content.items and not _same(content.element_type, element):
                return False
            return all(
                self.fits(item, element) and self.holds(item.content, element)
                for item in content.items
            )
        if isinstance(content, Entries) and key is not None:
            return all(
                self.fits(one, key)
                and self.fits(other, element)
                and self.holds(one.content, key)
                and self.holds(other.content, element)
                for one, other in content.items
            )
        return True

    def items(self, value: Value, content: Items, known: Type, place: str) -> None:
        if known.ttype is TType.MAP:
            self.pairs(content, known, place)
            return
        element = known.element
        if element is None:
            return
        if not self.loose and not _same(content.element_type, element):
            self.elements_differ(value, content.element_type.name, known, place)
            return
        for item in content.items:
            self.value(item, element, place, item.span.start)

    def entries(self, value: Value, content: Entries, known: Type, place: str) -> None:
        key, element = known.key, known.element
        if key is None or element is None:
            return
        if not (_same(content.key_type, key) and _same(content.value_type, element)):
            types = f"{content.key_type.name} → {content.value_type.name}"
            self.elements_differ(value, types, known, place)
            return
        for one, other in content.items:
            self.value(one, key, place, one.span.start)
            self.value(other, element, place, other.span.start)

    def elements_differ(self, value: Value, types: str, known: Type, place: str) -> None:
        words = f"is {value.ttype.name} of {types}, and the IDL says {known}"
        self.differ("type", place, words, str(known), value.span.start)

    def pairs(self, content: Items, known: Type, place: str) -> None:
        """Compare a map as thriftpy2's JSON writes it: a list of structs with a key and a value."""
        for item in content.items:
            pair = item.content
            for field in pair.fields if isinstance(pair, Struct) else ():
                known_as = known.key if field.name == "key" else known.element
                if known_as is not None and field.name in ("key", "value"):
                    self.value(field.value, known_as, place, field.span.start)

    def fits(self, value: Value, known: Type) -> bool:
        """Say whether the wire may have this for such a type."""
        if value.ttype is known.ttype or not known.is_known:
            return True
        if not self.loose:
            return False
        wanted = known.ttype
        if value.ttype is TType.I64:
            return wanted in _WHOLE or wanted is TType.DOUBLE
        return value.ttype is TType.LIST and (wanted is TType.SET or wanted is TType.MAP)


_WHOLE: Final = (TType.I8, TType.I16, TType.I32, TType.I64)


def _same(on_wire: TType, known: Type) -> bool:
    """Say whether a container's head may say so; an empty one need not name a type."""
    return on_wire is known.ttype or on_wire is TType.STOP or not known.is_known


def _short(name: str) -> str:
    """Shorten a name from the wire, which may be of any length."""
    return name if len(name) <= _MOST_NAME else name[:_MOST_NAME] + "…"


def _counted(fields: int) -> str:
    return "no field" if not fields else f"{fields} fields"


def _listed(names: list[str]) -> str:
    if not names:
        return "nothing"
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(names[:_MOST_LISTED]) + more
