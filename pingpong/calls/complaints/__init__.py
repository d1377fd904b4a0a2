"""Lines of logs: what libraries of many languages write when they cannot go on, and its meaning.

    troubles    what can be the trouble, in words: each kind once
    java, python, cpp, go, scripts, others, frameworks, system
                the words of libraries: which trouble, who writes them, where in its source
    table       all of them together
    text        the way through a text

A row is added in the file of its language, and a kind of trouble in ``troubles``.
"""

from __future__ import annotations

from .text import Complaint, TextVerdict, explain_text

__all__ = ["Complaint", "TextVerdict", "explain_text"]
