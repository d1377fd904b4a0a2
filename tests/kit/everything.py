"""Messages that hold all that their encoding has, as bytes; and what one says, as plain Python."""

from __future__ import annotations

from typing import Any

from making import raw

from pingpong.model import Items, Struct, Value


def named(value: Value) -> Any:
    """A value as Python's json would read it."""
    content = value.content
    if isinstance(content, Struct):
        return by_name(content)
    if isinstance(content, Items):
        return [named(item) for item in content.items]
    return value.plain


def by_name(struct: Struct) -> dict[str | None, Any]:
    return {field.name: named(field.value) for field in struct}


def with_length(text: bytes) -> bytes:
    return len(text).to_bytes(4, "big") + text


TP2_HEAD = b'{"metadata": {"version": 1, "name": "add", "ttype": 1, "seqid": 1},'
TP2_ADD = with_length(TP2_HEAD + b' "payload": {"a": 2, "b": 40}}')
TP2_RICH = with_length(
    b'{"metadata": {"version": 1, "name": "caf\\u00e9", "ttype": 2, "seqid": -7}, "payload": '
    b'{"x": {"yes": true, "no": false, "n": -5, "flags": [true, false], "d": 2.5, "e": {}}, '
    b'"m": [{"key": "a", "value": [1, 2]}], "none": [], "mixed": [1, "a"], "s": "\\u767b\\n", '
    b'"nan": NaN, "inf": -Infinity, "deep": [[[{"z": 1e+300}]]]}}'
)

APACHE_ADD = b'[1,"add",1,1,{"1":{"i32":2},"2":{"i32":40}}]'

# A struct as a map's key and a set as one among it.
APACHE_RICH = (
    b'[1,"caf\xc3\xa9",2,-7,{"1":{"lst":["rec",2,{"1":{"i32":1}},{}]},'
    b'"2":{"map":["str","lst",1,{"a":["str",2,"b","q\\"\\\\\\n"]}]},'
    b'"3":{"set":["i64",2,1,-2]},"4":{"map":["i8","dbl",2,{"1":2.5,"3":-0}]},'
    b'"5":{"map":["rec","str",1,{{"1":{"tf":1}}:"z"}]},"6":{"map":["set","tf",1,{["i8",1,5]:0}]},'
    b'"7":{"uid":"00112233-4455-6677-8899-aabbccddeeff"},"8":{"dbl":nan},"-9":{"rec":{}}}]'
)

BINARY_RICH = raw(
    "8001 00 01 00000003 616464 00000001"
    "0f 0001 0c 00000002  08 0001 00000001 00  00"
    "0d 0002 0b 0f 00000001  00000001 61  0b 00000002 00000001 62 00000000"
    "0e 0003 0a 00000002 0000000000000001 0000000000000002"
    "0d 0004 03 06 00000002 01 0002 03 0004"
    "0d 0005 0c 0b 00000001  08 0001 00000001 00  00000001 7a"
    "10 0006 00112233445566778899aabbccddeeff"
    "00"
)

COMPACT_RICH = raw(
    "8221 8102 03616464"
    "19 2c  15 02 00  15 ac02 00"
    "1b 01 89 01 61 28 01 62 00"
    "1a 26 8001 02"
    "1b 02 34 01 04 03 06"
    "1b 01 c8 15 02 00 01 7a"
    "1d 00112233445566778899aabbccddeeff"
    "11 12 19 31 01 02 01 19 f2 0f 010201020102010201020102010201"
    "17 0000000000000440 05 01 ffffffff0f 18 03 616263 1b 00 1b 01 16 01 8080808010"
    "00"
)
