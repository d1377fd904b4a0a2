"""What may be shown of a capture: masks for messages, and for the packets that brought them."""
