"""Characters that did not survive the way: what is in the texts of a call and of its reply.

Characters above U+FFFF, emoji most of all, are where encoders fail.  Java counts them as two
(a high and a low surrogate) and hessian writes each of the two in 3 bytes; others write 4 bytes, or
keep the lower 16 bits of the number, or write a question mark.

    😀 U+1F600    a lone surrogate          half of a character
                  U+F600, of private use    its lower 16 bits
                  ?  or  U+FFFD             what stands for what cannot be written

A question mark alone says nothing: it counts where a text of the reply is one of the call's, all
but that.  The others are no characters that people write: a part of a text is enough.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from ..model import Entries, Exchange, Items, Message, Struct, Value
from ..protocols.encodings.hessian2 import Hessian2Protocol

__all__ = ["Garbled", "garbled"]

# How much of a message is looked at (bytes), how many of its texts, and how long a text may be.
_LOOK: Final = 65_536
_MOST_TEXTS: Final = 256
_LONGEST: Final = 512
# How many runs of such characters of a text are compared.
_MOST_RUNS: Final = 8
# A text is found in a longer one if so much of it is there beside them.
_ENOUGH: Final = 4

# In UTF-8 a character above U+FFFF, half of one, one of those that emoji shrink to; and JSON's way.
_WORTH_A_LOOK: Final = re.compile(
    rb"\xf0[\x90-\x9f]|\xed[\xa0-\xbf]|\xef[\x8c-\x9b]|\\u[dD][89a-fA-F]"
)
_WIDE: Final = re.compile("[\U00010000-\U0010ffff]+")
_HALF: Final = re.compile("[\ud800-\udfff]")
_HALF_BYTES: Final = re.compile(rb"\xed[\xa0-\xbf]")
_ESCAPED: Final = re.compile(r"\\u(d[89a-f][0-9a-f]{2})")
# The lower 16 bits of the emoji from U+1F300 to U+1F6FF.
_SHRUNK: Final = re.compile("[\uf300-\uf6ff]")


class Garbled(NamedTuple):
    """A text with such a character.

    ``was`` is the call's, "" if only one text is known, ``now`` what came of it.  Both are as they
    are shown, with what cannot be written escaped.  ``is_half``: it has a lone surrogate;
    ``is_shrunk``: a character of private use, such as an emoji shrinks to.  ``by_client``: it is in
    the call itself.
    """

    by_client: bool
    was: str
    now: str
    is_half: bool
    is_shrunk: bool


def garbled(exchange: Exchange) -> Garbled | None:
    """What is broken in the texts of a call or of its reply; None if nothing is."""
    call, reply = exchange.call, exchange.reply
    asked = () if call is None or not _is_worth(call) else _texts(call)
    for text in asked:
        found = _alone(text, call)
        if found is not None:
            return Garbled(True, "", *found)
    if reply is None:
        return None
    wide = [one for one in asked if _WIDE.search(one)]
    if not wide and not _is_worth(reply):
        return None
    answers = _texts(reply)
    for was in wide:
        for now in answers:
            if _is_broken(was, now):
                half, shrunk = bool(_HALF.search(now)), bool(_SHRUNK.search(now))
                return Garbled(False, _shown(was), _shown(now), half, shrunk)
    for text in answers:
        found = _alone(text, reply)
        if found is not None:
            return Garbled(False, "", *found)
    return None


def _is_worth(message: Message) -> bool:
    return _WORTH_A_LOOK.search(message.data, message.start, message.start + _LOOK) is not None


def _alone(text: str, message: Message | None) -> tuple[str, bool, bool] | None:
    """What a text says of itself."""
    half = _HALF.search(text) is not None
    # Others than hessian's encoders do not work in 16 bits, and some fonts have pictures there.
    shrunk = (
        message is not None
        and isinstance(message.protocol, Hessian2Protocol)
        and _SHRUNK.search(text) is not None
    )
    return (_shown(text), half, shrunk) if half or shrunk else None


def _is_broken(was: str, now: str) -> bool:
    """Is ``now`` the text ``was``, but for its characters above U+FFFF?"""
    runs = list(_WIDE.finditer(was))
    if len(runs) > _MOST_RUNS or any(run[0] in now for run in runs):
        return False
    pattern, at, kept = "", 0, 0
    for run in runs:
        shrunk = "".join(re.escape(chr(ord(one) & 0xFFFF)) for one in run[0])
        count = len(run[0])
        pattern += re.escape(was[at : run.start()])
        pattern += f"([?\ufffd\ud800-\udfff{shrunk}]{{{count},{4 * count}}})"
        kept += len(was[at : run.start()].strip())
        at = run.end()
    pattern += re.escape(was[at:])
    kept += len(was[at:].strip())
    if not kept and _HALF.search(now) is None:
        return False
    if re.fullmatch(pattern, now) is not None:
        return True
    found = re.search(pattern, now) if kept >= _ENOUGH else None
    return found is not None and not any("?" in lost for lost in found.groups())


def _texts(message: Message) -> list[str]:
    """The texts among a message's values, those that are not too long."""
    found: list[str] = []
    waiting: list[Value] = [field.value for field in reversed(message.fields)]
    while waiting and len(found) < _MOST_TEXTS:
        one = waiting.pop()
        content = one.content
        if isinstance(content, Struct):
            waiting += [field.value for field in reversed(content.fields)]
        elif isinstance(content, Items):
            waiting += reversed(content.items[:_MOST_TEXTS])
        elif isinstance(content, Entries):
            for key, value in reversed(content.items[:_MOST_TEXTS]):
                waiting += (value, key)
        elif not one.redacted:
            text = one.text
            if text and len(text) <= _LONGEST:
                if _HALF_BYTES.search(message.data, one.span.start, one.span.stop):
                    # The encoding shows half of a character as its escape.
                    text = _ESCAPED.sub(lambda place: chr(int(place[1], 16)), text)
                found.append(text)
    return found


def _shown(text: str) -> str:
    """A text of 60 characters at most; what cannot be written, or seen, is escaped."""
    cut = text if len(text) <= 60 else text[:59] + "…"
    return "".join(_letter(one) for one in cut)


def _letter(one: str) -> str:
    if one.isprintable():
        return one
    return f"\\u{ord(one):04x}"
