"""Ordered pieces of a connection in, messages out: what the families bring, and what reads them."""
