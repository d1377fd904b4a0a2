"""What is hashed is never assigned: a plain value stays what it was when it was made.

Each attribute by which Facts are compared is Final, so that mypy refuses an assignment wherever one
stands.  What an IDL says of a value, and what is masked, stand beside it and do not count.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from places import ROOT

from pingpong.model import Facts, Field, Record, Response, Span, TType, Value
from pingpong.protocols.encodings.binary import BINARY
from pingpong.protocols.families.thrift.names import (
    BASE_TYPES,
    FieldType,
    Interface,
    StructType,
)

PACKAGE = ROOT / "pingpong"


def classes(path: Path) -> list[ast.ClassDef]:
    """The classes of a module that are Facts, as they are written."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(ast.unparse(one) == "Facts" for one in node.bases)
    ]


FACTS = {one.name: one for path in sorted(PACKAGE.rglob("*.py")) for one in classes(path)}


def of_self(node: ast.AST) -> str:
    """The name of an attribute of ``self``, else ""."""
    is_own = isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self"
    return node.attr if is_own and isinstance(node, ast.Attribute) else ""


def not_final(made: ast.ClassDef) -> set[str]:
    """The attributes that a class compares and does not make Final."""
    methods = {one.name: one for one in made.body if isinstance(one, ast.FunctionDef)}
    compared = {of_self(node) for node in ast.walk(methods["facts"])} - {""}
    # What is worked out of others has no value of its own.
    compared -= {name for name, one in methods.items() if one.decorator_list}
    final = {
        of_self(node.target)
        for node in ast.walk(methods["__init__"])
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation).startswith("Final")
    }
    return compared - final


@pytest.mark.once
@pytest.mark.parametrize("name", FACTS)
def test_what_is_compared_is_final(name: str) -> None:
    assert not_final(FACTS[name]) == set()


@pytest.mark.once
def test_all_facts_are_seen() -> None:
    known = {one.__name__ for one in Facts.__subclasses__()}
    assert {"Span", "Header", "Value", "Struct", "Note", "StructType"} <= known <= set(FACTS)


@pytest.mark.once
def test_an_attribute_that_is_not_final_is_found() -> None:
    source = (
        "class Bad(Facts):\n"
        "    def __init__(self):\n"
        "        self.a: Final = 1\n"
        "        self.b = 2\n"
        "    def facts(self):\n"
        "        return (self.a, self.b)\n"
    )
    (bad,) = ast.parse(source).body
    assert isinstance(bad, ast.ClassDef)
    assert not_final(bad) == {"b"}


def test_names_of_an_idl_change_no_value() -> None:
    # A struct with field 1: an i32, 7.
    record = Record(data=bytes.fromhex("080001 00000007 00"), protocol=BINARY)
    body = record.body
    before = hash(body), repr(body)
    fields = (FieldType(1, "count", BASE_TYPES["i32"]),)
    kind = StructType("Thing", "struct", fields)
    names = Interface("things.thrift", (), (kind,)).of_struct("Thing")
    named, _ = names.give_names(record, body)
    assert named.fields[0].name == "count"
    assert "count" in repr(named)
    assert hash(named) == before[0]
    assert named == Record(data=record.data, protocol=BINARY).body


def test_fields_that_were_read_with_names_differ_by_them() -> None:
    value = Value(TType.I32, 7, Span(0, 4))
    assert Field(-1, value, Span(0, 4), "a") != Field(-1, value, Span(0, 4), "b")


def test_a_response_is_changed_by_making_another() -> None:
    said = Response(503, "Busy", "text/html", 20, "go away")
    before = hash(said)
    placed = said.placed(100, 7)
    assert (placed.offset, placed.time, placed.text) == (100, 7, "go away")
    bare = placed.bare()
    assert (bare.status, bare.size, bare.offset) == (503, 20, 100)
    assert (bare.reason, bare.content_type, bare.text) == ("", "", "")
    assert hash(said) == before
