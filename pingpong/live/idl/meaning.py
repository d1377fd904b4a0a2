"""What the nodes of a .thrift file and of its includes mean: an Interface.

    files ──▶ definitions by name ──▶ typedefs ──▶ structs, enums, services ──▶ Interface
                                          └──────▶ constants, to write defaults

Each name is resolved once and then shared, and references are followed with a list instead of
recursion.  So the work grows only as the files do, however definitions build on each other:
twenty typedefs can stand for a type with a million parts, and a thousand services can extend
each other.

Apache's compiler says what is right, but more is accepted, because the aim is to read a capture: a
file that is missing costs the names in it and no others, and a constant that makes no sense costs
only itself.  What was left out on the way is said in notes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeAlias, TypeVar

from pingpong.errors import IdlError
from pingpong.model import TType
from pingpong.protocols.families.thrift.names import (
    BASE_TYPES,
    EnumType,
    FieldType,
    Interface,
    MethodType,
    Service,
    StructType,
    Type,
)

from .grammar import (
    BASE_WORDS,
    LARGEST,
    Constant,
    Container,
    Definition,
    EnumNode,
    FieldNode,
    FunctionNode,
    Include,
    Literal,
    Nested,
    Pairs,
    Ref,
    ServiceNode,
    StructNode,
    Typedef,
    TypeNode,
    ValueNode,
    Word,
    odd_escape,
    parse,
    wrong,
)

__all__ = ["read"]

_Path = str | os.PathLike[str]

# A type's name is written with its typedefs replaced if it is no longer than this, else with
# their names.
_LONG_NAME: Final = 200

# How much of a default is shown, and what stands for the rest.
_MOST_DEFAULT: Final = 200
_MORE: Final = "…"

# How far up to look for an include: fbthrift's includes start at the root of a repository.
_MOST_UP: Final = 12

_MOST_NOTES: Final = 50

# Words that older compilers do not know, so that files have used them for types of their own.
_MAY_BE_DEFINED: Final = ("uuid", "slist")
# fbthrift's: it has its own number on the wire, unknown to all readers here.
_WITHOUT_ENCODING: Final = ("float",)
# … and two that are Apache's under another name.
_HASHED: Final = {"hash_map": "map", "hash_set": "set"}
_STREAMS: Final = ("stream", "sink")

_SKIPPED: Final = {"@": "structured annotations (@)"}

_WHOLE: Final = (TType.BOOL, TType.I8, TType.I16, TType.I32, TType.I64)
_UNKNOWN: Final = Type(TType.STOP, "")


def read(path: _Path, include: Sequence[_Path] = ()) -> Interface:
    """What a .thrift file and its includes say.  Raises IdlError."""
    where = os.fspath(path)
    folders = [os.fspath(one) for one in include]
    return _InterfaceMaker(_Files(where, folders)).interface()


# ── Files ────────────────────────────────────────────────────────────────────────────


class _File:
    """One file: what it defines, by kind and name, and what it includes."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.real = os.path.realpath(path)
        # The name of "a.b.thrift" is "a.b".
        self.name = os.path.splitext(os.path.basename(path))[0]
        nodes = parse(path, data)
        self.nodes = nodes
        self.types: dict[str, Definition] = {}  # and services
        self.constants: dict[str, Constant] = {}
        # By prefix, the last one first; None: the file is missing.
        self.includes: dict[str, list[_File | None]] = {}
        for one in nodes.definitions:
            if "." in one.name.text:
                raise wrong(path, one.name, f"found {one.name.text}, want a name without a dot")
            there: dict[str, Definition] = self.types
            if isinstance(one, Constant):
                there = self.constants  # type: ignore[assignment]
            first = there.setdefault(one.name.text, one)
            if first is not one:
                text = f"there is a second {one.name.text}; the first is in line {first.name.line}"
                raise wrong(path, one.name, text)

    def add(self, include: Include, other: _File | None) -> None:
        path = include.path.value
        name = os.path.splitext(os.path.basename(path))[0]
        prefix = include.prefix.text if include.prefix is not None else name
        self.includes.setdefault(prefix, []).insert(0, other)


class _Files:
    """A file and everything that it includes, in the order in which they are met.

    ``notes`` says which files are missing.
    """

    def __init__(self, path: str, folders: list[str]) -> None:
        self.folders = folders
        self.notes: list[str] = []
        self.by_path: dict[str, _File] = {}
        self.all: list[_File] = []
        self.root = self.load(path)
        waiting = [self.root]
        while waiting:
            file = waiting.pop()
            self.all.append(file)
            waiting.extend(reversed(self.included(file)))

    def load(self, path: str) -> _File:
        try:
            with open(path, "rb") as opened:
                data = opened.read(LARGEST + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "cannot be read"
            raise IdlError(f"{path}: {reason}", "Is this its path?", path=path) from None
        if len(data) > LARGEST:
            raise wrong(path, None, f"is larger than {LARGEST} bytes, want a .thrift file")
        file = _File(path, data)
        self.by_path[file.real] = file
        return file

    def included(self, file: _File) -> list[_File]:
        """Those of its includes that were not met before."""
        found = []
        for include in file.nodes.includes:
            path = self.find(include.path.value, os.path.dirname(file.path))
            if path is None:
                word = include.path.word
                where = f"{file.path}:{word.line}:{word.column}"
                said = f"the included file {include.path.value} is not there"
                self.notes.append(f"{where}: {said}, so the types in it are not known")
                file.add(include, None)
                continue
            other = self.by_path.get(os.path.realpath(path))
            if other is None:
                other = self.load(path)
                found.append(other)
            file.add(include, other)
        return found

    def find(self, path: str, folder: str) -> str | None:
        """Where an included file is; None if it is nowhere.

        It is looked for beside its includer, in the folders that were named and, if it has a folder
        before its name, relative to the folders above its includer.
        """
        folders = [folder, ".", *self.folders]
        if "/" in path and not os.path.isabs(path):
            above = os.path.abspath(folder)
            for _ in range(_MOST_UP):
                above = os.path.dirname(above)
                folders.append(above)
        for one in folders:
            try:
                if os.path.isfile(os.path.join(one, path)):
                    return os.path.join(one, path)
            except ValueError:  # the path has a NUL in it
                return None
        return None


# ── Names ────────────────────────────────────────────────────────────────────────────

_Key: TypeAlias = "tuple[int, str]"  # of a definition: its file's identity, its name


class _InterfaceMaker:
    """Makes an Interface out of files."""

    def __init__(self, files: _Files) -> None:
        self.files = files
        self.root = files.root
        self.notes = files.notes
        self.names: dict[_Key, str] = {}
        self.taken: dict[str, str] = {}  # name -> the file that it belongs to
        self.known: dict[_Key, Type] = {}
        self.by_name: dict[str, tuple[_File, StructNode]] = {}
        self.field_nodes: dict[str, dict[str, FieldNode]] = {}
        self.enum_names: dict[str, dict[str, int]] = {}
        # Constants, by their identity and the type that they are wanted as.
        self.checked: set[tuple[int, str]] = set()
        self.ends: dict[tuple[int, str], tuple[_File, ValueNode]] = {}
        self.services: dict[_Key, Service] = {}
        self.odd_numbers: dict[str, Word] = {}

    def interface(self) -> Interface:
        for file in self.files.all:
            self.name_all(file)
        for file in self.files.all:
            for one in file.nodes.definitions:
                if isinstance(one, Typedef):
                    self.settle(file, Ref(one.name))
        for file in self.files.all:
            for constant in file.constants.values():
                if constant.type is not None:
                    known = self.type(file, constant.type)
                    self.is_right(file, constant.value, known, constant.name)
        structs: list[StructType] = []
        enums: list[EnumType] = []
        services: list[tuple[_File, Service]] = []
        for file in self.files.all:
            for kind in ("struct", "union", "exception"):
                structs.extend(self.structs(file, kind))
            for one in file.nodes.definitions:
                if isinstance(one, EnumNode):
                    enum = self.known[id(file), one.name.text].enum
                    if enum is not None:
                        enums.append(enum)
                elif isinstance(one, ServiceNode) and one.word.text == "service":
                    services.append((file, self.service(file, one)))
        self.say_what_was_skipped()
        self.say_odd_numbers()
        own = [service for file, service in services if file is self.root]
        others = [service for file, service in services if file is not self.root]
        notes = self.notes
        if len(notes) > _MOST_NOTES:
            notes = [*notes[:_MOST_NOTES], f"{_MORE} and {len(notes) - _MOST_NOTES} notes more"]
        return Interface(
            os.path.basename(self.root.path),
            own or others,
            structs,
            enums,
            others if own else (),
            notes,
        )

    def name_all(self, file: _File) -> None:
        """Give everything that a file defines its name in the interface."""
        prefix = "" if file is self.root else f"{file.name}."
        for one in file.nodes.definitions:
            if isinstance(one, Constant):
                continue
            key = (id(file), one.name.text)
            self.names[key] = name = self.unique(prefix + one.name.text, file)
            if isinstance(one, StructNode):
                self.by_name[name] = (file, one)
                self.known[key] = Type(TType.STRUCT, name, struct=name)
            elif isinstance(one, EnumNode):
                self.known[key] = self.enum(file, one, name)
            elif isinstance(one, ServiceNode) and one.word.text != "service":
                self.known[key] = Type(TType.STOP, name)

    def unique(self, name: str, file: _File) -> str:
        """The name, after its file's path if an include of that name elsewhere has it already."""
        folder = ""
        while self.taken.setdefault(folder + name, file.real) != file.real:
            top = os.path.dirname(self.root.real)
            folder += os.path.relpath(os.path.dirname(file.real), top) + "/"
        return folder + name

    def say_what_was_skipped(self) -> None:
        for file in self.files.all:
            counts: dict[str, int] = {}
            for word in file.nodes.skipped:
                counts[word.text] = counts.get(word.text, 0) + 1
            if not counts:
                continue
            first = file.nodes.skipped[0]
            said = [
                f"{_SKIPPED.get(text, text)}{f' ({count} times)' if count > 1 else ''}"
                for text, count in counts.items()
            ]
            where = f"{file.path}:{first.line}:{first.column}"
            self.notes.append(f"{where}: skipped what only fbthrift knows: {', '.join(said)}")

    def say_odd_numbers(self) -> None:
        for path, word in self.odd_numbers.items():
            said = f"the field number {word.text} is not above 0: Apache's compiler counts such"
            where = f"{path}:{word.line}:{word.column}"
            self.notes.append(f"{where}: {said} fields -1, -2, … (but with --allow-neg-keys)")

    # ── Types ────────────────────────────────────────────────────────────────────────

    def look_up(self, file: _File, name: str) -> tuple[_File, Definition] | None:
        """What the name of a type or a service means in a file."""
        return _found(file, name, lambda one: one.types)

    def defined(self, file: _File, word: Word) -> tuple[_File, Definition] | None:
        """What a type's name means; None for one of Thrift's own, or if that cannot be known.

        Raises IdlError if there is no such type.
        """
        name = word.text
        if name in BASE_WORDS and not (name in _MAY_BE_DEFINED and name in file.types):
            return None
        try:
            found = self.look_up(file, name)
        except _Missing:
            return None
        if found is not None:
            if isinstance(found[1], ServiceNode) and found[1].word.text == "service":
                raise wrong(file.path, word, f"found the service {name}, want a type")
            return found
        if name in _WITHOUT_ENCODING:
            return None
        raise wrong(file.path, word, f"no type is called {name}", self.almost(file, name))

    def almost(self, file: _File, name: str) -> str:
        """A question about what may have been meant: the same name in an include."""
        last = name.rpartition(".")[2]
        for prefix, others in file.includes.items():
            for other in others:
                if other is not None and last in other.types:
                    return f"Is it {prefix}.{last}?"
        return ""

    def settle(self, file: _File, node: TypeNode) -> None:
        """Find the types of all typedefs that a type refers to, at any remove."""
        open_keys: set[_Key] = set()
        waiting = [(one, False) for one in self.typedefs(file, node)]
        while waiting:
            (where, typedef), entered = waiting.pop()
            key = (id(where), typedef.name.text)
            if key in self.known:
                continue
            if entered:
                open_keys.discard(key)
                self.known[key] = self.made(where, typedef.type).called(self.names[key])
                continue
            if key in open_keys:
                text = f"the typedef {typedef.name.text} stands for itself"
                raise wrong(where.path, typedef.name, text)
            open_keys.add(key)
            waiting.append(((where, typedef), True))
            waiting.extend((one, False) for one in self.typedefs(where, typedef.type))

    def typedefs(self, file: _File, node: TypeNode) -> Iterator[tuple[_File, Typedef]]:
        """The typedefs that a type names and that are not known yet."""
        nodes = [node]
        while nodes:
            one = nodes.pop()
            if isinstance(one, Container):
                nodes.append(one.element)
                if one.key is not None:
                    nodes.append(one.key)
                continue
            found = self.defined(file, one.name)
            if found is None or not isinstance(found[1], Typedef):
                continue
            if (id(found[0]), found[1].name.text) not in self.known:
                yield found[0], found[1]

    def type(self, file: _File, node: TypeNode) -> Type:
        self.settle(file, node)
        return self.made(file, node)

    def made(self, file: _File, node: TypeNode) -> Type:
        """A type whose typedefs are known.  Recurses no deeper than the grammar allows."""
        if isinstance(node, Ref):
            found = self.defined(file, node.name)
            if found is not None:
                return self.known[id(found[0]), found[1].name.text]
            base = BASE_WORDS.get(node.name.text)
            return Type(TType.STOP, node.name.text) if base is None else BASE_TYPES[base]
        word = _HASHED.get(node.word.text, node.word.text)
        element = self.made(file, node.element)
        key = None if node.key is None else self.made(file, node.key)
        inside = _inside(word, [element] if key is None else [key, element])
        if word == "map" and key is not None:
            return Type(TType.MAP, inside, key=key, element=element)
        if word in ("list", "set") and key is None:
            ttype = TType.LIST if word == "list" else TType.SET
            return Type(ttype, inside, element=element)
        if word in _STREAMS:
            return Type(TType.STOP, inside)
        raise wrong(file.path, node.word, f"no type is called {word}<…>, want list, set or map")

    def enum(self, file: _File, node: EnumNode, name: str) -> Type:
        if node.word == "senum":
            return BASE_TYPES["string"].called(name)
        values: dict[int, str] = {}
        names: dict[str, int] = {}
        number = -1
        for word, literal in node.values:
            number = number + 1 if literal is None else literal.value
            if not -(1 << 31) <= number < 1 << 31:
                at = word if literal is None else literal.word
                raise wrong(file.path, at, f"{word.text} is {number}, want a number of 32 bits")
            if word.text in names:
                raise wrong(file.path, word, f"there is a second {word.text} in {node.name.text}")
            names[word.text] = number
            values.setdefault(number, word.text)
        enum = EnumType(name, dict(sorted(values.items())))
        self.enum_names[name] = names
        return Type(TType.I32, name, enum=enum)

    # ── Structs and services ─────────────────────────────────────────────────────────

    def structs(self, file: _File, kind: str) -> Iterator[StructType]:
        for one in file.nodes.definitions:
            if isinstance(one, StructNode) and one.kind == kind:
                name = self.names[id(file), one.name.text]
                yield StructType(name, kind, self.fields(file, one.fields, kind))

    def fields(self, file: _File, nodes: Iterable[FieldNode], kind: str) -> list[FieldType]:
        fields: list[FieldType] = []
        numbers: dict[int, Word] = {}
        names: dict[str, Word] = {}
        # thrifty.yy, FieldIdentifier: a field without a number above 0 gets the next one below 0.
        below = -1
        for node in nodes:
            number = 0 if node.number is None else node.number.value
            if number <= 0:
                if node.number is not None and number != below:
                    self.odd_numbers.setdefault(file.path, node.number.word)
                number = below
                below -= 1
            at = node.name if node.number is None else node.number.word
            first = numbers.setdefault(number, at)
            if first is not at:
                text = f"a second field has the number {number}; the first is in line {first.line}"
                raise wrong(file.path, at, text)
            first = names.setdefault(node.name.text, node.name)
            if first is not node.name:
                text = f"a second field is called {first.text}; the first is in line {first.line}"
                raise wrong(file.path, node.name, text)
            known = self.type(file, node.type)
            default = ""
            if node.default is not None:
                default = _said(node.default)
                if self.is_right(file, node.default, known, node.name):
                    default = _Writer(self).written(file, node.default, known)
            # thrifty.yy ignores "optional" in arguments, t_struct.h "required" in unions.
            required = node.requirement == "required" and kind != "union"
            optional = node.requirement == "optional" and kind not in ("arguments", "result")
            fields.append(FieldType(number, node.name.text, known, required, default, optional))
        return fields

    def service(self, file: _File, node: ServiceNode) -> Service:
        """A service, after those that it extends."""
        chain: list[tuple[_File, ServiceNode]] = []
        seen: set[_Key] = set()
        parent: Service | None = None
        lacks = ""
        while True:
            key = (id(file), node.name.text)
            parent = self.services.get(key)
            if parent is not None:
                lacks = parent.lacks
                break
            if key in seen:
                raise wrong(file.path, node.name, f"the service {node.name.text} extends itself")
            seen.add(key)
            chain.append((file, node))
            if node.extends is None:
                break
            try:
                found = self.look_up(file, node.extends.text)
            except _Missing:
                lacks = node.extends.text
                break
            if found is None or not isinstance(found[1], ServiceNode):
                text = f"no service is called {node.extends.text}, which {node.name.text} extends"
                raise wrong(file.path, node.extends, text)
            file, node = found[0], found[1]
        for where, one in reversed(chain):
            key = (id(where), one.name.text)
            name = self.names[key]
            extends = parent.name if parent is not None else lacks
            methods = self.methods(where, one, name)
            parent = Service(name, extends, methods, parent, lacks)
            self.services[key] = parent
        assert parent is not None
        return parent

    def methods(self, file: _File, node: ServiceNode, service: str) -> list[MethodType]:
        seen: dict[str, Word] = {}
        for one in node.functions:
            first = seen.setdefault(one.name.text, one.name)
            if first is not one.name:
                text = f"service {node.name.text} has a second method {first.text}"
                raise wrong(file.path, one.name, f"{text}; the first is in line {first.line}")
        return [self.method(file, one, service) for one in node.functions]

    def method(self, file: _File, node: FunctionNode, service: str) -> MethodType:
        name = f"{service}.{node.name.text}"
        result = self.fields(file, node.throws, "result")
        returned = node.returned.type
        if returned is not None:
            result.insert(0, FieldType(0, "success", self.type(file, returned)))
        for streamed in node.returned.streams:
            self.type(file, streamed)
        arguments = self.fields(file, node.arguments, "arguments")
        return MethodType(
            service,
            node.name.text,
            node.oneway,
            StructType(name, "arguments", arguments),
            StructType(name, "result", result, is_void=returned is None),
        )

    # ── Constants ────────────────────────────────────────────────────────────────────

    def meant(self, file: _File, literal: Literal, known: Type) -> _Meant:
        """What a name means as a value of that type.

        It may be a number, an enum's value as it is written, or a constant and its file; None if
        its include is missing.  Raises IdlError if there is no such name.
        """
        name = literal.word.text
        prefix, _, last = name.rpartition(".")
        if name in _BOOLS:
            return _BOOLS[name]
        if known.enum is not None and last in self.enum_names.get(known.enum.name, ()):
            return f"{known.enum.name}.{last}"
        try:
            constant = _found(file, name, lambda one: one.constants)
            if constant is not None:
                return constant
            found = self.look_up(file, prefix) if prefix else None
        except _Missing:
            return None
        if found is not None and isinstance(found[1], EnumNode):
            names = self.enum_names.get(self.names[id(found[0]), found[1].name.text], {})
            if last in names:
                return names[last]
        raise wrong(file.path, literal.word, f"no constant is called {name}")

    def is_right(self, file: _File, value: ValueNode, known: Type, name: Word) -> bool:
        """Whether a value is of that type.  If not, a note says so: no capture depends on it."""
        try:
            self.check(file, value, known, name)
        except IdlError as error:
            self.notes.append(f"{error}")
            return False
        return True

    def check(self, file: _File, value: ValueNode, known: Type, name: Word) -> None:
        """Raise IdlError if a value is not of that type (main.cc, validate_const_rec).

        ``name`` is the name of what has the value.
        """
        waiting = [(file, value, known)]
        while waiting:
            file, value, known = waiting.pop()
            if not known.is_known:
                continue
            found: object = value
            if isinstance(value, Literal):
                if value.kind == "string":
                    odd = odd_escape(value.word.text)
                    if odd:
                        text = f"a string has {odd} in it, want one of {_ESCAPES}"
                        raise wrong(file.path, value.word, text)
                found = value.value
                if value.kind == "name":
                    meant = self.meant(file, value, known)
                    if meant is None or isinstance(meant, str):
                        continue
                    if not isinstance(meant, int):
                        where, constant = meant
                        key = (id(constant), known.name)
                        if key not in self.checked:
                            self.checked.add(key)
                            waiting.append((where, constant.value, known))
                        continue
                    found = meant
            if isinstance(found, int) and not -(1 << 63) <= found < 1 << 63:
                text = f"{name.text} is {_said(value)}, want a number that fits into an i64"
                raise wrong(file.path, value.word, text)
            if not self.fits(found, known):
                text = f"{name.text} is {_said(value)}, want {known}"
                if known.enum is not None and isinstance(found, int):
                    text = (
                        f"{name.text} is {found}, and the enum {known.enum.name} has no such value"
                    )
                raise wrong(file.path, value.word, text)
            waiting.extend(self.parts(file, value, known))

    def fits(self, found: object, known: Type) -> bool:
        """Whether that is a value of the type, without looking at what is inside it."""
        ttype = known.ttype
        if known.enum is not None:
            return isinstance(found, int) and found in known.enum.values
        if ttype in _WHOLE:
            return isinstance(found, int)
        if ttype is TType.DOUBLE:
            return isinstance(found, (int, float))
        if ttype in (TType.STRING, TType.UUID):
            return isinstance(found, str)
        if isinstance(found, (Nested, Pairs)) and not found.items:
            return True
        return isinstance(found, Nested if ttype in (TType.LIST, TType.SET) else Pairs)

    def parts(
        self, file: _File, value: ValueNode, known: Type
    ) -> Iterator[tuple[_File, ValueNode, Type]]:
        """What is inside a value, each part with the type that it should have."""
        if isinstance(value, Nested) and known.element is not None:
            for item in value.items:
                yield file, item, known.element
        elif isinstance(value, Pairs) and known.struct:
            where, node = self.by_name[known.struct]
            nodes = self.field_nodes.setdefault(known.struct, {})
            if not nodes:
                nodes.update((one.name.text, one) for one in node.fields)
            for key, item in value.items:
                word = key.word.text if isinstance(key, Literal) else ""
                field = nodes.get(str(key.value)) if isinstance(key, Literal) else None
                if field is None:
                    text = f"the {node.kind} {known.struct} has no field {word or _said(key)}"
                    raise wrong(file.path, key.word, text)
                yield file, item, self.type(where, field.type)
        elif isinstance(value, Pairs) and known.key is not None and known.element is not None:
            for key, item in value.items:
                yield file, key, known.key
                yield file, item, known.element


_Meant: TypeAlias = "int | str | tuple[_File, Constant] | None"

_BOOLS: Final = {"true": 1, "false": 0}
_ESCAPES: Final = r"\n \r \t \" \' \\ \xFF \uFFFF"


class _Missing(Exception):
    """A name may be defined in a file that is missing."""


_Kind = TypeVar("_Kind")


def _found(
    file: _File, name: str, table: Callable[[_File], dict[str, _Kind]]
) -> tuple[_File, _Kind] | None:
    """What a name means in a file, and where that is defined; None if nothing has that name.

    Raises _Missing if a missing file might define it.
    """
    prefix, _, last = name.rpartition(".")
    if not prefix:
        return (file, table(file)[name]) if name in table(file) else None
    missing = False
    for other in file.includes.get(prefix, ()):
        if other is None:
            missing = True
        elif last in table(other):
            return other, table(other)[last]
    if prefix == file.name and last in table(file):
        return file, table(file)[last]
    if missing:
        raise _Missing
    return None


def _inside(word: str, inner: list[Type]) -> str:
    """A container's name."""
    text = f"{word}<{','.join(one.name for one in inner)}>"
    if len(text) <= _LONG_NAME:
        return text
    return f"{word}<{','.join(one.typedef or one.name for one in inner)}>"


def _said(value: ValueNode) -> str:
    """A value, as an error shows it."""
    if isinstance(value, Nested):
        return "a list"
    if isinstance(value, Pairs):
        return "a map"
    text = value.word.text
    return text if len(text) <= 40 else text[:40] + _MORE


class _Writer:
    """Writes a default as the IDL would, with constants replaced by their values.

    It is cut off where it gets long, because constants can make it as long as they like.
    """

    def __init__(self, reader: _InterfaceMaker) -> None:
        self.reader = reader
        self.room = _MOST_DEFAULT

    def written(self, file: _File, value: ValueNode, known: Type) -> str:
        """A value that ``check`` has found right."""
        text = "".join(self.parts(file, value, known))
        return text if len(text) <= _MOST_DEFAULT else text[:_MOST_DEFAULT] + _MORE

    def take(self, text: str) -> str:
        self.room -= len(text)
        return text

    def parts(self, file: _File, value: ValueNode, known: Type) -> Iterator[str]:
        # Each level of depth takes room, so that the room bounds the depth.
        if self.room <= 0:
            return
        if isinstance(value, Literal):
            if value.kind != "name":
                yield self.take(_literal(value.value, known))
                return
            file, value = self.followed(file, value, known)
            if isinstance(value, Literal) and value.kind == "name":
                meant = self.reader.meant(file, value, known) if known.is_known else None
                if isinstance(meant, int):
                    yield self.take(_literal(meant, known))
                else:
                    yield self.take(meant if isinstance(meant, str) else value.word.text)
                return
            yield from self.parts(file, value, known)
        elif isinstance(value, Nested):
            element = known.element or _UNKNOWN
            yield self.take("[")
            for at, item in enumerate(value.items):
                if self.room <= 0:
                    break
                yield self.take(", " if at else "")
                yield from self.parts(file, item, element)
            yield "]"
        else:
            if not value.items and known.ttype in (TType.LIST, TType.SET):
                yield "[]"
                return
            yield self.take("{")
            for at, (key, item) in enumerate(value.items):
                if self.room <= 0:
                    break
                yield self.take(", " if at else "")
                yield from self.parts(file, key, known.key or _UNKNOWN)
                yield self.take(": ")
                yield from self.parts(file, item, known.element or self.field(known, key))
            yield "}"

    def followed(self, file: _File, value: ValueNode, known: Type) -> tuple[_File, ValueNode]:
        """What a name stands for: a value that is no longer the name of a constant.

        For a constant that stands for itself, it is that name.
        """
        ends = self.reader.ends
        passed: set[tuple[int, str]] = set()
        while isinstance(value, Literal) and value.kind == "name" and known.is_known:
            meant = self.reader.meant(file, value, known)
            if not isinstance(meant, tuple):
                break
            key = (id(meant[1]), known.name)
            if key in passed:
                break
            passed.add(key)
            file, value = ends.get(key, (meant[0], meant[1].value))
        for key in passed:
            ends[key] = (file, value)
        return file, value

    def field(self, known: Type, key: ValueNode) -> Type:
        """The type of a struct's field; _UNKNOWN if there is no such field."""
        if not known.struct or not isinstance(key, Literal):
            return _UNKNOWN
        where, _ = self.reader.by_name[known.struct]
        node = self.reader.field_nodes.get(known.struct, {}).get(str(key.value))
        return _UNKNOWN if node is None else self.reader.type(where, node.type)


def _literal(value: object, known: Type) -> str:
    if known.ttype is TType.BOOL and isinstance(value, int):
        return "true" if value else "false"
    if known.enum is not None and isinstance(value, int) and value in known.enum.values:
        return f"{known.enum.name}.{known.enum.values[value]}"
    if isinstance(value, str):
        short = value[: _MOST_DEFAULT + 1]
        return '"' + short.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return str(value)
