"""Thrift: its transports, and how they and its protocols are recognised."""
