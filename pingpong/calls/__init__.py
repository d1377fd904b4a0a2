"""Messages → exchanges: which reply belongs to which call, and what became of each.  Pure."""
