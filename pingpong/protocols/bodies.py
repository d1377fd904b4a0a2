"""What a body of HTTP is said to be, and who reads its values.

    application/json  application/grpc-web+proto  …  ──▶ "json", "proto" ──▶ the encoding

The table is for all families: a word means the same whoever says it.
"""

from __future__ import annotations

from typing import Final

from ..model import Protocol
from .encodings.plain_json import PLAIN_JSON
from .encodings.protobuf import PROTOBUF
from .raw import RAW

__all__ = ["by_word", "is_known", "of_type"]

# By the last word of a content type.
_ENCODINGS: Final[dict[str, Protocol]] = {
    "json": PLAIN_JSON,
    "proto": PROTOBUF,
    "protobuf": PROTOBUF,
    "x-protobuf": PROTOBUF,
    "x-www-form-urlencoded": RAW,
}


def by_word(word: str) -> Protocol:
    """The encoding that goes by that word."""
    return _ENCODINGS.get(word, RAW)


def _word(content_type: str) -> str:
    """The last word of a content type: "json" of "application/problem+json"."""
    return content_type.rpartition("/")[2].rpartition("+")[2]


def is_known(content_type: str) -> bool:
    """Is it a type that values are sent in, and not a page, a picture, a download?"""
    return _word(content_type) in _ENCODINGS


def of_type(content_type: str) -> Protocol:
    """The encoding of a body with that type."""
    return by_word(_word(content_type))
