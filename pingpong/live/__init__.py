"""Where the outside world comes in: servers, private networks, captures.

The only room with sockets.
"""
