"""Two deployments, two versions of one interface: what their conversation differs in is found.

A real thriftpy2 client of one version calls a real server of the other; the recording is read
with either.  Neither end says a word of it: that is why somebody has to look.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from thriftpy2.thrift import TException

from pingpong.capture import Capture
from pingpong.live.idl import load_idl
from pingpong.live.recording import recording
from pingpong.live.serving import serving

OLD = """\
enum Role { USER = 1, ADMIN = 2 }
struct User { 1: required string name, 2: i32 age, 3: Role role }
union Key { 1: i64 number, 2: string name }
exception Gone { 1: string why }
service Users {
    User find(1: Key key) throws (1: Gone gone),
    void keep(1: User user),
    i32 count(1: string prefix),
    string drop(1: i64 number)
}
"""

# A field more, a field of another type, a role more, a kind of key more, an argument that has to
# be there, a method more, an exception more, and one method less.
NEW = """\
enum Role { USER = 1, ADMIN = 2, GUEST = 3 }
struct User { 1: required string name, 2: i64 age, 3: Role role, 4: string email }
union Key { 1: i64 number, 2: string name, 3: string email }
exception Gone { 1: string why }
exception Moved { 1: string whither }
service Users {
    User find(1: Key key) throws (1: Gone gone, 2: Moved moved),
    void keep(1: User user),
    i32 count(1: string prefix, 2: required bool exact),
    list<User> all()
}
"""


class Versions(SimpleNamespace):
    old: ModuleType
    new: ModuleType
    folder: Path


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    for name, text in (("old", OLD), ("new", NEW)):
        (tmp_path / f"{name}.thrift").write_text(text)
    return Versions(
        old=load_idl(tmp_path / "old.thrift"),
        new=load_idl(tmp_path / "new.thrift"),
        folder=tmp_path,
    )


class Handler:
    def __init__(self, module: Any, **user: Any) -> None:
        self.module = module
        self.user = user

    def find(self, key: Any) -> Any:
        if key.name == "moved":
            raise self.module.Moved(whither="there")
        return self.module.User(**self.user)

    def keep(self, user: Any) -> None:
        pass

    def count(self, *_: Any) -> int:
        return 3


def talk(server: Any, handler: Handler, client: Any, *calls: tuple[str, Any]) -> Capture:
    """What a client of one module says to a server of the other."""
    with serving(server.Users, handler, port=0) as running, recording(running, way="tap") as wire:
        for method, arguments in calls:
            # That it says "missing result", or "unknown method", is all that a user sees.
            with wire.client(client.Users) as caller, suppress(TException):
                getattr(caller, method)(*arguments)
    return wire.capture


def found(capture: Capture, idl: Path) -> list[str]:
    return [
        f"{one.difference.kind}: {one.difference.place}: {one.difference.words} ({one.times})"
        for one in capture.use_idl(idl).differences
    ]


def test_an_old_client_of_a_new_server(versions: Versions) -> None:
    new, old = versions.new, versions.old
    handler = Handler(new, name="Ann", age=7, role=3, email="a@b")
    key = old.Key(number=1)
    capture = talk(
        new,
        handler,
        old,
        ("find", [key]),
        ("find", [key]),
        ("find", [old.Key(name="moved")]),
        ("count", ["a"]),
        ("drop", [1]),
    )
    # With what the client knows: what the server sends that it does not.
    assert found(capture, versions.folder / "old.thrift") == [
        "type: User, field 2: is I64, and the IDL says i32 (2)",
        "enum: User, field 3: is 3, and the enum Role has no such value (2)",
        "unknown field: User, field 4: is STRING, and the IDL has no such field (2)",
        "unknown field: Users.find, exception 2: is STRUCT, and the IDL has no such field (1)",
    ]
    # With what the server knows: what the client asks that it does not.
    assert found(capture, versions.folder / "new.thrift") == [
        "missing: Users.count, argument 2: is missing, want the required bool exact (1)",
        "method: Users, method drop: is called, and the IDL has no such method (1)",
    ]
    first = next(iter(capture.differences))
    message = capture.messages[first.first - 1]
    assert message.method == "count"
    assert message.data[first.offset] == 0


def test_a_new_client_of_an_old_server(versions: Versions) -> None:
    new, old = versions.new, versions.old
    user = new.User(name="Ann", age=7, role=3, email="a@b")
    capture = talk(
        old,
        Handler(old, name="Bob", age=5, role=1),
        new,
        ("find", [new.Key(email="a@b")]),
        ("keep", [user]),
        ("count", ["a", True]),
        ("all", []),
    )
    # With what the server knows: what the client sends that it does not.
    assert found(capture, versions.folder / "old.thrift") == [
        "unknown field: Key, field 3: is STRING, and the IDL has no such field (1)",
        "type: User, field 2: is I64, and the IDL says i32 (1)",
        "enum: User, field 3: is 3, and the enum Role has no such value (1)",
        "unknown field: User, field 4: is STRING, and the IDL has no such field (1)",
        "unknown field: Users.count, argument 2: is BOOL, and the IDL has no such field (1)",
        "method: Users, method all: is called, and the IDL has no such method (1)",
    ]
    # With what the client knows: what the server answers that it does not.
    assert found(capture, versions.folder / "new.thrift") == [
        "type: User, field 2: is I32, and the IDL says i64 (1)",
    ]


def test_one_version_at_both_ends(versions: Versions) -> None:
    new = versions.new
    capture = talk(
        new,
        Handler(new, name="Ann", age=7, role=3, email="a@b"),
        new,
        ("find", [new.Key(email="a@b")]),
        ("find", [new.Key(name="moved")]),
        ("keep", [new.User(name="Ann")]),
        ("count", ["a", False]),
    )
    assert found(capture, versions.folder / "new.thrift") == []


def test_a_recording_takes_the_servers_own_module(versions: Versions) -> None:
    new = versions.new
    handler = Handler(new, name="Ann", age=7, role=3, email="a@b")
    with serving(new.Users, handler, port=0) as server, recording(server, way="tap") as wire:
        wire.use_idl(new)
        with server.client() as client:
            client.count("a", True)
        assert wire.messages[0].body.plain == {"prefix": "a", "exact": True}
        wire.use_idl(versions.old)
        assert wire.messages[0].body.plain == {"prefix": "a", 2: True}
