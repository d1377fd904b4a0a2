"""Turn the ordered pieces of a connection into messages: what families bring, and the reader."""
