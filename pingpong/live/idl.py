"""A .thrift file, through thriftpy2's parser: for thriftpy2, and as plain values.

    load_idl("a.thrift")        ──▶ thriftpy2's module, to serve and to call with
    read_interface("a.thrift")  ──▶ thrift.names.Interface, to read captures with

What is wrong with a file becomes one sentence with the file, the line and the reason.
thriftpy2 knows the line of most mistakes and the file of few, so the rest is looked up in the
text: ``_Files`` reads the file and its includes again, without their comments.

thriftpy2 keeps what it has parsed, includes under their bare name: a second interface would get
the first one's ``shared.thrift``.  ``read_interface`` parses with an empty memory, and leaves
thriftpy2's own as it was.  A type that is used before it is defined has a number below 0, and in
some places thriftpy2 leaves it at that (``list<Later>`` as an argument): it is looked up here.
thriftpy2 does not tell ``optional`` from neither, and forgets the names of typedefs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

import thriftpy2
from thriftpy2.parser import parser as thriftpy2_parser
from thriftpy2.parser.exc import ThriftParserError
from thriftpy2.thrift import TType as Number

from pingpong.errors import IdlError
from pingpong.model import TType
from pingpong.thrift.names import (
    BASE_TYPES,
    EnumType,
    FieldType,
    Interface,
    MethodType,
    Service,
    StructType,
    Type,
)

__all__ = ["as_interface", "load_idl", "read_interface"]

_Path = str | os.PathLike[str]

# Types that thriftpy2 had not seen when they were used: name and line, by its number of them.
_Later = dict[int, tuple[str, int]]


def load_idl(
    path: _Path, module_name: str | None = None, include: Sequence[_Path] = ()
) -> ModuleType:
    """thriftpy2's module of a .thrift file.

    ``module_name`` ends in "_thrift" and makes it importable; None leaves it anonymous.
    ``include`` are folders where includes are looked for too.  A file that was loaded before is
    not read again.  Raises IdlError with the file, the line and the reason.
    """
    where = os.fspath(path)
    # Among them the file's own folder, which thriftpy2 looks into first.
    folders: list[_Path] = [".", *include]
    try:
        # Without this, thriftpy2 would fetch "http://…" from there.
        with open(where, "rb"):
            pass
        return thriftpy2.load(where, module_name=module_name, include_dirs=folders)
    except OSError as error:
        at = where if error.filename is None else os.fspath(error.filename)
        raise IdlError(f"{at}: {error.strerror or 'cannot be read'}", "Is this its path?") from None
    except UnicodeDecodeError as error:
        raise IdlError(f"{where}: is not UTF-8 at byte {error.start}") from None
    except ThriftParserError as error:
        raise _Files(where, [os.fspath(one) for one in folders]).explained(str(error)) from error
    except Exception as error:
        # Some mistakes are too much for its parser: it then fails in any way at all.
        name = type(error).__name__
        raise IdlError(f"{where}: thriftpy2 cannot make sense of it ({name}: {error})") from error


def read_interface(path: _Path, include: Sequence[_Path] = ()) -> Interface:
    """What a .thrift file says: services, methods, structs, enums, and those of its includes.

    ``include`` are folders where includes are looked for, besides the file's own.  The file is
    read anew each time.  Raises IdlError with the file, the line and the reason.
    """
    with _empty_memory() as contexts:
        module = load_idl(path, include=include)
    later: _Later = {}
    for context in contexts:
        later.update(context.incomplete_type)
    return _Reader(module, later).interface()


@contextmanager
def _empty_memory() -> Iterator[list[Any]]:
    """Let thriftpy2 remember no file, and afterwards those that it did before.

    Gives the contexts in which it parses meanwhile: they know the names of types that it had
    not seen yet.
    """
    # Older versions have their memory under another name, no lock and no contexts.
    parser: Any = thriftpy2_parser
    memory: dict[str, Any] = getattr(parser, "_thrift_cache", None) or getattr(
        parser, "thrift_cache", {}
    )
    lock = getattr(parser, "_parse_lock", None)
    if lock is not None:
        lock.acquire()
    before = dict(memory)
    memory.clear()
    contexts: list[Any] = []
    make_context: Any = getattr(parser, "ParseContext", None)

    def kept_context() -> Any:
        contexts.append(make_context())
        return contexts[-1]

    if make_context is not None:
        parser.ParseContext = kept_context
    try:
        yield contexts
    finally:
        if make_context is not None:
            parser.ParseContext = make_context
        memory.clear()
        memory.update(before)
        if lock is not None:
            lock.release()


def as_interface(module: ModuleType) -> Interface:
    """thriftpy2's module as plain values.  Raises IdlError for what it left half done."""
    return _Reader(module, {}).interface()


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


class _Reader:
    """Reads a module and its includes.  ``later``: types that were used before they were
    defined, by thriftpy2's number of them."""

    def __init__(self, module: ModuleType, later: _Later) -> None:
        self.module = module
        self.later = later
        self.path = _file(module)
        self.names: dict[int, str] = {}  # of classes, by their identity
        self.kinds: dict[int, str] = {}
        self.classes: list[Any] = []
        self.enums: dict[int, EnumType] = {}
        self.taken: dict[str, str] = {}  # what a name is of: file and class
        self.seen: set[int] = set()
        self.modules: list[ModuleType] = []
        self.collect(module)

    def collect(self, module: ModuleType) -> None:
        """Name all that a module and its includes define."""
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
        """The name, or, where an include of the same name in another folder has it, the path
        before it.  The same file by two paths is one."""
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
        """The fields of a struct, as declared, a result first.  ``owner`` and ``line`` are of
        the method whose arguments they are."""
        defaults = dict(cls.default_spec or ())
        lines = getattr(cls, "__thrift_field_linenos__", {})
        fields = []
        for field_id, spec in sorted(cls.thrift_spec.items(), key=lambda item: item[0] != 0):
            number, name, required = spec[0], spec[1], spec[-1]
            inner = spec[2] if len(spec) == 4 else None
            try:
                known = self.type(number, inner)
            except _Unknown as error:
                at = lines.get(name) or line
                path = getattr(owner or cls, "__thrift_file__", None) or self.path
                called = str(error) or "has a name that is not known there"
                remedy = "" if str(error) else "Is it defined, and above this?"
                text = f"{_at(path, at)}: the type of {name} in {place} {called}"
                raise IdlError(text, remedy) from None
            default = defaults.get(name)
            text = "" if default is None else _written(default, known)
            fields.append(FieldType(field_id, name, known, bool(required), text))
        return fields

    def type(self, number: Any, inner: Any = None) -> Type:
        """A type from thriftpy2's number of it and what it keeps beside."""
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
        if isinstance(number, int) and number in self.later:
            return self.looked_up(self.later[number][0])
        raise _Unknown

    def looked_up(self, name: str) -> Type:
        """The type of that name, in the file or one that it includes."""
        for module in self.modules:
            found: Any = module
            for part in name.split("."):
                found = getattr(found, part, None)
            if isinstance(found, tuple):
                return self.type(*found)  # a typedef
            if hasattr(found, "_ttype"):
                return self.type(found._ttype, found)
            if isinstance(found, int) and found > 0:
                return self.type(found)
        raise _Unknown(f"is called {name}, and there is no such type")


class _Unknown(Exception):
    """A type that was not found; the text says what is known of it."""


def _meta(module: ModuleType, what: str) -> list[Any]:
    return list(getattr(module, "__thrift_meta__", {}).get(what, ()))


def _file(module: ModuleType) -> str:
    return getattr(module, "__thrift_file__", None) or ""


def _written(value: Any, known: Type) -> str:
    """A default as the IDL would write it."""
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


# ── What is wrong with a file ────────────────────────────────────────────────────────


def _at(path: str, line: int | None) -> str:
    return path if line is None else f"{path}, line {line}"


# thriftpy2's words, ours, and where to look: a pattern of the text, in which {0} and {1} are what
# stood in its words.  With an "at line", that line is the place.
_SAID: Final = (
    (r"Grammar error at EOF.*", "it ends too soon: is a brace still open?", ""),
    (r"Grammar error '?(.*?)'? at line \d+ of the file .*", "{0} cannot stand there", ""),
    (r"No type found: '(.*)',? at line \d+", "no type is called {0}", r"\b{0}\b"),
    (r"Can't find name '(.*)' at line \d+", "no constant is called {0}", r"\b{0}\b"),
    (r"No enum value or constant found named '(.*)'", "no constant is called {0}", r"\b{0}\b"),
    (
        r"Couldn't include thrift (.*) in any .*",
        "the included file {0} is not there",
        r"include\s+[\"']{0}[\"']",
    ),
    (
        r"Dead including on (.*)",
        "it includes itself, by way of {0}",
        r"include\s+[\"'][^\"']*{-1}[\"']",
    ),
    (
        r"Can't find service '(.*)' for service '(.*)' to extend",
        "no service is called {0}, which {1} extends",
        r"service\s+{1}\s+extends\s+{0}\b",
    ),
    (r"Can't extends '(.*)', not a service", "{0} is no service", r"extends\s+{0}\b"),
    (
        r"Couldn't find a named value in enum (.*) for value (.*)",
        "enum {0} has no {1}",
        r"=\s*{1}\b",
    ),
    (r"Unexpected escaping character: (.)", "a string has \\{0} in it", r"[\"'][^\n]*\\{0}"),
    (r"Illegal character '(.*)' at line \d+", "{0} cannot stand there", r"{0}"),
    (
        r"Cannot use reserved language keyword: '(.*)' at line \d+",
        "{0} is a word that Thrift keeps for itself",
        r"\b{0}\b",
    ),
    (
        r"Type error for (?:constant|field) (.*) at line \d+",
        "{0} has a value of another type",
        r"\b{0}\b",
    ),
)
_TWICE: Final = (
    (r"'(-?\d+):(.*)' field identifier/name has already been used", "fields"),
    (r"'(.*)' type is already defined in '(.*)'", "types"),
    (r"'(.*)' function is already defined in service '(.*)'", "methods"),
)
_AT_LINE: Final = re.compile(r"at line (\d+)")
_INCLUDE: Final = re.compile(r"^\s*include\s+([\"'])(.+?)\1", re.MULTILINE)
_COMMENT: Final = re.compile(
    r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|/\*.*?\*/|//[^\n]*|\#[^\n]*""", re.DOTALL
)


class _Files:
    """A .thrift file and its includes as text, to say where a mistake is."""

    def __init__(self, path: str, folders: Sequence[str]) -> None:
        self.path = path
        self.texts: dict[str, str] = {}
        self.add(path, folders)

    def add(self, path: str, folders: Sequence[str]) -> None:
        if path in self.texts:
            return
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                self.texts[path] = text = _COMMENT.sub(_blank, file.read())
        except OSError:
            return
        for found in _INCLUDE.finditer(text):
            for folder in (os.path.dirname(path), *folders):
                inner = os.path.join(folder, found[2])
                if os.path.isfile(inner):
                    self.add(inner, folders)
                    break

    def explained(self, said: str) -> IdlError:
        """thriftpy2's complaint with file and line, in our words."""
        for pattern, kind in _TWICE:
            found = re.fullmatch(pattern, said)
            if found:
                return self.twice(kind, *found.groups())
        at = _AT_LINE.search(said)
        line = int(at[1]) if at else None
        for pattern, words, where in _SAID:
            found = re.fullmatch(pattern, said, re.DOTALL)
            if found:
                parts = found.groups()
                path, line = self.place(_pattern(where, parts), line, said)
                return IdlError(f"{_at(path, line)}: {words.format(*parts)}")
        return IdlError(f"{self.path}: {said}")

    def place(self, pattern: str, line: int | None, said: str) -> tuple[str, int | None]:
        """The file and the line of a mistake; the line may be known, the file may not."""
        named = next((path for path in self.texts if f"'{path}'" in said), None)
        if named is not None and not pattern:
            text = self.texts[named].rstrip()
            return named, text.count("\n") + 1 if line is None else line
        for path, text in self.texts.items():
            for found in re.finditer(pattern, text) if pattern else ():
                here = _line(text, found.start())
                if line is None or here == line:
                    return path, here
        return self.path, line

    def twice(self, kind: str, name: str, other: str = "") -> IdlError:
        """What is there twice, at its second place."""
        for path, text in self.texts.items():
            if kind == "types":
                words = f"there is a second {name} among the {other}"
                found = _second(
                    text, rf"\b(?:struct|union|exception|enum|service)\s+({re.escape(name)})\b"
                )
            elif kind == "methods":
                words = f"service {other} has a second method {name}"
                found = _second(
                    text, rf"\b({re.escape(name)})\s*\(", rf"\bservice\s+{re.escape(other)}\b"
                )
            else:
                words = f"a second field has the number {name} or the name {other}"
                found = _second_field(text, name, other)
            if found is not None:
                return IdlError(f"{path}, line {_line(text, found)}: {words}")
        return IdlError(f"{self.path}: {words}")


def _blank(found: re.Match[str]) -> str:
    """A comment as blanks, so that lines stay where they are; a string as it is."""
    return found[1] or re.sub(r"[^\n]", " ", found[0])


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _pattern(where: str, parts: Iterable[str]) -> str:
    given = [re.escape(part) for part in parts]
    for at, part in enumerate(given):
        where = where.replace(f"{{{at}}}", part)
    if given:
        # Of a path, its last part.
        where = where.replace("{-1}", given[0].rpartition("/")[2])
    return where


def _second(text: str, pattern: str, behind: str = "") -> int | None:
    """Where a pattern is found for the second time, behind the place of another."""
    start = re.search(behind, text) if behind else None
    places = [found.start(1) for found in re.finditer(pattern, text[start.end() if start else 0 :])]
    base = start.end() if start else 0
    return base + places[1] if len(places) > 1 else None


def _second_field(text: str, number: str, name: str) -> int | None:
    """Where, in one list of fields, ``number: … name`` has a number or name from before."""
    number, name = re.escape(number), re.escape(name)
    has_number = re.compile(rf"(?<![\w.+-]){number}\s*:")
    has_name = re.compile(rf"\b{name}\s*(?:[=,;(\n]|$|-?\d+\s*:)")
    for found in re.finditer(rf"(?<![\w.+-]){number}\s*:[^:;{{}}()]*?\b{name}\b", text):
        before = text[_opening(text, found.start()) : found.start()]
        if has_number.search(before) or has_name.search(before):
            return found.start()
    return None


def _opening(text: str, at: int) -> int:
    """Behind the bracket in which ``at`` stands."""
    depth = 0
    for place in range(at - 1, -1, -1):
        if text[place] in ")}":
            depth += 1
        elif text[place] in "({":
            depth -= 1
            if depth < 0:
                return place + 1
    return 0
