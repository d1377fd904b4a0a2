"""Ordered bytes → messages: detection, transports, protocols.  Pure."""
