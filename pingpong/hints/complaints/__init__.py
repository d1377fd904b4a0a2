"""Lines of logs: what libraries of many languages write when they cannot go on, and its meaning.

    troubles    what the trouble can be, in words: each kind once
    java, python, cpp, go, scripts, others, frameworks, grpc, relatives, system
                the words of libraries: for which trouble, written by whom, where in the source
    table       all of them together
    text        the way through a text; found: what it said

Add a row to the file of its language, and a kind of trouble to ``troubles``.
"""

from __future__ import annotations

from .found import Complaint, TextVerdict

__all__ = ["Complaint", "TextVerdict", "explain_text"]


def explain_text(text: str) -> TextVerdict:
    """What a number, a line of a log or bytes in any layout mean, with no capture at all.

    The bytes are not decoded here: to decode them, use ``capture.decode``.
    """
    # The table of words is long, and most runs of the program do not ask for it.
    from .text import explain_text as explain

    return explain(text)
