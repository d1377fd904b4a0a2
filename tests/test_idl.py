"""idl: a .thrift file as plain values, and every way in which one can be bad is one sentence.

PINGPONG_IDLS names a folder of other .thrift files that are read too, with thriftpy2 as the
witness: HBase's (in the package happybase), Hive's and Impala's (impyla), Parquet's (fastparquet).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import thriftpy2
from thriftpy2.thrift import TType as Number
from witness import empty_memory

from pingpong.errors import IdlError
from pingpong.live.idl import as_interface, load_idl, read_interface
from pingpong.model import TType
from pingpong.thrift.names import Interface, StructType, Type

FOO = Path(__file__).parents[1] / "foo.thrift"
SHOP = Path(__file__).parent / "idl" / "shop.thrift"


def test_the_lessons_interface() -> None:
    assert load_idl(FOO).PingPong.thrift_services == ["ping", "login"]


# A file, the line of the mistake (None: of the file as a whole), and the reason.
BAD = {
    "grammar": (b"service PingPong {\n    string ping(\n}\n", 3, "} cannot stand there"),
    "a character": (b"struct A {\n  1: string \x24\n}\n", 2, r"\$ cannot stand there"),
    "cut off": (b"// one\nservice PingPong {", 2, "it ends too soon: is a brace still open"),
    "an unknown type": (b"struct A {\n  1: Nothing a\n}\n", 2, "no type is called Nothing"),
    "… in a list": (b"struct A {\n  1: list<Nothing> a\n}\n", 2, "no type is called Nothing"),
    "… of an argument": (b"service S {\n\n  void f(1: Nothing a)\n}\n", 3, "no type is called"),
    "… in an argument's list": (
        b"service S {\n\n  void f(1: list<Nothing> a)\n}\n",
        3,
        "the type of a in S.f is called Nothing, and there is no such type",
    ),
    "… of a typedef": (b"\ntypedef Nothing X\nstruct A {1: X a}\n", 2, "no type is called Nothing"),
    "… of an include": (
        b'include "good.thrift"\nstruct A {\n 1: good.Nothing a\n}\n',
        3,
        "the type of a in A has a name that is not known there",
    ),
    "… of no include": (
        b"struct A {\n 1: gone.Nothing a\n}\n",
        2,
        "no type is called gone.Nothing",
    ),
    "an unknown service": (
        b"\nservice S extends T {}\n",
        2,
        "no service is called T, which S extends",
    ),
    "not text": (b"\xff\xfe\x00", None, "is not UTF-8 at byte 0"),
    "a missing include": (
        b'// include "no.thrift"\n\ninclude "gone.thrift"\n',
        3,
        "the included file gone.thrift is not there",
    ),
    "a file that includes itself": (
        b'\ninclude "bad.thrift"\n',
        2,
        "it includes itself, by way of",
    ),
    "a number twice": (
        b"struct A {\n  1: i32 a # 1: i32 b\n  2: i32 c\n  1: i32 b\n}\n",
        4,
        "a second field has the number 1 or the name b",
    ),
    "a name twice": (
        b"struct Z { 2: i32 a }\nstruct A {\n  1: map<i32,string> a = {1: 'x'}\n  2: i32 a\n}\n",
        4,
        "a second field has the number 2 or the name a",
    ),
    "an argument twice": (
        b"service S {\n void f(1: i32 a),\n void g(1: i32 a, 1: i32 b)\n}\n",
        3,
        "a second field has the number 1 or the name b",
    ),
    "a struct twice": (b"struct A {}\nstruct B {}\nstruct A {}\n", 3, "there is a second A"),
    "a method twice": (
        b"service R { void f() }\nservice S { void f()\n void f()}\n",
        3,
        "service S has a second method f",
    ),
    "a wrong constant": (b'\nconst i32 N = "text"\n', 2, "N has a value of another type"),
    "a wrong default": (b"struct A {\n 1: i32 n = 'text'\n}\n", 2, "n has a value of another type"),
    "a number that no enum has": (
        b"enum E { A = 1 }\nstruct S {\n 1: E e = 7\n}\n",
        3,
        "enum E has no 7",
    ),
    "an unknown constant": (b"struct A {\n 1: i32 n = N\n}\n", 2, "no constant is called N"),
    "a word that is taken": (
        b"struct A {\n 1: i32 from\n}\n",
        2,
        "from is a word that Thrift keeps",
    ),
    "an escape": (b'\nconst string N = "\\q"\n', 2, r"a string has \\q in it"),
    "a service as a type": (b"service S {}\nstruct A {1: S s}\n", None, "cannot make sense of it"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_says_where_and_why(name: str, tmp_path: Path) -> None:
    content, line, reason = BAD[name]
    path = tmp_path / "bad.thrift"
    path.write_bytes(content)
    (tmp_path / "good.thrift").write_text("struct Good {}\n")
    with pytest.raises(IdlError, match=reason) as caught:
        read_interface(path)
    place = str(path) if line is None else f"{path}, line {line}"
    assert str(caught.value).startswith(f"{place}: ")


def test_a_mistake_in_an_include_names_the_include(tmp_path: Path) -> None:
    (tmp_path / "top.thrift").write_text('include "inner.thrift"\nstruct A { 1: i32 a }\n')
    inner = tmp_path / "inner.thrift"
    for text, line in (
        ("struct B {\n 1: Nothing b\n}\n", 2),
        ("struct B {\n\n 1: i32 b\n 1: i32 c\n}\n", 4),
        ("struct B {\n 1 i32 b\n}\n", 2),
        ('\n\ninclude "gone.thrift"\n', 3),
    ):
        inner.write_text(text)
        with pytest.raises(IdlError) as caught:
            read_interface(tmp_path / "top.thrift")
        assert str(caught.value).startswith(f"{inner}, line {line}: ")


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.thrift", tmp_path):
        with pytest.raises(IdlError, match=str(path)):
            load_idl(path)


def test_nothing_is_fetched() -> None:
    """thriftpy2 would."""
    with pytest.raises(IdlError, match=r"http://127.0.0.1:1/x.thrift: No such file"):
        read_interface("http://127.0.0.1:1/x.thrift")


def test_a_file_is_read_anew_each_time(tmp_path: Path) -> None:
    path = tmp_path / "x.thrift"
    for word in ("one", "two"):
        path.write_text(f"struct A {{ 1: i32 {word} }}\n")
        assert read_interface(path).structs["A"].fields[1].name == word


def test_includes_of_the_same_name_are_not_confused(tmp_path: Path) -> None:
    """Two deployments, each with its own shared.thrift: thriftpy2 would take the first for both,
    and still does for itself."""
    for word in ("before", "after"):
        folder = tmp_path / word
        folder.mkdir()
        (folder / "shared.thrift").write_text(f"struct A {{ 1: i32 {word} }}\n")
        (folder / "top.thrift").write_text(
            'include "shared.thrift"\nstruct B { 1: shared.A a }\nservice S { B f() }\n'
        )
    # So that no other test gets it either.
    with empty_memory():
        before = thriftpy2.load(str(tmp_path / "before" / "top.thrift"))
        for word in ("before", "after"):
            interface = read_interface(tmp_path / word / "top.thrift")
            assert interface.structs["shared.A"].fields[1].name == word
        assert thriftpy2.load(str(tmp_path / "before" / "top.thrift")) is before


def test_an_include_in_another_folder(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    (tmp_path / "a" / "top.thrift").write_text('include "x.thrift"\nstruct A { 1: x.X x }\n')
    (tmp_path / "b" / "x.thrift").write_text("struct X { 1: i32 x }\n")
    with pytest.raises(IdlError, match=r"the included file x\.thrift is not there"):
        read_interface(tmp_path / "a" / "top.thrift")
    interface = read_interface(tmp_path / "a" / "top.thrift", include=[tmp_path / "b"])
    assert list(interface.structs) == ["A", "x.X"]


def test_includes_of_one_name_in_one_interface(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "x.thrift").write_text("struct X { 1: i32 outer }\n")
    (tmp_path / "deep" / "x.thrift").write_text("struct X { 1: i32 inner }\n")
    (tmp_path / "deep" / "y.thrift").write_text('include "x.thrift"\nstruct Y { 1: x.X x }\n')
    (tmp_path / "top.thrift").write_text(
        'include "x.thrift"\ninclude "deep/y.thrift"\nstruct A { 1: x.X x, 2: y.Y y }\n'
    )
    structs = read_interface(tmp_path / "top.thrift").structs
    outer = structs[structs["A"].fields[1].type.struct]
    inner = structs[structs["y.Y"].fields[1].type.struct]
    assert (outer.fields[1].name, inner.fields[1].name) == ("outer", "inner")


FORWARD = """\
typedef list<Later> Laters
service S {
  Laters f(1: list<Later> a, 2: map<Word, set<Word>> b, 3: Laters c, 4: Later d) throws (1: Odd o)
}
struct A { 1: Laters a, 2: map<Word, list<Later>> b, 3: list<list<Later>> c }
struct Later { 1: Word w, 2: optional A a }
enum Word { X = 3 }
exception Odd { 1: list<Word> w }
"""


def test_what_is_used_before_it_is_defined(tmp_path: Path) -> None:
    path = tmp_path / "x.thrift"
    path.write_text(FORWARD)
    interface = read_interface(path)
    assert str(interface.services["S"].methods["f"]) == (
        "list<Later> f(1: list<Later> a, 2: map<Word,set<Word>> b, 3: list<Later> c, 4: Later d) "
        "throws (1: Odd o)"
    )
    assert [field.type.name for field in interface.structs["A"].fields.values()] == [
        "list<Later>",
        "map<Word,list<Later>>",
        "list<list<Later>>",
    ]
    # What thriftpy2 left half done, and nobody can finish any more.
    with pytest.raises(IdlError, match=r"line 3: .* Is it defined, and above this\?"):
        as_interface(load_idl(path))


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "x.thrift"
    path.write_text("// nothing yet\n")
    assert repr(read_interface(path)) == "<Interface 'x.thrift': 0 services, 0 methods, 0 structs>"


def test_fields_without_numbers(tmp_path: Path) -> None:
    path = tmp_path / "x.thrift"
    path.write_text("struct A { i32 a\n i32 b }\n")
    assert list(read_interface(path).structs["A"].fields) == [-1, -2]


# ── Interfaces of others ─────────────────────────────────────────────────────────────


def idls() -> Iterator[Any]:
    folder = os.environ.get("PINGPONG_IDLS", "")
    found = sorted(Path(folder).rglob("*.thrift")) if folder else []
    for path in found:
        yield pytest.param(path, id=path.name)
    if not found:
        why = "PINGPONG_IDLS names no folder with .thrift files"
        yield pytest.param(None, marks=pytest.mark.skip(why))


@pytest.mark.parametrize("path", [SHOP, *idls()])
def test_interfaces_of_others(path: Path) -> None:
    """What thriftpy2 has in its classes, the Interface has."""
    interface = read_interface(path)
    with empty_memory():
        module = thriftpy2.load(str(path))
    held = 0
    for cls, name in classes(module, ""):
        check_struct(cls, interface.structs[name])
        held += 1
    assert held == len(interface.structs)
    for cls in meta(module, "services"):
        service = interface.services[cls.__name__]
        assert list(service.methods) == list(dict.fromkeys(cls.thrift_services))
        for name, method in service.methods.items():
            check_struct(getattr(cls, f"{name}_args"), method.arguments)
            check_struct(getattr(cls, f"{name}_result"), method.result)
            assert method.oneway == getattr(cls, f"{name}_result").oneway


def meta(module: Any, what: str) -> list[Any]:
    return list(getattr(module, "__thrift_meta__", {}).get(what, ()))


def classes(module: Any, prefix: str, seen: set[str] | None = None) -> Iterator[tuple[Any, str]]:
    seen = set() if seen is None else seen
    if prefix in seen:
        return
    seen.add(prefix)
    for what in ("structs", "unions", "exceptions"):
        for cls in meta(module, what):
            yield cls, prefix + cls.__name__
    for included in meta(module, "includes"):
        yield from classes(included, f"{included.__name__}.", seen)


def check_struct(cls: Any, known: StructType) -> None:
    assert set(cls.thrift_spec) == set(known.fields)
    for field_id, spec in cls.thrift_spec.items():
        field = known.fields[field_id]
        assert (field.name, field.required) == (spec[1], spec[-1])
        check_type(spec[0], spec[2] if len(spec) == 4 else None, field.type)


def check_type(number: Any, inner: Any, known: Type) -> None:
    if isinstance(number, tuple):
        number, inner = number
    if number < 0:
        return  # used before it was defined
    assert known.ttype == (TType.STRING if number == Number.BINARY else number)
    if number == Number.STRUCT:
        assert known.struct.rpartition(".")[2] == inner.__name__
    elif known.enum is not None:
        assert known.enum.values == inner._VALUES_TO_NAMES
    elif number == Number.MAP:
        assert known.key is not None
        assert known.element is not None
        check_type(inner[0], None, known.key)
        check_type(inner[1], None, known.element)
    elif number in (Number.LIST, Number.SET):
        assert known.element is not None
        check_type(inner, None, known.element)


def test_impalas_interface() -> None:
    """An interface over thousands of lines and six includes is one value like any other."""
    folder = os.environ.get("PINGPONG_IDLS", "")
    found = sorted(Path(folder).rglob("ImpalaService.thrift")) if folder else []
    if not found:
        pytest.skip("PINGPONG_IDLS has no ImpalaService.thrift")
    interface: Interface = read_interface(found[0])
    service = interface.services["ImpalaService"]
    assert service.extends == "beeswax.BeeswaxService"
    assert service.methods["query"].service == "beeswax.BeeswaxService"
    assert interface.struct("TGetRuntimeProfileReq").fields[1].name == "operationHandle"
