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
from places import KIT, ROOT, SHARED
from thriftpy2.thrift import TType as Number
from witness import empty_memory

from pingpong.capture import decode
from pingpong.errors import IdlError
from pingpong.live.idl import as_interface, load_idl, read_interface
from pingpong.model import TType
from pingpong.protocols.explain import explain
from pingpong.protocols.families.thrift.names import Interface, StructType, Type

FOO = ROOT / "foo.thrift"
SHOP = KIT / "idl" / "shop.thrift"


def test_the_lessons_interface() -> None:
    assert load_idl(FOO).PingPong.thrift_services == ["ping", "login"]


# A file, the place of the mistake, and the reason.
BAD = {
    "grammar": (b"service PingPong {\n    string ping(\n}\n", "3:1", "found }, want a name, "),
    "a character": (
        b"struct A {\n  1: string \x24\n}\n",
        "2:13",
        r"found \$, which begins no word",
    ),
    "cut off": (
        b"// one\nservice PingPong {",
        "2:19",
        r'the file ends here, want a name, "}", list, map, oneway, set or void',
    ),
    "an unknown type": (
        b"struct A {\n  1: Nothing a\n}\n",
        "2:6",
        "no type is called Nothing",
    ),
    "… in a list": (b"struct A {\n  1: list<Nothing> a\n}\n", "2:11", "no type is called Nothing"),
    "… of an argument": (b"service S {\n\n  void f(1: Nothing a)\n}\n", "3:13", "no type is"),
    "… of a result": (b"service S { Nothing f() }", "1:13", "no type is called Nothing"),
    "… of an exception": (b"service S { void f() throws (1: No e) }", "1:33", "no type is called"),
    "… of a typedef": (b"\ntypedef Nothing X\n", "2:9", "no type is called Nothing"),
    "… of an include": (
        b'include "good.thrift"\nstruct A {\n 1: good.Nothing a\n}\n',
        "3:5",
        "no type is called good.Nothing",
    ),
    "… without its include's name": (
        b'include "good.thrift"\nstruct A {\n 1: Good a\n}\n',
        "3:5",
        r"no type is called Good. Is it good\.Good\?",
    ),
    "… of no include": (b"struct A {\n 1: gone.No a\n}\n", "2:5", r"no type is called gone\.No"),
    "a constant as a type": (
        b"const i32 N = 1\nstruct A { 1: N a }",
        "2:15",
        "no type is called N",
    ),
    "a service as a type": (
        b"service S {}\nstruct A {1: S s}\n",
        "2:14",
        "found the service S, want a type",
    ),
    "an unknown container": (b"struct A { 1: bag<i32> a }", "1:15", "no type is called bag<…>"),
    "a typedef of itself": (b"typedef list<A> A\n", "1:17", "the typedef A stands for itself"),
    "an unknown service": (
        b"\nservice S extends T {}\n",
        "2:19",
        "no service is called T, which S extends",
    ),
    "services in a circle": (
        b"service A extends B {}\nservice B extends A {}\n",
        "1:9",
        "A extends",
    ),
    "UTF-16": (b"\xff\xfes\0", "", "begins like UTF-16"),
    "Latin-1": (b"struct A {\n 1: i32 caf\xe9\n}", "2:12", "found the byte e9, which is not UTF-8"),
    "a control character": (b"struct A {}\n\0", "2:1", r"found U\+0000, which begins no word"),
    "a number twice": (
        b"struct A {\n  1: i32 a # 1: i32 b\n  2: i32 c\n  1: i32 b\n}\n",
        "4:3",
        "a second field has the number 1; the first is in line 2",
    ),
    "a name twice": (
        b"struct Z { 2: i32 a }\nstruct A {\n  1: map<i32,string> a = {1: 'x'}\n  2: i32 a\n}\n",
        "4:10",
        "a second field is called a; the first is in line 3",
    ),
    "an argument twice": (
        b"service S {\n void f(1: i32 a),\n void g(1: i32 a, 1: i32 b)\n}\n",
        "3:19",
        "a second field has the number 1",
    ),
    "a struct twice": (
        b"struct A {}\nstruct B {}\nunion A {}\n",
        "3:7",
        "there is a second A; the first is in line 1",
    ),
    "a method twice": (
        b"service R { void f() }\nservice S { void f()\n void f()}\n",
        "3:7",
        "service S has a second method f; the first is in line 2",
    ),
    "a value twice": (b"enum E { A, B, A }", "1:16", "there is a second A in E"),
    "a value of 33 bits": (
        b"enum E { A = 4294967296 }",
        "1:14",
        "A is 4294967296, want a number of",
    ),
    "a value after the last": (b"enum E { A = 2147483647, B }", "1:26", "B is 2147483648"),
    "a name with a dot": (b"struct A.B {}", "1:8", r"found A\.B, want a name without a dot"),
    "a comment without end": (
        b"struct A {}\n/* and",
        "2:1",
        r"a comment begins here, and no \*/ ends it",
    ),
    "a string without end": (b'include "a', "1:9", "a string begins here, and nothing ends it"),
    "a string that ends late": (
        b'const string A = "a\nconst string B = "b"\n',
        "2:19",
        r"Should the string that begins in line 1 end in that line\?",
    ),
    "a double as a number": (b"struct A { 1e3: i32 a }", "1:12", "found 1e3, want a name"),
    "a long number": (
        b"struct A { " + b"9" * 5000 + b": i32 a }",
        "1:12",
        "found 9{40}…, want a number that fits into an i64",
    ),
    "two types in each other's place": (b"struct A { 1: map<i32> a }", "1:22", 'found >, want ","'),
    "a list of two": (b"struct A { 1: list<i32,i32> a }", "1:23", 'found ,, want ">"'),
    "a word that begins like one of Thrift's": (
        b"structure A {}",
        "1:1",
        "found structure, want the",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_says_where_and_why(name: str, tmp_path: Path) -> None:
    content, place, reason = BAD[name]
    path = tmp_path / "bad.thrift"
    path.write_bytes(content)
    (tmp_path / "good.thrift").write_text("struct Good {}\n")
    with pytest.raises(IdlError, match=reason) as caught:
        read_interface(path)
    error = caught.value
    assert str(error).startswith(f"{path}:{place}: " if place else f"{path}: ")
    assert error.path == str(path)
    assert place == (f"{error.line}:{error.column}" if error.line else "")


# What is wrong with a value costs the value alone: a file, and what its note says.
ODD_VALUES = {
    "text for a number": ("const i32 N = 'text'", "1:15: N is 'text', want i32"),
    "a default": ("struct A {1: i32 n = 'text'}", "1:22: n is 'text', want i32"),
    "a number for text": ("const string N = 1", "N is 1, want string"),
    "a double for a number": ("const i64 N = 1.5", "N is 1.5, want i64"),
    "a list for a number": ("const i32 N = [1]", "N is a list, want i32"),
    "a list for a map": ("const map<i32, i32> N = [1]", "N is a list, want map<i32,i32>"),
    "inside": ("const map<i32, list<i32>> N = {1: [1, '2']}", "1:39: N is '2', want i32"),
    "a key": ("const map<list<i32>, i32> N = {['x']: 1}", "1:33: N is 'x', want i32"),
    "no such number": ("enum E {A}\nconst E N = 7", "N is 7, and the enum E has no such value"),
    "no such name": ("const i32 N = M", "1:15: no constant is called M"),
    "no such enum's name": ("enum E {A}\nconst E N = E.B", r"no constant is called E.B"),
    "no such field": ("struct A {}\nconst A N = {'b': 1}", "the struct A has no field 'b'"),
    "a constant of another type": (
        "const string S = 's'\nconst list<i32> N = [S]",
        "1:18: N is 's', want i32",
    ),
    "65 bits": ("const i64 N = 9223372036854775808", "want a number that fits into an i64"),
    "an escape": (r"const string N = '\q'", r"a string has \q in it, want one of \n"),
}


@pytest.mark.parametrize("name", ODD_VALUES)
def test_a_value_that_is_wrong_is_noted(name: str, tmp_path: Path) -> None:
    text, reason = ODD_VALUES[name]
    path = tmp_path / "odd.thrift"
    path.write_text(text + "\nstruct Last { 1: i32 a }\n")
    interface = read_interface(path)
    assert "Last" in interface.structs
    [note] = interface.notes
    assert note.startswith(f"{path}:")
    assert reason in note
    with pytest.raises(IdlError, match="thriftpy2 cannot load it"):
        load_idl(write(tmp_path, "struct A { 1: i32 from }", "word.thrift"))


def write(folder: Path, text: str, name: str = "x.thrift") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_mistake_in_an_include_names_the_include(tmp_path: Path) -> None:
    top = write(tmp_path, 'include "inner.thrift"\nstruct A { 1: i32 a }\n', "top.thrift")
    inner = tmp_path / "inner.thrift"
    for text, place in (
        ("struct B {\n 1: Nothing b\n}\n", "2:5"),
        ("struct B {\n\n 1: i32 b\n 1: i32 c\n}\n", "4:2"),
        ("struct B {\n 1 i32 b\n}\n", "2:4"),
    ):
        inner.write_text(text)
        for read in (read_interface, load_idl):
            with empty_memory(), pytest.raises(IdlError) as caught:
                read(top)
            assert str(caught.value).startswith(f"{inner}:{place}: ")


def test_an_include_that_is_not_there_costs_its_names_alone(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '// include "no.thrift"\n\ninclude "gone.thrift"\n'
        "typedef gone.Id Id\n"
        "struct A { 1: i32 a, 2: gone.B b, 3: list<gone.B> c = [gone.X], 4: Id d = gone.Y }\n"
        "service S extends gone.T { A f(1: gone.B b) throws (1: gone.E e) }\n"
        "service U extends S {}\n",
    )
    interface = read_interface(path)
    [note] = interface.notes
    assert note == (
        f"{path}:3:9: the included file gone.thrift is not there, so the types in it are not known"
    )
    fields = interface.structs["A"].fields
    assert [str(one) for one in fields.values()] == [
        "1: i32 a",
        "2: gone.B b",
        "3: list<gone.B> c = [gone.X]",
        "4: Id (gone.Id) d = gone.Y",
    ]
    assert [fields[at].type.is_known for at in fields] == [True, False, True, False]
    # What it inherits is not known, so that no method is one that it has not.
    service = interface.services["U"]
    assert (service.lacks, list(service.methods)) == ("gone.T", ["f"])
    with pytest.raises(IdlError, match=r"thriftpy2 cannot load it \(.*gone.thrift is not there"):
        load_idl(path)


def test_what_is_not_known_is_never_wrong(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'include "gone.thrift"\n'
        "service S extends gone.T { void f(1: gone.B a, 2: list<gone.B> b, 3: map<i32,gone.B> c) }",
    )
    interface = read_interface(path)
    body = b"\x08\0\1\0\0\0\7\x0f\0\2\x0c\0\0\0\1\0\x0d\0\3\x08\x0b\0\0\0\1\0\0\0\1\0\0\0\0\0"
    for name, wanted in ((b"f", ["a", "b", "c"]), (b"g", [None, None, None])):
        head = b"\x80\1\0\1\0\0\0\1" + name + b"\0\0\0\0"
        got = decode(head + body, idl=interface)
        assert [field.name for field in got.body.fields] == wanted
        assert got.differences == ()


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
    [note] = read_interface(tmp_path / "a" / "top.thrift").notes
    assert "the included file x.thrift is not there" in note
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
        "Laters (list<Later>) f(1: list<Later> a, 2: map<Word,set<Word>> b, "
        "3: Laters (list<Later>) c, 4: Later d) throws (1: Odd o)"
    )
    assert [field.type.name for field in interface.structs["A"].fields.values()] == [
        "list<Later>",
        "map<Word,list<Later>>",
        "list<list<Later>>",
    ]
    # What thriftpy2 left half done, and nobody can finish any more.
    with pytest.raises(IdlError, match=r"thrift:3: .* Is it defined, and above this\?"):
        as_interface(load_idl(path))


# What Apache's compiler takes, and what of it there is to see.
TAKEN: dict[str, tuple[str, dict[str, list[str]]]] = {
    "annotations": (
        "namespace xsd x (uri = 'http://example.org/x')\n"
        "namespace * x.y\n"
        "typedef i64 (js.type = 'Long', x) Id (a.b = \"c\";)\n"
        "enum E { A (x), B = 2 (y = 'z'), } (e)\n"
        "struct A { 1: list<i32 (k)> (l) a = [1,] (m = 'n'), } (o, p.q = 'r')\n"
        "service S { i32 (a) f(1: i32 a (b)) throws (1: X x (c)) (d), } (e)\n"
        "exception X {} (f)",
        {"A": ["1: list<i32> a = [1]"], "X": []},
    ),
    "words before namespaces were one": (
        "cpp_namespace a.b\nxsd_namespace 'x'\nphp_namespace a\ncpp_include <x>".replace(
            "<x>", "'x'"
        ),
        {},
    ),
    "references": (
        "struct Tree { 1: i32 v, 2: list<Tree> children, 3: optional Tree & left }",
        {"Tree": ["1: i32 v", "2: list<Tree> children", "3: optional Tree left"]},
    ),
    "uuid": ("struct A { 1: uuid u, 2: set<uuid> s }", {"A": ["1: uuid u", "2: set<uuid> s"]}),
    "a uuid of one's own": (
        "typedef string uuid\nstruct A { 1: uuid u }",
        {"A": ["1: uuid (string) u"]},
    ),
    "old words": (
        "senum C { 'a', \"b\"; 'c' }\nstruct A { 1: slist s, 2: byte b, 3: C c }",
        {"A": ["1: string s", "2: i8 b", "3: C (string) c"]},
    ),
    "constants": (
        "const map<list<i32>, i32> M = { [1, 2]: 1, [3]: 2; }\n"
        "const i32 H = -0xff\nconst double D = -1.5e3\nconst bool T = true\n"
        "const E F = B\nconst list<i32> L = [H, later]\nconst i32 later = 7\nenum E { A, B }\n"
        "const P Q = {'x': 1, 'e': E.A}\nstruct P { 1: i32 x, 2: E e }\n"
        "struct A { 1: i32 h = H, 2: double d = D, 3: bool t = T, 4: E f = F, 5: E g = 1,\n"
        "6: map<list<i32>, i32> m = M, 7: P p = Q, 8: list<i32> l = L, 9: bool z = 0,\n"
        "10: string s = 'it\\'s', 11: set<i32> e = {}, 12: i32 n = E.B, 13: double w = 2 }",
        {
            "A": [
                "1: i32 h = -255",
                "2: double d = -1500.0",
                "3: bool t = true",
                "4: E f = E.B",
                "5: E g = E.B",
                "6: map<list<i32>,i32> m = {[1, 2]: 1, [3]: 2}",
                '7: P p = {"x": 1, "e": E.A}',
                "8: list<i32> l = [-255, 7]",
                "9: bool z = false",
                '10: string s = "it\'s"',
                "11: set<i32> e = []",
                "12: i32 n = 1",
                "13: double w = 2",
            ]
        },
    ),
    "numbers below 1": (
        "struct A { i32 a; 5: i32 b, i32 c -3: i32 d, 0: i32 e }",
        {"A": ["-1: i32 a", "5: i32 b", "-2: i32 c", "-3: i32 d", "-4: i32 e"]},
    ),
    "requiredness": (
        "struct A { 1: required i32 a 2: optional i32 b 3: i32 c }\n"
        "union U { 1: required i32 a }\n"
        "service S { void f(1: required i32 a, 2: optional i32 b) }",
        {"A": ["1: required i32 a", "2: optional i32 b", "3: i32 c"], "U": ["1: i32 a"]},
    ),
    "words as names": (
        "struct A { 1: i32 struct, 2: string list 3: bool required, 4: i32 from, 5: i32 client,\n"
        "6: A namespace, 7: i32 stream, 8: i32 package, 9: i32 interaction, 10: i32 readonly }",
        {
            "A": [
                "1: i32 struct",
                "2: string list",
                "3: bool required",
                "4: i32 from",
                "5: i32 client",
                "6: A namespace",
                "7: i32 stream",
                "8: i32 package",
                "9: i32 interaction",
                "10: i32 readonly",
            ]
        },
    ),
    "what C++ and XML want": (
        "struct A xsd_all { 1: list cpp_type 'x' <i32> a xsd_optional xsd_nillable "
        "xsd_attrs { 1: i32 b }, 2: map cpp_type 'y' <i32, i32> c, 3: list<i32> cpp_type 'z' d }",
        {"A": ["1: list<i32> a", "2: map<i32,i32> c", "3: list<i32> d"]},
    ),
    "typedefs that refer forward": (
        "typedef list<B> Bs\ntypedef C B\ntypedef map<string, A> C\nstruct A { 1: Bs b, 2: C c }",
        {"A": ["1: Bs (list<map<string,A>>) b", "2: C (map<string,A>) c"]},
    ),
    "comments": (
        "/**/ // one\n# two\n/* three\n * // **/ struct A /* a */ { /***/ } /** doc */ // end",
        {"A": []},
    ),
    "CRLF": (
        "struct A {\r\n  1: i32 a // x\r\n  2: i32 b\r\n}\r\n",
        {"A": ["1: i32 a", "2: i32 b"]},
    ),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_apaches_compiler_takes(name: str, tmp_path: Path) -> None:
    text, structs = TAKEN[name]
    interface = read_interface(write(tmp_path, text))
    got = {
        name: [str(field) for field in interface.structs[name].fields.values()] for name in structs
    }
    assert got == structs
    # A number that the compiler gives another is said.
    assert len(interface.notes) == (name == "numbers below 1")


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "x.thrift"
    path.write_bytes(
        b'\xef\xbb\xbf// caf\xe9\nstruct A { /* \xff */ 1: string s = "\xe9t\xc3\xa9" # \xfe\n}'
    )
    [field] = read_interface(path).structs["A"].fields.values()
    assert field.default == '"\ufffdt\u00e9"'


FBTHRIFT = """\
@thrift.Experimental
package "example.org/shop"
include "nowhere/thrift.thrift" as thrift
cpp_include "x.h"
hs_include "x"
namespace java.swift a.b
namespace js a-b
namespace hack ""

typedef hash_map<string, float> (cpp.type = "x") Prices
struct Item {
  @cpp.Ref{type = cpp.RefType.Unique}
  1: terse i64 id;
  2: optional Prices prices;
  @thrift.Box 3: optional Item next (cpp.ref = "true");
  4: i32 mask = 0b101;
}
safe permanent client exception Gone { 1: string what = "over
two lines"; }
const Item ONE = Item{id = 1, next = Item{}};
interaction Cart { void add(1: Item item); }
@doc{text = \"\"\"A "shop".\"\"\"}
service Shop {
  performs Cart;
  idempotent Item get(1: i64 id) throws (1: Gone gone);
  readonly oneway void note(1: string text);
  Item, stream<Item throws (1: Gone e)> watch();
  stream<Item> all();
  i32, sink<Item, i64> fill();
  Cart cart();
}
"""


def test_fbthrifts_syntax(tmp_path: Path) -> None:
    interface = read_interface(write(tmp_path, FBTHRIFT))
    assert [str(one) for one in interface.structs["Item"].fields.values()] == [
        "1: i64 id",
        "2: optional Prices (map<string,float>) prices",
        "3: optional Item next",
        "4: i32 mask = 5",
    ]
    assert list(interface.services) == ["Shop"]
    shop = interface.services["Shop"].methods
    assert [str(one) for one in shop.values()] == [
        "Item get(1: i64 id) throws (1: Gone gone)",
        "oneway void note(1: string text)",
        "Item watch()",
        "stream<Item> all()",
        "i32 fill()",
        "Cart cart()",
    ]
    # No reader here knows how a float is written, nor what a stream's reply is.
    prices = interface.structs["Item"].fields[2].type
    assert prices.element is not None
    assert not prices.element.is_known
    assert not shop["all"].result.fields[0].type.is_known
    skipped = interface.notes[-1]
    assert "skipped what only fbthrift knows: structured annotations (@) (4 times), " in skipped
    for word in ("package", "terse", "safe", "interaction", "performs", "idempotent", "readonly"):
        assert word in skipped


def test_an_include_from_the_root_of_a_repository(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    write(tmp_path / "a", "struct R { 1: i32 r }", "root.thrift")
    path = write(deep, 'include "a/root.thrift"\nstruct A { 1: root.R r }')
    interface = read_interface(path)
    assert (list(interface.structs), interface.notes) == (["A", "root.R"], ())


def test_includes_in_a_circle(tmp_path: Path) -> None:
    write(tmp_path, 'include "b.thrift"\nstruct A { 1: b.B b }', "a.thrift")
    write(
        tmp_path,
        'include "a.thrift"\ninclude "b.thrift"\nstruct B { 1: a.A a 2: b.B b }',
        "b.thrift",
    )
    interface = read_interface(tmp_path / "a.thrift")
    assert str(interface.structs["b.B"]) == "struct b.B {\n  1: A a\n  2: b.B b\n}"


def test_the_first_of_two_names_of_a_number(tmp_path: Path) -> None:
    interface = read_interface(write(tmp_path, "enum E { A = 1, B = 1, C }"))
    assert interface.enums["E"].values == {1: "A", 2: "C"}


def test_which_methods_are_oneway(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "service P { async void up() }\n"
        "service A extends P { oneway void note(1: i32 a), i32 get(), oneway void both() }\n"
        "service B { void both() }",
    )
    interface = read_interface(path)
    assert interface.oneway("note") is True
    assert interface.oneway("get") is False
    assert interface.oneway("A:up") is True
    assert interface.oneway("gone") is None
    assert interface.oneway("both") is None  # one says so, one does not
    assert interface.oneway("both", "A") is True
    assert interface.oneway("B:both") is False


def test_a_note_says_what_the_idl_does(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "typedef i64 UserId\nservice S { void f(1: A a) }\n"
        "struct A { 1: optional UserId who, 2: i64 plain, 3: required i32 must }",
    )
    head = b"\x80\1\0\1\0\0\0\1f\0\0\0\0"
    long = b"\0\0\0\0\0\0\0\7"
    body = b"\x0c\0\1\x0a\0\1" + long + b"\x0a\0\2" + long + b"\x08\0\3\0\0\0\1\0\0"
    notes = explain(decode(head + body, idl=path))
    assert [(one.meaning, one.why) for one in notes if one.label == "field id"] == [
        ("1 a", "An argument."),
        ("1 who", "The IDL says: optional UserId (i64)."),
        ("2 plain", ""),
        ("3 must", "The IDL says: required i32."),
    ]


# ── Files that mean harm ─────────────────────────────────────────────────────────────

_MANY = 1200
HOSTILE = {
    "a type of 2^1200 parts": "typedef map<i32,i32> A0\n"
    + "".join(f"typedef map<A{at},A{at}> A{at + 1}\n" for at in range(_MANY))
    + f"struct X {{ 1: A{_MANY} x }}\nservice S {{ void f(1: A{_MANY} x) }}\n"
    + f"service T {{ void f(1: A{_MANY} x) }}",
    "typedefs from behind": "".join(f"typedef A{at} A{at + 1}\n" for at in range(_MANY, -1, -1))
    + "typedef i32 A0",
    "services that extend each other": "service S0 { void m() }\n"
    + "".join(f"service S{at + 1} extends S{at} {{ void m{at}() }}\n" for at in range(_MANY)),
    "… from behind": "".join(
        f"service S{at + 1} extends S{at} {{ void m{at}() }}\n" for at in range(_MANY, -1, -1)
    )
    + "service S0 {}",
    "methods of one name": "".join(
        f"service S{at} {{ void m(1: i32 a{at}) }}\n" for at in range(_MANY)
    ),
    "a constant of 2^1200 parts": "const list<i32> A0 = [1]\n"
    + "".join(f"const list<i32> A{at + 1} = [A{at}, A{at}]\n" for at in range(_MANY))
    + f"struct X {{ 1: list<i32> x = A{_MANY} }}",
    "constants that name each other": "".join(
        f"const i32 A{at} = A{at + 1}\n" for at in range(_MANY)
    )
    + f"const i32 A{_MANY} = 7\nstruct X {{"
    + "".join(f"{at + 1}: i32 x{at} = A{at}\n" for at in range(_MANY))
    + "}",
    "a constant of itself": "const list<i32> A = [A]\nconst i32 B = B\nstruct X { 1: i32 b = B }",
    "attributes in attributes": "struct A {" + "1: i32 a xsd_attrs {" * _MANY + "}" * _MANY + "}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_costs_what_it_weighs(name: str, tmp_path: Path) -> None:
    """Were it expanded, or walked by recursion, this would not end, or end in a traceback."""
    interface = read_interface(write(tmp_path, HOSTILE[name]))
    for one in (interface, *interface.structs.values()):
        assert len(repr(one)) < 1_000_000
    for service in (*interface.services.values(),)[-2:]:
        assert len(service.methods) <= _MANY + 1
    assert all(
        len(str(one)) < 400
        for one in interface.structs.get("X", StructType("", "", ())).fields.values()
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("struct A { 1: " + "list<" * _MANY + "i32" + ">" * _MANY + " a }", "201 types in each"),
        (
            "const i32 A = " + "[" * _MANY + "]" * _MANY,
            "201 values in each other, want at most 200",
        ),
        ("const i32 A = " + "{1:" * _MANY + "1" + "}" * _MANY, "201 values in each other"),
        ("struct A { 1: " + "list<" * _MANY, "the file ends here"),
        ("@A{a=" * _MANY, "found @, want"),
    ],
)
def test_what_is_too_deep_is_said(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(IdlError, match=reason):
        read_interface(write(tmp_path, text))


@pytest.mark.parametrize("name", ["laugh20.thrift", "ext400.thrift", "nest.thrift"])
def test_the_files_of_an_attack(name: str) -> None:
    folder = SHARED / "cases" / "attacks"
    if not (folder / name).is_file():
        pytest.skip("there is no ../shared/cases")
    if name == "nest.thrift":
        with pytest.raises(IdlError, match="types in each other"):
            read_interface(folder / name)
    else:
        assert read_interface(folder / name).notes == ()


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
