"""The text of a .thrift file as nodes: what is written where, not yet what it means.

    bytes ──_text──▶ text ──lark, with GRAMMAR──▶ tokens ──_Build──▶ File of nodes

The grammar is that of Apache's compiler (compiler/cpp/src/thrift/thrifty.yy and thriftl.ll), with
fbthrift's additions.  It accepts more than either: a word is a keyword only where the grammar
wants it (lark's contextual lexer), so that ``1: i32 client`` is a field called client.

LALR(1) needs no recursion, and nodes are made as the parser goes along, so depth costs nothing
here.  Code that walks over nodes recurses at most ``DEEPEST`` deep, because deeper ones are
refused.

A file is UTF-8.  Other bytes are allowed in comments and strings, where they become U+FFFD.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NamedTuple, TypeAlias

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedToken
from lark.lark import PostLex

from pingpong.errors import IdlError

__all__ = [
    "BASE_WORDS",
    "Constant",
    "Container",
    "Definition",
    "EnumNode",
    "FieldNode",
    "File",
    "FunctionNode",
    "Include",
    "Literal",
    "Nested",
    "Pairs",
    "Ref",
    "Returned",
    "ServiceNode",
    "StructNode",
    "TypeNode",
    "Typedef",
    "ValueNode",
    "Word",
    "odd_escape",
    "parse",
    "wrong",
]

# Containers, or values, inside each other.  Readers of messages stop at 64 by default.
DEEPEST: Final = 200

# A file of this size is not a .thrift file: the largest known has half a MiB.
LARGEST: Final = 16 * 1024 * 1024

# thrifty.yy, SimpleBaseType; "slist" is an old word for string.
BASE_WORDS: Final = {
    "bool": "bool",
    "byte": "i8",
    "i8": "i8",
    "i16": "i16",
    "i32": "i32",
    "i64": "i64",
    "double": "double",
    "string": "string",
    "binary": "binary",
    "uuid": "uuid",
    "slist": "string",
}


# ── Nodes ────────────────────────────────────────────────────────────────────────────


class Word(NamedTuple):
    """A word and its position; line and column count from 1."""

    text: str
    line: int
    column: int


class Ref(NamedTuple):
    """A type, by its name."""

    name: Word


class Container(NamedTuple):
    """``list<element>``; a map has a ``key`` too.  ``word`` may be fbthrift's (``stream``)."""

    word: Word
    key: TypeNode | None
    element: TypeNode
    depth: int


TypeNode: TypeAlias = Ref | Container


class Literal(NamedTuple):
    """A number, a string, or a constant by its name."""

    kind: str  # "int", "double", "string", "name"
    word: Word
    value: Any


class Nested(NamedTuple):
    """``[1, 2]``."""

    word: Word
    items: list[ValueNode]
    depth: int


class Pairs(NamedTuple):
    """``{1: 2}``, and fbthrift's ``Foo{a = 2}``."""

    word: Word
    items: list[tuple[ValueNode, ValueNode]]
    depth: int


ValueNode: TypeAlias = Literal | Nested | Pairs


class FieldNode(NamedTuple):
    """``number`` is None if none is written; ``requirement`` is "required", "optional" or ""."""

    number: Literal | None
    requirement: str
    type: TypeNode
    name: Word
    default: ValueNode | None


class StructNode(NamedTuple):
    """A struct, a union or an exception, and its fields in the order in which they are written."""

    kind: str  # "struct", "union", "exception"
    name: Word
    fields: list[FieldNode]


class EnumNode(NamedTuple):
    """``values`` without a number have None.  ``senum``, an old word, is an enum of strings."""

    word: str
    name: Word
    values: list[tuple[Word, Literal | None]]


class Returned(NamedTuple):
    """What a function returns; None is void.  ``streams``: fbthrift's stream or sink after it."""

    type: TypeNode | None
    streams: list[TypeNode]


class FunctionNode(NamedTuple):
    """A method: its arguments, what it returns, and the exceptions that it declares."""

    oneway: bool
    returned: Returned
    name: Word
    arguments: list[FieldNode]
    throws: list[FieldNode]


class ServiceNode(NamedTuple):
    """A service and what it extends; ``word`` is "interaction" for fbthrift's kind."""

    word: Word
    name: Word
    extends: Word | None
    functions: list[FunctionNode]


class Typedef(NamedTuple):
    """Another name for a type."""

    name: Word
    type: TypeNode


class Constant(NamedTuple):
    """A constant; ``type`` is None where fbthrift lets it be left out."""

    name: Word
    type: TypeNode | None
    value: ValueNode


class Include(NamedTuple):
    """An included file; ``prefix`` is what follows fbthrift's ``as``, otherwise None."""

    path: Literal
    prefix: Word | None


Definition: TypeAlias = StructNode | EnumNode | ServiceNode | Typedef | Constant


class File(NamedTuple):
    """A whole file.  ``skipped``: fbthrift's words that say nothing about what is on the wire."""

    includes: list[Include]
    definitions: list[Definition]
    skipped: list[Word]


# ── The grammar ──────────────────────────────────────────────────────────────────────

# Whatever begins with "annotated", or has one of the words in capitals that Apache's compiler does
# not know, is fbthrift's.  Apache's old words: senum, OLD_NAMESPACE, async.
GRAMMAR: Final = r"""
start: (header | definition)*

?header: "include" STRING ("as" IDENT)? _sep?                     -> include
    | annotated? "namespace" _scope _target _annotated_end        -> nothing
    | OLD_NAMESPACE _target _sep?                                 -> nothing
    | ("cpp_include" | "hs_include") STRING _sep?                 -> nothing
    | annotated? PACKAGE STRING? _annotated_end                   -> skipped
_scope: IDENT | DASHED | "*"
_target: IDENT | DASHED | STRING

?definition: annotated? _definition _annotated_end
_definition: typedef | enum | constant | struct | service
typedef: "typedef" type IDENT
enum: ENUM IDENT "{" enum_value* "}"
    | SENUM IDENT "{" (_senum_value _sep?)* "}"
_senum_value: STRING
constant: "const" type? IDENT "=" value
struct: _exception_word* (STRUCT | UNION | EXCEPTION) IDENT "xsd_all"? "{" field* "}"
service: (SERVICE | INTERACTION) IDENT ("extends" IDENT)? "{" (function | performs)* "}"
_exception_word: SAFE | TRANSIENT | PERMANENT | CLIENT | SERVER | STATEFUL

enum_value: annotated? IDENT ("=" INT)? _annotated_end

field: _field_start type "&"? IDENT ("=" value)? _xsd* _annotated_end
_field_start: annotated? (INT ":")? (REQUIRED | OPTIONAL | TERSE)*
_xsd: "xsd_optional" | "xsd_nillable" | xsd_attrs
xsd_attrs: "xsd_attrs" "{" field* "}"

function: annotated? _function_word* returned IDENT "(" field* ")" throws? _annotated_end
_function_word: ONEWAY | ASYNC | IDEMPOTENT | READONLY
returned: (VOID | type) ("," type)*
throws: "throws" "(" field* ")"
performs: annotated? PERFORMS IDENT _annotated_end

?type: IDENT annotations?                                         -> ref
    | (LIST | SET) cpp_type? "<" type ">" cpp_type? annotations?  -> container
    | MAP cpp_type? "<" type "," type ">" annotations?            -> container
    | IDENT "<" _streamed ("," _streamed)* ">" annotations?       -> container
_streamed: type throws?
cpp_type: "cpp_type" STRING

?value: INT                                                       -> number
    | DOUBLE                                                      -> double
    | STRING                                                      -> string
    | IDENT                                                       -> named
    | LSQB (value _sep?)* "]"                                     -> nested
    | LBRACE (value ":" value _sep?)* "}"                         -> pairs
    | IDENT "{" (member _sep?)* "}"                               -> built
member: IDENT "=" value

annotations: "(" (IDENT ("=" value)? _sep?)* ")"
_annotated_end: annotations? _sep?
annotated: annotation+
annotation: AT IDENT ("{" (member _sep?)* "}")?

_sep: "," | ";"

ENUM: "enum"
SENUM: "senum"
STRUCT: "struct"
UNION: "union"
EXCEPTION: "exception"
SERVICE: "service"
INTERACTION: "interaction"
REQUIRED: "required"
OPTIONAL: "optional"
TERSE: "terse"
ONEWAY: "oneway"
ASYNC: "async"
VOID: "void"
LIST: "list"
SET: "set"
MAP: "map"
PACKAGE: "package"
PERFORMS: "performs"
SAFE: "safe"
TRANSIENT: "transient"
PERMANENT: "permanent"
CLIENT: "client"
SERVER: "server"
STATEFUL: "stateful"
IDEMPOTENT: "idempotent"
READONLY: "readonly"
OLD_NAMESPACE.2: /[a-z]+_(?:namespace|module|package|prefix|category)(?![A-Za-z0-9_.])/
AT: "@"

LSQB: "["
LBRACE: "{"
IDENT: /[A-Za-z_](?:[A-Za-z0-9_]|\.[A-Za-z0-9_])*/
DASHED.2: /[A-Za-z_][A-Za-z0-9_.]*-[A-Za-z0-9_.-]*/
DOUBLE.2: /[+-]?(?:[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)/
INT: /[+-]?(?:0[xX][0-9A-Fa-f]+|0[bB][01]+|[0-9]+(?![0-9]|\.[0-9]|[eE][+-]?[0-9]))/
STRING: LONG_STRING | /\"[^\"\\]*(?:\\[\s\S][^\"\\]*)*\"|'[^'\\]*(?:\\[\s\S][^'\\]*)*'/
LONG_STRING: /\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3}/
BLANK: /(?:[ \t\r\n\f\v]+|\/\*[^*]*\*+(?:[^*\/][^*]*\*+)*\/|\/\/[^\n]*|#[^\n]*)+/
%ignore BLANK
"""

# What a token is called in a sentence; any other is called by its own text.
_CALLED: Final = {
    "IDENT": "a name",
    "DASHED": "a name",
    "INT": "a whole number",
    "DOUBLE": "a number",
    "STRING": "a string",
    "OLD_NAMESPACE": "",
}
# What an error does not suggest: old words, and fbthrift's.
_SELDOM: Final = frozenset(
    {
        *("senum", "async", "cpp_include", "hs_include", "cpp_type", "&"),
        *("xsd_all", "xsd_optional", "xsd_nillable", "xsd_attrs"),
        *("@", "as", "package", "interaction", "performs", "terse", "idempotent", "readonly"),
        *("safe", "transient", "permanent", "client", "server", "stateful"),
    }
)
# An error lists at most this many things that would have been right.
_MOST_WANTED: Final = 12

# No number needs more digits, and Python takes long over longer ones.
_MOST_DIGITS: Final = 100

# How much of the file's own text, and of all text, an error shows.
_MOST_SHOWN: Final = 40
_MOST_SAID: Final = 400

_ESCAPE: Final = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPED: Final = {"r": "\r", "n": "\n", "t": "\t", '"': '"', "'": "'", "\\": "\\"}


class _Refused(Exception):
    """A word that makes the file invalid; the text says why."""

    def __init__(self, word: Word, text: str) -> None:
        super().__init__(text)
        self.word = word


class _Build(Transformer[Token, File]):
    """Makes the nodes, from the innermost outwards.

    Each method is named after a rule or its alternative, and gets the parts of that: tokens, and
    what was made of inner rules.
    """

    def __init__(self) -> None:
        super().__init__()
        self.words: list[Word] = []

    def start(self, parts: list[Any]) -> File:
        words, self.words = self.words, []
        return File(_all(parts, Include), [one for one in parts if isinstance(one, _KINDS)], words)

    def nothing(self, parts: list[Any]) -> None:
        """Drop what says nothing about the wire."""

    annotations = annotated = cpp_type = xsd_attrs = nothing

    def skipped(self, parts: list[Any]) -> None:
        """Drop what says nothing about the wire in fbthrift's syntax."""
        token = next(one for one in parts if isinstance(one, Token))
        self.words.append(_word(token))

    annotation = performs = skipped

    def include(self, parts: list[Any]) -> Include:
        return Include(self.string(parts[:1]), _word(parts[1]) if len(parts) > 1 else None)

    def definition(self, parts: list[Any]) -> Any:
        return next((one for one in parts if one is not None), None)

    def typedef(self, parts: list[Any]) -> Typedef:
        return Typedef(_word(parts[1]), parts[0])

    def constant(self, parts: list[Any]) -> Constant:
        return Constant(_word(parts[-2]), parts[0] if len(parts) > 2 else None, parts[-1])

    def enum(self, parts: list[Any]) -> EnumNode:
        values = [one for one in parts if type(one) is tuple]  # nodes have types of their own
        return EnumNode(str(parts[0]), _word(parts[1]), values)

    def enum_value(self, parts: list[Any]) -> tuple[Word, Literal | None]:
        name = next(one for one in parts if isinstance(one, Token) and one.type == "IDENT")
        number = next((one for one in parts if isinstance(one, Token) and one.type == "INT"), None)
        return _word(name), None if number is None else self.number([number])

    def struct(self, parts: list[Any]) -> StructNode:
        tokens = _all(parts, Token)
        at = next(at for at, one in enumerate(tokens) if str(one) in _STRUCTS)
        self.words.extend(_word(one) for one in tokens[:at])
        return StructNode(str(tokens[at]), _word(tokens[at + 1]), _all(parts, FieldNode))

    def service(self, parts: list[Any]) -> ServiceNode:
        tokens = _all(parts, Token)
        if tokens[0] == "interaction":
            self.words.append(_word(tokens[0]))
        extends = _word(tokens[2]) if len(tokens) > 2 else None
        functions = _all(parts, FunctionNode)
        return ServiceNode(_word(tokens[0]), _word(tokens[1]), extends, functions)

    def field(self, parts: list[Any]) -> FieldNode:
        number = requirement = name = None
        ftype: TypeNode | None = None
        default: ValueNode | None = None
        for one in parts:
            if isinstance(one, Token):
                if one.type == "INT":
                    number = self.number([one])
                elif one.type == "IDENT":
                    name = one
                elif one.type == "TERSE":
                    self.words.append(_word(one))
                else:
                    requirement = str(one)
            elif isinstance(one, (Ref, Container)):
                ftype = one
            elif isinstance(one, (Literal, Nested, Pairs)):
                default = one
        assert name is not None
        assert ftype is not None
        return FieldNode(number, requirement or "", ftype, _word(name), default)

    def function(self, parts: list[Any]) -> FunctionNode:
        tokens = _all(parts, Token)
        oneway = any(one.type in ("ONEWAY", "ASYNC") for one in tokens)
        added = [one for one in tokens if one.type in ("IDEMPOTENT", "READONLY")]
        self.words.extend(_word(one) for one in added)
        returned = _all(parts, Returned)[0]
        thrown = _all(parts, list)
        fields = _all(parts, FieldNode)
        return FunctionNode(
            oneway, returned, _word(tokens[-1]), fields, thrown[0] if thrown else []
        )

    def returned(self, parts: list[Any]) -> Returned:
        types: list[TypeNode] = _all(parts, (Ref, Container))
        first = None if isinstance(parts[0], Token) else types[0]
        return Returned(first, types[0 if first is None else 1 :])

    def throws(self, parts: list[Any]) -> list[FieldNode]:
        return parts

    def ref(self, parts: list[Any]) -> Ref:
        return Ref(_word(parts[0]))

    def container(self, parts: list[Any]) -> Container:
        word = _word(parts[0])
        inner: list[TypeNode] = _all(parts, (Ref, Container))
        depth = 1 + max(one.depth if isinstance(one, Container) else 0 for one in inner)
        if depth > DEEPEST:
            raise _Refused(word, f"there are {depth} types in each other, want at most {DEEPEST}")
        key = inner[0] if len(inner) > 1 else None
        return Container(word, key, inner[-1], depth)

    def number(self, parts: list[Any]) -> Literal:
        text = str(parts[0])
        word = _word(parts[0])
        mark = text.lstrip("+-")[:2].lower()
        base = 16 if mark == "0x" else 2 if mark == "0b" else 10
        if len(text) > _MOST_DIGITS:
            raise _Refused(word, f"found {_shown(text)}, want a number that fits into an i64")
        return Literal("int", word, int(text, base))

    def double(self, parts: list[Any]) -> Literal:
        return Literal("double", _word(parts[0]), float(parts[0]))

    def string(self, parts: list[Any]) -> Literal:
        word = _word(parts[0])
        quotes = 3 if word.text[:3] in ('"""', "'''") and len(word.text) > 5 else 1
        inside = word.text[quotes:-quotes]
        if not inside.isascii():
            inside = inside.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        if "\\" in inside:
            inside = _ESCAPE.sub(lambda found: _unescaped(found[1]) or found[0], inside)
        return Literal("string", word, inside)

    def named(self, parts: list[Any]) -> Literal:
        return Literal("name", _word(parts[0]), None)

    def nested(self, parts: list[Any]) -> Nested:
        word, items = _word(parts[0]), parts[1:]
        return Nested(word, items, _depth(word, items))

    def pairs(self, parts: list[Any]) -> Pairs:
        word, items = _word(parts[0]), parts[1:]
        pairs = list(zip(items[::2], items[1::2], strict=True))
        return Pairs(word, pairs, _depth(word, items))

    def built(self, parts: list[Any]) -> Pairs:
        word, items = _word(parts[0]), parts[1:]
        return Pairs(word, items, _depth(word, [value for _, value in items]))

    def member(self, parts: list[Any]) -> tuple[ValueNode, ValueNode]:
        word = _word(parts[0])
        return Literal("string", word, word.text), parts[1]


_STRUCTS: Final = ("struct", "union", "exception")
_KINDS: Final = (StructNode, EnumNode, ServiceNode, Typedef, Constant)


def _all(parts: list[Any], kind: Any) -> list[Any]:
    return [one for one in parts if isinstance(one, kind)]


def _word(token: Token) -> Word:
    return Word(str(token), token.line or 0, token.column or 0)


def _unescaped(escape: str) -> str | None:
    if len(escape) > 1:
        return chr(int(escape[1:], 16))
    return _ESCAPED.get(escape)


def odd_escape(text: str) -> str:
    """The first invalid escape in a string that has its quotation marks; "" if all are valid."""
    found: list[str] = _ESCAPE.findall(text)
    return next((f"\\{one}" for one in found if _unescaped(one) is None), "")


def _depth(word: Word, items: list[Any]) -> int:
    depth = 1 + max((one.depth for one in items if not isinstance(one, Literal)), default=0)
    if depth > DEEPEST:
        raise _Refused(word, f"there are {depth} values in each other, want at most {DEEPEST}")
    return depth


# ── From bytes to nodes ──────────────────────────────────────────────────────────────


class _Always(PostLex):
    """Accepts names, numbers and strings in every context.

    So one in the wrong place is reported as what it is, and ``structure`` is not read as
    ``struct``.
    """

    always_accept = ("IDENT", "INT", "STRING")

    def __init__(self) -> None:
        self.long_string: Token | None = None  # the first one that continues on another line

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        self.long_string = None
        for token in stream:
            if token.type == "STRING" and self.long_string is None and "\n" in token:
                self.long_string = token
            yield token


@cache
def _parser() -> Lark:
    return Lark(
        GRAMMAR, parser="lalr", transformer=_build, postlex=_always, maybe_placeholders=False
    )


_build: Final = _Build()
_always: Final = _Always()
_lock: Final = threading.Lock()


def wrong(path: str, word: Word | None, text: str, remedy: str = "") -> IdlError:
    """An error that says what is wrong with a file at that word of it."""
    if len(text) > _MOST_SAID:
        text = text[:_MOST_SAID] + "…"
    if word is None:
        return IdlError(f"{path}: {text}", remedy, path=path)
    place = f"{path}:{word.line}:{word.column}"
    return IdlError(f"{place}: {text}", remedy, path=path, line=word.line, column=word.column)


def parse(path: str, data: bytes) -> File:
    """The nodes of a file's bytes.  ``path`` is used in errors.  Raises IdlError."""
    text = _text(path, data)
    with _lock:
        _build.words = []
        try:
            made: Any = _parser().parse(text)
        except UnexpectedToken as error:
            raise _at_token(path, error) from None
        except UnexpectedCharacters as error:
            raise _at_character(path, text, error) from None
        except _Refused as error:
            raise wrong(path, error.word, str(error)) from None
    file: File = made
    return file


def _text(path: str, data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        remedy = "Save it as UTF-8"
        raise wrong(path, None, "begins like UTF-16 (ff fe), want UTF-8", remedy)
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _shown(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"


def _at_token(path: str, error: UnexpectedToken) -> IdlError:
    token = error.token
    wanted = _wanted(error.accepts or error.expected)
    if token.type == "$END":
        # Report it at the last token.
        word = Word("", token.end_line or token.line or 1, token.end_column or 1)
        return wrong(path, word, f"the file ends here, want {wanted}", _long_string())
    found = f"found {_shown(str(token))}, want {wanted}"
    return wrong(path, _word(token), found, _long_string())


def _at_character(path: str, text: str, error: UnexpectedCharacters) -> IdlError:
    at = error.pos_in_stream or 0
    word = Word(text[at], error.line, error.column)
    if "\udc80" <= word.text <= "\udcff":
        found = f"found the byte {ord(word.text) - 0xDC00:02x}, which is not UTF-8"
        return wrong(path, word, f"{found}, want UTF-8 where there is no comment or string")
    if text.startswith("/*", at):
        return wrong(path, word, "a comment begins here, and no */ ends it")
    if word.text in "\"'":
        return wrong(path, word, "a string begins here, and nothing ends it", _long_string())
    found = word.text if word.text.isprintable() else f"U+{ord(word.text):04X}"
    text = f"found {found}, which begins no word, number or sign"
    return wrong(path, word, text, _long_string())


def _long_string() -> str:
    """What to ask about a file that makes no sense; "" if there is nothing to ask.

    A missing quotation mark turns the text between strings into strings.
    """
    token = _always.long_string
    if token is None:
        return ""
    return f"Should the string that begins in line {token.line} end in that line?"


def _wanted(names: set[str]) -> str:
    """What would have been right, in words."""
    called = set()
    for terminal in _parser().terminals:
        if terminal.name in names:
            called.add(_CALLED.get(terminal.name, terminal.pattern.value.replace("\\", "")))
    if "$END" in names:
        called.add("the end")
    called -= {"", *_SELDOM}
    listed = [one if one[0].isalpha() else f'"{one}"' for one in called]
    listed.sort(key=lambda one: (not one.startswith(("a ", "the ")), one))
    if len(listed) > _MOST_WANTED:
        listed = [*listed[:_MOST_WANTED], "…"]
    if len(listed) < 2:
        return "".join(listed) or "nothing more"
    return f"{', '.join(listed[:-1])} or {listed[-1]}"
