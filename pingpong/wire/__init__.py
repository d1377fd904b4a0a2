"""Packets → ordered bytes: capture files, link layers, streams.  Pure."""
