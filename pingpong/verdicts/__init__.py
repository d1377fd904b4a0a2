"""Settled exchanges in, verdicts out: what is wrong on a connection, and what to change."""
