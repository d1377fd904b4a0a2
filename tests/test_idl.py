"""idl: every way in which a .thrift file can be bad is one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from pingpong.errors import IdlError
from pingpong.live.idl import load_idl

FOO = Path(__file__).parents[1] / "foo.thrift"


def test_the_lessons_interface() -> None:
    assert load_idl(FOO).PingPong.thrift_services == ["ping", "login"]


BAD = {
    "grammar": (b"service PingPong {\n    string ping(\n}\n", "line 3"),
    "a character": (b"struct A {\n  1: string \x24\n}\n", "line 2"),
    "cut off": (b"service PingPong {", "."),
    "an unknown type": (b"struct A {\n  1: Nothing a\n}\n", "Nothing"),
    "not text": (b"\xff\xfe\x00", "is not UTF-8 at byte 0"),
    "a missing include": (b'include "gone.thrift"\n', "gone"),
    "the same name twice": (b"struct A {}\nservice B { A x(1: A y, 1: A z) }\n", "."),
    "a wrong constant": (b'const i32 N = "text"\n', "."),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_says_where_and_why(name: str, tmp_path: Path) -> None:
    content, reason = BAD[name]
    path = tmp_path / "bad.thrift"
    path.write_bytes(content)
    with pytest.raises(IdlError, match=reason) as caught:
        load_idl(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.thrift", tmp_path):
        with pytest.raises(IdlError, match=str(path)):
            load_idl(path)
