"""What type an HTTP body claims to have, and which encoding reads its values.

    application/json  application/grpc-web+proto  …  ──▶ "json", "proto" ──▶ the encoding

All families share this table: a word means the same to each of them.
"""

from __future__ import annotations

from typing import Final

from ..model import Protocol
from .encodings.plain_json import PLAIN_JSON
from .encodings.protobuf import PROTOBUF
from .raw import RAW

__all__ = ["by_word", "is_known", "of_type"]

# Keyed by the last word of a content type.
_ENCODINGS: Final[dict[str, Protocol]] = {
    "json": PLAIN_JSON,
    "proto": PROTOBUF,
    "protobuf": PROTOBUF,
    "x-protobuf": PROTOBUF,
    "x-www-form-urlencoded": RAW,
}


def by_word(word: str) -> Protocol:
    """Return the encoding that goes by that word."""
    return _ENCODINGS.get(word, RAW)


def _word(content_type: str) -> str:
    """Return the last word of a content type: "json" of "application/problem+json"."""
    return content_type.rpartition("/")[2].rpartition("+")[2]


def is_known(content_type: str) -> bool:
    """Say whether values are sent in this type, as opposed to a page, a picture or a download."""
    return _word(content_type) in _ENCODINGS


def of_type(content_type: str) -> Protocol:
    """Return the encoding of a body with that type."""
    return by_word(_word(content_type))
