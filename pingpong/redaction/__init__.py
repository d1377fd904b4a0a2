"""Which parts of a capture may be shown: masks for messages, and for the packets they came in."""
