"""Dubbo's own protocol, version 2."""
