"""A note for every byte of Triple's wrapper, and of the values in it."""

from __future__ import annotations

from ....errors import DecodeError
from ....model import Note, Struct
from ...encodings.hessian2 import Said, settle
from ...encodings.hessian2_notes import Hessian2Writer
from ...encodings.protobuf import LEN, read_key, read_number
from .wrapped import PARTS, VALUES

__all__ = ["WrappedWriter"]

_WHY = {
    "serializeType": "How the values are encoded; hessian4 is hessian2.",
    "class": "The class that the value was declared with.",
}


class WrappedWriter(Hessian2Writer):
    """A message of protobuf, with values in hessian2."""

    def written(self) -> list[Note]:
        self.at = self.record.start
        self.outermost(self.record.body)
        self.rest(self.record.stop)
        return self.notes

    def outermost(self, body: Struct) -> None:
        for field in body.fields:
            self.parts(field.span.start)
            path = (field.field_id,)
            self.head(path)
            self.value(field.value, "value", 1, path)
        if body.stop is not None:
            self.parts(body.stop.stop)

    def parts(self, stop: int) -> None:
        """What is no value, up to ``stop``."""
        while self.at < stop:
            at = self.at
            for _ in self.losses.within(at, stop):
                self.rest(stop)
                return
            size = self.head(())
            if not size:
                self.rest(stop)
                return
            number = self.data[at] >> 3
            text = self.data[self.at : self.at + size].decode("utf-8", "backslashreplace")
            label = PARTS.get(number, "part")
            self.note(size, "field", label, f'"{text}"', _WHY.get(label, ""), 1)

    def head(self, path: tuple[int, ...]) -> int:
        """Note the key and the length of the next part; how many bytes it has."""
        try:
            number, wire, end = read_key(self.data, self.at, self.stop)
            size, inside = read_number(self.data, end, self.stop, "length")
        except DecodeError:
            return 0
        if wire != LEN or self.losses.within(self.at, inside):
            return 0
        meaning = f"{number} {PARTS.get(number, '')}".rstrip()
        why = "A part of Triple's wrapper, which is in protobuf."
        self.note(end - self.at, "field", "wrapper field", meaning, why, 1, path)
        self.note(inside - end, "size", "length", str(size), "In bytes.", 1, path)
        if number == VALUES:
            self.classes = []
            counts = Said()
            stop = min(inside + size, self.stop)
            settle(self.data, inside, stop, counts, self.record.gaps, self.record.limits)
            self.wide = counts.wide
        return min(size, self.stop - self.at)
