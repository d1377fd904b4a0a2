"""Shared ways to find where a unit ends, a file each: what several families are carried in."""
