"""Lines of logs: what libraries of many languages write when they cannot go on, and its meaning.

    troubles    what can be the trouble, in words: each kind once
    java, python, cpp, go, scripts, others, frameworks, system
                the words of libraries: which trouble, who writes them, where in its source
    table       all of them together
    text        the way through a text; found: what it said

A row is added in the file of its language, and a kind of trouble in ``troubles``.
"""

from __future__ import annotations

from .found import Complaint, TextVerdict

__all__ = ["Complaint", "TextVerdict", "explain_text"]


def explain_text(text: str) -> TextVerdict:
    """What a number, a line of a log or bytes in any layout mean, with no capture at all.

    The bytes are not decoded here: that is for who has ``capture.decode`` at hand.
    """
    # The table of words is long, and most who start the program ask for none.
    from .text import explain_text as explain

    return explain(text)
