"""Settled exchanges → verdicts: what is wrong on a connection, and what to change."""
