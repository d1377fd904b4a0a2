"""Every public name says what it means: what ruff's D rules cannot see, and lines of DESIGN.md.

Ruff asks for the docstrings of modules, classes and functions (pyproject.toml).  A method that
overrides another one says the same as its base does, and ruff does not know which methods do.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from places import ROOT

pytestmark = pytest.mark.once

# Bases from elsewhere with no methods to override.
PLAIN = frozenset({"ABC", "Enum", "Generic", "IntEnum", "NamedTuple", "Protocol", "str"})


class Class(NamedTuple):
    """A class: its module, the names of its bases, and whether each method has a docstring."""

    place: str
    bases: tuple[str, ...]
    methods: dict[str, bool]


def _base_name(base: ast.expr) -> str:
    """Return the last word of a base: "Listener" of ``model.Listener`` and of ``Listener[T]``."""
    if isinstance(base, ast.Subscript):
        base = base.value
    if isinstance(base, ast.Attribute):
        return base.attr
    return base.id if isinstance(base, ast.Name) else ""


def classes_in(text: str, place: str) -> Iterator[tuple[str, Class]]:
    """Yield the classes of a module, private ones too: a public class may inherit from them."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            methods: dict[str, bool] = {}
            for one in node.body:
                if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    has_one = ast.get_docstring(one) is not None
                    methods[one.name] = methods.get(one.name, False) or has_one
            yield node.name, Class(place, tuple(map(_base_name, node.bases)), methods)


def says(name: str, method: str, known: dict[str, list[Class]]) -> bool:
    """Whether the method of some class of that name, or what it overrides, has a docstring.

    A class from elsewhere is taken to say what its methods do.
    """
    if name not in known:
        return name not in PLAIN
    return any(
        one.methods.get(method, False) or any(says(base, method, known) for base in one.bases)
        for one in known[name]
    )


def silent_methods(modules: dict[str, str]) -> list[str]:
    """Return the public methods of public classes that say nothing, by the text of each module."""
    known: dict[str, list[Class]] = {}
    for place, text in modules.items():
        for name, one in classes_in(text, place):
            known.setdefault(name, []).append(one)
    return [
        f"{one.place}: {name}.{method}"
        for name, found in known.items()
        if not name.startswith("_")
        for one in found
        for method, has_one in one.methods.items()
        if not (method.startswith("_") or has_one)
        and not any(says(base, method, known) for base in one.bases)
    ]


def test_every_public_method_says_what_it_does_or_overrides_one_that_does() -> None:
    modules = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "pingpong").rglob("*.py"))
    }
    assert len(modules) > 100
    assert not silent_methods(modules)


def test_an_override_is_told_from_a_method_that_is_new() -> None:
    base = "class Base:\n    def walk(self):\n        '''Walk.'''\n    def rest(self): ...\n"
    child = "class Child(Base):\n    def walk(self): ...\n    def rest(self): ...\n"
    alone = "class Alone(NamedTuple):\n    def walk(self): ...\n    def _own(self): ...\n"
    foreign = "class Foreign(Thread):\n    def run(self): ...\nclass _Own:\n    def go(self): ...\n"
    assert silent_methods({"a.py": base + child, "b.py": alone + foreign}) == [
        "a.py: Base.rest",
        "a.py: Child.rest",
        "b.py: Alone.walk",
    ]


def test_the_lines_of_the_design_fit_a_screen() -> None:
    lines = (ROOT / "DESIGN.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 100
    assert not [line for line in lines if len(line) >= 100]
