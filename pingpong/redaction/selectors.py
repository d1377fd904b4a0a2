"""Which fields are meant: the words behind ``--redact`` and ``pingpong redact --field``.

    SELECTORS   one or more, with commas between
    password              every field of that name, at any depth, in calls and replies
    login.2               field 2 of login: of its arguments, its result, its exceptions
    login.user.password   field "password" of the struct in field "user" of login
    *.token               field "token" of every method, in the outermost struct
    login.0               what login returns; login.success means the same
    login.*               all of login

A path begins with a method, or ``*`` for any; gRPC's may be written with its service
(``/shop.Orders/Get.2``) or without (``Get.2``), and so may a multiplexed one (``Calc:login``).
Then each part is a field's name, its id, or ``*`` for any field.  Lists, sets and maps take no part
of their own: a path goes on in their elements, keys and values.  Everything in a selected field is
selected.

A name is one that the message's fields have: from an IDL, or from the wire if that has names.
``success`` and 0 are the result of a reply, ``message`` and ``type`` the fields of a
TApplicationException; these need no IDL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Union

from ..model import NO_ID, Family, Field, MessageType

__all__ = ["Selector", "parse_selectors"]

ANY: Final = "*"

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_ID: Final = re.compile(r"-?[0-9]{1,5}\Z")
_METHOD: Final = re.compile(r"(?:/[^\s,*]*/)?[^\s.,*]+\Z")

# What an IDL would say about a TApplicationException.
_APPLICATION_NAMES: Final = {1: "message", 2: "type"}

Part = Union[int, str]


class Selector:
    """One selector: ``text`` is how it was written.

    ``method`` is "" if it is only a name, which is then in ``parts``.
    """

    __slots__ = ("method", "parts", "text")

    def __init__(self, text: str, method: str, parts: tuple[Part, ...]) -> None:
        self.text = text
        self.method = method
        self.parts = parts

    def __repr__(self) -> str:
        return f"<Selector {self.text!r}>"

    @property
    def has_names(self) -> bool:
        """Whether it names fields that ids alone cannot tell."""
        return any(isinstance(part, str) and part not in (ANY, "success") for part in self.parts)

    def is_of(self, method: str, bare: str = "") -> bool:
        """Say whether a field of that method's messages can be meant.

        ``method`` is "" for a bare struct, and ``bare`` is its name without its service.  A method
        whose name is not known may be any.
        """
        if self.method in ("", ANY) or not method:
            return True
        return self.method in (method, bare, method.rpartition(":")[2])

    def meets(self, place: int, field: Field, is_outermost: bool, is_exception: bool) -> bool:
        """Say whether that field is what part ``place`` names.

        ``is_exception``: the struct is a TApplicationException.
        """
        part = self.parts[place]
        if part == ANY:
            return True
        if isinstance(part, int):
            if field.field_id == NO_ID and field.name is not None:
                # From a protocol that writes names and no ids.
                return part == 0 and is_outermost and field.name == "success"
            return field.field_id == part
        if field.name == part:
            return True
        if not is_outermost:
            return False
        if is_exception:
            return _APPLICATION_NAMES.get(field.field_id) == part
        return part == "success" and field.field_id == 0

    def may_meet(
        self,
        place: int,
        field: Field,
        is_outermost: bool,
        kind: MessageType | None,
        family: Family | None,
        has_idl: bool,
    ) -> bool:
        """Say whether part ``place`` may name that field although ``meets`` says no.

        Nobody knows the field's name: there is no IDL, or it lacks the method or the field.  A name
        on the wire that an IDL lacks may be a damaged one; but the names in an exception of the
        server's own, or of a REPLY's result, are known.  ``kind`` and ``family`` are the message's,
        None for a struct.
        """
        part = self.parts[place]
        if not isinstance(part, str) or (field.in_idl if has_idl else field.name is not None):
            return False
        if not is_outermost:
            return True
        if kind is MessageType.EXCEPTION or part == "success":
            return False
        return not (kind is MessageType.REPLY and family is not None and family.is_result(field))


def parse_selectors(texts: Iterable[str]) -> tuple[Selector, ...]:
    """Parse texts such as "password,login.2".

    Raises ValueError, with a sentence that says what is wrong and what is allowed.
    """
    if isinstance(texts, str):
        texts = (texts,)
    found: dict[str, Selector] = {}
    for text in texts:
        for one in text.split(","):
            word = one.strip()
            if word not in found:
                found[word] = _selector(word, text)
    return tuple(found.values())


def _selector(word: str, whole: str) -> Selector:
    if not word:
        raise ValueError(f'"{whole}" has an empty selector, want a field: password, login.2')
    # gRPC's path has dots in the service's name: /shop.Orders/Get.2
    service, slash, word_ = word.rpartition("/")
    head, dot, rest = word_.partition(".")
    head = service + slash + head
    if not dot:
        if _NAME.match(word):
            return Selector(word, "", (word,))
        wanted = "a name (password) or a path (login.2, *.token)"
        if _ID.match(word):
            wanted = f"a method before the id (login.{word}), or * for any (*.{word})"
        raise ValueError(f'selector "{word}": want {wanted}')
    if head != ANY and not _METHOD.match(head):
        what = f'is "{head}"' if head else "is missing"
        raise ValueError(f'selector "{word}": its method {what}, want a name or *')
    parts: list[Part] = []
    for place, part in enumerate(rest.split("."), 1):
        if _ID.match(part):
            parts.append(int(part))
        elif part == ANY or _NAME.match(part):
            parts.append(part)
        else:
            what = f'is "{part}"' if part else "is empty"
            wanted = "a field's name, its id, or *"
            raise ValueError(
                f'selector "{word}": part {place} behind the method {what}, want {wanted}'
            )
    return Selector(word, head, tuple(parts))
