"""A message as a tree."""

from __future__ import annotations

import pytest
from views_samples import MESSAGES

from pingpong.views.text import STYLES, display_width, plain
from pingpong.views.tree import tree

EVERY_TYPE = """\
CALL everything, seqid 7, client → server, {size} bytes, binary unframed
├─ 1: BOOL true
├─ 2: I8 -1
├─ 3: I16 256
├─ 4: I32 -7
├─ 5: I64 1099511627776
├─ 6: DOUBLE 2.5
├─ 7: STRING "登录成功!"
├─ 8: STRING 4 bytes: ff fe 00 01
├─ 9: UUID 00010203-0405-0607-0809-0a0b0c0d0e0f
├─ 10: STRUCT
│  ├─ 1: STRING "inner"
│  └─ 2: STRUCT, empty
├─ 11: LIST of I32, 3 elements: [1, 2, 3]
├─ 12: SET of STRING, 2 elements: ["a", "b"]
├─ 13: MAP of STRING → I32, 1 entry: {{"a" → 1}}
├─ 14: LIST of STRUCT, 2 elements
│  ├─ [0] STRUCT
│  │  └─ 1: I32 5
│  └─ [1] STRUCT, empty
├─ 15: MAP of STRING → STRUCT, 1 entry
│  └─ "k" → STRUCT, empty
├─ 16: DOUBLE -inf
├─ 17: MAP, 0 entries
└─ 4: I32 8
warning: field id at offset 242: is 4, which was there before"""

TREES = {
    "ping": """\
CALL ping, seqid 42, client → server, 17 bytes, binary unframed
└─ no fields""",
    "framed login": """\
CALL login, seqid 0, client → server, 43 bytes, binary framed
├─ 1: STRING "root"
└─ 2: STRING "pwd\"""",
    "failed": """\
EXCEPTION boom, seqid 0, server → client, 45 bytes, binary unframed
├─ 1: STRING "Internal error"
└─ 2: I32 6""",
    "every type": EVERY_TYPE.format(size=MESSAGES["every type"].size),
}


@pytest.mark.parametrize("name", TREES)
def test_tree(name: str) -> None:
    assert plain(tree(MESSAGES[name])) == TREES[name]


def test_long_lists_show_their_beginning() -> None:
    lines = plain(tree(MESSAGES["long"], children=3)).splitlines()
    assert lines[1].startswith('├─ 1: STRING "xxx')
    assert lines[1].endswith("…")
    assert lines[2:] == [
        "└─ 2: LIST of I32, 3000 elements",
        *(f"   ├─ [{at}] I32 7" for at in range(3)),
        "   └─ … 2997 more, not shown",
    ]
    assert len(tree(MESSAGES["long"], children=None, limit=None)) == 3003
    lines = plain(tree(MESSAGES["long"], children=None, limit=10)).splitlines()
    assert len(lines) == 12
    assert lines[-1] == "… the rest of the tree, not shown"


def test_lost_bytes_are_told() -> None:
    lines = plain(tree(MESSAGES["lossy"])).splitlines()
    assert lines[1] == '├─ 1: STRING "xxxxxxxxxxxxxxxx" (10 bytes missing)'
    assert lines[-1].startswith("warning: ")


def test_what_was_not_read_is_told() -> None:
    lines = plain(tree(MESSAGES["cut off"])).splitlines()
    assert lines[2] == "└─ … the rest was not read"
    assert lines[-1].startswith("error: ")


@pytest.mark.parametrize("name", MESSAGES)
def test_lines_are_printable_no_wider_than_the_screen_and_of_known_styles(name: str) -> None:
    lines = tree(MESSAGES[name])
    for line in lines[1:]:
        assert display_width(plain([line])) <= 100, plain([line])
    for line in lines:
        assert plain([line]).isprintable()
        assert all(run.style in STYLES for run in line)
