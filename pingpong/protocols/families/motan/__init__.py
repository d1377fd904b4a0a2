"""Motan, Weibo's RPC: its two protocols."""
