"""Nobody outside an encoding, a family or a framing compares a protocol's or a transport's name, or
asks whether it is a certain one.

    call.transport == "http"      ✗   what of HTTP matters here?
    call.transport is HTTP        ✗   the same, by its object
    call.transport.answers_always ✓   the transport says

A comparison, a ``match`` or a look-up in a dict is found where one of its parts is such a name or
such an object (an encoding, a carrier, a family), or a constant that holds some, here or in the
module that it is from.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from places import ROOT

from pingpong.model import Family, Protocol
from pingpong.protocols.detect import protocols, transports
from pingpong.protocols.families.thrift.transports import ALL, DATAGRAM
from pingpong.protocols.proxy import PROXY

pytestmark = pytest.mark.once

PACKAGE = ROOT / "pingpong"
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}

# The rooms that know the bytes.
AT_HOME = (
    *("pingpong.protocols.encodings", "pingpong.protocols.families", "pingpong.protocols.framings"),
)

# What looks like such a name and is another's word.
OTHERS = {
    # The last word of a content type.
    "pingpong.protocols.bodies": ("_ENCODINGS.get(word, RAW)", "_word(content_type) in _ENCODINGS"),
    "pingpong.live.http": ("scope['type'] != 'http'",),  # ASGI's word for a request
    "pingpong.cli.serve": ("SPEAKERS[args.over]",),  # the words of --over
    # The types of the IDL; one of them is called binary.
    "pingpong.live.idl.classes": ("BASE_TYPES[_BASE[number]]",),
    "pingpong.live.idl.meaning": (
        *("BASE_TYPES[base]", "BASE_WORDS.get(node.name.text)", "name in BASE_WORDS"),
    ),
}


# What a family's own layer, or its own rules, ask about it.
THEIR_OWN = {
    "pingpong.layers.thrift": (  # scapy's layer of Thrift, which knows the binary protocol alone
        "detection.protocol is BINARY",
        "detection.protocol is not BINARY",
        "detection.transport is FRAMED",
    ),
    "pingpong.verdicts.rules.dialects": (  # kinds of verdicts that are named after two encodings
        "_PROTOCOLS_DIFFER.get((client.protocol, server.protocol), Kind.DIALECTS_DIFFER)",
    ),
    "pingpong.verdicts.rules.dubbo": ("case.first.dialect.transport.family is not DUBBO",),
    # Whose rules know the words of whose servers.
    "pingpong.verdicts.rules.replies": ("_OWN_WORDS.get(family)",),
}


def spoken_names() -> frozenset[str]:
    """The names and the titles of all protocols and transports."""
    known: list[Protocol] = list(protocols().values())
    names = {one.name for one in known} | {one.title for one in known}
    carriers = (*ALL, *transports(), PROXY)
    names |= {str(one) for one in carriers} | {one.around for one in carriers}
    return frozenset(names - {""})


NAMES = spoken_names()


def holds_name(value: object) -> bool:
    """Is that a name or its object, or a collection in which there is one?"""
    if isinstance(value, str):
        return str(value) in NAMES
    if isinstance(value, (tuple, list, set, frozenset, dict)):
        return any(holds_name(one) for one in value)
    # Not isinstance: compiled abstract classes share one memory of what is no instance.
    return any(one in (Protocol, Family) for one in type(value).__mro__)


COPIES = ("frozenset", "set", "tuple", "list", "str")


def told(node: ast.AST, known: dict[str, Any]) -> object:
    """What an expression is, as far as it is written down: a constant, a display of constants, a
    module's own name or one of a module that it imported; else None."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return tuple(told(one, known) for one in node.elts)
    if isinstance(node, ast.Dict):
        return tuple(told(one, known) for one in node.keys if one is not None)
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = told(node.value, known)
        return getattr(owner, node.attr, None) if isinstance(owner, ModuleType) else None
    if isinstance(node, ast.Call) and ast.unparse(node.func) in COPIES and node.args:
        return told(node.args[0], known)
    return None


def asked(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a node that decide something, if it is one that decides: what is compared, and
    what something is looked up in."""
    if isinstance(node, ast.Compare):
        yield from (node.left, *node.comparators)
    elif isinstance(node, ast.MatchValue):
        yield node.value
    elif isinstance(node, ast.Subscript):
        if not isinstance(node.slice, (ast.Constant, ast.Slice)):
            yield node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in ("get", "index", "count", "__contains__", "__eq__"):
            yield node.func.value
        elif node.func.attr in ("startswith", "endswith"):
            yield from node.args[:1]


def constants(tree: ast.Module, known: dict[str, Any]) -> dict[str, Any]:
    """What a module's names stand for: those that are known, and those assigned at its top."""
    known = dict(known)
    for node in tree.body:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if isinstance(target, ast.Name):
            value = told(node.value, known)
            known[target.id] = known.get(target.id) if value is None else value
    return known


def imported(module: str) -> dict[str, Any]:
    """What the names of a module stand for once it is imported; nothing, where what it needs is not
    installed."""
    try:
        return vars(importlib.import_module(module))
    except ImportError:
        return {}


def comparisons(source: str, known: dict[str, Any]) -> list[str]:
    """The places in a source where a name decides, as they are written."""
    tree = ast.parse(source)
    known = constants(tree, known)
    found = []
    for node in ast.walk(tree):
        if any(holds_name(told(part, known)) for part in asked(node)):
            found.append(ast.unparse(node))
    return found


ELSEWHERE = [one for one in MODULES if not one.startswith(AT_HOME) and "__main__" not in one]


@pytest.mark.parametrize("module", ELSEWHERE)
def test_no_name_decides(module: str) -> None:
    source = MODULES[module].read_text(encoding="utf-8")
    found = comparisons(source, imported(module))
    assert sorted(set(found)) == sorted({**OTHERS, **THEIR_OWN}.get(module, ()))


def test_the_names_are_those_that_users_see() -> None:
    assert {"binary", "thriftpy2-json", "old binary", "framed", "http", "HTTP", "proxy"} <= NAMES
    assert {*ALL, *transports()} <= NAMES
    assert {*ALL} - {DATAGRAM} <= {*transports()}


@pytest.mark.parametrize(
    "line",
    [
        'record.protocol.name == "json"',
        '"sasl" != flow.detection.transport',
        'message.transport in ("zlib", "framed-zlib")',
        'message.transport not in {"http"}',
        'str(dialect) == "old binary"',
        'HERE = "http"\nmessage.transport == HERE',
        'HERE = frozenset(("http", "tcp"))\nmessage.transport in HERE',
        'HERE: Final = {"framed": 1}\nHERE[message.transport]',
        'HERE = {"framed": 1}\nHERE.get(message.transport)',
        '{"framed": "unframed", "unframed": "framed"}.get(transport)',
        "message.transport == FRAMED",
        "message.transport in ALL",
        "message.transport == transports.FRAMED",
        'match message.transport:\n    case "http":\n        pass',
        'record.protocol.name.startswith("json")',
        "record.protocol is BINARY",
        "client.protocol == BINARY",
        "{client.protocol, server.protocol} == {BINARY, None}",
        "message.transport is not FRAMED",
        "message.family is THRIFT",
        "HERE: Final = {(BINARY, None): 1}\nHERE.get((client.protocol, server.protocol))",
    ],
)
def test_a_name_that_decides_is_found(line: str) -> None:
    transports = importlib.import_module("pingpong.protocols.families.thrift.transports")
    known = {"FRAMED": transports.FRAMED, "ALL": ALL, "transports": transports}
    known |= {"BINARY": protocols()["binary"], "THRIFT": transports.FRAMED.family}
    assert len(comparisons(line, known)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "message.transport.answers_always",
        "record.protocol.is_text",
        "one.transport == other.transport",
        "one.protocol is other.protocol",
        "one.protocol is None",
        'field.name == "success"',
        'print("framed")',
        'advice = {"framed": "x"}',
        'row["binary"]',
        'said.get("framed")',
    ],
)
def test_other_words_are_not(line: str) -> None:
    assert comparisons(line, {"BINARY": protocols()["binary"]}) == []
