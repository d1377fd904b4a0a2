"""Messages → meaning: exchanges, and a note for every byte.  Pure."""
