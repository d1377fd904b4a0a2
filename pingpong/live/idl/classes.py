"""thriftpy2's classes of a .thrift file: made to serve and call with, and read where they exist.

    load_idl("a.thrift")  ──▶ thriftpy2's module ──as_interface──▶ an Interface (thrift/names.py)

``meaning`` reads more files than thriftpy2 does, and knows more about them: a module cannot tell
``optional`` from no word at all, and has forgotten the names of typedefs.  So it is the grammar
that says what is wrong with a file, and thriftpy2 only where the grammar finds nothing wrong.

thriftpy2 keeps what it has parsed, and includes under their bare name: a second interface would
get the first one's ``shared.thrift``.  A type that is used before it is defined has a number
below 0, and in some places (``list<Later>`` as an argument) thriftpy2 never replaces it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Final

import thriftpy2
from thriftpy2.thrift import TType as Number

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

__all__ = ["as_interface", "load_idl"]

_Path = str | os.PathLike[str]


def load_idl(
    path: _Path, module_name: str | None = None, include: Sequence[_Path] = ()
) -> ModuleType:
    """thriftpy2's module of a .thrift file.

    ``module_name`` ends in "_thrift" and makes it importable; None leaves it anonymous.
    ``include`` lists folders where includes are also looked for.  A file that was loaded before
    is not read again.  Raises IdlError with the file, the place and the reason.
    """
    where = os.fspath(path)
    # thriftpy2 looks in the file's own folder too, and there first.
    folders: list[_Path] = [".", *include]
    try:
        # Without this, thriftpy2 would fetch a path that begins with "http://" from the network.
        with open(where, "rb"):
            pass
        return thriftpy2.load(where, module_name=module_name, include_dirs=folders)
    except OSError as error:
        at = where if error.filename is None else os.fspath(error.filename)
        reason = error.strerror or "cannot be read"
        raise IdlError(f"{at}: {reason}", "Is this its path?", path=at) from None
    except Exception as error:
        # Some mistakes are too much for its parser, which then fails in any way whatever.
        from .meaning import read

        notes = read(where, include).notes
        # One of them may be that an include was not found.
        said = notes[0] if notes else f"{type(error).__name__}: {error}"
        text = f"{where}: thriftpy2 cannot load it ({said})"
        remedy = "Its names can still be read with read_interface, or --idl"
        raise IdlError(text, remedy, path=where) from error


def as_interface(module: ModuleType) -> Interface:
    """thriftpy2's module as plain values.  Raises IdlError for a type that it never resolved."""
    return _ModuleReader(module).interface()


# ── thriftpy2's classes ──────────────────────────────────────────────────────────────

_BASE: Final = {
    Number.BOOL: "bool",
    Number.BYTE: "i8",
    Number.I16: "i16",
    Number.I32: "i32",
    Number.I64: "i64",
    Number.DOUBLE: "double",
    Number.STRING: "string",
    Number.BINARY: "binary",
}

_KINDS: Final = {"structs": "struct", "unions": "union", "exceptions": "exception"}


class _ModuleReader:
    """Reads a module and its includes."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.path = _file(module)
        self.names: dict[int, str] = {}  # of classes, by their identity
        self.kinds: dict[int, str] = {}
        self.classes: list[Any] = []
        self.enums: dict[int, EnumType] = {}
        self.taken: dict[str, str] = {}  # name -> the file that it belongs to
        self.seen: set[int] = set()
        self.modules: list[ModuleType] = []
        self.collect(module)

    def collect(self, module: ModuleType) -> None:
        """Name everything that a module and its includes define."""
        if id(module) in self.seen:
            return
        self.seen.add(id(module))
        self.modules.append(module)
        prefix = "" if module is self.module else f"{module.__name__}."
        for what in (*_KINDS, "enums", "services"):
            for cls in _meta(module, what):
                self.names[id(cls)] = name = self.unique(prefix + cls.__name__, module)
                if what == "enums":
                    values = dict(sorted(cls._VALUES_TO_NAMES.items()))
                    self.enums[id(cls)] = EnumType(name, values)
                elif what in _KINDS:
                    self.kinds[id(cls)] = _KINDS[what]
                    self.classes.append(cls)
        for included in _meta(module, "includes"):
            self.collect(included)

    def unique(self, name: str, module: ModuleType) -> str:
        """The name, after its file's path if an include of that name elsewhere has it already.

        The same file by two paths counts as one.
        """
        path = os.path.realpath(_file(module))
        if self.taken.setdefault(name, path) == path:
            return name
        folder = os.path.relpath(os.path.dirname(path), os.path.dirname(self.path) or ".")
        return self.unique(f"{folder}/{name}", module)

    def interface(self) -> Interface:
        structs = {}
        for cls in self.classes:
            name = self.names[id(cls)]
            structs[name] = StructType(name, self.kinds[id(cls)], self.fields(cls, name))
        own = _meta(self.module, "services")
        others = [one for module in self.modules[1:] for one in _meta(module, "services")]
        enums = {enum.name: enum for enum in self.enums.values()}
        return Interface(
            os.path.basename(self.path) or self.module.__name__,
            [self.service(cls) for cls in own or others],
            structs.values(),
            enums.values(),
            [self.service(cls) for cls in others] if own else (),
        )

    def service(self, cls: Any) -> Service:
        name = self.names[id(cls)]
        parents = [base for base in cls.__mro__ if id(base) in self.names]
        extends = self.names[id(parents[1])] if len(parents) > 1 else ""
        methods = []
        for method in dict.fromkeys(cls.thrift_services):
            owner = next(one for one in parents if f"{method}_args" in vars(one))
            methods.append(self.method(owner, method))
        return Service(name, extends, methods)

    def method(self, owner: Any, method: str) -> MethodType:
        service = self.names[id(owner)]
        arguments, result = getattr(owner, f"{method}_args"), getattr(owner, f"{method}_result")
        name = f"{service}.{method}"
        line = getattr(owner, "__thrift_function_linenos__", {}).get(method)
        returned = self.fields(result, name, owner, line)
        return MethodType(
            service,
            method,
            bool(result.oneway),
            StructType(name, "arguments", self.fields(arguments, name, owner, line)),
            StructType(name, "result", returned, is_void=0 not in result.thrift_spec),
        )

    def fields(
        self, cls: Any, place: str, owner: Any = None, line: int | None = None
    ) -> list[FieldType]:
        """The fields of a struct as declared; of a result, the returned value first.

        ``owner`` and ``line`` belong to the method whose arguments or result this is.
        """
        defaults = dict(cls.default_spec or ())
        lines = getattr(cls, "__thrift_field_linenos__", {})
        fields = []
        for field_id, spec in sorted(cls.thrift_spec.items(), key=lambda item: item[0] != 0):
            number, name, required = spec[0], spec[1], spec[-1]
            inner = spec[2] if len(spec) == 4 else None
            try:
                known = self.type(number, inner)
            except _Unknown:
                at = lines.get(name) or line
                path = getattr(owner or cls, "__thrift_file__", None) or self.path
                said = "has a name that is not known there"
                text = f"{_at(path, at)}: the type of {name} in {place} {said}"
                remedy = "Is it defined, and above this?"
                raise IdlError(text, remedy, path=path, line=at) from None
            default = defaults.get(name)
            text = "" if default is None else _written(default, known)
            fields.append(FieldType(field_id, name, known, bool(required), text))
        return fields

    def type(self, number: Any, inner: Any = None) -> Type:
        """A type, from thriftpy2's number for it and what thriftpy2 keeps beside that."""
        if isinstance(number, tuple):
            return self.type(*number)
        if number == Number.STRUCT and id(inner) in self.names:
            name = self.names[id(inner)]
            return Type(TType.STRUCT, name, struct=name)
        if number == Number.I32 and id(inner) in self.enums:
            enum = self.enums[id(inner)]
            return Type(TType.I32, enum.name, enum=enum)
        if number in (Number.LIST, Number.SET) and inner is not None:
            element = self.type(inner)
            ttype, word = (TType.LIST, "list") if number == Number.LIST else (TType.SET, "set")
            return Type(ttype, f"{word}<{element.name}>", element=element)
        if number == Number.MAP and isinstance(inner, tuple) and len(inner) == 2:
            key, element = self.type(inner[0]), self.type(inner[1])
            return Type(TType.MAP, f"map<{key.name},{element.name}>", key=key, element=element)
        if isinstance(number, int) and number in _BASE:
            return BASE_TYPES[_BASE[number]]
        raise _Unknown


class _Unknown(Exception):
    """A type that was used before it was defined."""


def _meta(module: ModuleType, what: str) -> list[Any]:
    return list(getattr(module, "__thrift_meta__", {}).get(what, ()))


def _file(module: ModuleType) -> str:
    return getattr(module, "__thrift_file__", None) or ""


def _written(value: Any, known: Type) -> str:
    """A default, as the IDL would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if known.enum is not None and value in known.enum.values:
        return f"{known.enum.name}.{known.enum.values[value]}"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(value, (list, set)) and known.element is not None:
        items = sorted(value, key=repr) if isinstance(value, set) else value
        return f"[{', '.join(_written(item, known.element) for item in items)}]"
    if isinstance(value, dict) and known.key is not None and known.element is not None:
        pairs = (
            f"{_written(key, known.key)}: {_written(item, known.element)}"
            for key, item in value.items()
        )
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, (int, float)):
        return str(value)
    return "{…}"


def _at(path: str, line: int | None) -> str:
    return path if line is None else f"{path}:{line}"
