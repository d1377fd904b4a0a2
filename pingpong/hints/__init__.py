"""Answers without a capture: a number, a line of a log, pasted bytes."""
